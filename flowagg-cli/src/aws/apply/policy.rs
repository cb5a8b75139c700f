//! Writes the bucket policy, and reports what it lost while AWS or another process wrote it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, Hub};
use flowagg_core::observed::{Bucket, Observed};
use flowagg_core::plan::{Concern, GrantRemoval, HubChange, PolicyChange, Subject};
use flowagg_policy::{Grant, Plan, diff, foreign_losses};

use super::done::Did;
use super::replace::{NotWritten, Pauses, Replaced, WholeDocument, Words, no_retries, replace};
use crate::aws::call::*;
use crate::aws::failure::At;
use crate::aws::observe;

/// The bucket whose policy is written, and the plan that says how.
pub(super) struct Policy<'a> {
    pub(super) s3: &'a Client,
    pub(super) fleet: &'a Fleet,
    pub(super) at: &'a At,
    /// What the plan was made from.
    pub(super) observed: &'a Observed,
    pub(super) plan: &'a Plan,
}

impl Policy<'_> {
    fn hub(&self) -> &Hub {
        &self.fleet.hub
    }

    /// Writes what the plan says, or what the same plan made again says if the policy is not the one that it was made from.
    /// `current` is the policy that was read last; `left` is set if the policy is written.
    pub(super) async fn settle(
        &self,
        current: Option<String>,
        left: &mut Option<LeftPolicy>,
    ) -> Replaced<Did> {
        let replaced = replace(self, current, Pauses::S3).await;
        if let (Some(write), Some(warning)) = (&replaced.write, &replaced.warning) {
            let new = || LeftPolicy { text: write.text.clone(), warning: warning.clone() };
            *left = (!replaced.is_contended).then(new);
        }
        replaced.map(|write| write.did)
    }

    /// The policy that the plan was made from.
    pub(super) fn planned_over(&self) -> Option<String> {
        self.plan.policy_write().and_then(|write| write.replaces).map(str::to_owned)
    }

    /// The plan, made again if the policy is not the one that it was made from.
    fn planned_for(&self, current: Option<&str>) -> Result<Cow<'_, Plan>, Failure> {
        if self.plan.policy_write().is_some_and(|write| write.replaces == current) {
            return Ok(Cow::Borrowed(self.plan));
        }
        let before = self.observed.bucket.as_ref().ok().and_then(Option::as_ref);
        let bucket = Bucket { policy: current.map(str::to_owned), ..before.cloned().unwrap_or_default() };
        let Observed { key, scope, .. } = self.observed;
        let hub =
            Observed { bucket: Ok(Some(bucket)), key: key.clone(), regions: BTreeMap::new(), scope: *scope };
        let plan = self.plan.again(self.fleet, &hub);
        match plan.obstacles().first() {
            Some(Concern { what, help, .. }) => Err(self.refused(
                format!("the bucket policy was changed after the plan was made: {what}"),
                help.clone(),
            )),
            None => Ok(Cow::Owned(plan)),
        }
    }

    /// What foreign statements a policy lost while flow logs were created in the bucket's own account, as a failure.
    ///
    /// AWS may attach a policy of its own then; its pages disagree on whether it is added or put in place of the other
    /// ("Amazon S3 bucket permissions for flow logs", "Logs sent to Amazon S3").
    pub(super) fn lost(&self, before: Option<&str>, after: Option<&str>) -> Option<Failure> {
        let lost = match foreign_losses(before, after, &Grant::of(self.fleet)) {
            Ok(lost) => lost,
            Err(error) => return Some(self.refused(error.to_string(), error.help())),
        };
        let (noun, it) = if lost.len() == 1 { ("statement", "it") } else { ("statements", "them") };
        (!lost.is_empty()).then(|| {
            self.at.failed(
                CREATE_FLOW_LOGS,
                None,
                format!(
                    "the bucket policy lost the foreign {noun} {} while flow logs were created in the hub account",
                    lost.join(", ")
                ),
                format!("add {it} again, unless someone removed {it} on purpose"),
            )
        })
    }

    fn refused(&self, message: impl Into<String>, help: impl Into<String>) -> Failure {
        self.at.failed(PUT_POLICY, None, message, help.into())
    }
}

impl WholeDocument for Policy<'_> {
    type State = Option<String>;
    type Write = PolicyWrite;

    const WORDS: Words =
        Words { document: "bucket policy", part: "statement", about: Subject::Policy, call: PUT_POLICY };

    fn at(&self) -> &At {
        self.at
    }

    async fn read(&self) -> Result<Option<String>, Failure> {
        observe::policy(self.s3, self.hub(), self.at).await
    }

    fn compute(&self, current: &Option<String>) -> Result<Option<PolicyWrite>, Failure> {
        Ok(self.planned_for(current.as_deref())?.hub().iter().find_map(PolicyWrite::of))
    }

    async fn write(&self, PolicyWrite { text, .. }: &PolicyWrite) -> Result<(), NotWritten> {
        let (bucket, owner) = (self.hub().bucket.as_str(), self.hub().account.to_string());
        match text {
            Some(text) => {
                let request =
                    self.s3.put_bucket_policy().bucket(bucket).expected_bucket_owner(owner).policy(text);
                let answer = request.customize().config_override(no_retries()).send().await;
                answer.map(drop).map_err(|error| NotWritten::of(self.at, PUT_POLICY, &error))
            }
            None => {
                let request = self.s3.delete_bucket_policy().bucket(bucket).expected_bucket_owner(owner);
                let answer = request.customize().config_override(no_retries()).send().await;
                answer.map(drop).map_err(|error| NotWritten::of(self.at, DELETE_POLICY, &error))
            }
        }
    }

    fn holds(&self, current: &Option<String>, write: &PolicyWrite) -> bool {
        same(current.as_deref(), write.text.as_deref())
    }

    fn losses(&self, write: &PolicyWrite, now: &Option<String>) -> Result<Vec<String>, Failure> {
        foreign_losses(write.text.as_deref(), now.as_deref(), &Grant::of(self.fleet))
            .map_err(|error| self.refused(error.to_string(), error.help()))
    }
}

/// The policy as it was read after the last write, while no other process was seen to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftPolicy {
    pub(super) text: Option<String>,
    /// What to report if it is different later in the run.
    warning: Concern,
}

impl LeftPolicy {
    /// What to report if this is the policy now.
    pub(super) fn compare(self, now: Option<&str>) -> Option<Concern> {
        (!same(now, self.text.as_deref())).then_some(self.warning)
    }
}

/// A policy to write, and what is done once it is written.
#[derive(Debug)]
pub(super) struct PolicyWrite {
    /// `None` deletes the policy.
    text: Option<String>,
    did: Did,
}

impl PolicyWrite {
    /// `None` for a change to something else.
    fn of(change: &HubChange) -> Option<Self> {
        match change {
            HubChange::PutPolicy(PolicyChange { text, granted, revoked, .. }) => {
                let did = Did::WrotePolicy { granted: granted.clone(), revoked: revoked.clone() };
                Some(Self { text: Some(text.clone()), did })
            }
            HubChange::RemoveGrant(GrantRemoval { leaves, revoked, .. }) => {
                Some(Self { text: leaves.clone(), did: Did::RemovedGrant { revoked: revoked.clone() } })
            }
            _ => None,
        }
    }
}

/// Whether two policies say the same: S3 returns a policy in its own rendering.
fn same(there: Option<&str>, written: Option<&str>) -> bool {
    match (there, written) {
        (Some(there), Some(written)) => {
            there == written || diff(there, written).is_ok_and(|difference| difference.is_empty())
        }
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use aws_sdk_s3::operation::get_bucket_policy::GetBucketPolicyOutput;
    use aws_sdk_s3::operation::put_bucket_policy::{PutBucketPolicyError, PutBucketPolicyOutput};
    use aws_smithy_mocks::{MockResponse, mock};
    use aws_smithy_types::error::ErrorMetadata;
    use flowagg_core::plan::Unnamed;
    use flowagg_policy::plan::plan;

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
        left: Option<LeftPolicy>,
        policy: String,
        writes: usize,
    }

    /// A bucket whose policy another process changes right before a read, once for each of `theirs`, and where S3 aborts the
    /// first writes. Settled after a plan was made.
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
                let meta =
                    ErrorMetadata::builder().code("OperationAborted").message("a conflicting operation");
                return MockResponse::Error(PutBucketPolicyError::generic(meta.build()));
            }
            assert_eq!(request.expected_bucket_owner(), Some("111122223333"));
            state.0 = request.policy().unwrap_or_default().to_owned();
            MockResponse::Output(PutBucketPolicyOutput::builder().build())
        });
        let s3 = mocked::s3(&[&get, &put]);
        let fleet = mocked::fleet();
        let at = At::new(fleet.hub.account, &fleet.hub.region).about(&fleet.hub.bucket);
        let observed = mocked::observed(Some(live));
        let policy = Policy { s3: &s3, fleet: &fleet, at: &at, observed: &observed, plan: change };
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
    async fn the_planned_policy_is_written_over_the_one_that_was_read() {
        let live = foreign("Theirs");
        let change = planned(&live);
        let after = run(&live, vec![], 0, &change).await;
        is_right(&after, 1);
        assert_eq!(after.policy, text(&change));
        assert!(!after.replaced.is_contended);
    }

    #[tokio::test]
    async fn a_policy_that_is_different_at_the_end_of_the_run_was_changed_by_another_process() {
        let live = foreign("Theirs");
        let change = planned(&live);
        let left = run(&live, vec![], 0, &change).await.left.unwrap();
        assert_eq!(left.clone().compare(Some(&text(&change))), None);
        for now in [Some(live.as_str()), None] {
            let warning = left.clone().compare(now).unwrap();
            assert!(warning.what.starts_with("another process changed it during this run"), "{warning:?}");
        }
        let after = run(&live, vec![foreign("Newer")], 0, &change).await;
        assert!(after.replaced.is_contended && after.left.is_none(), "it is reported already");
    }

    #[tokio::test]
    async fn a_change_since_the_plan_is_merged_into_and_reported() {
        let live = foreign("Theirs");
        let after = run(&live, vec![foreign("Newer")], 0, &planned(&live)).await;
        is_right(&after, 1);
        assert!(after.policy.contains("Newer") && !after.policy.contains("Theirs"), "{}", after.policy);
        let warning = after.replaced.warning.unwrap();
        assert_eq!(
            (warning.about, warning.resource.as_str()),
            (Subject::Policy, "the bucket policy of acme-logs")
        );
        assert!(warning.what.starts_with("another process changed it during this run"), "{warning:?}");
    }

    #[tokio::test]
    async fn a_write_that_another_process_overwrote_is_made_again_on_its_policy() {
        let live = foreign("Theirs");
        let overwriting = text(&planned(&live)).replace("222222222222", "444444444444");
        let after = run(&live, vec![live.clone(), overwriting.clone()], 0, &planned(&live)).await;
        is_right(&after, 2);
        assert!(after.policy.contains("Theirs"), "{}", after.policy);
    }

    #[tokio::test]
    async fn a_foreign_statement_that_is_lost_after_the_write_is_named() {
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
    async fn a_write_that_s3_aborts_is_tried_again() {
        let live = foreign("Theirs");
        let after = run(&live, vec![], 1, &planned(&live)).await;
        is_right(&after, 2);
        assert!(!after.replaced.is_contended, "only flowagg wrote it");
    }

    #[tokio::test]
    async fn a_policy_that_changes_before_every_write_is_not_overwritten() {
        let live = foreign("Theirs");
        let theirs: Vec<String> = (0..40).map(|n| foreign(&format!("Their{n}"))).collect();
        let after = run(&live, theirs, 0, &planned(&live)).await;
        let failure = after.replaced.failure.unwrap();
        assert!(failure.message.contains("another process changed the bucket policy"), "{failure}");
        assert_eq!(after.writes, 0);
        assert!(after.replaced.warning.is_none(), "without a write nothing was overwritten");
    }

    #[tokio::test]
    async fn a_policy_that_is_no_policy_is_never_overwritten() {
        let live = foreign("Theirs");
        let after = run(&live, vec!["theirs".to_owned()], 0, &planned(&live)).await;
        assert!(after.replaced.failure.is_some());
        assert_eq!((after.policy.as_str(), after.writes), ("theirs", 0));
    }

    /// What AWS might attach.
    const OF_AWS: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*"}]}"#;

    #[tokio::test]
    async fn a_grant_that_aws_overwrote_is_merged_again_and_nothing_else_is_restored() {
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
    async fn a_policy_that_still_grants_delivery_is_not_written() {
        let live = text(&planned(&foreign("Theirs")));
        let after = run(&live, vec![], 0, &planned(&live)).await;
        is_right(&after, 0);
        assert_eq!((after.replaced.write, after.policy), (None, live));
    }

    #[test]
    fn a_foreign_statement_that_was_lost_is_a_failure_that_names_it() {
        let before = text(&planned(&foreign("Theirs")));
        let fleet = mocked::fleet();
        let s3 = mocked::s3(&[]);
        let at = At::new(fleet.hub.account, &fleet.hub.region);
        let (observed, plan) = (mocked::observed(Some(&before)), planned(&before));
        let policy = Policy { s3: &s3, fleet: &fleet, at: &at, observed: &observed, plan: &plan };
        let message = |after| policy.lost(Some(&before), after).map(|failure| failure.message);
        let lost = "the bucket policy lost the foreign statement `Theirs` while flow logs were created in the hub account";
        for after in [Some(OF_AWS), None] {
            assert_eq!(message(after).as_deref(), Some(lost));
        }
        assert_eq!(message(Some(&before)), None);
    }
}
