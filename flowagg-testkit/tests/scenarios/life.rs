//! A fleet from its first day to its last, and the permissions that it requires.

use std::collections::BTreeSet;

use flowagg_core::id::AccountId;
use flowagg_testkit::faults::Faults;
use flowagg_testkit::world::World;
use serde_json::Value;

use crate::{READERS, applied, apply, deliver, delivers, outcome, told, world};

#[tokio::test]
async fn init_takes_account_and_region_from_the_credentials_and_can_be_applied() {
    let world = world(["shop"]).await;
    let (bucket, shop) = (world.bucket().to_string(), world.accounts()["shop"].id.to_string());
    let regions: Vec<String> = world.regions().iter().map(ToString::to_string).collect();
    let regions = regions.join(",");
    let init = ["init", "--force", "--bucket", &bucket, "--account", &shop, "--regions", &regions];
    world.flowagg_on("", init).await.unwrap().exits(0);
    let written = std::fs::read_to_string(world.fleet_path()).unwrap();
    assert!(
        written.contains(&world.hub().to_string()) && written.contains(world.hub_region().as_str()),
        "{written}"
    );
    world.flowagg_on(&written, ["apply", "--yes"]).await.unwrap().exits(0);
    delivers(&world).await;
}

#[tokio::test]
async fn destroy_keeps_the_bucket_its_objects_and_foreign_resources() {
    let mut world = world(["shop"]).await;
    let foreign = READERS.replace("BUCKET", world.bucket().as_str());
    let policy = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{foreign}]}}");
    world.set("hub", crate::FOREVER);
    world.bucket_of_others(&policy).await.unwrap();
    apply(&world).await;
    delivers(&world).await;
    let delivered = world.keys().await.unwrap();
    assert!(!delivered.is_empty());
    world.account("neighbour", 1).await.unwrap();
    world.log_by_hand("neighbour").await.unwrap();

    world.flowagg(["destroy"]).await.unwrap().exits(2);
    assert_eq!(
        world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap().len(),
        1,
        "it requires confirmation"
    );
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);

    for region in world.regions() {
        assert_eq!(world.flow_logs(world.accounts()["shop"].id, region).await.unwrap().len(), 0);
    }
    let neighbour = world.accounts()["neighbour"].id;
    assert_eq!(world.flow_logs(neighbour, world.hub_region()).await.unwrap().len(), 1);
    let policy = world.policy().await.unwrap().unwrap();
    assert!(policy.contains(&foreign) && !policy.contains("AWSLogDelivery"), "{policy}");
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);

    let reports = deliver(&world).await;
    assert!(reports.iter().all(|report| report.place.account == neighbour), "{reports:?}");
    assert_eq!(world.keys().await.unwrap(), delivered, "the neighbour never had a grant");
    let verified = world.flowagg(["verify"]).await.unwrap().exits(3);
    snapbox::assert_data_eq!(
        told(&world, &verified),
        snapbox::str![[r#"
  ! 222222222222  shop  2 missing

missing: 2 resources: no valid flow log to the bucket
       run `flowagg plan` to see what `apply` creates, and what prevents it
  ! 222222222222  shop  eu-west-1  vpc-0123456789abcdef0  -
  ! 222222222222  shop  us-east-1  vpc-0123456789abcdef1  -

  resources  0 of 2 (0 %) have a flow log
  flow logs  0 of 2 (0 %) deliver, 2 missing

verify: not every flow log delivers: 2 missing
next: run `flowagg plan` to see the missing flow logs

"#]]
    );
}

#[tokio::test]
async fn selected_members_are_applied_first_and_the_rest_later() {
    let world = world(["shop", "bank"]).await;
    let (shop, bank) = (world.accounts()["shop"].id, world.accounts()["bank"].id);
    let only = |id: AccountId| ["--only".to_owned(), id.to_string()];
    let run = async |words: &[&str], id| {
        let words = words.iter().map(|word| (*word).to_owned()).chain(only(id));
        world.flowagg(words).await.unwrap()
    };
    let granted = async || {
        let policy = world.policy().await.unwrap().unwrap();
        [shop, bank].map(|id| policy.contains(&id.to_string()))
    };
    run(&["apply", "--yes"], shop).await.exits(0);
    assert_eq!(world.flow_logs(shop, world.hub_region()).await.unwrap().len(), 1);
    assert_eq!(world.flow_logs(bank, world.hub_region()).await.unwrap().len(), 0);
    assert_eq!(granted().await, [true, false]);
    run(&["plan", "--exit-code"], shop).await.exits(0);
    let plan = run(&["plan", "--exit-code"], bank).await.exits(3);
    snapbox::assert_data_eq!(
        told(&world, &plan),
        snapbox::str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  ~ update the bucket policy: grants delivery to 333333333333 (bank) (612 -> 701 bytes)

flow logs
  + 333333333333  bank  eu-west-1  vpc-0123456789abcdef0  create
  + 333333333333  bank  us-east-1  vpc-0123456789abcdef1  create

note: flow logs expire after 90 days

cost: unknown until flow logs of the same accounts have delivered for a whole day (UTC)
plan: 1 change to the hub, 2 flow logs to create
next: run `flowagg apply --only 333333333333` to make these changes

"#]]
    );
    assert!(outcome(&world, &deliver(&world).await, "shop").key().is_some());

    apply(&world).await;
    assert_eq!(granted().await, [true, true]);
    assert!(outcome(&world, &delivers(&world).await, "bank").key().is_some());
    run(&["apply", "--yes", "--prune"], shop).await.exits(0);
    assert_eq!(granted().await, [true, true], "the other member keeps its grant");
}

#[tokio::test]
async fn printed_permissions_match_the_calls_of_a_whole_lifecycle() {
    let mut world = applied(["shop"]).await;
    let emulator = world.aws().url().to_owned();
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    world.s3().delete_bucket().bucket(world.bucket().as_str()).send().await.unwrap();

    let faults = Faults::in_front_of(&emulator).await.unwrap();
    world.send_program_to(faults.url());
    apply(&world).await;
    world.set("flow-logs", "tags = { team = \"network\" }");
    apply(&world).await;
    world.set("flow-logs", "traffic = \"reject\"");
    apply(&world).await;
    world.flowagg(["verify", "--grace", "0s"]).await.unwrap().exits(0);
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    permissions_are_those_of_the_calls(&world, &faults).await;
}

#[tokio::test]
async fn printed_permissions_match_the_settings_of_the_fleet_file() {
    let mut world = world(["shop"]).await;
    let key = world.encrypt().await.unwrap();
    world.allow_delivery_on_key(&key).await.unwrap();
    world.ask_for_all_regions();
    for line in [
        "vpcs = { default-vpcs = false }",
        "subnets = { tags = { no = \"such\" } }",
        "transit-gateways = \"all\"",
    ] {
        world.set_of("shop", line);
    }
    let ec2 = world.aws().ec2(world.accounts()["shop"].id, world.hub_region());
    ec2.create_transit_gateway().send().await.unwrap();
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    world.flowagg(["apply", "--yes"]).await.unwrap();
    world.flowagg(["verify", "--grace", "0s"]).await.unwrap().exits(0);
    world.set("flow-logs", "tags = { team = \"network\" }");
    world.flowagg(["apply", "--yes"]).await.unwrap();
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    assert!(faults.calls().iter().any(|call| call == "DescribeRegions"));
    permissions_are_those_of_the_calls(&world, &faults).await;
}

async fn permissions_are_those_of_the_calls(world: &World, faults: &Faults) {
    let made: BTreeSet<String> = faults.calls().iter().map(|call| action(call)).collect();
    let printed = world.flowagg(["permissions", "--json"]).await.unwrap().exits(0).json();
    let mut printed: BTreeSet<String> = ["caller", "hub", "member"]
        .iter()
        .flat_map(|policy| actions(&printed[policy]["Statement"]))
        .collect();
    // EC2 makes these calls on behalf of the caller.
    printed.retain(|action| !action.starts_with("logs:"));
    // This call requires no permission.
    printed.insert("sts:GetCallerIdentity".to_owned());
    assert_eq!(made, printed);
}

fn actions(statements: &Value) -> Vec<String> {
    let actions = statements.as_array().unwrap().iter().map(|statement| &statement["Action"]);
    actions
        .flat_map(|action| action.as_array().cloned().unwrap_or_else(|| vec![action.clone()]))
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

/// The IAM action of a call, according to the Service Authorization Reference.
fn action(call: &str) -> String {
    let Some((method, path)) = call.split_once(' ') else {
        let service = match call {
            "GetCallerIdentity" | "AssumeRole" => "sts",
            "DescribeKey" | "GetKeyPolicy" => "kms",
            _ => "ec2",
        };
        return format!("{service}:{call}");
    };
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let topic = query.split(['=', '&']).next().unwrap_or_default();
    let action = match (method, topic) {
        ("HEAD", _) | ("GET", "list-type" | "delimiter" | "prefix") => "ListBucket",
        ("PUT", "" | "x-id") => "CreateBucket",
        ("GET", "encryption") => "GetEncryptionConfiguration",
        ("PUT", "encryption") => "PutEncryptionConfiguration",
        ("GET", "lifecycle") => "GetLifecycleConfiguration",
        ("PUT" | "DELETE", "lifecycle") => "PutLifecycleConfiguration",
        ("GET", "publicAccessBlock") => "GetBucketPublicAccessBlock",
        ("PUT", "publicAccessBlock") => "PutBucketPublicAccessBlock",
        ("GET", "ownershipControls") => "GetBucketOwnershipControls",
        ("PUT", "ownershipControls") => "PutBucketOwnershipControls",
        ("GET", "policy") => "GetBucketPolicy",
        ("PUT", "policy") => "PutBucketPolicy",
        ("DELETE", "policy") => "DeleteBucketPolicy",
        ("GET", "policyStatus") => "GetBucketPolicyStatus",
        ("GET", "acl") => "GetBucketAcl",
        ("GET", "versioning") => "GetBucketVersioning",
        ("GET", "object-lock") => "GetBucketObjectLockConfiguration",
        ("GET", "replication") => "GetReplicationConfiguration",
        ("GET", "requestPayment") => "GetBucketRequestPayment",
        ("GET", "notification") => "GetBucketNotification",
        _ => panic!("unknown call: {call}"),
    };
    format!("s3:{action}")
}
