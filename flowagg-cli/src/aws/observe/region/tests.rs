use aws_sdk_ec2::operation::describe_flow_logs::DescribeFlowLogsOutput;
use aws_sdk_ec2::operation::describe_subnets::DescribeSubnetsOutput;
use aws_sdk_ec2::operation::describe_vpcs::DescribeVpcsOutput;
use aws_sdk_ec2::types::{Subnet, Vpc};
use aws_smithy_mocks::{Rule, mock};
use flowagg_core::id::ResourceKind;

use super::*;
use crate::aws::mocked;

const VPC: &str = "vpc-0a1b2c3d4e5f67890";

fn at() -> At {
    At::new(mocked::place())
}

/// `DescribeVpcs`: one VPC and a token on each page. The last page has no token.
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
async fn resource_on_two_pages_is_one_resource() {
    let rule = vpcs(&[(VPC, Some("1")), ("vpc-0a1b2c3d", Some("2")), (VPC, None)]);
    assert_eq!(of_vpcs(rule).await.unwrap(), ["vpc-0a1b2c3d", VPC]);
}

#[tokio::test]
async fn token_of_any_earlier_page_is_a_failure() {
    let repeated = "DescribeVpcs: the response is incomplete: it repeats the token of an earlier page";
    for pages in
        [&[(VPC, Some("1")), (VPC, Some("1"))][..], &[(VPC, Some("1")), (VPC, Some("2")), (VPC, Some("1"))]]
    {
        assert_eq!(of_vpcs(vpcs(pages)).await.unwrap_err(), repeated);
    }
}

#[tokio::test]
async fn resource_id_of_an_unknown_form_is_a_failure() {
    let unknown = "DescribeVpcs: the response contains the id `net-1`, whose form is unknown";
    assert_eq!(of_vpcs(vpcs(&[("net-1", None)])).await.unwrap_err(), unknown);

    let subnet = Subnet::builder().subnet_id("subnet-0a1b2c3d").vpc_id("net-2").build();
    let rule = mock!(Client::describe_subnets)
        .then_output(move || DescribeSubnetsOutput::builder().subnets(subnet.clone()).build());
    let failure = resources::of_kind(&mocked::ec2(&[&rule]), ResourceKind::Subnet, &at()).await.unwrap_err();
    assert_eq!(failure.message, "the response contains the id `net-2`, whose form is unknown");
}

/// `DescribeFlowLogs` with these flow logs, by id, on two pages.
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
async fn flow_log_on_two_pages_is_one_and_one_without_a_known_id_is_a_failure() {
    assert_eq!(flow_logs_of([Some("fl-0a1b2c3d"); 2]).await.unwrap(), ["fl-0a1b2c3d"]);
    let unknown = flow_logs_of([Some("fl-0a1b2c3d"), Some("log-1")]).await.unwrap_err();
    assert_eq!(unknown, "the response contains the id `log-1`, whose form is unknown");
    let missing = flow_logs_of([Some("fl-0a1b2c3d"), None]).await.unwrap_err();
    assert_eq!(missing, "the response is incomplete: it contains an item without the id of a flow log");
}
