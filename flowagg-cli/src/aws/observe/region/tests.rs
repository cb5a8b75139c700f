use aws_sdk_ec2::error::ErrorMetadata;
use aws_sdk_ec2::operation::describe_flow_logs::DescribeFlowLogsOutput;
use aws_sdk_ec2::operation::describe_network_interfaces::{
    DescribeNetworkInterfacesError, DescribeNetworkInterfacesOutput,
};
use aws_sdk_ec2::operation::describe_subnets::DescribeSubnetsOutput;
use aws_sdk_ec2::operation::describe_transit_gateway_attachments::DescribeTransitGatewayAttachmentsOutput;
use aws_sdk_ec2::operation::describe_vpcs::DescribeVpcsOutput;
use aws_sdk_ec2::types::{
    NetworkInterface, NetworkInterfaceStatus, Subnet, TransitGatewayAttachment,
    TransitGatewayAttachmentState, Vpc,
};
use aws_smithy_mocks::{Rule, mock};
use flowagg_core::id::ResourceKind;
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::mocked;

const VPC: &str = "vpc-0a1b2c3d4e5f67890";

fn at() -> At {
    At::new(mocked::place())
}

/// `DescribeVpcs` with one VPC on each page, and the token for the next page.
fn vpcs(pages: &'static [(&'static str, Option<&'static str>)]) -> Rule {
    mock!(Client::describe_vpcs).then_compute_output(move |request| {
        let page = request.next_token().map_or(0, |token| token.parse::<usize>().unwrap());
        let (id, next) = pages[page];
        let vpc = Vpc::builder().vpc_id(id).build();
        DescribeVpcsOutput::builder().vpcs(vpc).set_next_token(next.map(str::to_owned)).build()
    })
}

async fn of_vpcs(rule: Rule) -> Result<Vec<String>, String> {
    let ec2 = mocked::ec2(&[&rule]);
    let read = resources::of_kind(&ec2, ResourceKind::Vpc, &at()).await;
    let ids = |all: Vec<flowagg_core::observed::Resource>| all.iter().map(|it| it.id.to_string()).collect();
    read.map(ids).map_err(|failure| format!("{}: {}", failure.call, failure.message))
}

#[tokio::test]
async fn resource_on_two_pages_is_returned_once() {
    let rule = vpcs(&[(VPC, Some("1")), ("vpc-0a1b2c3d", Some("2")), (VPC, None)]);
    assert_eq!(of_vpcs(rule).await.unwrap(), ["vpc-0a1b2c3d", VPC]);
}

#[tokio::test]
async fn repeated_page_token_is_a_failure() {
    let repeated = "DescribeVpcs: the response is incomplete: it repeats the token of an earlier page";
    for pages in
        [&[(VPC, Some("1")), (VPC, Some("1"))][..], &[(VPC, Some("1")), (VPC, Some("2")), (VPC, Some("1"))]]
    {
        assert_eq!(of_vpcs(vpcs(pages)).await.unwrap_err(), repeated);
    }
}

#[tokio::test]
async fn invalid_resource_id_is_a_failure() {
    let unknown = "DescribeVpcs: the response contains the ID `net-1`, which has an unknown format";
    assert_eq!(of_vpcs(vpcs(&[("net-1", None)])).await.unwrap_err(), unknown);

    let subnet = Subnet::builder().subnet_id("subnet-0a1b2c3d").vpc_id("net-2").build();
    let rule = mock!(Client::describe_subnets)
        .then_output(move || DescribeSubnetsOutput::builder().subnets(subnet.clone()).build());
    let failure = resources::of_kind(&mocked::ec2(&[&rule]), ResourceKind::Subnet, &at()).await.unwrap_err();
    assert_eq!(failure.message, "the response contains the ID `net-2`, which has an unknown format");
}

/// The result of `DescribeFlowLogs` with these flow log IDs on two pages.
async fn flow_logs_of(ids: [Option<&'static str>; 2]) -> Result<Vec<String>, String> {
    let rule = mock!(Client::describe_flow_logs).then_compute_output(move |request| {
        let (id, next) = match request.next_token() {
            None => (ids[0], Some("1".to_owned())),
            Some(_) => (ids[1], None),
        };
        let log = types::FlowLog::builder().set_flow_log_id(id.map(str::to_owned));
        let log = log.resource_id(VPC).log_destination("arn:aws:s3:::acme-logs").build();
        DescribeFlowLogsOutput::builder().flow_logs(log).set_next_token(next).build()
    });
    let read = of_client(&mocked::ec2(&[&rule]), &at()).await;
    let ids = |all: Vec<FlowLog>| all.iter().map(|log| log.id.to_string()).collect();
    read.map(ids).map_err(|failure| failure.message)
}

#[tokio::test]
async fn repeated_flow_log_is_returned_once_and_invalid_id_is_a_failure() {
    assert_eq!(flow_logs_of([Some("fl-0a1b2c3d"); 2]).await.unwrap(), ["fl-0a1b2c3d"]);
    let unknown = flow_logs_of([Some("fl-0a1b2c3d"), Some("log-1")]).await.unwrap_err();
    assert_eq!(unknown, "the response contains the ID `log-1`, which has an unknown format");
    let missing = flow_logs_of([Some("fl-0a1b2c3d"), None]).await.unwrap_err();
    assert_eq!(missing, "the response is incomplete: it contains an item without the ID of a flow log");
}

/// The destination of a flow log, as shown in a plan.
fn delivers_to(
    kind: Option<&str>,
    destination: Option<&str>,
    group: Option<&str>,
) -> Result<LogDestination, Incomplete> {
    let log = types::FlowLog::builder().set_log_destination_type(kind.map(LogDestinationType::from));
    let log = log.set_log_destination(destination.map(str::to_owned));
    super::destination(&log.set_log_group_name(group.map(str::to_owned)).build())
}

#[test]
fn every_destination_is_read_and_missing_bucket_arn_is_a_failure() {
    let bucket = "arn:aws:s3:::acme-logs/net/";
    let group = "arn:aws:logs:eu-west-1:222222222222:log-group:/vpc/flow:*";
    let stream = "arn:aws:firehose:eu-west-1:444455556666:deliverystream/siem";
    let destinations = [
        (Some("s3"), Some(bucket), None),
        (None, Some(bucket), None),
        (Some("cloud-watch-logs"), None, Some("/vpc/flow")),
        (Some("cloud-watch-logs"), Some(group), None),
        (None, Some(group), None),
        (None, None, Some("/vpc/flow")),
        (Some("kinesis-data-firehose"), Some(stream), None),
        (None, Some(stream), None),
        (Some("cloud-watch-logs"), None, Some("")),
        (Some("kinesis-data-firehose"), None, None),
        (Some("kafka"), Some("topic"), None),
        (None, None, None),
    ]
    .map(|(kind, destination, group)| format!("{}\n", delivers_to(kind, destination, group).unwrap()));
    assert_data_eq!(
        destinations.concat(),
        str![[r#"
arn:aws:s3:::acme-logs/net/
arn:aws:s3:::acme-logs/net/
log group `/vpc/flow`
log group `/vpc/flow`
log group `/vpc/flow`
log group `/vpc/flow`
Firehose stream `siem` of 444455556666
Firehose stream `siem` of 444455556666
cloud-watch-logs
kinesis-data-firehose
kafka `topic`
an unnamed destination

"#]]
    );
    let missing = delivers_to(Some("s3"), None, None).unwrap_err().to_string();
    assert_data_eq!(
        missing,
        str!["the response is incomplete: it contains an item without the destination of a flow log"]
    );
}

/// The IDs of the resources in use, or the failure and its advice.
async fn in_use_of(rule: Rule, carrier: Carrier) -> Result<Vec<String>, (String, String)> {
    let read = resources::in_use(&mocked::ec2(&[&rule]), carrier, &at()).await;
    let ids = |all: BTreeSet<ResourceId>| all.iter().map(ToString::to_string).collect();
    read.map(ids).map_err(|failure| (failure.what(), failure.help()))
}

#[tokio::test]
async fn attached_interfaces_mark_their_subnets_and_vpcs_as_in_use() {
    let interface = |id: &str, subnet: &str, status| {
        NetworkInterface::builder()
            .network_interface_id(id)
            .subnet_id(subnet)
            .vpc_id("vpc-0a1b2c3d")
            .status(status)
            .build()
    };
    let rule = mock!(Client::describe_network_interfaces)
        .match_requests(|request| {
            let [filter] = request.filters() else { return false };
            filter.name() == Some("status") && filter.values() == ["in-use"]
        })
        .then_compute_output(move |request| {
            let (interface, next) = match request.next_token() {
                None => {
                    (interface("eni-0a1b2c3d", "subnet-0a1b2c3d", NetworkInterfaceStatus::InUse), Some("1"))
                }
                Some("1") => (
                    interface("eni-1a1b2c3d", "subnet-1a1b2c3d", NetworkInterfaceStatus::Available),
                    Some("2"),
                ),
                Some(_) => {
                    (interface("eni-2a1b2c3d", "subnet-2a1b2c3d", NetworkInterfaceStatus::InUse), None)
                }
            };
            let page = DescribeNetworkInterfacesOutput::builder().network_interfaces(interface);
            page.set_next_token(next.map(str::to_owned)).build()
        });
    let in_use = in_use_of(rule, Carrier::NetworkInterface).await.unwrap();
    let expected = ["vpc-0a1b2c3d", "subnet-0a1b2c3d", "subnet-2a1b2c3d", "eni-0a1b2c3d", "eni-2a1b2c3d"];
    assert_eq!(in_use, expected);
}

#[tokio::test]
async fn gateways_are_in_use_through_available_attachments() {
    let attachment = |gateway: &str, state| {
        TransitGatewayAttachment::builder().transit_gateway_id(gateway).state(state).build()
    };
    let rule = mock!(Client::describe_transit_gateway_attachments)
        .match_requests(|request| {
            let [filter] = request.filters() else { return false };
            filter.name() == Some("state") && filter.values() == ["available"]
        })
        .then_output(move || {
            DescribeTransitGatewayAttachmentsOutput::builder()
                .transit_gateway_attachments(attachment(
                    "tgw-0a1b2c3d",
                    TransitGatewayAttachmentState::Available,
                ))
                .transit_gateway_attachments(attachment(
                    "tgw-0a1b2c3d",
                    TransitGatewayAttachmentState::Available,
                ))
                .transit_gateway_attachments(attachment(
                    "tgw-1a1b2c3d",
                    TransitGatewayAttachmentState::Deleted,
                ))
                .build()
        });
    assert_eq!(in_use_of(rule, Carrier::Attachment).await.unwrap(), ["tgw-0a1b2c3d"]);
}

#[tokio::test]
async fn denied_interface_listing_advises_the_permission() {
    let rule = mock!(Client::describe_network_interfaces).then_error(|| {
        let denied = ErrorMetadata::builder().code("UnauthorizedOperation").message("not authorized").build();
        DescribeNetworkInterfacesError::generic(denied)
    });
    let what = "DescribeNetworkInterfaces: UnauthorizedOperation: not authorized".to_owned();
    let help = "allow ec2:DescribeNetworkInterfaces for the role or user used in 222222222222; `flowagg permissions` \
                prints the IAM policies"
        .to_owned();
    assert_eq!(in_use_of(rule, Carrier::NetworkInterface).await, Err((what, help)));
}

#[tokio::test]
async fn interface_without_an_id_is_a_failure() {
    let interface = NetworkInterface::builder().status(NetworkInterfaceStatus::InUse).build();
    let rule = mock!(Client::describe_network_interfaces).then_output(move || {
        DescribeNetworkInterfacesOutput::builder().network_interfaces(interface.clone()).build()
    });
    let (what, _) = in_use_of(rule, Carrier::NetworkInterface).await.unwrap_err();
    let missing = "DescribeNetworkInterfaces: the response is incomplete: it contains an item without the ID of a resource";
    assert_eq!(what, missing);
}
