//! Writes the bucket policy, without losing what others write at the same time.
//!
//! Source: "PutBucketPolicy" (Amazon S3 API Reference): it replaces the whole policy, and has no condition on what is there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::Client;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, Hub};
use flowagg_core::observed::{Bucket, Observed};
use flowagg_core::plan::{Concern, HubChange};
use flowagg_policy::{Grant, Plan, diff, foreign_losses};

use super::done::Did;
use crate::aws::call::*;
use crate::aws::failure::At;
use crate::aws::observe;

/// How often a write is tried while others write too.
const TRIES: u32 = 5;
/// How long to wait after S3 reports that another write is under way; twice as long each time.
const PAUSE: Duration = Duration::from_millis(100);
/// What S3 says when another change to the bucket is under way.
const ABORTED: &str = "OperationAborted";

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

    pub(super) async fn read(&self) -> Result<Option<String>, Failure> {
        observe::policy(self.s3, self.hub(), self.at).await
    }

    /// Writes what the plan says, or what the same plan made again says if the policy has changed since. Returns what was
    /// done; `None` if the policy was right already.
    pub(super) async fn write(&self) -> Result<Option<Did>, Failure> {
        let mut done = None;
        let mut pause = PAUSE;
        let mut there = self.read().await?;
        for _ in 0..TRIES {
            let plan = self.planned_for(there.as_deref())?;
            let Some(write) = plan.policy_write() else { return Ok(done) };
            let written = match write.text {
                Some(text) => self.put(text).await,
                None => self.delete().await,
            };
            match written {
                Ok(()) => {
                    done = plan.hub().iter().find_map(did);
                    there = self.read().await?;
                    if same(there.as_deref(), write.text) {
                        return Ok(done);
                    }
                }
                Err(failure) if failure.code.as_deref() == Some(ABORTED) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    there = self.read().await?;
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(self.refused(
            format!(
                "somebody else keeps changing the bucket policy; after {TRIES} tries it is not overwritten"
            ),
            "find out who writes it (CloudTrail: PutBucketPolicy), then run it again",
        ))
    }

    /// The plan, made again if the policy is not the one that it was made from.
    fn planned_for(&self, there: Option<&str>) -> Result<Cow<'_, Plan>, Failure> {
        if self.plan.policy_write().is_some_and(|write| write.replaces == there) {
            return Ok(Cow::Borrowed(self.plan));
        }
        let before = self.observed.bucket.as_ref().ok().and_then(Option::as_ref);
        let bucket = Bucket { policy: there.map(str::to_owned), ..before.cloned().unwrap_or_default() };
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

    async fn put(&self, text: &str) -> Result<(), Failure> {
        let request = self.s3.put_bucket_policy().bucket(self.hub().bucket.as_str());
        let answer = request.expected_bucket_owner(self.hub().account.to_string()).policy(text).send().await;
        answer.map(drop).map_err(|error| self.at.failure(PUT_POLICY, &error))
    }

    async fn delete(&self) -> Result<(), Failure> {
        let request = self.s3.delete_bucket_policy().bucket(self.hub().bucket.as_str());
        let answer = request.expected_bucket_owner(self.hub().account.to_string()).send().await;
        answer.map(drop).map_err(|error| self.at.failure(DELETE_POLICY, &error))
    }

    fn refused(&self, message: impl Into<String>, help: impl Into<String>) -> Failure {
        self.at.failed(PUT_POLICY, None, message, help.into())
    }
}

/// What a change to the policy amounts to, once it is written.
fn did(change: &HubChange) -> Option<Did> {
    match change {
        HubChange::PutPolicy(change) => {
            Some(Did::WrotePolicy { granted: change.granted.clone(), revoked: change.revoked.clone() })
        }
        HubChange::RemoveGrant(removal) => Some(Did::RemovedGrant { revoked: removal.revoked.clone() }),
        _ => None,
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

    /// A bucket whose policy somebody else changes right before a read, as often as there are changes; and how many
    /// writes S3 refuses because of somebody else's.
    async fn run(
        live: &str,
        theirs: Vec<String>,
        aborted: usize,
        change: &Plan,
    ) -> (Result<Option<Did>, Failure>, String, usize) {
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
                let meta = ErrorMetadata::builder().code(ABORTED).message("a conflicting operation").build();
                return MockResponse::Error(PutBucketPolicyError::generic(meta));
            }
            assert_eq!(request.expected_bucket_owner(), Some("111122223333"));
            state.0 = request.policy().unwrap_or_default().to_owned();
            MockResponse::Output(PutBucketPolicyOutput::builder().build())
        });
        let s3 = mocked::s3(&[&get, &put]);
        let fleet = mocked::fleet();
        let at = At::new(fleet.hub.account, &fleet.hub.region);
        let observed = mocked::observed(Some(live));
        let policy = Policy { s3: &s3, fleet: &fleet, at: &at, observed: &observed, plan: change };
        let outcome = policy.write().await;
        let state = state.lock().unwrap();
        (outcome, state.0.clone(), state.3)
    }

    #[tokio::test]
    async fn the_planned_policy_is_written_over_the_one_that_was_read() {
        let live = foreign("Theirs");
        let change = planned(&live);
        let (outcome, there, writes) = run(&live, vec![], 0, &change).await;
        outcome.unwrap();
        assert_eq!((there, writes), (text(&change), 1));
    }

    #[tokio::test]
    async fn what_somebody_wrote_since_the_plan_is_merged_into() {
        let live = foreign("Theirs");
        let (outcome, there, writes) = run(&live, vec![foreign("Newer")], 0, &planned(&live)).await;
        outcome.unwrap();
        assert!(
            there.contains("Newer") && there.contains("222222222222") && !there.contains("Theirs"),
            "{there}"
        );
        assert_eq!(writes, 1);
    }

    #[tokio::test]
    async fn a_write_that_somebody_overwrote_is_made_again_on_theirs() {
        let live = foreign("Theirs");
        let (outcome, there, writes) =
            run(&live, vec![live.clone(), foreign("Newer")], 0, &planned(&live)).await;
        outcome.unwrap();
        assert!(there.contains("Newer") && there.contains("222222222222"), "{there}");
        assert_eq!(writes, 2);
    }

    #[tokio::test]
    async fn a_write_that_s3_aborts_is_tried_again() {
        let live = foreign("Theirs");
        let (outcome, there, writes) = run(&live, vec![], 1, &planned(&live)).await;
        outcome.unwrap();
        assert!(there.contains("222222222222"));
        assert_eq!(writes, 2);
    }

    #[tokio::test]
    async fn somebody_who_never_stops_writing_is_told_of_and_not_overwritten() {
        let live = foreign("Theirs");
        let theirs: Vec<String> = (0..20).map(|n| foreign(&format!("Their{n}"))).collect();
        let (outcome, _, writes) = run(&live, theirs, 0, &planned(&live)).await;
        assert!(outcome.unwrap_err().message.contains("keeps changing"));
        assert_eq!(writes, TRIES as usize);
    }

    #[tokio::test]
    async fn a_policy_that_is_no_policy_is_never_overwritten() {
        let live = foreign("Theirs");
        let (outcome, there, writes) = run(&live, vec!["theirs".to_owned()], 0, &planned(&live)).await;
        assert!(outcome.is_err());
        assert_eq!((there.as_str(), writes), ("theirs", 0));
    }

    /// What AWS might attach.
    const OF_AWS: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*"}]}"#;

    #[tokio::test]
    async fn a_grant_that_aws_overwrote_is_merged_again_and_nothing_else_is_restored() {
        let live = text(&planned(&foreign("Theirs")));
        let (outcome, there, writes) = run(&live, vec![OF_AWS.to_owned()], 0, &planned(&live)).await;
        assert!(matches!(outcome.unwrap(), Some(Did::WrotePolicy { .. })));
        assert!(there.contains("222222222222") && there.contains("111122223333"), "{there}");
        assert!(!there.contains("Theirs"), "a statement that someone removed does not come back: {there}");
        assert_eq!(writes, 1);
    }

    #[tokio::test]
    async fn a_policy_that_still_grants_delivery_is_not_written() {
        let live = text(&planned(&foreign("Theirs")));
        let (outcome, there, writes) = run(&live, vec![], 0, &planned(&live)).await;
        assert_eq!((outcome.unwrap(), there, writes), (None, live, 0));
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
