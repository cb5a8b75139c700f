//! An existing bucket: with other settings, or owned by another account.

use aws_sdk_s3::types::{
    BucketCannedAcl, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    ObjectOwnership, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration,
    ServerSideEncryption,
};

use snapbox::{assert_data_eq, str};

use crate::{apply, delivers, messages, outcome, world};

#[tokio::test]
async fn existing_bucket_is_configured_and_foreign_lifecycle_rules_are_kept() {
    let mut world = world(["shop"]).await;
    world.set("hub", "retention-days = 90");
    let world = world;
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

    world.flowagg(["apply", "--yes", "--allow-expiry"]).await.unwrap().exits(0);

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

    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    delivers(&world).await;
}

#[tokio::test]
async fn settings_that_someone_depends_on_are_kept_and_reported() {
    let mut world = world(["shop"]).await;
    world.set("hub", crate::FOREVER);
    let (s3, bucket) = (world.s3(), world.bucket().to_string());
    let everyone = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Site","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/site/*"}]}"#;
    world.create_bucket(world.hub()).await.unwrap();
    s3.delete_public_access_block().bucket(&bucket).send().await.unwrap();
    world.put_policy(&everyone.replace("BUCKET", &bucket)).await.unwrap();
    let preferred = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerPreferred);
    let preferred = OwnershipControls::builder().rules(preferred.build().unwrap()).build().unwrap();
    s3.put_bucket_ownership_controls().bucket(&bucket).ownership_controls(preferred).send().await.unwrap();
    let delivery = BucketCannedAcl::from("log-delivery-write");
    s3.put_bucket_acl().bucket(&bucket).acl(delivery).send().await.unwrap();

    let ran = world.flowagg(["apply", "--yes", "--json"]).await.unwrap().exits(3).json();
    let concerns = ran["plan"]["concerns"].as_array().unwrap();
    let concerns: Vec<&str> = concerns.iter().map(|concern| concern["what"].as_str().unwrap()).collect();
    assert_data_eq!(
        concerns.join("\n"),
        str![[r#"
BlockPublicPolicy and RestrictPublicBuckets stay off: the bucket policy is public
object ownership stays BucketOwnerPreferred: the bucket ACL grants READ_ACP to S3 server access logging (`LogDelivery`), WRITE to S3 server access logging (`LogDelivery`)
"#]]
    );

    let block = s3.get_public_access_block().bucket(&bucket).send().await.unwrap();
    let block = block.public_access_block_configuration.unwrap();
    let acls = (block.block_public_acls, block.ignore_public_acls);
    let policy = (block.block_public_policy, block.restrict_public_buckets);
    assert_eq!((acls, policy), ((Some(true), Some(true)), (Some(false), Some(false))));
    let ownership = s3.get_bucket_ownership_controls().bucket(&bucket).send().await.unwrap();
    let ownership = ownership.ownership_controls.unwrap();
    assert_eq!(ownership.rules()[0].object_ownership(), &ObjectOwnership::BucketOwnerPreferred);

    world.set("hub", "object-ownership = \"keep\"");
    let plan = world.flowagg(["plan", "--json"]).await.unwrap().exits(0).json();
    assert_eq!(plan["hub"], serde_json::json!([]), "a second apply makes no changes: {plan:#}");
    assert_eq!(plan["concerns"].as_array().unwrap().len(), 1, "{plan:#}");
    delivers(&world).await;
}

#[tokio::test]
async fn bucket_of_another_account_is_reported_without_writes() {
    let mut world = world(["shop"]).await;
    let other = world.account("other", 0).await.unwrap();
    world.create_bucket(other).await.unwrap();
    let watched = flowagg_testkit::faults::Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(watched.url());
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: GetBucketPolicy: AccessDenied: Access Denied
       if another account owns the bucket, choose another `hub.bucket`; otherwise allow s3:GetBucketPolicy for the role or user used in 111122223333
"#]]
    );
    assert_eq!(watched.writes(), Vec::<String>::new());
    assert_eq!(world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap(), []);
    assert_eq!(world.policy().await.unwrap(), None);
}

#[tokio::test]
async fn objects_arrive_under_the_prefix() {
    let mut world = world(["shop"]).await;
    world.set("hub", "prefix = \"network/flow-logs\"");
    apply(&world).await;
    let reports = delivers(&world).await;
    let key = outcome(&world, &reports, "shop").key().unwrap();
    assert!(key.starts_with("network/flow-logs/AWSLogs/"), "{key}");
}

#[tokio::test]
async fn lifecycle_settings_of_the_fleet_file_are_applied() {
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
    delivers(&world).await;
}
