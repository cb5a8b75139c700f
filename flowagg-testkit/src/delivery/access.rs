//! Whether the service may write to a bucket, according to the current policies of the bucket and its KMS key.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_kms::types::{KeyManagerType, KeyState};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::ServerSideEncryption;
use flowagg_core::id::{AccountId, BucketName, KmsKeyArn, OrganizationId, Place, Region};
use flowagg_core::layout::{FileName, Layout};
use flowagg_policy::key::{KeyUse, ask};
use flowagg_policy::{Delivery, Membership, Owner, Policy};

use crate::aws::{Aws, AwsError};

pub(super) type Organization = (OrganizationId, BTreeSet<AccountId>);

/// The current state that decides deliveries to one bucket.
#[derive(Debug)]
pub(super) struct Access {
    /// The bucket policy, or why nothing is admitted.
    policy: Result<Policy, String>,
    /// The KMS key of the bucket, or why it cannot be used. `Ok(None)` if S3 manages the keys.
    key: Result<Option<Key>, String>,
}

/// An enabled customer managed key.
#[derive(Debug)]
struct Key {
    arn: KmsKeyArn,
    policy: String,
    bucket_key: bool,
}

/// A file to write.
pub(super) struct File<'a> {
    pub(super) bucket: &'a BucketName,
    pub(super) layout: &'a Layout,
    pub(super) name: &'a FileName,
    pub(super) key: &'a str,
    /// Who owns the bucket.
    pub(super) owner: Option<Owner>,
}

impl File<'_> {
    /// The delivery of the file. An account that is not in this organization is in none.
    fn delivery(&self, organization: Option<&Organization>) -> Delivery {
        let account = self.name.place.account;
        let membership = match organization {
            Some((id, within)) if within.contains(&account) => {
                Membership::Within(id.clone(), BTreeSet::new())
            }
            _ => Membership::None,
        };
        Delivery::new(account, self.name.place.region.clone())
            .with_membership(membership)
            .with_owner(self.owner.clone())
    }
}

impl Access {
    /// Reads the policy and the encryption of a bucket, and the key's state and policy.
    pub(super) async fn to(
        aws: &Aws,
        owner: AccountId,
        bucket: &BucketName,
        region: &Region,
    ) -> Result<Self, AwsError> {
        let s3 = aws.s3(owner, region);
        let policy = compiled(bucket, live_policy(&s3, bucket, owner, region).await?);
        let encryption = match s3.get_bucket_encryption().bucket(bucket.as_str()).send().await {
            Ok(output) => output.server_side_encryption_configuration,
            Err(error)
                if matches!(
                    error.code(),
                    Some("ServerSideEncryptionConfigurationNotFoundError" | "NoSuchBucket")
                ) =>
            {
                None
            }
            Err(error) => return Err(AwsError::during("GetBucketEncryption", owner, region)(error)),
        };
        let rule = encryption.and_then(|encryption| encryption.rules.into_iter().next());
        let bucket_key = rule.as_ref().and_then(|rule| rule.bucket_key_enabled).unwrap_or(false);
        let default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default);
        let key = match default {
            Some(default) if default.sse_algorithm != ServerSideEncryption::Aes256 => {
                key(aws, default.kms_master_key_id.as_deref(), bucket_key).await.map(Some)
            }
            _ => Ok(None),
        };
        Ok(Self { policy, key })
    }

    /// Whether this file may be written, or why not.
    ///
    /// The service reads the bucket's ACL, then puts the object. For the object, S3 calls KMS on its behalf.
    /// Source: "Amazon S3 bucket permissions for flow logs" and "Required key policy for use with SSE-KMS" (Amazon VPC
    /// User Guide).
    pub(super) fn admits(&self, file: &File<'_>, organization: Option<&Organization>) -> Result<(), String> {
        let policy = self.policy.as_ref().map_err(Clone::clone)?;
        let [check, put] = file.delivery(organization).requests(file.bucket, file.key);
        for (request, call) in [(check, "s3:GetBucketAcl"), (put, "s3:PutObject")] {
            let decision = policy.decide(&request);
            if decision.is_allowed() {
                continue;
            }
            return Err(match (decision.statement, decision.near_miss) {
                _ if !decision.depends_on.is_empty() => {
                    let keys: Vec<String> = decision.depends_on.into_iter().collect();
                    format!(
                        "whether {call} is allowed depends on {}, which the testkit does not know",
                        keys.join(", ")
                    )
                }
                (Some(statement), _) => format!("statement {statement} denies {call}"),
                (None, Some(near)) => format!("no statement allows {call}: {near}"),
                (None, None) => format!("no statement allows {call}"),
            });
        }
        match &self.key {
            Ok(None) => Ok(()),
            Ok(Some(key)) => key.admits(file, organization),
            Err(why) => Err(why.clone()),
        }
    }
}

impl Key {
    fn admits(&self, file: &File<'_>, organization: Option<&Organization>) -> Result<(), String> {
        let Place { account, region } = &file.name.place;
        let accounts = BTreeMap::from([(*account, BTreeSet::from([region.clone()]))]);
        let memberships = BTreeMap::from([(*account, file.delivery(organization).membership)]);
        let mut asked = KeyUse::new(&self.arn, file.bucket, file.layout, &accounts);
        asked.bucket_key = Some(self.bucket_key);
        asked.memberships = &memberships;
        asked.owner = file.owner.as_ref();
        let answer = ask(&self.policy, &asked).map_err(|error| error.to_string())?;
        let refusal = answer.refusals.first().or(answer.undecided.first());
        refusal.map_or(Ok(()), |refusal| Err(refusal.to_string()))
    }
}

/// The key with this name, if the service can use it at all.
///
/// A key ID means a key of the caller's own account, so it cannot name the bucket owner's. The AWS managed key, which
/// is the default, has a policy that does not allow the service. Sources: "Required key policy for use with
/// SSE-KMS" (Amazon VPC User Guide); "Key states of AWS KMS keys" (AWS KMS Developer Guide).
async fn key(aws: &Aws, name: Option<&str>, bucket_key: bool) -> Result<Key, String> {
    let name = name.ok_or("the bucket is encrypted with the AWS managed key for S3")?;
    let arn = KmsKeyArn::parse(name).map_err(|error| error.to_string())?;
    let (account, region) = (arn.account(), arn.region());
    let kms = aws.kms(account, region);
    let described = kms.describe_key().key_id(name).send().await;
    let described =
        described.map_err(|error| AwsError::during("DescribeKey", account, region)(error).to_string())?;
    let described = described.key_metadata;
    if described.as_ref().and_then(|key| key.key_manager()) == Some(&KeyManagerType::Aws) {
        return Err(format!("AWS manages the key {name}"));
    }
    let state = described.and_then(|key| key.key_state).unwrap_or(KeyState::Enabled);
    if state != KeyState::Enabled {
        return Err(format!("the key {name} is {state}"));
    }
    let policy = kms.get_key_policy().key_id(name).policy_name(KmsKeyArn::POLICY_NAME).send().await;
    let policy =
        policy.map_err(|error| AwsError::during("GetKeyPolicy", account, region)(error).to_string())?;
    Ok(Key { arn, policy: policy.policy.unwrap_or_default(), bucket_key })
}

fn compiled(bucket: &BucketName, policy: Option<String>) -> Result<Policy, String> {
    let policy = policy.ok_or_else(|| format!("the bucket {bucket} has no policy, or does not exist"))?;
    Policy::compile(&policy).map_err(|error| error.to_string())
}

/// The current bucket policy; `None` if there is none, or no bucket.
pub(crate) async fn live_policy(
    s3: &aws_sdk_s3::Client,
    bucket: &BucketName,
    owner: AccountId,
    region: &Region,
) -> Result<Option<String>, AwsError> {
    match s3.get_bucket_policy().bucket(bucket.as_str()).send().await {
        Ok(output) => Ok(output.policy),
        Err(error) if matches!(error.code(), Some("NoSuchBucketPolicy" | "NoSuchBucket")) => Ok(None),
        Err(error) => Err(AwsError::during("GetBucketPolicy", owner, region)(error)),
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const OPEN: &str = r#"{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
        "Action":["s3:PutObject","s3:GetBucketAcl"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}"#;

    fn text(statements: &[&str]) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
    }

    fn policy(statements: &[&str]) -> Result<Policy, String> {
        compiled(&BucketName::parse("logs").unwrap(), Some(text(statements)))
    }

    /// The decision on a file of account 444455556666, which belongs to an organization.
    fn admits(access: &Access) -> Result<(), String> {
        let bucket = BucketName::parse("logs").unwrap();
        let account = AccountId::parse("444455556666").unwrap();
        let name = FileName::example(account, &Region::parse("eu-west-1").unwrap());
        let key = Layout::default().key(&name);
        let organization = (OrganizationId::parse("o-a1b2c3d4e5").unwrap(), BTreeSet::from([account]));
        access.admits(
            &File { bucket: &bucket, layout: &Layout::default(), name: &name, key: &key, owner: None },
            Some(&organization),
        )
    }

    #[test]
    fn service_requests_carry_source_conditions_and_tls() {
        let own = OPEN.replace(
            "\"Effect\"",
            r#""Condition":{"StringEquals":{"aws:SourceOrgID":"o-a1b2c3d4e5","aws:SourceAccount":"444455556666"},
               "ArnLike":{"aws:SourceArn":"arn:aws:logs:eu-west-1:444455556666:*"},
               "Bool":{"aws:SecureTransport":"true","aws:PrincipalIsAWSService":"true"}},"Effect""#,
        );
        let other = own.replace("o-a1b2c3d4e5", "o-zzzzzzzzzz");
        assert_eq!(admits(&Access { policy: policy(&[&own]), key: Ok(None) }), Ok(()));
        let why = admits(&Access { policy: policy(&[&other]), key: Ok(None) }).unwrap_err();
        assert_data_eq!(
            why,
            str![[
                r#"no statement allows s3:GetBucketAcl: statement 1 would allow it except for `aws:SourceOrgID`, which is `o-a1b2c3d4e5`"#
            ]]
        );
    }

    #[test]
    fn readable_acl_alone_does_not_admit() {
        let check = OPEN.replace("\"s3:PutObject\",", "");
        let why = admits(&Access { policy: policy(&[&check]), key: Ok(None) }).unwrap_err();
        assert_data_eq!(
            why,
            str!["no statement allows s3:PutObject: statement 1 would allow it except for the action"]
        );
    }

    #[test]
    fn key_policy_is_checked_after_the_bucket_policy() {
        let with = |statements: &[&str], bucket_key| {
            let (arn, policy) = (KmsKeyArn::parse(KEY).unwrap(), text(statements));
            Access { policy: self::policy(&[OPEN]), key: Ok(Some(Key { arn, policy, bucket_key })) }
        };
        let context = r#"{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"kms:*","Resource":"*",
            "Condition":{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::logs"}}}"#;
        assert_eq!(admits(&with(&[context], true)), Ok(()));
        let why = admits(&with(&[context], false)).unwrap_err();
        assert_data_eq!(
            why,
            str![[
                r#"log delivery for 444455556666 in eu-west-1 cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement 1 would allow it except for `kms:EncryptionContext:aws:s3:arn`, which is `arn:aws:s3:::logs/AWSLogs/444455556666/vpcflowlogs/eu-west-1/2026/01/01/444455556666_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20260101T0000Z_00000000.log.gz`"#
            ]]
        );
        assert!(admits(&with(&[], true)).is_err());
        let off = Access { policy: policy(&[OPEN]), key: Err("the key is off".to_owned()) };
        assert_eq!(admits(&off), Err("the key is off".to_owned()));
    }
}
