//! Makes and settles the hub bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration,
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, ObjectOwnership,
    OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;
use flowagg_core::fleet::{Encryption, Fleet, Hub};
use flowagg_core::id::Region;
use flowagg_core::observed::{Expiry, Failure};
use flowagg_core::plan::{HubChange, PolicyChange};

use super::Applied;
use crate::Progress;
use crate::aws::Account;
use crate::aws::call::*;
use crate::aws::failure::At;
use crate::aws::observe;

/// The region whose buckets are made without naming it.
const US_EAST_1: &str = "us-east-1";

/// Does the changes in order. Returns whether there is a bucket with the wanted policy.
pub(super) async fn apply(
    fleet: &Fleet,
    account: &Account,
    changes: &[HubChange],
    progress: &dyn Progress,
    applied: &mut Applied,
) -> bool {
    let hub = Bucket {
        s3: account.s3(&fleet.hub.region),
        hub: &fleet.hub,
        at: At::new(fleet.hub.account, &fleet.hub.region).about(&fleet.hub.bucket),
    };
    let mut ready = true;
    for (n, change) in changes.iter().enumerate() {
        progress.step("hub", n + 1, changes.len(), &fleet.hub.bucket.to_string());
        match hub.apply(change).await {
            Ok(()) => applied.done.push(format!("{}: {change}", fleet.hub.bucket)),
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

struct Bucket<'a> {
    s3: Client,
    hub: &'a Hub,
    at: At,
}

impl Bucket<'_> {
    fn name(&self) -> &str {
        self.hub.bucket.as_str()
    }

    fn owner(&self) -> String {
        self.hub.account.to_string()
    }

    async fn apply(&self, change: &HubChange) -> Result<(), Failure> {
        match change {
            HubChange::CreateBucket { region } => self.create(region).await,
            HubChange::BlockPublicAccess { .. } => self.block_public_access().await,
            HubChange::EnforceBucketOwner { .. } => self.enforce_owner().await,
            HubChange::Encrypt { with, .. } => self.encrypt(with).await,
            HubChange::Expire { days, under, .. } => self.expire(*days, under).await,
            HubChange::PutPolicy(policy) => self.put_policy(policy).await,
        }
    }

    async fn create(&self, region: &Region) -> Result<(), Failure> {
        let elsewhere = (region.as_str() != US_EAST_1).then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region.as_str()))
                .build()
        });
        let own_namespace = self.hub.bucket.is_account_regional().then_some(BucketNamespace::AccountRegional);
        let request = self.s3.create_bucket().bucket(self.name()).set_bucket_namespace(own_namespace);
        match request.set_create_bucket_configuration(elsewhere).send().await {
            Ok(_) => Ok(()),
            // Made by us before an answer was lost, or by a colleague since the plan: settled by what follows.
            Err(SdkError::ServiceError(error)) if error.err().code() == Some("BucketAlreadyOwnedByYou") => {
                Ok(())
            }
            Err(error) => Err(self.at.failure(CREATE_BUCKET, &error)),
        }
    }

    async fn block_public_access(&self) -> Result<(), Failure> {
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
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

    async fn encrypt(&self, with: &Encryption) -> Result<(), Failure> {
        let default = ServerSideEncryptionByDefault::builder();
        let (default, bucket_key) = match with {
            Encryption::SseS3 => (default.sse_algorithm(ServerSideEncryption::Aes256), None),
            Encryption::SseKms(key) => {
                // A bucket key saves a KMS call for each object.
                (
                    default.sse_algorithm(ServerSideEncryption::AwsKms).kms_master_key_id(key.as_str()),
                    Some(true),
                )
            }
        };
        let rule = default.build().map(|default| {
            let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
            rule.set_bucket_key_enabled(bucket_key).build()
        });
        let configuration =
            rule.and_then(|rule| ServerSideEncryptionConfiguration::builder().rules(rule).build());
        let configuration = configuration.map_err(|error| self.unbuilt(PUT_ENCRYPTION, &error))?;
        let request = self.s3.put_bucket_encryption().bucket(self.name()).expected_bucket_owner(self.owner());
        let answer = request.server_side_encryption_configuration(configuration).send().await;
        answer.map(drop).map_err(|error| self.at.failure(PUT_ENCRYPTION, &error))
    }

    /// Sets our rule and writes every other rule back as it was read.
    async fn expire(&self, days: u32, under: &str) -> Result<(), Failure> {
        let mut rules = observe::lifecycle_rules(&self.s3, self.hub, &self.at).await?;
        rules.retain(|rule| rule.id() != Some(Expiry::RULE_ID));
        let rule = LifecycleRule::builder()
            .id(Expiry::RULE_ID)
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix(under).build())
            .expiration(LifecycleExpiration::builder().days(days.cast_signed()).build())
            .build();
        rules.push(rule.map_err(|error| self.unbuilt(PUT_LIFECYCLE, &error))?);
        let configuration = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build();
        let configuration = configuration.map_err(|error| self.unbuilt(PUT_LIFECYCLE, &error))?;
        let request = self.s3.put_bucket_lifecycle_configuration().bucket(self.name());
        let answer =
            request.expected_bucket_owner(self.owner()).lifecycle_configuration(configuration).send().await;
        answer.map(drop).map_err(|error| self.at.failure(PUT_LIFECYCLE, &error))
    }

    /// Writes the policy while the one it was merged into is still there. S3 has no condition for that, so it is read
    /// again right before.
    async fn put_policy(&self, policy: &PolicyChange) -> Result<(), Failure> {
        let there = observe::policy(&self.s3, self.hub, &self.at).await?;
        if there != policy.replaces {
            return Err(self.at.failed(
                PUT_POLICY,
                None,
                "somebody else changed the bucket policy since it was read, and it was not overwritten",
                "run it again: the plan is made anew from the policy that is there now",
            ));
        }
        let request = self.s3.put_bucket_policy().bucket(self.name()).expected_bucket_owner(self.owner());
        let answer = request.policy(&policy.text).send().await;
        answer.map(drop).map_err(|error| self.at.failure(PUT_POLICY, &error))
    }

    fn unbuilt(&self, call: Call, error: &BuildError) -> Failure {
        self.at.failed(call, None, error.to_string(), "this is a defect of flowagg: please report it")
    }
}
