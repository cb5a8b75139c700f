use aws_sdk_s3::operation::get_bucket_acl::GetBucketAclError;
use aws_sdk_s3::operation::get_bucket_encryption::GetBucketEncryptionError;
use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationError;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationError;
use aws_sdk_s3::operation::get_bucket_ownership_controls::GetBucketOwnershipControlsError;
use aws_sdk_s3::operation::get_bucket_policy::GetBucketPolicyError;
use aws_sdk_s3::operation::get_bucket_policy_status::{
    GetBucketPolicyStatusError, GetBucketPolicyStatusOutput,
};
use aws_sdk_s3::operation::get_bucket_replication::{GetBucketReplicationError, GetBucketReplicationOutput};
use aws_sdk_s3::operation::get_bucket_request_payment::{
    GetBucketRequestPaymentError, GetBucketRequestPaymentOutput,
};
use aws_sdk_s3::operation::get_bucket_versioning::{GetBucketVersioningError, GetBucketVersioningOutput};
use aws_sdk_s3::operation::get_object_lock_configuration::{
    GetObjectLockConfigurationError, GetObjectLockConfigurationOutput,
};
use aws_sdk_s3::operation::get_public_access_block::GetPublicAccessBlockError;
use aws_sdk_s3::operation::head_bucket::HeadBucketOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, EncryptionType, EventBridgeConfiguration, Grantee as SdkGrantee,
    ObjectLockRetentionMode, ObjectLockRule, ObjectOwnership, Owner, OwnershipControlsRule, Permission,
    PolicyStatus, PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;
use flowagg_core::observed::{Bucket, Scope};
use flowagg_core::plan::{EncryptionInUse, Expiry, encryption_in_use, hub_changes};
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::mocked;
use crate::aws::observe::hub;

/// Recorded S3 responses, and the expected value read from each.
const RECORDED: &str = include_str!("recorded.jsonl");

fn at() -> At {
    let hub = mocked::fleet().hub;
    At::new(hub.place()).about(&hub.bucket)
}

/// An error with this code for a call.
macro_rules! fails {
    ($call:ident, $error:ident, $code:expr) => {
        mock!(Client::$call).then_error(|| $error::generic(ErrorMetadata::builder().code($code).build()))
    };
}

/// Reads a bucket without any settings. The rules are the responses for its usage.
async fn read_hub(usage: &[&Rule]) -> Bucket {
    let there = mock!(Client::head_bucket)
        .then_output(|| HeadBucketOutput::builder().bucket_region("eu-west-1").build());
    let empty = mock!(Client::list_objects_v2).then_output(|| ListObjectsV2Output::builder().build());
    let encryption = fails!(
        get_bucket_encryption,
        GetBucketEncryptionError,
        "ServerSideEncryptionConfigurationNotFoundError"
    );
    let lifecycle = fails!(
        get_bucket_lifecycle_configuration,
        GetBucketLifecycleConfigurationError,
        "NoSuchLifecycleConfiguration"
    );
    let block =
        fails!(get_public_access_block, GetPublicAccessBlockError, "NoSuchPublicAccessBlockConfiguration");
    let ownership = fails!(
        get_bucket_ownership_controls,
        GetBucketOwnershipControlsError,
        "OwnershipControlsNotFoundError"
    );
    let policy = fails!(get_bucket_policy, GetBucketPolicyError, "NoSuchBucketPolicy");
    let mut rules = vec![&there, &empty, &encryption, &lifecycle, &block, &ownership, &policy];
    rules.extend(usage);
    let fleet = mocked::fleet();
    hub::read_with(&mocked::s3(&rules), &fleet.hub, &at()).await.unwrap().unwrap()
}

#[tokio::test]
async fn denied_read_leaves_only_its_setting_unknown() {
    let denied = [
        fails!(get_bucket_policy_status, GetBucketPolicyStatusError, "AccessDenied"),
        fails!(get_bucket_acl, GetBucketAclError, "AccessDenied"),
        fails!(get_bucket_versioning, GetBucketVersioningError, "AccessDenied"),
        fails!(get_object_lock_configuration, GetObjectLockConfigurationError, "AccessDenied"),
        fails!(get_bucket_replication, GetBucketReplicationError, "AccessDenied"),
        fails!(get_bucket_request_payment, GetBucketRequestPaymentError, "AccessDenied"),
        fails!(
            get_bucket_notification_configuration,
            GetBucketNotificationConfigurationError,
            "AccessDenied"
        ),
    ];
    let bucket = read_hub(&denied.each_ref()).await;
    let Usage {
        public_policy, acl, versioning, object_lock, replication, requester_pays, notifications, ..
    } = &bucket.usage;
    let failures = [
        public_policy.as_ref().err(),
        acl.as_ref().err(),
        versioning.as_ref().err(),
        object_lock.as_ref().err(),
        replication.as_ref().err(),
        requester_pays.as_ref().err(),
        notifications.as_ref().err(),
    ];
    let codes = failures.map(|failure| failure.unwrap().code.as_deref());
    assert_eq!(codes, [Some("AccessDenied"); 7]);

    let part = hub_changes(&mocked::fleet(), Some(&bucket), Expiry::Withhold, &Scope::Whole);
    let concerns: String =
        part.concerns.iter().map(|concern| format!("{}\n{}\n", concern.what, concern.help)).collect();
    assert_data_eq!(
        concerns,
        str![[r#"
BlockPublicAcls and IgnorePublicAcls stay off: the bucket ACL could not be read (GetBucketAcl: AccessDenied: AWS returned no message)
if another account owns the bucket, choose another `hub.bucket`; otherwise allow s3:GetBucketAcl for the role or user used in 111122223333
object ownership stays unset (ACLs enabled): the bucket ACL could not be read (GetBucketAcl: AccessDenied: AWS returned no message)
if another account owns the bucket, choose another `hub.bucket`; otherwise allow s3:GetBucketAcl for the role or user used in 111122223333; or set `hub.object-ownership` to "keep" or "enforce"
flow logs do not expire, and `hub.retention-days` is not set
set `hub.retention-days` to a number of days, or to "forever"

"#]]
    );
    assert_eq!(part.notes.len(), 2, "unread settings, and the expiry: {part:?}");
}

#[tokio::test]
async fn missing_settings_are_read_as_absent() {
    let absent = [
        fails!(get_bucket_policy_status, GetBucketPolicyStatusError, "NoSuchBucketPolicy"),
        mock!(Client::get_bucket_acl).then_output(|| GetBucketAclOutput::builder().build()),
        mock!(Client::get_bucket_versioning).then_output(|| GetBucketVersioningOutput::builder().build()),
        fails!(
            get_object_lock_configuration,
            GetObjectLockConfigurationError,
            "ObjectLockConfigurationNotFoundError"
        ),
        fails!(get_bucket_replication, GetBucketReplicationError, "ReplicationConfigurationNotFoundError"),
        mock!(Client::get_bucket_request_payment)
            .then_output(|| GetBucketRequestPaymentOutput::builder().payer(Payer::BucketOwner).build()),
        mock!(Client::get_bucket_notification_configuration)
            .then_output(|| GetBucketNotificationConfigurationOutput::builder().build()),
    ];
    assert_eq!(read_hub(&absent.each_ref()).await.usage, Usage::default());
}

#[tokio::test]
async fn existing_settings_are_read() {
    let lock = || {
        let retention = aws_sdk_s3::types::DefaultRetention::builder()
            .mode(ObjectLockRetentionMode::Compliance)
            .days(30)
            .build();
        ObjectLockConfiguration::builder()
            .object_lock_enabled(ObjectLockEnabled::Enabled)
            .rule(ObjectLockRule::builder().default_retention(retention).build())
            .build()
    };
    let set = [
        mock!(Client::get_bucket_policy_status).then_output(|| {
            let status = PolicyStatus::builder().is_public(true).build();
            GetBucketPolicyStatusOutput::builder().policy_status(status).build()
        }),
        mock!(Client::get_bucket_acl).then_output(|| {
            let grantee = SdkGrantee::builder()
                .r#type(Type::CanonicalUser)
                .id("c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0");
            let grant =
                Grant::builder().grantee(grantee.build().unwrap()).permission(Permission::FullControl);
            let owner = Owner::builder().id("owner").build();
            GetBucketAclOutput::builder().owner(owner).grants(grant.build()).build()
        }),
        mock!(Client::get_bucket_versioning).then_output(|| {
            GetBucketVersioningOutput::builder().status(BucketVersioningStatus::Enabled).build()
        }),
        mock!(Client::get_object_lock_configuration).then_output(move || {
            GetObjectLockConfigurationOutput::builder().object_lock_configuration(lock()).build()
        }),
        fails!(get_bucket_replication, GetBucketReplicationError, "ReplicationConfigurationNotFoundError"),
        mock!(Client::get_bucket_request_payment)
            .then_output(|| GetBucketRequestPaymentOutput::builder().payer(Payer::Requester).build()),
        mock!(Client::get_bucket_notification_configuration).then_output(|| {
            let bridge = EventBridgeConfiguration::builder().build();
            GetBucketNotificationConfigurationOutput::builder().event_bridge_configuration(bridge).build()
        }),
    ];
    let usage = read_hub(&set.each_ref()).await.usage;
    let grant = AclGrant::new(Grantee::CloudFrontLogs, "FULL_CONTROL");
    let retention = DefaultRetention::new("COMPLIANCE", "30 days");
    let mut expected = Usage::default();
    expected.public_policy = Ok(true);
    expected.acl = Ok(Acl::from_iter([grant]));
    expected.versioning = Ok(Versioning::Enabled);
    expected.object_lock = Ok(Some(ObjectLock::new(Some(retention))));
    expected.requester_pays = Ok(true);
    expected.notifications = Ok(true);
    assert_eq!(usage, expected);
}

#[tokio::test]
async fn response_without_the_value_is_unknown() {
    let status = mock!(Client::get_bucket_policy_status)
        .then_output(|| GetBucketPolicyStatusOutput::builder().build());
    let payer = mock!(Client::get_bucket_request_payment)
        .then_output(|| GetBucketRequestPaymentOutput::builder().build());
    let (s3, hub) = (mocked::s3(&[&status, &payer]), mocked::fleet().hub);
    assert!(public_policy(&s3, &hub, &at()).await.is_err());
    assert!(requester_pays(&s3, &hub, &at()).await.is_err());
    let replication_rule =
        mock!(Client::get_bucket_replication).then_output(|| GetBucketReplicationOutput::builder().build());
    assert_eq!(replication(&mocked::s3(&[&replication_rule]), &hub, &at()).await, Ok(false));
    assert_eq!(versioning_of(Some(&BucketVersioningStatus::from("Later"))), None);
}

#[test]
fn recorded_settings_are_read_as_expected() {
    for line in RECORDED.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(read_of(row["call"].as_str().unwrap(), &row["answer"]), row["read"], "{line}");
    }
    assert_eq!(RECORDED.lines().count(), 37);
}

/// The value read from a response, in the form of the recording.
fn read_of(call: &str, answer: &Value) -> Value {
    match call {
        "GetBucketAcl" => acl_of(&acl_answer(answer)).grants.iter().map(ToString::to_string).collect(),
        "GetBucketEncryption" => {
            let rule = encryption_rule(&answer["ServerSideEncryptionConfiguration"]["Rules"][0]);
            let Some(found) = hub::encryption_of(&rule) else { return "none".into() };
            match encryption_in_use(&mocked::fleet().hub, Some(&found)) {
                EncryptionInUse::SseS3 => "SseS3".into(),
                EncryptionInUse::Key { arn, .. } => format!("Key {arn}").into(),
                EncryptionInUse::AwsManaged => "AwsManaged".into(),
                EncryptionInUse::NotArn { key } => format!("NotArn {key}").into(),
            }
        }
        "GetBucketOwnershipControls" => {
            let text = answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"].as_str().unwrap();
            let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::from(text));
            rule.build().unwrap().object_ownership().as_str().into()
        }
        "GetBucketVersioning" => {
            let status = answer["Status"].as_str().map(BucketVersioningStatus::from);
            format!("{:?}", versioning_of(status.as_ref()).unwrap()).into()
        }
        "GetPublicAccessBlock" => {
            let block = &answer["PublicAccessBlockConfiguration"];
            let switch = |name: &str| block[name].as_bool();
            let block = PublicAccessBlockConfiguration::builder()
                .set_block_public_acls(switch("BlockPublicAcls"))
                .set_ignore_public_acls(switch("IgnorePublicAcls"))
                .set_block_public_policy(switch("BlockPublicPolicy"))
                .set_restrict_public_buckets(switch("RestrictPublicBuckets"))
                .build();
            hub::block_of(Some(&block)).off().map(|switch| switch.as_str()).collect()
        }
        _ => unreachable!("{call}"),
    }
}

fn acl_answer(answer: &Value) -> GetBucketAclOutput {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let grants = answer["Grants"].as_array().unwrap().iter().map(|grant| {
        let grantee = &grant["Grantee"];
        let grantee = SdkGrantee::builder()
            .r#type(Type::from(grantee["Type"].as_str().unwrap()))
            .set_id(text(&grantee["ID"]))
            .set_uri(text(&grantee["URI"]));
        let permission = Permission::from(grant["Permission"].as_str().unwrap());
        Grant::builder().grantee(grantee.build().unwrap()).permission(permission).build()
    });
    let owner = Owner::builder().set_id(text(&answer["Owner"]["ID"])).build();
    GetBucketAclOutput::builder().owner(owner).set_grants(Some(grants.collect())).build()
}

fn encryption_rule(rule: &Value) -> ServerSideEncryptionRule {
    let default = rule.get("ApplyServerSideEncryptionByDefault").map(|default| {
        ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(default["SSEAlgorithm"].as_str().unwrap()))
            .set_kms_master_key_id(default["KMSMasterKeyID"].as_str().map(str::to_owned))
            .build()
            .unwrap()
    });
    let blocked = rule.get("BlockedEncryptionTypes").map(|blocked| {
        let types = blocked["EncryptionType"].as_array().unwrap().iter();
        let types = types.map(|kind| EncryptionType::from(kind.as_str().unwrap())).collect();
        BlockedEncryptionTypes::builder().set_encryption_type(Some(types)).build()
    });
    ServerSideEncryptionRule::builder()
        .set_apply_server_side_encryption_by_default(default)
        .set_bucket_key_enabled(rule["BucketKeyEnabled"].as_bool())
        .set_blocked_encryption_types(blocked)
        .build()
}
