//! Creates and configures the hub bucket.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Encryption;
use flowagg_core::id::Region;
use flowagg_core::observed::{PublicAccessBlock, Switch};
use flowagg_core::plan::HubChange;

use super::Applied;
use super::bucket::Bucket;
use super::done::{Did, Done};
use super::lifecycle::Lifecycle;
use super::policy::Policy;
use super::replace::{Replaced, WholeDocument};
use crate::Progress;
use crate::aws::call::*;
use crate::aws::observe;

/// The error code for a bucket that the account already owns.
const OWNED_ALREADY: &str = "BucketAlreadyOwnedByYou";
/// The region that `CreateBucket` must not specify.
const US_EAST_1: &str = "us-east-1";

impl Bucket<'_> {
    pub(super) fn policy(&self) -> Policy<'_> {
        Policy(self)
    }

    fn lifecycle(&self) -> Lifecycle<'_> {
        Lifecycle(self)
    }

    /// Makes the changes in order. Returns whether the bucket exists with the wanted policy.
    pub(super) async fn apply_all(
        &self,
        changes: &[HubChange],
        progress: &dyn Progress,
        applied: &mut Applied,
    ) -> bool {
        let mut ready = true;
        for (n, change) in changes.iter().enumerate() {
            progress.step("hub", n + 1, changes.len(), self.name());
            match self.apply(change, applied).await {
                Ok(what) => applied.done.extend(what.map(|what| self.done(what))),
                Err(failure) => {
                    applied.failures.push(failure);
                    if let HubChange::CreateBucket { .. } = change {
                        applied.held_back.extend(changes[n + 1..].iter().map(ToString::to_string));
                        return false;
                    }
                    ready &= !matches!(change, HubChange::PutPolicy(_));
                }
            }
        }
        ready
    }

    /// Merges the grant again if AWS removed it from the policy while flow logs were created in the bucket's account, and reports
    /// which foreign statements are missing. They are not restored: someone may have removed them on purpose.
    pub(super) async fn settle_after_aws(&self, before: Option<&str>, applied: &mut Applied) {
        let policy = self.policy();
        let after = match policy.read().await {
            Ok(after) => after,
            Err(failure) => return applied.failures.push(failure),
        };
        applied.failures.extend(policy.lost(before, after.as_deref()));
        if let Some(written) = &mut applied.policy {
            written.document.clone_from(&after);
        }
        match self.replaced(policy.settle(after, &mut applied.policy).await, applied) {
            Ok(what) => applied.done.extend(what.map(|what| self.done(what))),
            Err(failure) => applied.failures.push(failure),
        }
    }

    /// Returns the change to a document, and records losses and warnings. Fails if the document may not be the wanted one.
    fn replaced(&self, document: Replaced<Did>, applied: &mut Applied) -> Result<Option<Did>, Failure> {
        let Replaced { write: did, lost, warning, is_contended, failure } = document;
        applied.failures.extend(lost);
        applied.warnings.extend(warning.filter(|_| is_contended));
        let Some(failure) = failure else { return Ok(did) };
        applied.done.extend(did.map(|did| self.done(did)));
        Err(failure)
    }

    fn done(&self, what: Did) -> Done {
        Done { place: self.fleet.hub.place(), resources: vec![self.name().to_owned()], what }
    }

    /// Makes one change; `None` if it was not needed.
    async fn apply(&self, change: &HubChange, applied: &mut Applied) -> Result<Option<Did>, Failure> {
        let done = match change {
            HubChange::CreateBucket { region } => self.create(region).await?,
            HubChange::BlockPublicAccess { off, .. } => {
                self.block_public_access(off).await?;
                Did::BlockedPublicAccess { switches: off.clone() }
            }
            HubChange::EnforceBucketOwner { .. } => {
                self.enforce_owner().await?;
                Did::EnforcedBucketOwner
            }
            HubChange::Encrypt { with, .. } => {
                self.encrypt(with).await?;
                Did::SetEncryption { encryption: with.clone() }
            }
            HubChange::SetLifecycle(_) | HubChange::RemoveLifecycle(_) => {
                let settled = self.lifecycle().settle(&mut applied.lifecycle).await;
                return self.replaced(settled, applied);
            }
            HubChange::PutPolicy(_) | HubChange::RemoveGrant(_) => {
                let policy = self.policy();
                let replaced = policy.settle(policy.planned_over(), &mut applied.policy).await;
                return self.replaced(replaced, applied);
            }
        };
        Ok(Some(done))
    }

    async fn create(&self, region: &Region) -> Result<Did, Failure> {
        let elsewhere = (region.as_str() != US_EAST_1).then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region.as_str()))
                .build()
        });
        let own_namespace =
            self.fleet.hub.bucket.is_account_regional().then_some(BucketNamespace::AccountRegional);
        let request = self.s3.create_bucket().bucket(self.name()).set_bucket_namespace(own_namespace);
        match request.set_create_bucket_configuration(elsewhere).send().await {
            Ok(_) => Ok(Did::CreatedBucket),
            // The plan has settings for a new bucket, which an existing bucket must not get without checks.
            Err(SdkError::ServiceError(error)) if error.err().code() == Some(OWNED_ALREADY) => {
                Err(self.at.failed(
                    CREATE_BUCKET,
                    Some(OWNED_ALREADY),
                    "the bucket exists in this account: it was created after the plan was made, or by a call whose response was lost",
                    "run `flowagg plan` to see the changes to the existing bucket",
                ))
            }
            Err(error) => Err(self.at.failure(CREATE_BUCKET, &error)),
        }
    }

    /// Turns on these switches. The others keep their current value, which may have changed since planning.
    async fn block_public_access(&self, on: &[Switch]) -> Result<(), Failure> {
        let found = match Switch::ALL.iter().all(|switch| on.contains(switch)) {
            true => PublicAccessBlock::default(),
            false => observe::public_access_block(&self.s3, &self.fleet.hub, &self.at).await?,
        };
        let switches = found.with(on);
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(switches.block_acls)
            .ignore_public_acls(switches.ignore_acls)
            .block_public_policy(switches.block_policy)
            .restrict_public_buckets(switches.restrict_buckets)
            .build();
        let request =
            self.s3.put_public_access_block().bucket(self.name()).expected_bucket_owner(self.owner());
        let answer = request.public_access_block_configuration(block).send().await;
        answer.map(drop).map_err(|error| self.at.failure(PUT_PUBLIC_ACCESS_BLOCK, &error))
    }

    async fn enforce_owner(&self) -> Result<(), Failure> {
        let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced);
        let controls = rule.build().and_then(|rule| OwnershipControls::builder().rules(rule).build());
        let controls = controls.map_err(|error| self.unbuilt(PUT_OWNERSHIP, &error))?;
        let request =
            self.s3.put_bucket_ownership_controls().bucket(self.name()).expected_bucket_owner(self.owner());
        let answer = request.ownership_controls(controls).send().await;
        answer.map(drop).map_err(|error| self.at.failure(PUT_OWNERSHIP, &error))
    }

    /// Sets the default encryption and writes back the rest of the rule: blocked encryption types, dual-layer encryption and, without
    /// a KMS key, the bucket key setting.
    async fn encrypt(&self, with: &Encryption) -> Result<(), Failure> {
        let mut rules = observe::encryption_rules(&self.s3, &self.fleet.hub, &self.at).await?;
        if rules.is_empty() {
            rules.push(ServerSideEncryptionRule::builder().build());
        }
        for rule in rules.iter_mut().take(1) {
            let found = rule.apply_server_side_encryption_by_default.as_ref();
            let is_dual_layer =
                found.is_some_and(|found| *found.sse_algorithm() == ServerSideEncryption::AwsKmsDsse);
            let default = ServerSideEncryptionByDefault::builder();
            let default = match with {
                Encryption::SseS3 => default.sse_algorithm(ServerSideEncryption::Aes256),
                Encryption::SseKms { key, bucket_key } => {
                    let default = default.kms_master_key_id(key.as_str());
                    if is_dual_layer {
                        default.sse_algorithm(ServerSideEncryption::AwsKmsDsse)
                    } else {
                        rule.bucket_key_enabled = Some(*bucket_key);
                        default.sse_algorithm(ServerSideEncryption::AwsKms)
                    }
                }
            };
            let default = default.build().map_err(|error| self.unbuilt(PUT_ENCRYPTION, &error))?;
            rule.apply_server_side_encryption_by_default = Some(default);
        }
        let configuration = ServerSideEncryptionConfiguration::builder().set_rules(Some(rules)).build();
        let configuration = configuration.map_err(|error| self.unbuilt(PUT_ENCRYPTION, &error))?;
        let request = self.s3.put_bucket_encryption().bucket(self.name()).expected_bucket_owner(self.owner());
        let answer = request.server_side_encryption_configuration(configuration).send().await;
        answer.map(drop).map_err(|error| self.at.failure(PUT_ENCRYPTION, &error))
    }

    fn unbuilt(&self, call: Call, error: &BuildError) -> Failure {
        self.at.failed(call, None, error.to_string(), "this is a bug in flowagg: please report it")
    }
}

#[cfg(test)]
mod tests;
