//! Writes the bucket policy, and reports statements that were lost to concurrent writes of AWS or another process.

use std::borrow::Cow;

use flowagg_core::failure::Failure;
use flowagg_core::observed;
use flowagg_core::plan::{GrantRemoval, HubChange, PolicyChange, Subject};
use flowagg_policy::{Grant, Plan, diff, foreign_losses};

use super::bucket::Bucket;
use super::done::Did;
use super::replace::{Left, NotWritten, Pauses, Replaced, WholeDocument, Words, no_retries, replace};
use crate::aws::call::*;
use crate::aws::failure::At;
use crate::aws::observe;

/// The policy of the hub bucket.
pub(super) struct Policy<'a>(pub(super) &'a Bucket<'a>);

impl Policy<'_> {
    /// Writes the planned policy, planning again if the current policy is not the one that the plan was made from. `current` is the
    /// latest policy that was read; `left` is set if the policy is written.
    pub(super) async fn settle(
        &self,
        current: Option<String>,
        left: &mut Option<Left<Option<String>>>,
    ) -> Replaced<Did> {
        let replaced = replace(self, current, Pauses::S3).await;
        replaced.keep_in(left, |write| write.text.clone());
        replaced.map(|write| write.did)
    }

    /// The policy that the plan was made from.
    pub(super) fn planned_over(&self) -> Option<String> {
        self.0.plan.policy_write().and_then(|write| write.replaces).map(str::to_owned)
    }

    /// The plan, made again if the policy is not the one that it was made from.
    fn planned_for(&self, current: Option<&str>) -> Result<Cow<'_, Plan>, Failure> {
        if self.0.plan.policy_write().is_some_and(|write| write.replaces == current) {
            return Ok(Cow::Borrowed(self.0.plan));
        }
        let policy = current.map(str::to_owned);
        let now = |mut bucket: observed::Bucket| {
            bucket.policy = policy;
            bucket
        };
        self.0.planned_again(&Self::WORDS, now).map(Cow::Owned)
    }

    /// The failure for foreign statements that were lost while flow logs were created in the bucket's own account.
    ///
    /// AWS may then attach its own policy. Its documentation disagrees on whether that is added to the existing policy or replaces it
    /// ("Amazon S3 bucket permissions for flow logs", "Logs sent to Amazon S3").
    pub(super) fn lost(&self, before: Option<&str>, after: Option<&str>) -> Option<Failure> {
        let lost = match foreign_losses(before, after, &Grant::from(self.0.fleet)) {
            Ok(lost) => lost,
            Err(error) => return Some(self.refused(error.to_string(), error.help())),
        };
        let (noun, it) = if lost.len() == 1 { ("statement", "it") } else { ("statements", "them") };
        (!lost.is_empty()).then(|| {
            self.0.at.failed(
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
        self.0.at.failed(PUT_POLICY, None, message, help.into())
    }
}

impl WholeDocument for Policy<'_> {
    type State = Option<String>;
    type Write = PolicyWrite;

    const WORDS: Words =
        Words { document: "bucket policy", part: "statement", about: Subject::Policy, call: PUT_POLICY };

    fn at(&self) -> &At {
        &self.0.at
    }

    async fn read(&self) -> Result<Option<String>, Failure> {
        observe::policy(&self.0.s3, &self.0.fleet.hub, &self.0.at).await
    }

    fn compute(&self, current: &Option<String>) -> Result<Option<PolicyWrite>, Failure> {
        Ok(self.planned_for(current.as_deref())?.hub().iter().find_map(PolicyWrite::of))
    }

    async fn write(&self, PolicyWrite { text, .. }: &PolicyWrite) -> Result<(), NotWritten> {
        let (bucket, owner) = (self.0.name(), self.0.owner());
        match text {
            Some(text) => {
                let request =
                    self.0.s3.put_bucket_policy().bucket(bucket).expected_bucket_owner(owner).policy(text);
                let answer = request.customize().config_override(no_retries()).send().await;
                answer.map(drop).map_err(|error| NotWritten::of(&self.0.at, PUT_POLICY, &error))
            }
            None => {
                let request = self.0.s3.delete_bucket_policy().bucket(bucket).expected_bucket_owner(owner);
                let answer = request.customize().config_override(no_retries()).send().await;
                answer.map(drop).map_err(|error| NotWritten::of(&self.0.at, DELETE_POLICY, &error))
            }
        }
    }

    fn holds(&self, current: &Option<String>, write: &PolicyWrite) -> bool {
        same(current.as_deref(), write.text.as_deref())
    }

    fn losses(&self, write: &PolicyWrite, now: &Option<String>) -> Result<Vec<String>, Failure> {
        foreign_losses(write.text.as_deref(), now.as_deref(), &Grant::from(self.0.fleet))
            .map_err(|error| self.refused(error.to_string(), error.help()))
    }
}

/// A policy to write, and the change to report once it is written.
#[derive(Debug)]
pub(super) struct PolicyWrite {
    /// `None` deletes the policy.
    text: Option<String>,
    did: Did,
}

impl PolicyWrite {
    /// `None` for other changes.
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

/// Whether two policies have the same meaning. S3 may return a policy in another format than it was written in.
pub(super) fn same(there: Option<&str>, written: Option<&str>) -> bool {
    match (there, written) {
        (Some(there), Some(written)) => {
            there == written || diff(there, written).is_ok_and(|difference| difference.is_empty())
        }
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
