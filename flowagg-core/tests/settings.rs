//! The settings of the hub bucket: changes, kept values, and reports.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeSet;

use flowagg_core::acl::{Acl, AclGrant, Grantee};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Encryption, Fleet};
use flowagg_core::lifecycle::LifecycleDocument;
use flowagg_core::observed::*;
use flowagg_core::plan::{
    EncryptionInUse, Expiry, HubChange, HubPart, Note, encryption_in_use, rule_of_new_bucket,
};
use snapbox::{assert_data_eq, str};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const CLOUDFRONT: &str = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0";

/// A fleet with these lines in `[hub]`.
fn fleet(hub: &str) -> Fleet {
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n{hub}\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n"
    );
    Fleet::parse(&text).unwrap()
}

/// The changes to the bucket, without the note about expiration.
fn hub_changes(fleet: &Fleet, bucket: Option<&Bucket>) -> HubPart {
    let mut part = flowagg_core::plan::hub_changes(fleet, bucket, Expiry::Withhold, &Scope::Whole);
    part.notes.retain(|note| !matches!(note, Note::Expiry { .. }));
    part
}

/// The lifecycle configuration of a new bucket.
fn lifecycle(fleet: &Fleet) -> Option<LifecycleDocument> {
    let rules: Vec<_> = rule_of_new_bucket(fleet).into_iter().collect();
    LifecycleDocument::edited(None, &rules, &BTreeSet::new()).unwrap()
}

fn settled() -> Bucket {
    let mut bucket = Bucket::default();
    bucket.encryption = Some(encrypted("AES256", None));
    bucket.lifecycle = lifecycle(&fleet(""));
    bucket.public_access_block = PublicAccessBlock::FULL;
    bucket.ownership = Some("BucketOwnerEnforced".into());
    bucket
}

/// A bucket without other changes on which ACLs and public policies have an effect.
fn open(usage: Usage) -> Bucket {
    let mut bucket = settled();
    bucket.public_access_block = PublicAccessBlock::default();
    bucket.ownership = Some("BucketOwnerPreferred".into());
    bucket.policy = Some("{}".to_owned());
    bucket.usage = usage;
    bucket
}

fn encrypted(algorithm: &str, key: Option<&str>) -> BucketEncryption {
    let mut encryption = BucketEncryption::new(algorithm);
    encryption.key = key.map(str::to_owned);
    encryption
}

fn acl(grantee: Grantee, permission: &str) -> Result<Acl, Failure> {
    let grant = AclGrant::new(grantee, permission.to_owned());
    Ok(Acl::from_iter([grant]))
}

fn denied(call: &str) -> Failure {
    let mut failure = Failure::new(
        fleet("").hub.place(),
        call,
        "no identity-based policy allows it",
        format!("allow s3:{call}").as_str(),
    );
    failure.resource = Some("acme-logs".into());
    failure.code = Some("AccessDenied".into());
    failure
}

fn changes(part: &HubPart) -> Vec<String> {
    part.changes.iter().map(ToString::to_string).collect()
}

fn concerns(part: &HubPart) -> Vec<&str> {
    part.concerns.iter().map(|concern| concern.what.as_str()).collect()
}

fn notes(part: &HubPart) -> Vec<String> {
    part.notes.iter().map(ToString::to_string).collect()
}

/// Checks that nothing changes and nothing is reported.
fn is_settled(part: &HubPart) -> bool {
    *part == HubPart::default()
}

#[test]
fn new_bucket_gets_every_setting() {
    for hub in ["", "object-ownership = \"keep\"", "object-ownership = \"enforce\""] {
        let part = hub_changes(&fleet(hub), None);
        let expected = [
            "create the bucket in eu-west-1",
            "block all public access",
            "set object ownership to BucketOwnerEnforced",
            "encrypt with SSE-S3",
            "lifecycle of AWSLogs/: expire after 90 days, abort incomplete uploads after 7 days",
        ];
        assert_eq!(changes(&part), expected, "{hub}");
    }
}

#[test]
fn matching_bucket_is_unchanged() {
    assert!(is_settled(&hub_changes(&fleet(""), Some(&settled()))));
}

#[test]
fn unused_public_access_is_blocked() {
    let part = hub_changes(&fleet(""), Some(&open(Usage::default())));
    let expected = [
        "block public access: BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets off -> on (stronger)",
        "object ownership: BucketOwnerPreferred -> BucketOwnerEnforced (stronger)",
    ];
    assert_eq!(changes(&part), expected);
    assert!(part.concerns.is_empty() && part.notes.is_empty() && part.obstacles.is_empty());
}

#[test]
fn public_policy_keeps_its_two_switches_off() {
    let mut usage = Usage::default();
    usage.public_policy = Ok(true);
    let part = hub_changes(&fleet(""), Some(&open(usage)));
    assert_eq!(
        changes(&part)[0],
        "block public access: BlockPublicAcls, IgnorePublicAcls off -> on (stronger)"
    );
    assert_eq!(
        concerns(&part),
        ["BlockPublicPolicy and RestrictPublicBuckets stay off: the bucket policy is public"]
    );
}

#[test]
fn public_grant_keeps_acls_and_their_two_switches_off() {
    for (grantee, name) in [
        (Grantee::AllUsers, "everyone (`AllUsers`)"),
        (Grantee::AuthenticatedUsers, "every AWS account (`AuthenticatedUsers`)"),
    ] {
        let mut usage = Usage::default();
        usage.acl = acl(grantee, "READ");
        let bucket = open(usage);
        let part = hub_changes(&fleet(""), Some(&bucket));
        assert_eq!(
            changes(&part),
            ["block public access: BlockPublicPolicy, RestrictPublicBuckets off -> on (stronger)"]
        );
        let expected = [
            format!("BlockPublicAcls and IgnorePublicAcls stay off: the bucket ACL grants READ to {name}"),
            format!("object ownership stays BucketOwnerPreferred: the bucket ACL grants READ to {name}"),
        ];
        assert_eq!(concerns(&part), expected);
    }
}

#[test]
fn log_delivery_grant_keeps_acls_but_not_the_switches() {
    for (grantee, name) in [
        (Grantee::from_canonical_id(CLOUDFRONT), "CloudFront standard logging (`awslogsdelivery`)"),
        (Grantee::LogDelivery, "S3 server access logging (`LogDelivery`)"),
        (Grantee::from_canonical_id("af12"), "the canonical user `af12`"),
    ] {
        let mut usage = Usage::default();
        usage.acl = acl(grantee, "FULL_CONTROL");
        let bucket = open(usage);
        let part = hub_changes(&fleet(""), Some(&bucket));
        assert!(matches!(&part.changes[..], [HubChange::BlockPublicAccess { off, .. }] if off.len() == 4));
        let expected = format!(
            "object ownership stays BucketOwnerPreferred: the bucket ACL grants FULL_CONTROL to {name}"
        );
        assert_eq!(concerns(&part), [expected]);
        assert_data_eq!(
            &part.concerns[0].help,
            str![[
                r#"to keep ACLs enabled, set `hub.object-ownership = "keep"`; to disable them, replace these grants with bucket policy statements and reset the ACL (`aws s3api put-bucket-acl --bucket acme-logs --acl private`)"#
            ]]
        );
    }
}

#[test]
fn fleet_file_overrides_object_ownership() {
    for acl in [
        acl(Grantee::from_canonical_id(CLOUDFRONT), "FULL_CONTROL"),
        Err(denied("GetBucketAcl")),
        Ok(Acl::default()),
    ] {
        let mut usage = Usage::default();
        usage.acl = acl;
        let mut bucket = open(usage);
        bucket.public_access_block = PublicAccessBlock::FULL;
        let kept = hub_changes(&fleet("object-ownership = \"keep\""), Some(&bucket));
        assert!(is_settled(&kept), "{kept:?}");
        let enforced = hub_changes(&fleet("object-ownership = \"enforce\""), Some(&bucket));
        assert!(matches!(&enforced.changes[..], [HubChange::EnforceBucketOwner { .. }]));
        assert!(enforced.concerns.is_empty());
    }
}

#[test]
fn unread_evidence_counts_as_evidence() {
    let mut unread = Usage::default();
    unread.public_policy = Err(denied("GetBucketPolicyStatus"));
    unread.acl = Err(denied("GetBucketAcl"));
    let part = hub_changes(&fleet(""), Some(&open(unread.clone())));
    assert!(part.changes.is_empty(), "{part:?}");
    let why = "AccessDenied: no identity-based policy allows it)";
    let expected = [
        format!(
            "BlockPublicAcls and IgnorePublicAcls stay off: the bucket ACL could not be read (GetBucketAcl: {why}"
        ),
        format!(
            "BlockPublicPolicy and RestrictPublicBuckets stay off: whether the bucket policy is public could not be read \
             (GetBucketPolicyStatus: {why}"
        ),
        format!(
            "object ownership stays BucketOwnerPreferred: the bucket ACL could not be read (GetBucketAcl: {why}"
        ),
    ];
    assert_eq!(concerns(&part), expected);
    assert_eq!(part.concerns[0].help, "allow s3:GetBucketAcl");

    let mut closed = settled();
    closed.usage = unread.clone();
    assert!(is_settled(&hub_changes(&fleet(""), Some(&closed))), "nothing depends on what was not read");
    let mut without_policy = open(unread.clone());
    without_policy.policy = None;
    let part = hub_changes(&fleet(""), Some(&without_policy));
    assert_eq!(
        changes(&part),
        ["block public access: BlockPublicPolicy, RestrictPublicBuckets off -> on (stronger)"]
    );
    let mut without_acls = open(unread);
    without_acls.ownership = Some("BucketOwnerEnforced".into());
    let part = hub_changes(&fleet(""), Some(&without_acls));
    assert_eq!(
        changes(&part),
        ["block public access: BlockPublicAcls, IgnorePublicAcls off -> on (stronger)"]
    );
}

#[test]
fn single_disabled_switch_is_enabled() {
    let mut block = PublicAccessBlock::FULL;
    block.ignore_acls = false;
    let mut bucket = settled();
    bucket.public_access_block = block;
    let part = hub_changes(&fleet(""), Some(&bucket));
    assert_eq!(changes(&part), ["block public access: IgnorePublicAcls off -> on (stronger)"]);
    assert_eq!(block.with(&[Switch::IgnorePublicAcls]), PublicAccessBlock::FULL);
    assert_eq!(PublicAccessBlock::default().with(&Switch::ALL), PublicAccessBlock::FULL);
}

#[test]
fn existing_encryption_is_never_weakened() {
    let other = "arn:aws:kms:eu-west-1:111122223333:key/other";
    let [aes, by_aws, dual_by_aws, by_key, dual, by_id] = [
        encrypted("AES256", None),
        encrypted("aws:kms", None),
        encrypted("aws:kms:dsse", None),
        encrypted("aws:kms", Some(other)),
        encrypted("aws:kms:dsse", Some(other)),
        encrypted("aws:kms", Some("1234abcd")),
    ];
    let sse_kms = format!("encryption = \"{KEY}\"");
    let set = |was: &str, compared: &str| {
        Some(format!("default encryption: {was} -> the KMS key {KEY} and a bucket key ({compared})"))
    };
    let unusable = |found: &str, compared: &str| {
        let why = "with the AWS managed key, which log delivery cannot use";
        Some(format!("default encryption: {found} {why} -> SSE-S3 ({compared})"))
    };
    for (hub, found, expected) in [
        ("", Some(&aes), None),
        ("", Some(&by_aws), None),
        ("", Some(&dual_by_aws), None),
        ("", Some(&by_key), None),
        ("", Some(&dual), None),
        ("", Some(&by_id), None),
        ("", None, Some("default encryption: none -> SSE-S3 (stronger)".to_owned())),
        ("encryption = \"sse-s3\"", Some(&aes), None),
        ("encryption = \"sse-s3\"", Some(&by_key), None),
        ("encryption = \"sse-s3\"", Some(&dual), None),
        ("encryption = \"sse-s3\"", Some(&by_aws), unusable("aws:kms", "different")),
        ("encryption = \"sse-s3\"", Some(&dual_by_aws), unusable("aws:kms:dsse, two layers,", "weaker")),
        (&sse_kms, None, set("none", "stronger")),
        (&sse_kms, Some(&aes), set("AES256", "stronger")),
        (&sse_kms, Some(&by_key), set(&format!("aws:kms with {other}"), "different")),
        (&sse_kms, Some(&dual), set(&format!("aws:kms:dsse with {other}"), "different")),
        (&sse_kms, Some(&by_id), set("aws:kms with 1234abcd", "different")),
    ] {
        let mut bucket = settled();
        bucket.encryption = found.cloned();
        let part = hub_changes(&fleet(hub), Some(&bucket));
        assert_eq!(changes(&part), Vec::from_iter(expected), "{hub} {found:?}");
    }
}

#[test]
fn kept_kms_key_is_noted() {
    let mut bucket = settled();
    bucket.encryption = Some(encrypted("aws:kms", Some(KEY)));
    let kept = hub_changes(&fleet(""), Some(&bucket));
    assert_eq!(kept.notes, [Note::KeptEncryption { key: KEY.to_owned() }]);
    let stronger = hub_changes(&fleet("encryption = \"sse-s3\""), Some(&bucket));
    assert_eq!(stronger.notes, [Note::StrongerEncryption { key: KEY.to_owned() }]);
    let declared = fleet(&format!("encryption = \"{KEY}\"\nbucket-key = false"));
    assert!(is_settled(&hub_changes(&declared, Some(&bucket))));
}

#[test]
fn dual_layer_encryption_with_the_declared_key_is_unchanged() {
    let mut bucket = settled();
    bucket.encryption = Some(encrypted("aws:kms:dsse", Some(KEY)));
    let declared = fleet(&format!("encryption = \"{KEY}\""));
    assert!(is_settled(&hub_changes(&declared, Some(&bucket))));
    let in_use = encryption_in_use(&declared.hub, bucket.encryption.as_ref());
    assert!(matches!(in_use, EncryptionInUse::Key { bucket_key: false, .. }), "{in_use:?}");
}

#[test]
fn deliveries_use_the_declared_or_the_kept_key() {
    let arn: flowagg_core::id::KmsKeyArn = KEY.parse().unwrap();
    let other = "arn:aws:kms:eu-west-1:111122223333:key/other";
    let key = |arn, bucket_key| EncryptionInUse::Key { arn, bucket_key };
    let not_arn = |key: &str| EncryptionInUse::NotArn { key: key.to_owned() };
    for (hub, found, expected) in [
        (String::new(), None, EncryptionInUse::SseS3),
        (String::new(), Some(encrypted("AES256", None)), EncryptionInUse::SseS3),
        (String::new(), Some(encrypted("aws:kms", None)), EncryptionInUse::AwsManaged),
        (String::new(), Some(encrypted("aws:kms", Some(KEY))), key(arn.clone(), false)),
        (String::new(), Some(encrypted("aws:kms", Some("1234abcd"))), not_arn("1234abcd")),
        (String::new(), Some(encrypted("aws:kms", Some("alias/logs"))), not_arn("alias/logs")),
        ("encryption = \"sse-s3\"".into(), Some(encrypted("aws:kms", None)), EncryptionInUse::SseS3),
        ("encryption = \"sse-s3\"".into(), Some(encrypted("aws:kms", Some(KEY))), key(arn.clone(), false)),
        (format!("encryption = \"{KEY}\""), Some(encrypted("aws:kms", Some(other))), key(arn.clone(), true)),
        (format!("encryption = \"{KEY}\""), None, key(arn.clone(), true)),
    ] {
        assert_eq!(encryption_in_use(&fleet(&hub).hub, found.as_ref()), expected, "{hub} {found:?}");
    }
    assert_eq!(Encryption::default(), Encryption::SseS3);
}

#[test]
fn versioning_note_contains_the_deletion_of_noncurrent_versions() {
    let bucket = |hub, versioning| {
        let mut found = settled();
        found.lifecycle = lifecycle(&fleet(hub));
        found.usage.versioning = Ok(versioning);
        found
    };
    let part = hub_changes(&fleet(""), Some(&bucket("", Versioning::Enabled)));
    let start = "versioning is enabled: expiration only adds delete markers, and noncurrent versions";
    assert_eq!(notes(&part), [format!("{start} are kept: no lifecycle rule deletes all of them")]);
    assert!(part.changes.is_empty() && part.concerns.is_empty());

    let hub = "noncurrent-days = 30";
    let part = hub_changes(&fleet(hub), Some(&bucket(hub, Versioning::Enabled)));
    assert_eq!(notes(&part), [format!("{start} are deleted after 30 more days")]);

    let part = hub_changes(&fleet(hub), Some(&bucket("", Versioning::Enabled)));
    assert_eq!(part.not_applied.len(), 1, "noncurrent versions would be deleted");
    assert_eq!(notes(&part), [format!("{start} are kept: no lifecycle rule deletes all of them")]);

    let part = hub_changes(&fleet(""), Some(&bucket("", Versioning::Suspended)));
    assert_data_eq!(
        notes(&part).join("\n"),
        str![
            "versioning is suspended: expiration only adds delete markers, and noncurrent versions are kept: no lifecycle rule deletes all of them"
        ]
    );
    assert!(is_settled(&hub_changes(&fleet(""), Some(&bucket("", Versioning::Off)))));
}

#[test]
fn object_lock_replication_and_notifications_are_noted() {
    let retention = DefaultRetention::new("COMPLIANCE", "1 year");
    let mut bucket = settled();
    bucket.usage.object_lock = Ok(Some(ObjectLock::new(Some(retention.clone()))));
    bucket.usage.replication = Ok(true);
    bucket.usage.notifications = Ok(true);
    let part = hub_changes(&fleet(""), Some(&bucket));
    let expected = [Note::ObjectLocked { retention: Some(retention) }, Note::Replicated, Note::Notifies];
    assert_eq!(part.notes, expected);
    assert_data_eq!(
        notes(&part).join("\n"),
        str![[r#"
Object Lock is enabled with a default retention of 1 year (COMPLIANCE): every log file is kept that long, even if it expires earlier; AWS does not document whether log delivery supports a default retention
the bucket has a replication configuration: `hub.retention-days` does not expire the copies of flow logs in another bucket
the bucket has event notifications: each log file may trigger one, about every 5 minutes for each flow log
"#]]
    );
    assert!(part.changes.is_empty() && part.concerns.is_empty() && part.obstacles.is_empty());
    assert!(part.notes.iter().all(Note::is_about_bucket));
}

#[test]
fn requester_pays_is_an_obstacle() {
    let mut bucket = settled();
    bucket.usage.requester_pays = Ok(true);
    let part = hub_changes(&fleet(""), Some(&bucket));
    let [obstacle] = &part.obstacles[..] else { unreachable!("{part:?}") };
    assert_data_eq!(
        &obstacle.what,
        str![
            "it is a Requester Pays bucket, which S3 does not support as a target of end user logging; AWS does not document whether flow logs are delivered to one"
        ]
    );
    assert_data_eq!(
        &obstacle.help,
        str![
            "disable Requester Pays (`aws s3api put-bucket-request-payment --bucket acme-logs --request-payment-configuration Payer=BucketOwner`), or use another `hub.bucket`"
        ]
    );
}

#[test]
fn unread_settings_are_combined_in_one_note() {
    let mut bucket = settled();
    bucket.usage.versioning = Err(denied("GetBucketVersioning"));
    bucket.usage.object_lock = Err(denied("GetObjectLockConfiguration"));
    bucket.usage.replication = Err(denied("GetBucketReplication"));
    bucket.usage.requester_pays = Err(denied("GetBucketRequestPayment"));
    bucket.usage.notifications = Err(denied("GetBucketNotificationConfiguration"));
    let part = hub_changes(&fleet(""), Some(&bucket));
    assert_data_eq!(
        notes(&part).join("\n"),
        str![[
            r#"bucket settings that may affect flow logs could not be read: versioning (GetBucketVersioning: AccessDenied: no identity-based policy allows it), Object Lock (GetObjectLockConfiguration: AccessDenied: no identity-based policy allows it), replication (GetBucketReplication: AccessDenied: no identity-based policy allows it), event notifications (GetBucketNotificationConfiguration: AccessDenied: no identity-based policy allows it), Requester Pays (GetBucketRequestPayment: AccessDenied: no identity-based policy allows it); `flowagg permissions` prints the actions to allow"#
        ]]
    );
    assert!(part.changes.is_empty() && part.concerns.is_empty() && part.obstacles.is_empty());
}
