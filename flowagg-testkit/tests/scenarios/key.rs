//! A bucket that is encrypted with a key of the hub's own: the key's policy and state decide, too.

use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};

use crate::{applied, apply, delivers, is_refused, world};

#[tokio::test]
async fn a_key_whose_policy_lacks_the_delivery_service_is_not_set_until_it_is_given() {
    let mut world = applied(["shop", "bank"]).await;
    delivers(&world).await;
    let key = world.encrypt().await.unwrap();

    let applied = world.flowagg(["apply", "--yes", "--json"]).await.unwrap().exits(1).json();
    assert_eq!(applied["plan"]["hub"], serde_json::json!([]), "{applied:#}");
    let failure = &applied["plan"]["obstacles"][0];
    assert_eq!(failure["resource"], key.to_string());
    let help = failure["help"].as_str().unwrap();
    let statement: serde_json::Value = serde_json::from_str(help.lines().next().unwrap()).unwrap();
    assert_eq!(statement["Principal"]["Service"], "delivery.logs.amazonaws.com");
    delivers(&world).await;

    world.allow_on_key(&key, statement).await.unwrap();
    apply(&world).await;
    delivers(&world).await;

    let s3 = world.s3();
    let encryption = s3.get_bucket_encryption().bucket(world.bucket().as_str()).send().await.unwrap();
    let encryption = encryption.server_side_encryption_configuration.unwrap();
    let rule = &encryption.rules()[0];
    assert_eq!(rule.bucket_key_enabled(), Some(true));
    let default = rule.apply_server_side_encryption_by_default().unwrap();
    assert_eq!(default.kms_master_key_id(), Some(key.as_str()));
    world.set("hub", "bucket-key = false");
    let plan = world.flowagg(["plan"]).await.unwrap().exits(0).stdout;
    assert!(plan.contains("without a bucket key"), "{plan}");
}

#[tokio::test]
async fn a_key_that_loses_the_delivery_service_is_told_and_nothing_arrives_until_it_has_it_again() {
    let mut world = world(["shop"]).await;
    let key = world.encrypt().await.unwrap();
    let policy = world.key_policy(&key).await.unwrap();
    world.allow_delivery_on_key(&key).await.unwrap();
    apply(&world).await;

    world.set_key_policy(&key, &policy).await.unwrap();
    let plan = world.flowagg(["plan", "--json", "--exit-code"]).await.unwrap().exits(3).json();
    assert_eq!(plan["concerns"][0]["resource"], key.to_string(), "{plan:#}");
    let reports = is_refused(&world).await;
    assert!(reports.iter().all(|report| report.outcome.to_string().contains("`kms:GenerateDataKey`")));
    world.allow_delivery_on_key(&key).await.unwrap();
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    delivers(&world).await;
}

#[tokio::test]
async fn a_key_that_is_off_is_told_and_nothing_arrives_until_it_is_on() {
    let mut world = world(["shop"]).await;
    let key = world.encrypt().await.unwrap();
    world.allow_delivery_on_key(&key).await.unwrap();
    apply(&world).await;

    world.kms().disable_key().key_id(key.as_str()).send().await.unwrap();
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3).stdout;
    assert!(plan.contains("is Disabled: nothing can be encrypted with it"), "{plan}");
    is_refused(&world).await;
    world.kms().enable_key().key_id(key.as_str()).send().await.unwrap();
    delivers(&world).await;
}

#[tokio::test]
async fn a_bucket_with_the_aws_managed_key_gets_nothing_until_the_fleet_file_sets_an_encryption() {
    let mut world = applied(["shop"]).await;
    let by_aws = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
    let rule = ServerSideEncryptionRule::builder();
    let rule = rule.apply_server_side_encryption_by_default(by_aws.build().unwrap()).build();
    let by_aws = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let put = world.s3().put_bucket_encryption().bucket(world.bucket().as_str());
    put.server_side_encryption_configuration(by_aws).send().await.unwrap();

    is_refused(&world).await;
    let plan = world.flowagg(["plan", "--json", "--exit-code"]).await.unwrap().exits(3).json();
    assert_eq!(plan["hub"], serde_json::json!([]), "the encryption is kept: {plan:#}");
    let help = plan["concerns"][0]["help"].as_str().unwrap();
    assert!(help.contains("set `hub.encryption` to \"sse-s3\""), "{plan:#}");

    world.set("hub", "encryption = \"sse-s3\"");
    apply(&world).await;
    delivers(&world).await;
}
