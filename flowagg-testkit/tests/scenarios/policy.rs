//! What others have in the bucket policy.

use crate::{applied, apply, deliver, delivers, is_refused, outcome, world};

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
    world.bucket_of_others(&policy(&bucket, &[READERS])).await.unwrap();
    let foreign = READERS.replace("BUCKET", &bucket);

    apply(&world).await;
    assert!(world.policy().await.unwrap().unwrap().contains(&foreign));
    delivers(&world).await;

    world.leave("shop");
    world.member("bank", 1).await.unwrap();
    world.flowagg(["apply", "--yes", "--prune"]).await.unwrap().exits(0);
    assert!(world.policy().await.unwrap().unwrap().contains(&foreign));
    let reports = delivers(&world).await;
    assert_eq!(outcome(&world, &reports, "shop").key(), None, "it has left");
}

#[tokio::test]
async fn a_foreign_denial_stops_delivery_and_verify_says_so() {
    let world = applied(["shop"]).await;
    let live = world.policy().await.unwrap().unwrap();
    let denial = DENIAL.replace("BUCKET", world.bucket().as_str());
    let (statements, end) = live.rsplit_once(']').unwrap();
    world.put_policy(&format!("{statements},{denial}]{end}")).await.unwrap();

    let reports = is_refused(&world).await;
    let why = outcome(&world, &reports, "shop").to_string();
    assert!(why.starts_with("Access error") && why.contains("NobodyWrites"), "{why}");
    assert_eq!(world.keys().await.unwrap(), Vec::<String>::new());

    let is_told = async |state: &str, message: Option<&str>| {
        let verified = world.flowagg(["verify", "--json"]).await.unwrap();
        let json = verified.json();
        let is_so = |log: &serde_json::Value| log["state"] == state && log["message"].as_str() == message;
        assert!(json["flow-logs"].as_array().unwrap().iter().all(is_so), "{verified}");
    };
    world.put_policy(&live).await.unwrap();
    is_told("failed", Some("Access error")).await;
    delivers(&world).await;
    is_told("delivering", None).await;
}

#[tokio::test]
async fn a_policy_in_which_a_foreign_statement_stops_a_member_is_not_written_and_the_statement_is_named() {
    let world = world(["shop"]).await;
    let theirs = policy(world.bucket().as_str(), &[READERS, DENIAL]);
    world.bucket_of_others(&theirs).await.unwrap();

    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert!(ran.stdout.contains("`NobodyWrites`") && ran.stdout.contains("is not written"), "{ran}");
    assert_eq!(world.policy().await.unwrap().unwrap(), theirs);
    assert_eq!(world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap().len(), 0);

    world.put_policy(&policy(world.bucket().as_str(), &[READERS])).await.unwrap();
    apply(&world).await;
    delivers(&world).await;
}

#[tokio::test]
async fn a_policy_that_somebody_took_away_or_wrote_over_stops_delivery_until_the_next_apply() {
    let world = applied(["shop"]).await;
    delivers(&world).await;
    world.s3().delete_bucket_policy().bucket(world.bucket().as_str()).send().await.unwrap();
    is_refused(&world).await;
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    apply(&world).await;
    delivers(&world).await;

    let theirs = policy(world.bucket().as_str(), &[READERS]);
    world.put_policy(&theirs).await.unwrap();
    is_refused(&world).await;
    apply(&world).await;
    delivers(&world).await;
    let foreign = READERS.replace("BUCKET", world.bucket().as_str());
    assert!(world.policy().await.unwrap().unwrap().contains(&foreign));
}

/// What AWS documents for one account, under names of the team's own.
const GRANT: [&str; 2] = [
    r#"{"Sid":"TeamWrites","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
      "Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/AWSLogs/ACCOUNT/*",
      "Condition":{"StringEquals":{"aws:SourceAccount":"ACCOUNT","s3:x-amz-acl":"bucket-owner-full-control"}}}"#,
    r#"{"Sid":"TeamChecks","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
      "Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::BUCKET",
      "Condition":{"StringEquals":{"aws:SourceAccount":"ACCOUNT"}}}"#,
];

#[tokio::test]
async fn another_team_that_shares_the_bucket_delivers_before_during_and_after_ours() {
    let mut world = world(["shop"]).await;
    let team = world.account("team", 1).await.unwrap().to_string();
    world.bucket_of_others(&policy("BUCKET", &GRANT).replace("ACCOUNT", &team)).await.unwrap();
    world.log_by_hand("team").await.unwrap();
    let theirs = |reports: &[_]| assert!(outcome(&world, reports, "team").key().is_some(), "{reports:?}");
    theirs(&deliver(&world).await);

    apply(&world).await;
    theirs(&delivers(&world).await);
    let verified = world.flowagg(["verify"]).await.unwrap().exits(0).stdout;
    assert!(verified.contains(&format!("{team} has flow logs in the bucket")), "{verified}");

    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    let reports = deliver(&world).await;
    assert_eq!(reports.len(), world.regions().len(), "ours are gone: {reports:?}");
    theirs(&reports);
}

#[tokio::test]
async fn two_hundred_accounts_are_granted_and_deliver() {
    let mut world = world(["shop"]).await;
    world.crowd(199);
    let shop = world.accounts()["shop"].id.to_string();
    world.flowagg(["apply", "--yes", "--only", &shop]).await.unwrap().exits(0);
    let policy = world.policy().await.unwrap().unwrap();
    assert!(world.accounts().values().all(|account| policy.contains(&account.id.to_string())), "{policy}");
    assert!(outcome(&world, &deliver(&world).await, "shop").key().is_some());
    world.flowagg(["verify", "--only", &shop]).await.unwrap().exits(0);
}

#[tokio::test]
async fn an_organization_is_granted_as_such_and_an_account_outside_it_is_refused() {
    let mut world = world(["shop"]).await;
    let id = world.organization().to_string();
    world.set("organization", &format!("id = \"{id}\""));
    world.set("policy", "form = \"organization\"");
    world.enroll("shop");
    apply(&world).await;
    let policy = world.policy().await.unwrap().unwrap();
    let shop = world.accounts()["shop"].id.to_string();
    assert!(policy.contains(&id) && !policy.contains(&shop), "{policy}");

    for name in ["colleague", "mallory"] {
        world.account(name, 1).await.unwrap();
        world.log_by_hand(name).await.unwrap();
    }
    world.enroll("colleague");
    let reports = delivers(&world).await;
    assert!(outcome(&world, &reports, "colleague").key().is_some());
    let why = outcome(&world, &reports, "mallory").to_string();
    assert!(why.contains("aws:SourceOrgID"), "{why}");
}

#[tokio::test]
async fn a_strangers_delivery_is_refused() {
    let mut world = applied(["shop"]).await;
    world.account("mallory", 1).await.unwrap();
    world.log_by_hand("mallory").await.unwrap();
    let reports = delivers(&world).await;
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
    let reports = delivers(&world).await;
    assert_eq!(outcome(&world, &reports, "mallory").key(), None);
    assert!(outcome(&world, &reports, "shop").key().is_some());
}
