use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_bucket_policy::GetBucketPolicyOutput;
use aws_sdk_s3::operation::put_bucket_policy::{PutBucketPolicyError, PutBucketPolicyOutput};
use aws_smithy_mocks::{MockResponse, mock};
use aws_smithy_types::error::ErrorMetadata;
use flowagg_core::plan::Unnamed;
use flowagg_policy::plan::{destroy, plan};
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::mocked;

fn foreign(sid: &str) -> String {
    format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"{sid}\",\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"999999999999\"}},\
         \"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::acme-logs/x\"}}]}}"
    )
}

fn planned(live: &str) -> Plan {
    plan(&mocked::fleet(), &mocked::observed(Some(live)), Unnamed::Keep)
}

fn text(plan: &Plan) -> String {
    plan.policy_write().and_then(|write| write.text).unwrap().to_owned()
}

/// The outcome of a run, and the bucket after it.
struct After {
    replaced: Replaced<Did>,
    left: Option<Left<Option<String>>>,
    policy: String,
    writes: usize,
}

/// Applies a plan to a bucket whose policy another process changes right before a read, once for each of `theirs`, and where S3
/// aborts the first writes.
async fn run(live: &str, theirs: Vec<String>, aborted: usize, change: &Plan) -> After {
    let state = Arc::new(Mutex::new((live.to_owned(), VecDeque::from(theirs), aborted, 0)));
    let reads = state.clone();
    let get = mock!(Client::get_bucket_policy).then_compute_output(move |_| {
        let mut state = reads.lock().unwrap();
        if let Some(next) = state.1.pop_front() {
            state.0 = next;
        }
        GetBucketPolicyOutput::builder().policy(state.0.clone()).build()
    });
    let writes = state.clone();
    let put = mock!(Client::put_bucket_policy).then_compute_response(move |request| {
        let mut state = writes.lock().unwrap();
        state.3 += 1;
        if state.2 > 0 {
            state.2 -= 1;
            let meta = ErrorMetadata::builder().code("OperationAborted").message("a conflicting operation");
            return MockResponse::Error(PutBucketPolicyError::generic(meta.build()));
        }
        assert_eq!(request.expected_bucket_owner(), Some("111122223333"));
        state.0 = request.policy().unwrap_or_default().to_owned();
        MockResponse::Output(PutBucketPolicyOutput::builder().build())
    });
    let s3 = mocked::s3(&[&get, &put]);
    let fleet = mocked::fleet();
    let at = At::new(fleet.hub.place()).about(&fleet.hub.bucket);
    let observed = mocked::observed(Some(live));
    let bucket = Bucket { s3, fleet: &fleet, at, observed: &observed, plan: change };
    let policy = Policy(&bucket);
    let mut left = None;
    let replaced = policy.settle(Some(live.to_owned()), &mut left).await;
    let state = state.lock().unwrap();
    After { replaced, left, policy: state.0.clone(), writes: state.3 }
}

#[track_caller]
fn is_right(After { replaced, policy, writes, .. }: &After, expected_writes: usize) {
    assert!(replaced.failure.is_none() && replaced.lost.is_none(), "{replaced:?}");
    assert!(policy.contains("222222222222"), "{policy}");
    assert_eq!(*writes, expected_writes);
}

#[tokio::test]
async fn planned_policy_replaces_the_policy_that_was_read() {
    let live = foreign("Theirs");
    let change = planned(&live);
    let after = run(&live, vec![], 0, &change).await;
    is_right(&after, 1);
    assert_eq!(after.policy, text(&change));
    assert!(!after.replaced.is_contended);
}

#[tokio::test]
async fn policy_that_differs_at_the_end_of_the_run_is_a_warning() {
    let live = foreign("Theirs");
    let change = planned(&live);
    let left = run(&live, vec![], 0, &change).await.left.unwrap();
    assert_eq!(left.clone().compare(|left| same(Some(&text(&change)), left.as_deref())), None);
    for now in [Some(live.as_str()), None] {
        let warning = left.clone().compare(|left| same(now, left.as_deref())).unwrap();
        assert_data_eq!(
            &warning.what,
            str![[
                r#"another process changed it during this run; if that process also changed it in the [..] ms between the start of flowagg's last read and the end of its write, that change was overwritten"#
            ]]
        );
    }
    let after = run(&live, vec![foreign("Newer")], 0, &change).await;
    assert!(after.replaced.is_contended && after.left.is_none(), "already reported");
}

#[tokio::test]
async fn change_after_planning_is_kept_and_reported() {
    let live = foreign("Theirs");
    let after = run(&live, vec![foreign("Newer")], 0, &planned(&live)).await;
    is_right(&after, 1);
    assert!(after.policy.contains("Newer") && !after.policy.contains("Theirs"), "{}", after.policy);
    let warning = after.replaced.warning.unwrap();
    assert_eq!(
        (warning.about, warning.resource.as_str()),
        (Subject::Policy, "the bucket policy of acme-logs")
    );
    assert_data_eq!(
        &warning.what,
        str![[
            r#"another process changed it during this run; if that process also changed it in the [..] ms between the start of flowagg's last read and the end of its write, that change was overwritten"#
        ]]
    );
}

#[tokio::test]
async fn overwritten_write_is_repeated_on_the_new_policy() {
    let live = foreign("Theirs");
    let overwriting = text(&planned(&live)).replace("222222222222", "444444444444");
    let after = run(&live, vec![live.clone(), overwriting.clone()], 0, &planned(&live)).await;
    is_right(&after, 2);
    assert!(after.policy.contains("Theirs"), "{}", after.policy);
}

#[tokio::test]
async fn foreign_statement_lost_after_the_write_is_reported() {
    let live = foreign("Theirs");
    let after = run(&live, vec![live.clone(), foreign("Newer")], 0, &planned(&live)).await;
    assert!(after.policy.contains("Newer") && after.policy.contains("222222222222"), "{}", after.policy);
    assert_eq!(after.writes, 2);
    assert!(after.replaced.failure.is_none(), "{:?}", after.replaced);
    assert_eq!(
        after.replaced.lost.unwrap().message,
        "the bucket policy lost the foreign statement `Theirs` while flowagg wrote it: another process replaced it"
    );
}

#[tokio::test]
async fn aborted_write_is_retried() {
    let live = foreign("Theirs");
    let after = run(&live, vec![], 1, &planned(&live)).await;
    is_right(&after, 2);
    assert!(!after.replaced.is_contended, "only flowagg wrote it");
}

#[tokio::test]
async fn policy_that_changes_before_every_write_is_not_overwritten() {
    let live = foreign("Theirs");
    let theirs: Vec<String> = (0..40).map(|n| foreign(&format!("Their{n}"))).collect();
    let after = run(&live, theirs, 0, &planned(&live)).await;
    let failure = after.replaced.failure.unwrap();
    assert_data_eq!(
        &failure.message,
        str!["another process changed the bucket policy during each attempt to write it; flowagg stopped"]
    );
    assert_eq!(after.writes, 0);
    assert!(after.replaced.warning.is_none(), "without a write nothing was overwritten");
}

#[tokio::test]
async fn removing_the_grant_keeps_statements_added_after_planning() {
    let live = text(&planned(&foreign("Theirs")));
    let change = destroy(&mocked::fleet(), &mocked::observed(Some(&live)));
    let newer = live.replace("\"Theirs\"", "\"Newer\"");
    let After { replaced, policy, writes, .. } = run(&live, vec![newer], 0, &change).await;
    assert!(replaced.failure.is_none() && replaced.lost.is_none(), "{replaced:?}");
    assert!(matches!(replaced.write, Some(Did::RemovedGrant { .. })) && replaced.is_contended);
    assert!(policy.contains("Newer") && !policy.contains("222222222222"), "{policy}");
    assert_eq!(writes, 1);
}

#[tokio::test]
async fn invalid_policy_is_never_overwritten() {
    let live = foreign("Theirs");
    let after = run(&live, vec!["theirs".to_owned()], 0, &planned(&live)).await;
    assert!(after.replaced.failure.is_some());
    assert_eq!((after.policy.as_str(), after.writes), ("theirs", 0));
}

/// A policy that AWS might attach.
const OF_AWS: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*"}]}"#;

#[tokio::test]
async fn grant_overwritten_by_aws_is_merged_again_and_nothing_else_is_restored() {
    let live = text(&planned(&foreign("Theirs")));
    let after = run(OF_AWS, vec![], 0, &planned(&live)).await;
    is_right(&after, 1);
    let After { replaced, policy, .. } = after;
    assert!(matches!(replaced.write, Some(Did::WrotePolicy { .. })), "{replaced:?}");
    assert!(!replaced.is_contended, "{replaced:?}");
    assert!(policy.contains("111122223333"), "{policy}");
    assert!(!policy.contains("Theirs"), "a statement that someone removed does not come back: {policy}");
}

#[tokio::test]
async fn policy_that_still_grants_delivery_is_not_written() {
    let live = text(&planned(&foreign("Theirs")));
    let after = run(&live, vec![], 0, &planned(&live)).await;
    is_right(&after, 0);
    assert_eq!((after.replaced.write, after.policy), (None, live));
}

#[test]
fn lost_foreign_statement_is_a_failure_that_names_it() {
    let before = text(&planned(&foreign("Theirs")));
    let fleet = mocked::fleet();
    let s3 = mocked::s3(&[]);
    let at = At::new(fleet.hub.place());
    let (observed, plan) = (mocked::observed(Some(&before)), planned(&before));
    let bucket = Bucket { s3, fleet: &fleet, at, observed: &observed, plan: &plan };
    let policy = Policy(&bucket);
    let message = |after| policy.lost(Some(&before), after).map(|failure| failure.message);
    let lost = "the bucket policy lost the foreign statement `Theirs` while flow logs were created in the hub account";
    for after in [Some(OF_AWS), None] {
        assert_eq!(message(after).as_deref(), Some(lost));
    }
    assert_eq!(message(Some(&before)), None);
}
