//! Foreign flow logs on resources that the fleet logs.

use aws_sdk_ec2::types::{
    FlowLogsResourceType, LogDestinationType, ResourceType, Tag, TagSpecification, TrafficType,
};
use flowagg_testkit::world::World;
use snapbox::{assert_data_eq, str};

use crate::{applied, apply, delivers, messages, told};

/// The tags of a foreign flow log.
fn tags(tags: &[(&str, &str)]) -> TagSpecification {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build());
    TagSpecification::builder().resource_type(ResourceType::VpcFlowLog).set_tags(Some(tags.collect())).build()
}

/// Creates foreign flow logs to the hub bucket for every VPC of a member, with another aggregation interval than the
/// fleet's.
async fn to_bucket(world: &World, name: &str, traffic: TrafficType, of: &[(&str, &str)]) {
    let account = &world.accounts()[name];
    for (region, vpcs) in &account.vpcs {
        let create = world.aws().ec2(account.id, region).create_flow_logs();
        let create = create
            .resource_type(FlowLogsResourceType::Vpc)
            .set_resource_ids(Some(vpcs.iter().map(ToString::to_string).collect()))
            .traffic_type(traffic.clone())
            .log_destination_type(LogDestinationType::S3)
            .log_destination(format!("arn:aws:s3:::{}", world.bucket()))
            .max_aggregation_interval(60)
            .tag_specifications(tags(of));
        let created = create.send().await.unwrap();
        assert_eq!((created.flow_log_ids().len(), created.unsuccessful()), (vpcs.len(), &[][..]));
    }
}

/// Creates a foreign flow log to CloudWatch Logs for the first VPC of a member in the hub's region.
async fn to_log_group(world: &World, name: &str, group: &str, of: &[(&str, &str)]) {
    let account = &world.accounts()[name];
    let create = world.aws().ec2(account.id, world.hub_region()).create_flow_logs();
    let create = create
        .resource_type(FlowLogsResourceType::Vpc)
        .resource_ids(account.vpcs[world.hub_region()][0].as_str())
        .traffic_type(TrafficType::All)
        .log_destination_type(LogDestinationType::CloudWatchLogs)
        .log_group_name(group)
        .deliver_logs_permission_arn(format!("arn:aws:iam::{}:role/flow-logs", account.id))
        .tag_specifications(tags(of));
    let created = create.send().await.unwrap();
    assert_eq!((created.flow_log_ids().len(), created.unsuccessful()), (1, &[][..]));
}

#[tokio::test]
async fn foreign_flow_logs_to_other_destinations_are_listed_and_kept() {
    let world = applied(["shop", "bank"]).await;
    let stack = [("aws:cloudformation:stack-name", "StackSet-baseline-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")];
    for name in ["shop", "bank"] {
        to_log_group(&world, name, "/vpc/flow", &stack).await;
    }
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &plan),
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  = up to date

flow logs
  = 4 up to date

also logged
  = 2 VPCs of 222222222222 (shop), 333333333333 (bank) to log group `/vpc/flow`; possible owner: stack set `baseline`
    other flow logs that record the same traffic, or part of it; AWS charges for each delivery; run `flowagg plan --all` to list them

note: flow logs expire after 90 days

plan: nothing to do
next: run `flowagg verify` to check that the logs arrive

"#]]
    );
    let all = world.flowagg(["plan", "--all"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &all),
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  = up to date

flow logs
  = 222222222222  shop  eu-west-1  vpc-0123456789abcdef0  keep fl-0123456789abcdef0  up to date
  = 222222222222  shop  eu-west-1  vpc-0123456789abcdef0  keep fl-0123456789abcdef1  also logged to log group `/vpc/flow`; possible owner: stack set `baseline`
  = 222222222222  shop  us-east-1  vpc-0123456789abcdef1  keep fl-0123456789abcdef2  up to date
  = 333333333333  bank  eu-west-1  vpc-0123456789abcdef2  keep fl-0123456789abcdef3  up to date
  = 333333333333  bank  eu-west-1  vpc-0123456789abcdef2  keep fl-0123456789abcdef4  also logged to log group `/vpc/flow`; possible owner: stack set `baseline`
  = 333333333333  bank  us-east-1  vpc-0123456789abcdef3  keep fl-0123456789abcdef5  up to date

note: flow logs expire after 90 days

plan: nothing to do
next: run `flowagg verify` to check that the logs arrive

"#]]
    );
    let markdown = world.flowagg(["plan", "--markdown"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &markdown),
        str![[r#"
### flowagg: nothing to do

Hub `acme-flow-logs`, account 111122223333, eu-west-1.

**Also logged by other flow logs that record the same traffic, or part of it; AWS charges for each delivery**

- 2 VPCs of 222222222222, 333333333333 to log group `/vpc/flow`; possible owner: stack set `baseline`

**Notes**

- flow logs expire after 90 days

"#]]
    );
    let json = world.flowagg(["plan", "--json"]).await.unwrap().exits(0).json();
    assert_eq!(json["also-logged"].as_array().unwrap().len(), 2, "{json:#}");
    assert_eq!(json["also-logged"][0]["destination"]["log-group"], "/vpc/flow");

    apply(&world).await;
    delivers(&world).await;
    let report = world.flowagg(["report", "--json"]).await.unwrap().exits(0).json();
    assert_eq!((&report["also-logged"], &report["findings"]), (&json["also-logged"], &serde_json::json!([])));

    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    let bank = world.accounts()["bank"].id;
    assert_eq!(
        world.flow_logs(bank, world.hub_region()).await.unwrap().len(),
        1,
        "the foreign flow log is kept"
    );
}

/// A fleet of two members. The second one had foreign flow logs to the bucket before it joined.
async fn with_foreign_flow_logs() -> World {
    let mut world = applied(["shop"]).await;
    world.account("bank", 1).await.unwrap();
    to_bucket(&world, "bank", TrafficType::All, &[("aws:cloudformation:stack-name", "network")]).await;
    world.join("bank");
    world
}

#[tokio::test]
async fn covering_foreign_flow_log_is_healthy_and_verified() {
    let world = with_foreign_flow_logs().await;
    let bank = world.accounts()["bank"].id;
    apply(&world).await;
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &plan),
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  = up to date

flow logs
  = 2 up to date, 2 covered by a foreign flow log

note: flow logs expire after 90 days

plan: nothing to do
next: run `flowagg verify` to check that the logs arrive

"#]]
    );
    apply(&world).await;
    assert_eq!(world.flow_logs(bank, world.hub_region()).await.unwrap().len(), 1);
    delivers(&world).await;
    let verified = world.flowagg(["verify", "--json"]).await.unwrap().exits(0).json();
    assert_eq!(verified["coverage"]["flow-logs"]["count"], 4, "{verified:#}");
    let report = world.flowagg(["report", "--json"]).await.unwrap().exits(0).json();
    assert_data_eq!(
        report["findings"][0]["what"].as_str().unwrap(),
        str!["left unchanged: covers the resource (foreign): aggregation interval is 60 s instead of 600 s"]
    );
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn differing_foreign_flow_log_is_a_finding_if_configured() {
    let mut world = with_foreign_flow_logs().await;
    world.set("flow-logs", "foreign = \"differs\"");
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(3);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
needs attention: 333333333333 (bank) eu-west-1 vpc-0123456789abcdef0: its flow log fl-0123456789abcdef0 is foreign and is left unchanged: aggregation interval is 60 s instead of 600 s
       delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg replaces it
needs attention: 333333333333 (bank) us-east-1 vpc-0123456789abcdef1: its flow log fl-0123456789abcdef1 is foreign and is left unchanged: aggregation interval is 60 s instead of 600 s
       delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg replaces it
note: flow logs expire after 90 days
needs attention: 333333333333 (bank) eu-west-1 vpc-0123456789abcdef0: its flow log fl-0123456789abcdef0 is foreign and is left unchanged: aggregation interval is 60 s instead of 600 s
       delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg replaces it
needs attention: 333333333333 (bank) us-east-1 vpc-0123456789abcdef1: its flow log fl-0123456789abcdef1 is foreign and is left unchanged: aggregation interval is 60 s instead of 600 s
       delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg replaces it
"#]]
    );
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    world.flowagg(["apply", "--yes"]).await.unwrap().exits(3);
    delivers(&world).await;
}

#[tokio::test]
async fn ignored_foreign_flow_log_that_blocks_creation_is_reported() {
    let mut world = with_foreign_flow_logs().await;
    world.set("flow-logs", "foreign = \"ignore\"");
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(3);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
needs attention: 333333333333 (bank) eu-west-1 vpc-0123456789abcdef0: its flow log fl-0123456789abcdef0 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
       set `flow-logs.foreign = "covers"` so that it counts, delete fl-0123456789abcdef0, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg manages it
needs attention: 333333333333 (bank) us-east-1 vpc-0123456789abcdef1: its flow log fl-0123456789abcdef1 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
       set `flow-logs.foreign = "covers"` so that it counts, delete fl-0123456789abcdef1, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg manages it
note: flow logs expire after 90 days
needs attention: 333333333333 (bank) eu-west-1 vpc-0123456789abcdef0: its flow log fl-0123456789abcdef0 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
       set `flow-logs.foreign = "covers"` so that it counts, delete fl-0123456789abcdef0, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg manages it
needs attention: 333333333333 (bank) us-east-1 vpc-0123456789abcdef1: its flow log fl-0123456789abcdef1 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
       set `flow-logs.foreign = "covers"` so that it counts, delete fl-0123456789abcdef1, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg manages it
"#]]
    );
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    assert_data_eq!(
        told(&world, &plan),
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  = up to date

flow logs
  = 2 up to date

needs attention: 333333333333 (bank) eu-west-1 vpc-0123456789abcdef0: its flow log fl-0123456789abcdef0 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
       set `flow-logs.foreign = "covers"` so that it counts, delete fl-0123456789abcdef0, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg manages it
needs attention: 333333333333 (bank) us-east-1 vpc-0123456789abcdef1: its flow log fl-0123456789abcdef1 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
       set `flow-logs.foreign = "covers"` so that it counts, delete fl-0123456789abcdef1, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg manages it

note: flow logs expire after 90 days

plan: nothing to do, 2 need attention
next: resolve the items that need attention, then run `flowagg plan` again

"#]]
    );
    world.flowagg(["apply", "--yes"]).await.unwrap().exits(3);
    world.reset("flow-logs", "foreign = \"covers\"");
    apply(&world).await;
    delivers(&world).await;
}

#[tokio::test]
async fn foreign_flow_log_of_less_traffic_does_not_cover() {
    let mut world = applied(["shop"]).await;
    let bank = world.account("bank", 1).await.unwrap();
    to_bucket(&world, "bank", TrafficType::Reject, &[("Owner", "secops")]).await;
    world.join("bank");
    apply(&world).await;
    assert_eq!(world.flow_logs(bank, world.hub_region()).await.unwrap().len(), 2);
    let plan = world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &plan),
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  = up to date

flow logs
  = 4 up to date

also logged
  = 2 VPCs of 333333333333 (bank) to arn:aws:s3:::acme-flow-logs; possible owner: tag `Owner = secops`
    other flow logs that record the same traffic, or part of it; AWS charges for each delivery; run `flowagg plan --all` to list them

note: flow logs expire after 90 days

plan: nothing to do
next: run `flowagg verify` to check that the logs arrive

"#]]
    );
    delivers(&world).await;
}
