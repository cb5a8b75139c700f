//! The members of a fleet: the first rollout, the second one, an account that joins, and one that leaves.

use flowagg_testkit::faults::Faults;
use jiff::{SignedDuration, Timestamp};
use snapbox::{assert_data_eq, str};

use crate::{applied, apply, deliver, delivers, messages, outcome, told, world};

#[tokio::test]
async fn first_apply_brings_all_logs_into_one_bucket() {
    let world = world(["shop", "bank"]).await;
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    assert_data_eq!(
        told(&world, &plan),
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership to BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, abort incomplete uploads after 7 days
  + write the bucket policy: grants delivery to 222222222222 (shop), 333333333333 (bank) (701 bytes)

flow logs
  + 222222222222  shop  eu-west-1  vpc-0123456789abcdef0  create
  + 222222222222  shop  us-east-1  vpc-0123456789abcdef1  create
  + 333333333333  bank  eu-west-1  vpc-0123456789abcdef2  create
  + 333333333333  bank  us-east-1  vpc-0123456789abcdef3  create

cost: unknown until flow logs of the same accounts have delivered for a whole day (UTC)
plan: 6 changes to the hub, 4 flow logs to create
next: run `flowagg apply` to make these changes

"#]]
    );
    let head = world.s3().head_bucket().bucket(world.bucket().as_str()).send().await;
    assert!(head.is_err(), "a plan writes nothing");

    apply(&world).await;
    let reports = deliver(&world).await;
    assert_eq!(reports.len(), 4);
    let keys = world.keys().await.unwrap();
    for account in world.accounts().values() {
        for region in world.regions() {
            let folder = format!("AWSLogs/{}/vpcflowlogs/{region}/", account.id);
            assert_eq!(keys.iter().filter(|key| key.starts_with(&folder)).count(), 1, "{folder}");
        }
    }
    let verified = world.flowagg(["verify", "--json"]).await.unwrap().exits(0);
    let json = verified.json();
    let states = json["flow-logs"].as_array().unwrap();
    assert_eq!(states.len(), 4);
    assert!(states.iter().all(|log| log["state"] == "delivering"), "{verified}");
}

#[tokio::test]
async fn second_apply_makes_no_writes() {
    let mut world = applied(["shop", "bank"]).await;
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);

    let watched = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(watched.url());
    apply(&world).await;
    assert!(watched.calls().iter().any(|call| call == "DescribeFlowLogs"), "{:?}", watched.calls());
    assert_eq!(watched.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn joining_member_delivers_along_with_the_others() {
    let mut world = applied(["shop"]).await;
    world.member("bank", 1).await.unwrap();
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    apply(&world).await;
    let reports = delivers(&world).await;
    assert!(outcome(&world, &reports, "shop").key().is_some());
    assert!(outcome(&world, &reports, "bank").key().is_some());
}

#[tokio::test]
async fn hub_can_be_a_member_without_assuming_a_role() {
    let mut world = world([]).await;
    world.hub_as_member("hub", 1).await.unwrap();
    let watched = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(watched.url());
    apply(&world).await;
    assert!(watched.calls().iter().all(|call| call != "AssumeRole"), "{:?}", watched.calls());
    assert!(outcome(&world, &delivers(&world).await, "hub").key().is_some());
}

#[tokio::test]
async fn new_vpc_gets_a_flow_log() {
    let world = applied(["shop"]).await;
    let shop = world.accounts()["shop"].id;
    let ec2 = world.aws().ec2(shop, world.hub_region());
    ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    apply(&world).await;
    assert_eq!(world.flow_logs(shop, world.hub_region()).await.unwrap().len(), 2);
    assert_eq!(delivers(&world).await.len(), 3);
}

#[tokio::test]
async fn hour_of_deliveries_has_one_object_per_interval() {
    let world = applied(["shop"]).await;
    let start = Timestamp::now() - SignedDuration::from_hours(1);
    let reports = world.deliver_from(start, 12).await.unwrap();
    let mut keys: Vec<&str> = reports.iter().filter_map(|report| report.outcome.key()).collect();
    keys.sort();
    assert_eq!(keys.len(), 12 * world.regions().len());
    assert_eq!(world.keys().await.unwrap(), keys);
    world.flowagg(["verify"]).await.unwrap().exits(0);
}

#[tokio::test]
async fn leaving_member_keeps_its_grant_and_is_reported() {
    let mut world = applied(["shop", "bank"]).await;
    let before = world.policy().await.unwrap();
    world.leave("bank");
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    assert_data_eq!(
        messages(&world, &plan),
        str![[r#"
note: flow logs expire after 90 days
note: the fleet's statements still name 333333333333, which is not in the fleet file; `--prune` removes it
"#]]
    );
    apply(&world).await;
    assert_eq!(world.policy().await.unwrap(), before);
    assert!(outcome(&world, &delivers(&world).await, "bank").key().is_some());
    let verified = world.flowagg(["verify"]).await.unwrap().exits(0);
    assert_data_eq!(
        messages(&world, &verified),
        str![[
            r#"note: 333333333333 is not in the fleet, but has flow logs in the bucket (newest object 40 s old)"#
        ]]
    );
}

#[tokio::test]
async fn leaving_member_is_revoked_with_prune() {
    let mut world = applied(["shop", "bank"]).await;
    let bank = world.accounts()["bank"].id.to_string();
    world.leave("bank");
    world.flowagg(["plan", "--exit-code", "--prune"]).await.unwrap().exits(3);
    world.flowagg(["apply", "--yes", "--prune"]).await.unwrap().exits(0);
    assert!(!world.policy().await.unwrap().unwrap().contains(&bank));
    let reports = delivers(&world).await;
    assert_eq!(outcome(&world, &reports, "bank").key(), None);
    assert!(outcome(&world, &reports, "shop").key().is_some());
    world.flowagg(["plan", "--exit-code", "--prune"]).await.unwrap().exits(0);
}

#[tokio::test]
async fn matching_foreign_flow_log_is_accepted() {
    let mut world = applied(["shop"]).await;
    world.account("bank", 1).await.unwrap();
    world.log_by_hand("bank").await.unwrap();
    world.join("bank");
    apply(&world).await;
    let bank = world.accounts()["bank"].id;
    assert_eq!(world.flow_logs(bank, world.hub_region()).await.unwrap().len(), 1);
    assert!(outcome(&world, &delivers(&world).await, "bank").key().is_some());
}
