//! What others have in the bucket policy.

use crate::{applied, apply, deliver, outcome, world};

/// Laid out as no tool of ours would.
const READERS: &str = r#"{ "Sid":"Readers",
      "Effect" : "Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},
      "Action":["s3:GetObject" ], "Resource": "arn:aws:s3:::BUCKET/*" , "Condition":{"StringLike":{"aws:userid":["A\u002a"]}}}"#;
const DENIAL: &str = r#"{"Sid":"NobodyWrites","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*"}"#;

/// A policy of these statements, for a bucket.
fn policy(bucket: &str, statements: &[&str]) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(", "))
        .replace("BUCKET", bucket)
}

#[tokio::test]
async fn a_foreign_statement_survives_byte_for_byte() {
    let mut world = world(["shop"]).await;
    let bucket = world.bucket().to_string();
    world.create_bucket(world.hub()).await.unwrap();
    world.put_policy(&policy(&bucket, &[READERS])).await.unwrap();
    let foreign = READERS.replace("BUCKET", &bucket);

    apply(&world).await;
    assert!(world.policy().await.unwrap().unwrap().contains(&foreign));
    assert!(outcome(&world, &deliver(&world).await, "shop").key().is_some());

    world.leave("shop");
    world.member("bank", 1).await.unwrap();
    world.flowagg(["apply", "--yes", "--prune"]).await.unwrap().exits(0);
    assert!(world.policy().await.unwrap().unwrap().contains(&foreign));
}

#[tokio::test]
async fn a_foreign_denial_stops_delivery_and_verify_says_so() {
    let world = applied(["shop"]).await;
    let live = world.policy().await.unwrap().unwrap();
    let denial = DENIAL.replace("BUCKET", world.bucket().as_str());
    let end = live.rfind(']').unwrap();
    world.put_policy(&format!("{},{denial}{}", &live[..end], &live[end..])).await.unwrap();

    let reports = deliver(&world).await;
    let why = outcome(&world, &reports, "shop").to_string();
    assert!(why.starts_with("Access error") && why.contains("NobodyWrites"), "{why}");
    assert_eq!(world.keys().await.unwrap(), Vec::<String>::new());

    let verified = world.flowagg(["verify", "--json", "--grace", "0s"]).await.unwrap().exits(3);
    let json = verified.json();
    assert!(json["flow-logs"].as_array().unwrap().iter().all(|log| log["state"] == "silent"), "{verified}");
}

#[tokio::test]
async fn a_policy_in_which_a_foreign_statement_stops_a_member_is_not_written_and_the_statement_is_named() {
    let world = world(["shop"]).await;
    world.create_bucket(world.hub()).await.unwrap();
    let theirs = policy(world.bucket().as_str(), &[READERS, DENIAL]);
    world.put_policy(&theirs).await.unwrap();

    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert!(ran.stdout.contains("`NobodyWrites`") && ran.stdout.contains("is not written"), "{ran}");
    assert_eq!(world.policy().await.unwrap().unwrap(), theirs);
    assert_eq!(world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_policy_that_somebody_emptied_stops_delivery_until_the_next_apply() {
    let world = applied(["shop"]).await;
    world.s3().delete_bucket_policy().bucket(world.bucket().as_str()).send().await.unwrap();
    assert_eq!(outcome(&world, &deliver(&world).await, "shop").key(), None);
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    apply(&world).await;
    assert!(outcome(&world, &deliver(&world).await, "shop").key().is_some());
}

#[tokio::test]
async fn a_strangers_delivery_is_refused() {
    let mut world = applied(["shop"]).await;
    world.account("mallory", 1).await.unwrap();
    world.log_by_hand("mallory").await.unwrap();
    let reports = deliver(&world).await;
    let why = outcome(&world, &reports, "mallory").to_string();
    assert!(why.starts_with("Access error") && why.contains("aws:SourceAccount"), "{why}");
    assert!(outcome(&world, &reports, "shop").key().is_some());
    let mallory = world.accounts()["mallory"].id.to_string();
    assert!(world.keys().await.unwrap().iter().all(|key| !key.contains(&mallory)));
}

#[tokio::test]
async fn without_source_conditions_a_stranger_still_may_not_write_under_its_own_prefix() {
    let mut world = world(["shop"]).await;
    world.set("policy", "source-conditions = false");
    apply(&world).await;
    world.account("mallory", 1).await.unwrap();
    world.log_by_hand("mallory").await.unwrap();
    let reports = deliver(&world).await;
    assert_eq!(outcome(&world, &reports, "mallory").key(), None);
    assert!(outcome(&world, &reports, "shop").key().is_some());
}
