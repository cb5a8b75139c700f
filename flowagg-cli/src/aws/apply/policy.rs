//! Writes the bucket policy against others who may write it at the same moment.
//!
//! S3 has no condition on `PutBucketPolicy`: the policy is read right before the write and read back after it, and what
//! somebody else wrote in between is merged into, never overwritten.

use std::time::Duration;

use aws_sdk_s3::Client;
use flowagg_core::fleet::{Fleet, Hub};
use flowagg_core::observed::Failure;
use flowagg_core::plan::{GrantRemoval, PolicyChange};
use flowagg_policy::{ChangeKind, Grant, Unnamed, assure, diff, merge, remove};

use crate::aws::call::*;
use crate::aws::failure::At;
use crate::aws::observe;

/// How often a write is tried while others write too.
const TRIES: u32 = 5;
/// How long to wait after S3 says that somebody else is writing; twice as long each time.
const PAUSE: Duration = Duration::from_millis(100);
/// What S3 says when another change to the bucket is under way.
const ABORTED: &str = "OperationAborted";

/// What is to become of a policy.
#[derive(Debug)]
enum Wanted {
    /// It is as it should be.
    Nothing,
    /// It is to be this.
    Text(String),
    /// There is to be none.
    None,
}

/// The bucket whose policy is written.
pub(super) struct Policy<'a> {
    pub(super) s3: &'a Client,
    pub(super) fleet: &'a Fleet,
    pub(super) at: &'a At,
}

impl Policy<'_> {
    fn hub(&self) -> &Hub {
        &self.fleet.hub
    }

    pub(super) async fn read(&self) -> Result<Option<String>, Failure> {
        observe::policy(self.s3, self.hub(), self.at).await
    }

    /// Writes the planned policy; where another is there by now, the same grant merged into that one.
    pub(super) async fn merge(&self, change: &PolicyChange) -> Result<(), Failure> {
        self.write(|there| {
            if there == change.replaces.as_deref() {
                Ok(Wanted::Text(change.text.clone()))
            } else {
                self.again(there, change)
            }
        })
        .await
    }

    fn again(&self, there: Option<&str>, change: &PolicyChange) -> Result<Wanted, Failure> {
        let grant = Grant::of(self.fleet);
        let absent = if change.revoked.is_empty() { Unnamed::Keep } else { Unnamed::Prune };
        let merged =
            merge(there, &grant, absent).map_err(|error| self.refused(error.to_string(), error.help()))?;
        if let Some(account) = merged.revoked.difference(&change.revoked).next() {
            let message = format!(
                "somebody granted delivery to {account} since the plan was made, and it is not revoked unseen"
            );
            return Err(self
                .refused(message, "run it again: the plan is made anew from the policy that is there now"));
        }
        if !merged.changed {
            return Ok(Wanted::Nothing);
        }
        let doubts = assure(there, &merged, &grant, &self.fleet.regions())
            .map_err(|error| self.refused(error.to_string(), error.help()))?;
        match doubts.first() {
            Some(doubt) => Err(self.refused(
                format!("somebody changed the policy since the plan was made, and merged into it the grant would not do: {doubt}"),
                "run `flowagg plan` again",
            )),
            None => Ok(Wanted::Text(merged.text)),
        }
    }

    /// Takes our statements out.
    pub(super) async fn take_out(&self, removal: &GrantRemoval) -> Result<(), Failure> {
        let planned = || removal.leaves.clone().map_or(Wanted::None, Wanted::Text);
        self.write(|there| match there {
            None => Ok(Wanted::Nothing),
            Some(text) if text == removal.replaces => Ok(planned()),
            Some(text) => match remove(text, &Grant::of(self.fleet)) {
                Ok(Some(left)) if left == text => Ok(Wanted::Nothing),
                Ok(left) => Ok(left.map_or(Wanted::None, Wanted::Text)),
                Err(error) => Err(self.refused(error.to_string(), error.help())),
            },
        })
        .await
    }

    /// Puts back what was there before flow logs were made in the bucket's own account, where AWS took some of it away.
    ///
    /// AWS may attach a policy of its own then; its pages disagree on whether it is added or put in place of the other
    /// ("Amazon S3 bucket permissions for flow logs", "Logs sent to Amazon S3"). Returns whether there was need.
    pub(super) async fn heal(&self, before: &str) -> Result<bool, Failure> {
        let Some(after) = self.read().await? else { return self.put(before).await.map(|()| true) };
        let difference =
            diff(before, &after).map_err(|error| self.refused(error.to_string(), error.help().to_owned()))?;
        let lost = difference.statements.iter().any(|change| change.kind != ChangeKind::Added);
        if !lost && difference.revoked.is_empty() {
            return Ok(false);
        }
        self.put(before).await.map(|()| true)
    }

    async fn write(&self, wanted: impl Fn(Option<&str>) -> Result<Wanted, Failure>) -> Result<(), Failure> {
        let mut pause = PAUSE;
        let mut there = self.read().await?;
        for _ in 0..TRIES {
            let written = match wanted(there.as_deref())? {
                Wanted::Nothing => return Ok(()),
                Wanted::Text(text) => self.put(&text).await.map(|()| Some(text)),
                Wanted::None => self.delete().await.map(|()| None),
            };
            match written {
                Ok(text) => {
                    there = self.read().await?;
                    if there == text || same(there.as_deref(), text.as_deref()) {
                        return Ok(());
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
        self.at.failed(PUT_POLICY, None, message, help)
    }
}

/// Whether two policies say the same: S3 returns a policy in its own rendering.
fn same(there: Option<&str>, written: Option<&str>) -> bool {
    match (there, written) {
        (Some(there), Some(written)) => diff(there, written).is_ok_and(|difference| difference.is_empty()),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, VecDeque};
    use std::sync::{Arc, Mutex};

    use aws_sdk_s3::operation::get_bucket_policy::{GetBucketPolicyError, GetBucketPolicyOutput};
    use aws_sdk_s3::operation::put_bucket_policy::{PutBucketPolicyError, PutBucketPolicyOutput};
    use aws_smithy_mocks::{MockResponse, mock};
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;
    use crate::aws::mocked;

    fn foreign(sid: &str) -> String {
        format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"{sid}\",\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"999999999999\"}},\
             \"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::acme-logs/x\"}}]}}"
        )
    }

    fn planned(live: &str) -> PolicyChange {
        let merged = merge(Some(live), &Grant::of(&mocked::fleet()), Unnamed::Keep).unwrap();
        PolicyChange {
            text: merged.text,
            replaces: Some(live.to_owned()),
            bytes: merged.bytes,
            granted: merged.granted,
            revoked: BTreeSet::new(),
            notes: vec![],
        }
    }

    /// A bucket whose policy somebody else changes right before a read, as often as there are changes; and how many
    /// writes S3 refuses because of somebody else's.
    async fn run(
        live: &str,
        theirs: Vec<String>,
        aborted: usize,
        change: &PolicyChange,
    ) -> (Result<(), Failure>, String, usize) {
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
        let outcome = Policy { s3: &s3, fleet: &fleet, at: &at }.merge(change).await;
        let state = state.lock().unwrap();
        (outcome, state.0.clone(), state.3)
    }

    #[tokio::test]
    async fn the_planned_policy_is_written_over_the_one_that_was_read() {
        let live = foreign("Theirs");
        let change = planned(&live);
        let (outcome, there, writes) = run(&live, vec![], 0, &change).await;
        outcome.unwrap();
        assert_eq!((there, writes), (change.text, 1));
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

    /// Heals a policy after AWS made `after` of it; returns whether there was need, and what is there then.
    async fn healed(before: &str, after: Option<&'static str>) -> (bool, Option<String>) {
        let there = Arc::new(Mutex::new(after.map(str::to_owned)));
        let reads = there.clone();
        let get =
            mock!(Client::get_bucket_policy).then_compute_response(move |_| match &*reads.lock().unwrap() {
                Some(text) => MockResponse::Output(GetBucketPolicyOutput::builder().policy(text).build()),
                None => {
                    let meta = ErrorMetadata::builder().code("NoSuchBucketPolicy").build();
                    MockResponse::Error(GetBucketPolicyError::generic(meta))
                }
            });
        let writes = there.clone();
        let put = mock!(Client::put_bucket_policy).then_compute_output(move |request| {
            *writes.lock().unwrap() = request.policy().map(str::to_owned);
            PutBucketPolicyOutput::builder().build()
        });
        let s3 = mocked::s3(&[&get, &put]);
        let fleet = mocked::fleet();
        let at = At::new(fleet.hub.account, &fleet.hub.region);
        let needed = Policy { s3: &s3, fleet: &fleet, at: &at }.heal(before).await.unwrap();
        let there = there.lock().unwrap().clone();
        (needed, there)
    }

    /// What AWS might attach.
    const AWSS_OWN: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*"}]}"#;

    #[tokio::test]
    async fn a_policy_that_aws_overwrote_or_took_away_is_put_back() {
        let before = planned(&foreign("Theirs")).text;
        for after in [Some(AWSS_OWN), None] {
            assert_eq!(healed(&before, after).await, (true, Some(before.clone())), "{after:?}");
        }
    }

    #[tokio::test]
    async fn a_policy_that_aws_left_alone_or_only_added_to_stays_as_it_is() {
        const BEFORE: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-logs/x"}]}"#;
        const ADDED: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-logs/x"},{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*"}]}"#;
        for after in [BEFORE, ADDED] {
            assert_eq!(healed(BEFORE, Some(after)).await, (false, Some(after.to_owned())));
        }
    }
}
