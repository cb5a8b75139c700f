//! Foreign statements in the bucket policy.

use flowagg_testkit::world::PolicyAttachment;
use snapbox::{assert_data_eq, str};

use crate::{applied, apply, deliver, delivers, is_refused, messages, on_paper, outcome, world};

/// Formatted unlike flowagg's own statements.
const READERS: &str = r#"{ "Sid":"Readers",
      "Effect" : "Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},
      "Action":["s3:GetObject" ], "Resource": "arn:aws:s3:::BUCKET/*" , "Condition":{"StringLike":{"aws:userid":["A\u002a"]}}}"#;
const DENIAL: &str = r#"{"Sid":"NobodyWrites","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*"}"#;

/// A policy with these statements for a bucket.
fn policy(bucket: &str, statements: &[&str]) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(", "))
        .replace("BUCKET", bucket)
}

#[tokio::test]
async fn foreign_statement_is_kept_byte_for_byte() {
    let mut world = world(["shop"]).await;
    let bucket = world.bucket().to_string();
    world.set("hub", crate::FOREVER);
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
async fn foreign_denial_stops_delivery_and_is_reported_by_verify() {
    let world = applied(["shop"]).await;
    let live = world.policy().await.unwrap().unwrap();
    let denial = DENIAL.replace("BUCKET", world.bucket().as_str());
    let (statements, end) = live.rsplit_once(']').unwrap();
    world.put_policy(&format!("{statements},{denial}]{end}")).await.unwrap();

    let reports = is_refused(&world).await;
    let why = outcome(&world, &reports, "shop").to_string();
    assert_data_eq!(
        on_paper(&world, &why),
        str!["Access error: statement `NobodyWrites` denies s3:PutObject"]
    );
    assert_eq!(world.keys().await.unwrap(), Vec::<String>::new());

    let is_reported = async |state: &str, message: Option<&str>| {
        let verified = world.flowagg(["verify", "--json"]).await.unwrap();
        let json = verified.json();
        let is_so = |log: &serde_json::Value| log["state"] == state && log["message"].as_str() == message;
        assert!(json["flow-logs"].as_array().unwrap().iter().all(is_so), "{verified}");
    };
    world.put_policy(&live).await.unwrap();
    is_reported("failing", Some("Access error")).await;
    delivers(&world).await;
    is_reported("delivering", None).await;
}

#[tokio::test]
async fn policy_with_a_foreign_denial_of_a_member_is_not_written() {
    let mut world = world(["shop"]).await;
    let theirs = policy(world.bucket().as_str(), &[READERS, DENIAL]);
    world.set("hub", crate::FOREVER);
    world.bucket_of_others(&theirs).await.unwrap();

    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
note: flow logs do not expire
error: 111122223333 eu-west-1: the policy of acme-flow-logs: no changes were made: log delivery for 222222222222 in eu-west-1 cannot write to its folder: ExplicitDeny by statement `NobodyWrites`
       change that statement, which flowagg does not manage, so that it does not deny `delivery.logs.amazonaws.com` for these accounts; test the change with `flowagg policy simulate`
"#]]
    );
    assert_eq!(world.policy().await.unwrap().unwrap(), theirs);
    assert_eq!(world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap().len(), 0);

    world.put_policy(&policy(world.bucket().as_str(), &[READERS])).await.unwrap();
    apply(&world).await;
    delivers(&world).await;
}

#[tokio::test]
async fn undecided_delivery_is_reported_and_does_not_stop_apply() {
    let mut world = world(["shop"]).await;
    let depends = r#"{"Sid":"Archived","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*",
        "Condition":{"StringEquals":{"s3:x-amz-storage-class":"GLACIER"}}}"#;
    world.set("hub", crate::FOREVER);
    world.bucket_of_others(&policy(world.bucket().as_str(), &[depends])).await.unwrap();

    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(0);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
note: flow logs do not expire
note: log delivery for 222222222222 in eu-west-1 may not be able to write to its folder: Depends on `s3:x-amz-storage-class` in statement `Archived`; run `flowagg verify` after the next delivery to check whether objects arrive
"#]]
    );
    assert_eq!(
        world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap().len(),
        1,
        "{ran}"
    );
}

#[tokio::test]
async fn deleted_or_overwritten_policy_is_restored_by_apply() {
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

/// AWS's documented statements for one account, with a team's own Sids.
const GRANT: [&str; 2] = [
    r#"{"Sid":"TeamWrites","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
      "Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/AWSLogs/ACCOUNT/*",
      "Condition":{"StringEquals":{"aws:SourceAccount":"ACCOUNT","s3:x-amz-acl":"bucket-owner-full-control"}}}"#,
    r#"{"Sid":"TeamChecks","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
      "Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::BUCKET",
      "Condition":{"StringEquals":{"aws:SourceAccount":"ACCOUNT"}}}"#,
];

#[tokio::test]
async fn another_teams_delivery_is_unaffected_by_apply_and_destroy() {
    let mut world = world(["shop"]).await;
    let team = world.account("team", 1).await.unwrap().to_string();
    world.set("hub", crate::FOREVER);
    world.bucket_of_others(&policy("BUCKET", &GRANT).replace("ACCOUNT", &team)).await.unwrap();
    world.log_by_hand("team").await.unwrap();
    let theirs = |reports: &[_]| assert!(outcome(&world, reports, "team").key().is_some(), "{reports:?}");
    theirs(&deliver(&world).await);

    apply(&world).await;
    theirs(&delivers(&world).await);
    let verified = world.flowagg(["verify"]).await.unwrap().exits(0);
    assert_data_eq!(
        messages(&world, &verified),
        str![[
            r#"note: 333333333333 is not in the fleet, but has flow logs in the bucket (newest object 40 s old)"#
        ]]
    );

    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    let reports = deliver(&world).await;
    assert_eq!(reports.len(), world.regions().len(), "the fleet's flow logs are deleted: {reports:?}");
    theirs(&reports);
}

#[tokio::test]
async fn grant_for_two_hundred_accounts_fits_and_delivers() {
    let mut world = world(["shop"]).await;
    world.crowd(199);
    let shop = world.accounts()["shop"].id.to_string();
    // The emulator cannot serve two hundred accounts at once, so their grant is built first, and then kept by a run for
    // one of them.
    world.set("hub", crate::FOREVER);
    let built = world.flowagg(["policy", "build"]).await.unwrap().exits(0).stdout;
    world.bucket_of_others(&built).await.unwrap();
    world.flowagg(["apply", "--yes", "--only", &shop]).await.unwrap().exits(0);
    let policy = world.policy().await.unwrap().unwrap();
    assert_eq!(policy, built, "every other account keeps its grant");
    assert!(world.accounts().values().all(|account| policy.contains(&account.id.to_string())), "{policy}");
    assert!(outcome(&world, &deliver(&world).await, "shop").key().is_some());
    world.flowagg(["verify", "--only", &shop]).await.unwrap().exits(0);
}

#[tokio::test]
async fn organization_grant_excludes_accounts_outside_it() {
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
    assert_data_eq!(
        on_paper(&world, &why),
        str![[
            r#"Access error: no statement allows s3:GetBucketAcl: statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs` would allow it except for `aws:SourceOrgID`, which the request does not have"#
        ]]
    );
}

#[tokio::test]
async fn stranger_delivery_is_denied() {
    let mut world = applied(["shop"]).await;
    world.account("mallory", 1).await.unwrap();
    world.log_by_hand("mallory").await.unwrap();
    let reports = delivers(&world).await;
    let why = outcome(&world, &reports, "mallory").to_string();
    assert_data_eq!(
        on_paper(&world, &why),
        str![[
            r#"Access error: no statement allows s3:GetBucketAcl: statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs` would allow it except for `aws:SourceAccount`, which is `333333333333`"#
        ]]
    );
    assert!(outcome(&world, &reports, "shop").key().is_some());
    let mallory = world.accounts()["mallory"].id.to_string();
    assert!(world.keys().await.unwrap().iter().all(|key| !key.contains(&mallory)));
}

#[tokio::test]
async fn stranger_is_denied_even_without_source_conditions() {
    let mut world = world(["shop"]).await;
    world.set("policy", "source-conditions = false");
    apply(&world).await;
    world.account("mallory", 1).await.unwrap();
    world.log_by_hand("mallory").await.unwrap();
    let reports = delivers(&world).await;
    assert_eq!(outcome(&world, &reports, "mallory").key(), None);
    assert!(outcome(&world, &reports, "shop").key().is_some());
}

#[tokio::test]
async fn statements_appended_by_aws_are_kept_and_are_no_difference() {
    let mut world = world(["shop"]).await;
    world.hub_as_member("hub", 1).await.unwrap();
    world.attach_policy(PolicyAttachment::Appends);
    apply(&world).await;
    delivers(&world).await;
    let appended = world.policy().await.unwrap().unwrap();
    let of_aws = |policy: &str| {
        let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        let of_aws = |it: &&serde_json::Value| {
            it["Sid"] == "AWSLogDeliveryWrite" || it["Sid"] == "AWSLogDeliveryAclCheck"
        };
        statements.iter().filter(of_aws).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of_aws(&appended).len(), 2);

    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    world.flowagg(["apply", "--yes", "--prune"]).await.unwrap().exits(0);
    assert_eq!(world.policy().await.unwrap().as_deref(), Some(appended.as_str()), "no write was needed");
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    assert_eq!(of_aws(&world.policy().await.unwrap().unwrap()), of_aws(&appended));
}

#[tokio::test]
async fn policy_replaced_by_aws_is_restored_and_lost_statements_are_reported() {
    let mut world = world(["shop"]).await;
    world.hub_as_member("hub", 1).await.unwrap();
    let bucket = world.bucket().to_string();
    world.set("hub", crate::FOREVER);
    world.bucket_of_others(&policy(&bucket, &[READERS])).await.unwrap();
    world.attach_policy(PolicyAttachment::Replaces);

    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
note: flow logs do not expire
error: 111122223333 (hub) eu-west-1: acme-flow-logs: CreateFlowLogs: the bucket policy lost the foreign statement `Readers` while flow logs were created in the hub account
       add it again, unless someone removed it on purpose
"#]]
    );
    assert!(
        !world.policy().await.unwrap().unwrap().contains("Readers"),
        "someone may have removed it on purpose"
    );
    delivers(&world).await;
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}

/// AWS's documented statements for the logs of an account, as its services write them.
fn documented(bucket: &str, account: &str) -> [String; 2] {
    let service = r#""Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"}"#;
    let source = format!(r#""aws:SourceAccount":"{account}""#);
    [
        format!(
            r#"{{"Sid":"AWSLogDeliveryWrite",{service},"Action":"s3:PutObject","Resource":"arn:aws:s3:::{bucket}/AWSLogs/{account}/*","Condition":{{"StringEquals":{{{source},"s3:x-amz-acl":"bucket-owner-full-control"}}}}}}"#
        ),
        format!(
            r#"{{"Sid":"AWSLogDeliveryAclCheck",{service},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::{bucket}","Condition":{{"StringEquals":{{{source}}}}}}}"#
        ),
    ]
}

#[tokio::test]
async fn aws_grant_for_other_logs_is_never_replaced_pruned_or_removed() {
    let mut world = world(["shop"]).await;
    let stranger = world.account("stranger", 1).await.unwrap().to_string();
    let bucket = world.bucket().to_string();
    let [write, check] = documented(&bucket, &stranger);
    world.set("hub", crate::FOREVER);
    world.bucket_of_others(&policy(&bucket, &[&write, &check])).await.unwrap();
    let is_kept = async |world: &flowagg_testkit::world::World| {
        let live = world.policy().await.unwrap().unwrap();
        assert!(live.contains(&write) && live.contains(&check), "{live}");
    };

    apply(&world).await;
    is_kept(&world).await;
    delivers(&world).await;
    world.flowagg(["apply", "--yes", "--prune"]).await.unwrap().exits(0);
    is_kept(&world).await;
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    is_kept(&world).await;
}

#[tokio::test]
async fn statement_is_adopted_only_if_no_known_delivery_stops() {
    let mut world = world(["shop"]).await;
    let shop = world.accounts()["shop"].id.to_string();
    let stranger = world.account("stranger", 1).await.unwrap().to_string();
    let bucket = world.bucket().to_string();
    let [write, check] = documented(&bucket, &shop);
    let others = documented(&bucket, &stranger)[0].replace("AWSLogDeliveryWrite", "TheirLoadBalancer");
    let others = others.replace("/AWSLogs/", "/balancers/AWSLogs/");
    world.set("hub", crate::FOREVER);
    world.bucket_of_others(&policy(&bucket, &[&write, &check, &others])).await.unwrap();
    let load_balancer = format!("balancers/AWSLogs/{stranger}/elasticloadbalancing/eu-west-1/a.log.gz");
    let put = world.s3().put_object().bucket(&bucket).key(&load_balancer).body(b"logs".to_vec().into());
    put.send().await.unwrap();

    // The stranger's ACL check is not granted, so none of its logs are delivered yet.
    let adopt = ["plan", "--adopt", "AWSLogDeliveryWrite", "--adopt", "AWSLogDeliveryAclCheck"];
    let plan = world.flowagg(adopt).await.unwrap().exits(0).stdout;
    let merge: Vec<&str> = plan.lines().filter(|line| line.starts_with("  ! update ")).collect();
    assert_data_eq!(
        merge.join("\n"),
        str![
            "  ! update the bucket policy: replaces adopted `AWSLogDeliveryWrite`, `AWSLogDeliveryAclCheck` (880 -> 918 bytes)"
        ]
    );
    let apply = ["apply", "--yes", "--adopt", "AWSLogDeliveryWrite", "--adopt", "AWSLogDeliveryAclCheck"];
    world.flowagg(apply).await.unwrap().exits(0);
    let live = world.policy().await.unwrap().unwrap();
    assert!(!live.contains(&write) && !live.contains(&check) && live.contains(&others), "{live}");
    delivers(&world).await;
    let missing = world.flowagg(adopt).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &missing),
        str![[r#"
note: flow logs do not expire
error: 111122223333 eu-west-1: the policy of acme-flow-logs: the bucket policy has no statement `AWSLogDeliveryAclCheck`
       list the statements with `aws s3api get-bucket-policy`
"#]]
    );

    // With the ACL check, the load balancer's logs arrive, and its statement cannot be adopted.
    let check = documented(&bucket, &stranger)[1].clone();
    let (statements, end) = live.rsplit_once(']').unwrap();
    world.put_policy(&format!("{statements},{check}]{end}")).await.unwrap();
    let refused = world.flowagg(["plan", "--adopt", "TheirLoadBalancer"]).await.unwrap().exits(1);
    assert_data_eq!(
        messages(&world, &refused),
        str![[r#"
note: flow logs do not expire
error: 111122223333 eu-west-1: the policy of acme-flow-logs: adopting statement `TheirLoadBalancer` would stop log delivery to `balancers/AWSLogs/333333333333/elasticloadbalancing/`
       keep the statement, or grant these deliveries with another statement first
"#]]
    );
}

#[tokio::test]
async fn two_fleets_on_one_bucket_leave_each_other_unchanged() {
    let mut world = world(["shop"]).await;
    world.set("fleet", "name = \"first\"");
    apply(&world).await;
    let first = world.policy().await.unwrap().unwrap();
    let logs_of_first = world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap();

    world.leave("shop");
    world.member("bank", 1).await.unwrap();
    world.reset("fleet", "name = \"second\"");
    world.flowagg(["apply", "--yes", "--prune"]).await.unwrap().exits(0);
    let both = world.policy().await.unwrap().unwrap();
    let statements = first.trim_end_matches("]}").to_owned();
    assert!(both.starts_with(&statements), "the first fleet's statements are unchanged: {both}");
    delivers(&world).await;

    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    assert_eq!(world.policy().await.unwrap().as_deref(), Some(first.as_str()));
    let now = world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap();
    assert_eq!(now, logs_of_first);
    world.join("shop");
    world.leave("bank");
    world.reset("fleet", "name = \"first\"");
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}
