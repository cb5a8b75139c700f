use std::sync::{Arc, Mutex};

use aws_sdk_ec2::operation::delete_flow_logs::DeleteFlowLogsOutput;
use aws_sdk_ec2::types::UnsuccessfulItemError;
use aws_smithy_mocks::{MockResponse, Rule, mock};
use aws_smithy_types::error::ErrorMetadata;
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::mocked;

type Calls = Arc<Mutex<Vec<String>>>;

/// `CreateFlowLogs`: VPCs in `taken` already have an equivalent flow log, and those in `broken` fail.
fn create(calls: &Calls, taken: &'static [&'static str], broken: &'static [&'static str]) -> Rule {
    let calls = calls.clone();
    mock!(Client::create_flow_logs).then_compute_response(move |request| {
        let ids = request.resource_ids();
        assert!(!ids.is_empty() && request.client_token().is_some_and(|token| token.len() <= 64));
        let mut calls = calls.lock().unwrap();
        calls.push(format!("create {}", ids.join(" ")));
        let deleted = calls.iter().any(|call| call.starts_with("delete"));
        if !deleted && ids.iter().any(|id| taken.contains(&id.as_str())) {
            let meta = ErrorMetadata::builder().code(ALREADY_EXISTS).message("there is one").build();
            return MockResponse::Error(CreateFlowLogsError::generic(meta));
        }
        let failed = ids.iter().filter(|id| broken.contains(&id.as_str())).map(|id| {
            let error = UnsuccessfulItemError::builder()
                .code("400")
                .message("LogDestination: acme-logs is undeliverable");
            UnsuccessfulItem::builder().resource_id(id).error(error.build()).build()
        });
        MockResponse::Output(CreateFlowLogsOutput::builder().set_unsuccessful(Some(failed.collect())).build())
    })
}

fn delete(calls: &Calls) -> Rule {
    let calls = calls.clone();
    mock!(Client::delete_flow_logs).then_compute_output(move |request| {
        calls.lock().unwrap().push(format!("delete {}", request.flow_log_ids().join(" ")));
        DeleteFlowLogsOutput::builder().build()
    })
}

fn change(vpc: &str, step: Step) -> FlowLogChange {
    let resource = ResourceId::parse(vpc).unwrap();
    FlowLogChange::new(mocked::place(), resource, step, "test")
}

async fn run(changes: &[FlowLogChange], rules: &[&Rule]) -> Applied {
    let fleet = mocked::fleet();
    let place = mocked::place();
    let ec2 =
        RegionalEc2 { fleet: &fleet, place: &place, ec2: mocked::ec2(rules), at: At::new(place.clone()) };
    ec2.apply(changes).await
}

fn replace(vpc: &str) -> FlowLogChange {
    change(vpc, Step::Replace { old: FlowLogId::parse("fl-00000001").unwrap(), may_conflict: true })
}

#[tokio::test]
async fn unsuccessful_item_is_a_failure_of_its_vpc() {
    let calls = Calls::default();
    let changes = ["vpc-0000000a", "vpc-0000000b", "vpc-0000000c"].map(|vpc| change(vpc, Step::Create));
    let applied = run(&changes, &[&create(&calls, &[], &["vpc-0000000b"])]).await;
    assert_eq!(applied.changes(), 2);
    let [failure] = &applied.failures[..] else { panic!("{applied:?}") };
    assert_eq!(failure.resource.as_deref(), Some("vpc-0000000b"));
    assert_data_eq!(
        failure.help(),
        str![[
            r#"the bucket's KMS key cannot be used: use a customer managed key, specified by its ARN, with a policy that allows delivery; `flowagg doctor` checks the key"#
        ]]
    );
    assert_eq!(calls.lock().unwrap().len(), 1, "one call for all three");
}

#[tokio::test]
async fn call_rejected_for_one_vpc_is_repeated_for_each() {
    let calls = Calls::default();
    let changes = ["vpc-0000000a", "vpc-0000000b"].map(|vpc| change(vpc, Step::Create));
    let applied = run(&changes, &[&create(&calls, &["vpc-0000000a"], &[])]).await;
    assert_eq!((applied.done.len(), applied.failures.len()), (1, 1));
    assert_eq!(applied.failures[0].code.as_deref(), Some(ALREADY_EXISTS));
    assert_eq!(
        *calls.lock().unwrap(),
        ["create vpc-0000000a vpc-0000000b", "create vpc-0000000a", "create vpc-0000000b"]
    );
}

#[tokio::test]
async fn many_vpcs_are_split_into_several_calls() {
    let calls = Calls::default();
    let changes: Vec<_> = (0..301).map(|n| change(&format!("vpc-{n:08x}"), Step::Create)).collect();
    let applied = run(&changes, &[&create(&calls, &[], &[])]).await;
    assert_eq!((applied.changes(), applied.done.len()), (301, 2));
    assert_eq!(calls.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn replacement_is_created_before_the_old_flow_log_is_deleted() {
    let calls = Calls::default();
    let applied = run(&[replace("vpc-0000000a")], &[&create(&calls, &[], &[]), &delete(&calls)]).await;
    assert!(applied.failures.is_empty());
    assert_eq!(*calls.lock().unwrap(), ["create vpc-0000000a", "delete fl-00000001"]);
}

#[tokio::test]
async fn conflicting_flow_log_is_deleted_before_its_replacement_is_created() {
    let calls = Calls::default();
    let applied =
        run(&[replace("vpc-0000000a")], &[&create(&calls, &["vpc-0000000a"], &[]), &delete(&calls)]).await;
    assert!(applied.failures.is_empty());
    assert_eq!(*calls.lock().unwrap(), ["create vpc-0000000a", "delete fl-00000001", "create vpc-0000000a"]);
}

#[tokio::test]
async fn flow_log_is_kept_if_its_replacement_fails() {
    let calls = Calls::default();
    let applied =
        run(&[replace("vpc-0000000a")], &[&create(&calls, &[], &["vpc-0000000a"]), &delete(&calls)]).await;
    assert_eq!(applied.failures.len(), 1);
    assert_eq!(*calls.lock().unwrap(), ["create vpc-0000000a"]);
}

#[tokio::test]
async fn several_flow_logs_are_replaced_with_two_calls() {
    let calls = Calls::default();
    let replace = |vpc: &str, old: &str| {
        change(vpc, Step::Replace { old: FlowLogId::parse(old).unwrap(), may_conflict: true })
    };
    let changes = [replace("vpc-0000000a", "fl-00000001"), replace("vpc-0000000b", "fl-00000002")];
    let applied = run(&changes, &[&create(&calls, &[], &[]), &delete(&calls)]).await;
    assert_eq!(
        applied.done.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "222222222222 eu-west-1: created flow logs for vpc-0000000a, vpc-0000000b",
            "222222222222 eu-west-1: deleted fl-00000001 of vpc-0000000a",
            "222222222222 eu-west-1: deleted fl-00000002 of vpc-0000000b",
        ]
    );
    assert_eq!(
        *calls.lock().unwrap(),
        ["create vpc-0000000a vpc-0000000b", "delete fl-00000001 fl-00000002"]
    );
}

#[tokio::test]
async fn empty_plan_makes_no_calls() {
    let applied = run(&[], &[]).await;
    assert_eq!(applied, Applied::default());
}

#[tokio::test]
async fn unsuccessful_item_of_another_resource_leaves_the_outcome_unknown() {
    let calls = Calls::default();
    let stray = mock!(Client::create_flow_logs).then_output(|| {
        let item = |id: &str| UnsuccessfulItem::builder().resource_id(id).build();
        CreateFlowLogsOutput::builder()
            .unsuccessful(item("vpc-0000000f"))
            .unsuccessful(item("vpc-0000000b"))
            .build()
    });
    let changes = [replace("vpc-0000000a"), replace("vpc-0000000b")];
    let applied = run(&changes, &[&stray, &delete(&calls)]).await;
    let failed: Vec<Option<&str>> =
        applied.failures.iter().map(|failure| failure.resource.as_deref()).collect();
    assert_eq!(failed, [Some("vpc-0000000f"), Some("vpc-0000000b")]);
    assert_data_eq!(
        &applied.failures[0].message,
        str![
            "AWS returned an error for a resource that was not in the call, so the outcome is unknown: AWS returned no message"
        ]
    );
    assert_eq!((applied.changes(), calls.lock().unwrap().len()), (0, 0), "no old flow log is deleted");
    assert!(applied.settled.is_empty(), "the place is read again");
}

#[tokio::test]
async fn flow_log_with_another_destination_is_not_deleted_first() {
    let calls = Calls::default();
    let old = FlowLogId::parse("fl-00000001").unwrap();
    let elsewhere = change("vpc-0000000a", Step::Replace { old, may_conflict: false });
    let applied = run(&[elsewhere], &[&create(&calls, &["vpc-0000000a"], &[]), &delete(&calls)]).await;
    assert_eq!(applied.failures[0].code.as_deref(), Some(ALREADY_EXISTS));
    assert_eq!(*calls.lock().unwrap(), ["create vpc-0000000a"]);
}

#[tokio::test]
async fn subnet_flow_log_is_deleted_only_after_the_vpc_flow_log_is_created() {
    let of_part = |whole: &str| {
        let after = Some(ResourceId::parse(whole).unwrap());
        change("subnet-0000000a", Step::Delete { flow_log: FlowLogId::parse("fl-00000001").unwrap(), after })
    };
    for (broken, expected) in [
        (&[][..], &["create vpc-0000000a", "delete fl-00000001"][..]),
        (&["vpc-0000000a"], &["create vpc-0000000a"]),
    ] {
        let calls = Calls::default();
        let changes = [change("vpc-0000000a", Step::Create), of_part("vpc-0000000a")];
        run(&changes, &[&create(&calls, &[], broken), &delete(&calls)]).await;
        assert_eq!(*calls.lock().unwrap(), expected);
    }
}
