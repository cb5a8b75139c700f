use aws_sdk_ec2::error::ErrorMetadata;
use aws_sdk_ec2::operation::describe_network_interfaces::DescribeNetworkInterfacesOutput;
use aws_sdk_ec2::operation::describe_security_group_rules::{
    DescribeSecurityGroupRulesError, DescribeSecurityGroupRulesOutput,
};
use aws_sdk_ec2::operation::describe_security_groups::DescribeSecurityGroupsOutput;
use aws_sdk_ec2::operation::describe_vpcs::DescribeVpcsOutput;
use aws_sdk_ec2::operation::get_managed_prefix_list_entries::{
    GetManagedPrefixListEntriesError, GetManagedPrefixListEntriesOutput,
};
use aws_sdk_ec2::types::{
    GroupIdentifier, Ipv4PrefixSpecification, NetworkInterface, NetworkInterfaceIpv6Address,
    NetworkInterfacePrivateIpAddress, PrefixListEntry, ReferencedSecurityGroup, SecurityGroup as Group,
    SecurityGroupRule as Rule, Vpc, VpcCidrBlockAssociation, VpcIpv6CidrBlockAssociation,
};
use aws_smithy_mocks::{Rule as Mock, mock};
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::mocked;

/// The account of the mocked place.
const OWNER: &str = "222222222222";

fn groups() -> Mock {
    mock!(Client::describe_security_groups).then_output(|| {
        let group = |id: &str, owner: &str| {
            Group::builder().group_id(id).group_name("web").owner_id(owner).vpc_id("vpc-0a1b2c3d").build()
        };
        DescribeSecurityGroupsOutput::builder()
            .security_groups(group("sg-0a1b2c3d", OWNER))
            .security_groups(group("sg-shared", "333333333333"))
            .build()
    })
}

fn rule(id: &str) -> aws_sdk_ec2::types::builders::SecurityGroupRuleBuilder {
    let rule = Rule::builder().security_group_rule_id(id).group_id("sg-0a1b2c3d").group_owner_id(OWNER);
    rule.is_egress(false).ip_protocol("tcp").from_port(443).to_port(443)
}

/// Responses with one rule on each page.
fn rules(rules: Vec<Rule>) -> Mock {
    mock!(Client::describe_security_group_rules)
        .match_requests(|request| request.max_results() == Some(1_000))
        .then_compute_output(move |request| {
            let page = request.next_token().map_or(0, |token| token.parse::<usize>().unwrap());
            let next = (page + 1 < rules.len()).then(|| (page + 1).to_string());
            let output = DescribeSecurityGroupRulesOutput::builder().set_next_token(next);
            output.security_group_rules(rules[page].clone()).build()
        })
}

fn interfaces() -> Mock {
    mock!(Client::describe_network_interfaces)
        .match_requests(|request| request.include_managed_resources() == Some(true))
        .then_output(|| {
            let private = |address: &str| {
                NetworkInterfacePrivateIpAddress::builder().private_ip_address(address).build()
            };
            let interface = NetworkInterface::builder()
                .network_interface_id("eni-0a1b2c3d")
                .vpc_id("vpc-0a1b2c3d")
                .groups(GroupIdentifier::builder().group_id("sg-0a1b2c3d").build())
                .groups(GroupIdentifier::builder().group_id("sg-shared").build())
                .private_ip_address("10.0.0.1")
                .private_ip_addresses(private("10.0.0.1"))
                .private_ip_addresses(private("10.0.0.2"))
                .ipv6_addresses(NetworkInterfaceIpv6Address::builder().ipv6_address("2001:db8::1").build())
                .ipv4_prefixes(Ipv4PrefixSpecification::builder().ipv4_prefix("10.0.9.0/28").build())
                .status(NetworkInterfaceStatus::InUse);
            let unattached = NetworkInterface::builder()
                .network_interface_id("eni-1a1b2c3d")
                .status(NetworkInterfaceStatus::Available);
            DescribeNetworkInterfacesOutput::builder()
                .network_interfaces(interface.build())
                .network_interfaces(unattached.build())
                .build()
        })
}

fn vpcs() -> Mock {
    mock!(Client::describe_vpcs).then_output(|| {
        let block = VpcCidrBlockAssociation::builder().cidr_block("100.64.0.0/16").build();
        let v6 = VpcIpv6CidrBlockAssociation::builder().ipv6_cidr_block("2001:db8::/56").build();
        let vpc = Vpc::builder().cidr_block("10.0.0.0/16").cidr_block_association_set(block);
        DescribeVpcsOutput::builder().vpcs(vpc.ipv6_cidr_block_association_set(v6).build()).build()
    })
}

/// Prefix list entries, one on each page. Only `pl-0a1b2c3d` exists.
fn lists() -> [Mock; 2] {
    let entries = mock!(Client::get_managed_prefix_list_entries)
        .match_requests(|request| request.prefix_list_id() == Some("pl-0a1b2c3d"))
        .then_compute_output(|request| {
            let (cidr, next) = match request.next_token() {
                None => ("192.0.2.0/24", Some("1".to_owned())),
                Some(_) => ("198.51.100.0/24", None),
            };
            let entry = PrefixListEntry::builder().cidr(cidr).build();
            GetManagedPrefixListEntriesOutput::builder().entries(entry).set_next_token(next).build()
        });
    let denied = mock!(Client::get_managed_prefix_list_entries)
        .match_requests(|request| request.prefix_list_id() != Some("pl-0a1b2c3d"))
        .then_error(|| GetManagedPrefixListEntriesError::generic(denial()));
    [entries, denied]
}

fn denial() -> ErrorMetadata {
    ErrorMetadata::builder().code("UnauthorizedOperation").message("not authorized").build()
}

async fn read(rules: Mock) -> Result<(SecurityGroups, Vec<Failure>), Failure> {
    let (groups, interfaces, vpcs, [list, denied]) = (groups(), interfaces(), vpcs(), lists());
    let ec2 = mocked::ec2(&[&groups, &rules, &interfaces, &vpcs, &list, &denied]);
    of_client(&ec2, &mocked::place()).await
}

fn shown(found: &SecurityGroups) -> String {
    let lines = found.rules.iter().map(|(id, rule)| {
        let SecurityGroupRule { direction, protocol, peer, .. } = rule;
        format!("{id} {} {protocol} {} {peer:?}\n", direction.as_str(), rule.ports())
    });
    lines.collect()
}

#[tokio::test]
async fn rules_of_every_page_are_read_without_those_of_other_owners() {
    let referenced =
        ReferencedSecurityGroup::builder().group_id("sg-1a1b2c3d").user_id("333333333333").build();
    let all = vec![
        rule("sgr-1").cidr_ipv4("10.0.0.0/8").description("office").build(),
        rule("sgr-2").cidr_ipv6("::/0").is_egress(true).ip_protocol("-1").from_port(-1).to_port(-1).build(),
        rule("sgr-3").prefix_list_id("pl-0a1b2c3d").build(),
        rule("sgr-4").prefix_list_id("pl-1a1b2c3d").build(),
        rule("sgr-5").referenced_group_info(referenced).build(),
        rule("sgr-6").cidr_ipv4("everywhere").build(),
        rule("sgr-7").build(),
        rule("sgr-8").group_owner_id("333333333333").cidr_ipv4("10.0.0.0/8").build(),
    ];
    let (found, failures) = read(rules(all)).await.unwrap();
    assert_data_eq!(
        shown(&found),
        str![[r#"
sgr-1 ingress tcp 443 Network(Network { address: 10.0.0.0, length: 8 })
sgr-2 egress all all Network(Network { address: ::, length: 0 })
sgr-3 ingress tcp 443 PrefixList("pl-0a1b2c3d", Some([Network { address: 192.0.2.0, length: 24 }, Network { address: 198.51.100.0, length: 24 }]))
sgr-4 ingress tcp 443 PrefixList("pl-1a1b2c3d", None)
sgr-5 ingress tcp 443 Group("sg-1a1b2c3d")
sgr-6 ingress tcp 443 Unknown("everywhere")
sgr-7 ingress tcp 443 Unknown("-")

"#]]
    );
    assert_eq!(found.rules["sgr-1"].description.as_deref(), Some("office"));
    let failed: Vec<String> =
        failures.iter().map(|failure| format!("{failure}; {:?}", failure.resource)).collect();
    assert_data_eq!(
        failed.join("\n"),
        str![[
            r#"222222222222 eu-west-1: GetManagedPrefixListEntries: not authorized; allow ec2:GetManagedPrefixListEntries for the role or user used in 222222222222; `flowagg permissions --query` prints the IAM policies; Some("pl-1a1b2c3d")"#
        ]]
    );
}

#[tokio::test]
async fn interfaces_groups_and_networks_are_read_with_all_addresses() {
    let (found, _) = read(rules(vec![rule("sgr-1").cidr_ipv4("10.0.0.0/8").build()])).await.unwrap();
    let texts = |networks: &[Network]| networks.iter().map(Network::to_string).collect::<Vec<_>>();
    let interface = &found.interfaces["eni-0a1b2c3d"];
    assert_eq!(interface.groups, ["sg-0a1b2c3d", "sg-shared"]);
    assert_eq!(interface.vpc.as_deref(), Some("vpc-0a1b2c3d"));
    assert_eq!(texts(&interface.addresses), ["10.0.0.1/32", "10.0.0.2/32", "10.0.9.0/28", "2001:db8::1/128"]);
    assert_eq!(found.interfaces.values().map(|it| it.is_in_use).collect::<Vec<_>>(), [true, false]);
    assert_eq!(texts(&found.networks), ["10.0.0.0/16", "100.64.0.0/16", "2001:db8::/56"]);
    assert_eq!(
        found.groups.keys().collect::<Vec<_>>(),
        ["sg-0a1b2c3d"],
        "shared groups belong to another account"
    );
}

#[tokio::test]
async fn denied_or_incomplete_rules_are_failures() {
    let denied = mock!(Client::describe_security_group_rules)
        .then_error(|| DescribeSecurityGroupRulesError::generic(denial()));
    let incomplete = rules(vec![rule("sgr-1").set_is_egress(None).cidr_ipv4("10.0.0.0/8").build()]);
    let mut shown = String::new();
    for mock in [denied, incomplete] {
        shown += &format!("{}\n", read(mock).await.unwrap_err());
    }
    assert_data_eq!(
        shown,
        str![[r#"
222222222222 eu-west-1: DescribeSecurityGroupRules: not authorized; allow ec2:DescribeSecurityGroupRules for the role or user used in 222222222222; `flowagg permissions --query` prints the IAM policies
222222222222 eu-west-1: DescribeSecurityGroupRules: the response is incomplete: it contains an item without the direction of a rule; run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS

"#]]
    );
}
