//! A bucket with a customer managed KMS key: the key's policy and state also decide deliveries.

use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};

use snapbox::{assert_data_eq, str};

use crate::{applied, apply, delivers, is_refused, messages, on_paper, told, world};

#[tokio::test]
async fn key_is_not_set_until_its_policy_allows_delivery() {
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
    let plan = world.flowagg(["plan"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &plan),
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  ~ default encryption: aws:kms with arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab and a bucket key -> the KMS key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab without a bucket key (different)

flow logs
  = 4 up to date

note: flow logs expire after 90 days

plan: 1 change to the hub
next: run `flowagg apply` to make these changes

"#]]
    );
}

#[tokio::test]
async fn key_policy_that_stops_allowing_delivery_is_reported() {
    let mut world = world(["shop"]).await;
    let key = world.encrypt().await.unwrap();
    let policy = world.key_policy(&key).await.unwrap();
    world.allow_delivery_on_key(&key).await.unwrap();
    apply(&world).await;

    world.set_key_policy(&key, &policy).await.unwrap();
    let plan = world.flowagg(["plan", "--json", "--exit-code"]).await.unwrap().exits(3).json();
    assert_eq!(plan["concerns"][0]["resource"], key.to_string(), "{plan:#}");
    let reports = is_refused(&world).await;
    let outcomes: Vec<String> = reports.iter().map(|report| report.outcome.to_string()).collect();
    assert_data_eq!(
        on_paper(&world, &outcomes.join("\n")),
        str![[r#"
Access error: log delivery for 222222222222 in eu-west-1 cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Enable IAM User Permissions` would allow it except for the principal
Access error: log delivery for 222222222222 in us-east-1 cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Enable IAM User Permissions` would allow it except for the principal
"#]]
    );
    world.allow_delivery_on_key(&key).await.unwrap();
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    delivers(&world).await;
}

#[tokio::test]
async fn disabled_key_is_reported_and_stops_delivery() {
    let mut world = world(["shop"]).await;
    let key = world.encrypt().await.unwrap();
    world.allow_delivery_on_key(&key).await.unwrap();
    apply(&world).await;

    world.kms().disable_key().key_id(key.as_str()).send().await.unwrap();
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    assert_data_eq!(
        messages(&world, &plan),
        str![[r#"
needs attention: 111122223333 eu-west-1 arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab: is Disabled, so it cannot encrypt objects
       enable the key, or set `hub.encryption` to another key
note: flow logs expire after 90 days
"#]]
    );
    is_refused(&world).await;
    world.kms().enable_key().key_id(key.as_str()).send().await.unwrap();
    delivers(&world).await;
}

#[tokio::test]
async fn aws_managed_key_stops_delivery_until_encryption_is_set() {
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
    assert_data_eq!(
        on_paper(&world, help),
        str![[r#"set `hub.encryption` to "sse-s3" or to the ARN of a customer managed key"#]]
    );

    world.set("hub", "encryption = \"sse-s3\"");
    apply(&world).await;
    delivers(&world).await;
}
