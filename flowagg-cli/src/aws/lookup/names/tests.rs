use aws_sdk_ec2::error::ErrorMetadata;
use aws_sdk_ec2::operation::describe_instances::{DescribeInstancesError, DescribeInstancesOutput};
use aws_sdk_ec2::operation::describe_network_interfaces::DescribeNetworkInterfacesOutput;
use aws_sdk_ec2::operation::describe_subnets::DescribeSubnetsOutput;
use aws_sdk_ec2::operation::describe_vpcs::DescribeVpcsOutput;
use aws_sdk_ec2::types::{
    Instance, NetworkInterfaceAssociation, NetworkInterfaceAttachment, NetworkInterfaceIpv6Address,
    NetworkInterfacePrivateIpAddress, Reservation, Subnet, Vpc,
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::aws::mocked;

fn named(name: &str) -> Tag {
    Tag::builder().key("Name").value(name).build()
}

fn part(set: impl FnOnce(&mut Part)) -> Part {
    let mut part = Part::default();
    set(&mut part);
    part
}

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

async fn looked(rules: &[&Rule], part: Part) -> (Found, Vec<Failure>) {
    look(&mocked::ec2(rules), &At::new(mocked::place()), part).await
}

/// `DescribeInstances` with one instance.
fn instance(id: &'static str, name: &'static str) -> Rule {
    mock!(Client::describe_instances).then_output(move || {
        let instance = Instance::builder().instance_id(id).tags(named(name)).build();
        let reservation = Reservation::builder().instances(instance).build();
        DescribeInstancesOutput::builder().reservations(reservation).build()
    })
}

#[tokio::test]
async fn all_addresses_of_an_interface_get_the_instance_name() {
    let public = NetworkInterfaceAssociation::builder().public_ip("203.0.113.9").build();
    let first = NetworkInterfacePrivateIpAddress::builder().private_ip_address("10.0.0.7");
    let second =
        NetworkInterfacePrivateIpAddress::builder().private_ip_address("10.0.0.8").association(public);
    let interface = NetworkInterface::builder()
        .network_interface_id("eni-0a1b2c3d")
        .owner_id("222222222222")
        .attachment(NetworkInterfaceAttachment::builder().instance_id("i-0a1b2c3d").build())
        .private_ip_addresses(first.build())
        .private_ip_addresses(second.build())
        .ipv6_addresses(NetworkInterfaceIpv6Address::builder().ipv6_address("2001:db8::7").build())
        .build();
    let interfaces = mock!(Client::describe_network_interfaces).then_output(move || {
        DescribeNetworkInterfacesOutput::builder().network_interfaces(interface.clone()).build()
    });
    let wanted = part(|part| part.interfaces = ids(&["eni-0a1b2c3d"]));
    let (found, failures) = looked(&[&interfaces, &instance("i-0a1b2c3d", "web")], wanted).await;
    assert_eq!(failures, []);
    assert_eq!(found.resource("eni-0a1b2c3d"), Some("web"));
    let addresses = found.addresses();
    for address in ["10.0.0.7", "10.0.0.8", "203.0.113.9", "2001:db8::7"] {
        assert_eq!(addresses.get(&address.parse::<IpAddr>().unwrap()), Some(&"web"), "{address}");
    }
}

#[tokio::test]
async fn filters_have_up_to_200_values_and_every_page_is_read() {
    let interfaces = mock!(Client::describe_network_interfaces).then_compute_output(|request| {
        let [filter] = request.filters() else { panic!("{request:?}") };
        assert!(filter.values().len() <= 200, "{request:?}");
        assert_eq!((request.max_results(), request.network_interface_ids()), (Some(1000), &[][..]));
        assert_eq!(filter.name(), Some("addresses.private-ip-address"));
        // Two pages: the first value and the last.
        let is_first = request.next_token().is_none();
        let address = if is_first { filter.values().first() } else { filter.values().last() }.unwrap();
        let interface = NetworkInterface::builder()
            .network_interface_id(format!("eni-{address}"))
            .private_ip_address(address)
            .tag_set(named(&format!("host {address}")))
            .build();
        DescribeNetworkInterfacesOutput::builder()
            .network_interfaces(interface)
            .set_next_token(is_first.then(|| "next".to_owned()))
            .build()
    });
    // Their text form sorts in the same order.
    let address = |n: u8| IpAddr::from([10, 1, 100 + n / 50, 100 + n % 50]);
    let wanted = part(|part| part.addresses = (0..=250).map(address).collect());
    let (found, failures) = looked(&[&interfaces], wanted).await;
    assert_eq!((interfaces.num_calls(), failures), (4, Vec::new()));
    let addresses: Vec<String> = found.addresses().into_keys().map(|address| address.to_string()).collect();
    assert_eq!(addresses, [0, 199, 200, 250].map(|n| address(n).to_string()));
}

#[test]
fn addresses_are_looked_up_with_private_public_and_ipv6_filters() {
    let texts = ["10.0.0.7", "203.0.113.9", "2001:db8::7"];
    let wanted = part(|part| part.addresses = texts.iter().map(|text| text.parse().unwrap()).collect());
    assert_eq!(
        interface_filters(&wanted),
        [
            ("addresses.private-ip-address", ids(&["10.0.0.7", "203.0.113.9"])),
            ("addresses.association.public-ip", ids(&["203.0.113.9"])),
            ("ipv6-addresses.ipv6-address", ids(&["2001:db8::7"])),
        ]
    );
}

#[tokio::test]
async fn failed_call_does_not_discard_other_results() {
    let denied = mock!(Client::describe_instances).then_error(|| {
        let error = ErrorMetadata::builder().code("UnauthorizedOperation").message("no").build();
        DescribeInstancesError::generic(error)
    });
    let vpcs = mock!(Client::describe_vpcs).then_output(|| {
        let vpc = Vpc::builder().vpc_id("vpc-0a1b2c3d").owner_id("222222222222").tags(named("main")).build();
        DescribeVpcsOutput::builder().vpcs(vpc).build()
    });
    let subnets = mock!(Client::describe_subnets).then_output(|| {
        let subnet = Subnet::builder().subnet_id("subnet-0a1b2c3d").tags(named("a")).build();
        DescribeSubnetsOutput::builder().subnets(subnet).build()
    });
    let wanted = part(|part| {
        part.instances = ids(&["i-0a1b2c3d"]);
        part.vpcs = ids(&["vpc-0a1b2c3d"]);
        part.subnets = ids(&["subnet-0a1b2c3d"]);
    });
    let (found, failures) = looked(&[&denied, &vpcs, &subnets], wanted).await;
    let failed: Vec<(&str, Option<&str>)> =
        failures.iter().map(|failure| (failure.call.as_str(), failure.code.as_deref())).collect();
    assert_eq!(failed, [("DescribeInstances", Some("UnauthorizedOperation"))]);
    assert_eq!(
        ["i-0a1b2c3d", "vpc-0a1b2c3d", "subnet-0a1b2c3d"].map(|id| found.resource(id)),
        [None, Some("main"), Some("a")]
    );
}

#[tokio::test]
async fn empty_request_makes_no_calls() {
    let (found, failures) = looked(&[], Part::default()).await;
    assert_eq!((found, failures), (Found::default(), Vec::new()));
}
