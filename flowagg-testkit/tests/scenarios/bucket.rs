//! A bucket that is there already: with other settings, or another's.

use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use aws_sdk_s3::types::{
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, ObjectOwnership,
    OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption,
};

use crate::{apply, deliver, outcome, world};

#[tokio::test]
async fn a_bucket_with_other_settings_is_settled_and_a_foreign_lifecycle_rule_stays() {
    let world = world(["shop"]).await;
    let (s3, bucket) = (world.s3(), world.bucket().as_str());
    world.create_bucket(world.hub()).await.unwrap();
    let open = PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
    s3.put_public_access_block().bucket(bucket).public_access_block_configuration(open).send().await.unwrap();
    let preferred = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerPreferred);
    let preferred = OwnershipControls::builder().rules(preferred.build().unwrap()).build().unwrap();
    s3.put_bucket_ownership_controls().bucket(bucket).ownership_controls(preferred).send().await.unwrap();
    let foreign = LifecycleRule::builder()
        .id("reports")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("reports/").build())
        .expiration(LifecycleExpiration::builder().days(7).build())
        .build()
        .unwrap();
    let rules =
        aws_sdk_s3::types::BucketLifecycleConfiguration::builder().rules(foreign.clone()).build().unwrap();
    s3.put_bucket_lifecycle_configuration()
        .bucket(bucket)
        .lifecycle_configuration(rules)
        .send()
        .await
        .unwrap();

    apply(&world).await;

    let block = s3.get_public_access_block().bucket(bucket).send().await.unwrap();
    let block = block.public_access_block_configuration.unwrap();
    let all = [
        block.block_public_acls,
        block.ignore_public_acls,
        block.block_public_policy,
        block.restrict_public_buckets,
    ];
    assert_eq!(all, [Some(true); 4]);
    let ownership = s3.get_bucket_ownership_controls().bucket(bucket).send().await.unwrap();
    let ownership = ownership.ownership_controls.unwrap();
    assert_eq!(ownership.rules()[0].object_ownership(), &ObjectOwnership::BucketOwnerEnforced);
    let encryption = s3.get_bucket_encryption().bucket(bucket).send().await.unwrap();
    let encryption = encryption.server_side_encryption_configuration.unwrap();
    let default = encryption.rules()[0].apply_server_side_encryption_by_default().unwrap();
    assert_eq!(default.sse_algorithm(), &ServerSideEncryption::Aes256);
    let rules = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap().rules.unwrap();
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert!(rules.iter().any(|rule| rule.id() == foreign.id() && rule.expiration() == foreign.expiration()));
    assert!(rules.iter().any(|rule| rule.expiration().and_then(LifecycleExpiration::days) == Some(90)));

    assert!(outcome(&world, &deliver(&world).await, "shop").key().is_some());
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}

#[tokio::test]
async fn a_bucket_of_somebody_else_is_named_and_nothing_is_written() {
    let mut world = world(["shop"]).await;
    let other = world.account("other", 0).await.unwrap();
    world.create_bucket(other).await.unwrap();
    let watched = flowagg_testkit::faults::Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(watched.url());
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains(world.bucket().as_str()) && told.contains("another account"), "{ran}");
    assert_eq!(watched.writes(), Vec::<String>::new());
    assert_eq!(world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap(), []);
    assert_eq!(world.policy().await.unwrap(), None);
}

#[tokio::test]
async fn a_sub_folder_holds_all_that_arrives() {
    let mut world = world(["shop"]).await;
    world.set("hub", "prefix = \"network/flow-logs\"");
    apply(&world).await;
    let reports = deliver(&world).await;
    let key = outcome(&world, &reports, "shop").key().unwrap();
    assert!(key.starts_with("network/flow-logs/AWSLogs/"), "{key}");
    world.flowagg(["verify"]).await.unwrap().exits(0);
}

#[tokio::test]
async fn objects_move_expire_and_vanish_as_the_fleet_file_says() {
    let mut world = world(["shop"]).await;
    world.set("hub", "retention-days = 400");
    world.set("hub", "transition = { days = 30, storage-class = \"STANDARD_IA\" }");
    world.set("hub", "noncurrent-days = 5");
    world.set("hub", "abort-uploads-days = 2");
    apply(&world).await;
    let (s3, bucket) = (world.s3(), world.bucket().as_str());
    let rules = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap().rules.unwrap();
    let [rule] = &rules[..] else { panic!("{rules:?}") };
    assert_eq!(rule.expiration().unwrap().days(), Some(400));
    let [transition] = rule.transitions() else { panic!("{rule:?}") };
    assert_eq!((transition.days(), transition.storage_class().unwrap().as_str()), (Some(30), "STANDARD_IA"));
    assert_eq!(rule.noncurrent_version_expiration().unwrap().noncurrent_days(), Some(5));
    assert_eq!(rule.abort_incomplete_multipart_upload().unwrap().days_after_initiation(), Some(2));
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}

/// A key of the hub's own, with the policy that KMS gives it, and what lets the delivery service use it.
async fn key(world: &flowagg_testkit::world::World) -> (aws_sdk_kms::Client, String) {
    let kms = world.aws().kms(world.hub(), world.hub_region());
    // S3 takes symmetric keys only, which LocalStack cannot make on every machine; here only the key's policy counts.
    let make = kms.create_key().key_spec(KeySpec::Rsa2048).key_usage(KeyUsageType::EncryptDecrypt);
    let made = make.send().await.unwrap().key_metadata.unwrap();
    (kms, made.arn.unwrap())
}

#[tokio::test]
async fn a_key_whose_policy_lacks_the_delivery_service_is_told_with_the_missing_statement() {
    let mut world = world(["shop", "bank"]).await;
    let (kms, arn) = key(&world).await;
    world.set("hub", &format!("encryption = \"{arn}\""));

    let applied = world.flowagg(["apply", "--yes", "--json"]).await.unwrap().exits(1).json();
    let concern = &applied["remaining"]["concerns"][0];
    assert_eq!(concern["resource"], arn.as_str());
    let help = concern["help"].as_str().unwrap();
    let missing = help.lines().next().unwrap();
    let statement: serde_json::Value = serde_json::from_str(missing).unwrap();
    assert_eq!(statement["Principal"]["Service"], "delivery.logs.amazonaws.com");

    let there =
        kms.get_key_policy().key_id(&arn).policy_name("default").send().await.unwrap().policy.unwrap();
    let mut policy: serde_json::Value = serde_json::from_str(&there).unwrap();
    policy["Statement"].as_array_mut().unwrap().push(statement);
    kms.put_key_policy().key_id(&arn).policy_name("default").policy(policy.to_string()).send().await.unwrap();
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);

    let s3 = world.s3();
    let encryption = s3.get_bucket_encryption().bucket(world.bucket().as_str()).send().await.unwrap();
    let rule = encryption.server_side_encryption_configuration.unwrap().rules()[0].clone();
    assert_eq!(rule.bucket_key_enabled(), Some(true));
    assert_eq!(
        rule.apply_server_side_encryption_by_default().unwrap().kms_master_key_id(),
        Some(arn.as_str())
    );
    world.set("hub", "bucket-key = false");
    let plan = world.flowagg(["plan"]).await.unwrap().exits(0).stdout;
    assert!(plan.contains("without a bucket key"), "{plan}");
}

#[tokio::test]
async fn a_key_that_is_off_is_told() {
    let mut world = world(["shop"]).await;
    let (kms, arn) = key(&world).await;
    kms.disable_key().key_id(&arn).send().await.unwrap();
    world.set("hub", &format!("encryption = \"{arn}\""));
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3).stdout;
    assert!(plan.contains("is Disabled: nothing can be encrypted with it"), "{plan}");
}
