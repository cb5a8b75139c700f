//! The states idle, silent and unknown, which depend on the use of a resource.

use aws_sdk_ec2::types::TransitGatewayAttachmentState;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::World;
use serde_json::{Value, json};

use crate::{applied, apply, deliver, world};

/// The states of an account's flow logs in `verify`.
fn states(verified: &Value, world: &World, name: &str) -> Vec<String> {
    let account = world.accounts()[name].id.to_string();
    let logs = verified["flow-logs"].as_array().unwrap().iter();
    let states = logs.filter(|log| log["account"] == account).map(|log| &log["state"]);
    states.map(|state| state.as_str().unwrap().to_owned()).collect()
}

async fn verified(world: &World, code: i32) -> Value {
    world.flowagg(["verify", "--grace", "0s", "--json"]).await.unwrap().exits(code).json()
}

/// The last line for people, above the next step.
async fn last_line(world: &World, verb: &str, code: i32) -> String {
    let told = world.flowagg([verb, "--grace", "0s"]).await.unwrap().exits(code).stdout;
    told.lines().rfind(|line| !line.starts_with("next: ")).unwrap().to_owned()
}

#[tokio::test]
async fn vpc_is_silent_only_with_an_interface_in_use() {
    let world = applied(["shop", "bank"]).await;
    // An interface without an instance carries no traffic.
    let (bank, region) = (world.accounts()["bank"].id, world.hub_region());
    let vpc = &world.accounts()["bank"].vpcs[region][0];
    let ec2 = world.aws().ec2(bank, region);
    let subnet = ec2.create_subnet().vpc_id(vpc.as_str()).cidr_block("10.0.9.0/24").send().await.unwrap();
    let subnet = subnet.subnet.unwrap().subnet_id.unwrap();
    ec2.create_network_interface().subnet_id(subnet).send().await.unwrap();

    let idle = verified(&world, 0).await;
    assert_eq!(states(&idle, &world, "shop"), ["idle", "idle"]);
    assert_eq!(states(&idle, &world, "bank"), ["idle", "idle"]);
    assert_eq!(idle["coverage"]["idle"], 4);
    assert_eq!(idle["coverage"]["resources"], json!({ "count": 4, "of": 4, "percent": 100 }));
    assert_eq!(idle["coverage"]["flow-logs"], json!({ "count": 0, "of": 0, "percent": null }));
    for verb in ["verify", "report"] {
        let last = last_line(&world, verb, 0).await;
        assert!(last.starts_with("ok: every flow log delivers"), "{last}");
    }

    world.start_instances("shop").await.unwrap();
    let silent = verified(&world, 3).await;
    assert_eq!(states(&silent, &world, "shop"), ["silent", "silent"]);
    assert_eq!(states(&silent, &world, "bank"), ["idle", "idle"]);
    assert_eq!(silent["coverage"]["flow-logs"], json!({ "count": 0, "of": 2, "percent": 0 }));
    assert_eq!(last_line(&world, "verify", 3).await, "verify: not every flow log delivers: 2 silent");
    let last = last_line(&world, "report", 3).await;
    assert_eq!(last, "report: not every flow log delivers: 2 silent, 1 finding");

    deliver(&world).await;
    assert_eq!(
        verified(&world, 0).await["coverage"]["flow-logs"],
        json!({ "count": 4, "of": 4, "percent": 100 })
    );
}

#[tokio::test]
async fn denied_lookup_of_interfaces_leaves_the_state_unknown() {
    let mut world = applied(["shop", "bank"]).await;
    let shop = world.accounts()["shop"].id;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let interfaces = CallFilter::operation("DescribeNetworkInterfaces");

    world.flowagg(["verify"]).await.unwrap().exits(3);
    assert_eq!(faults.count(&interfaces), 0, "a new flow log needs no lookup");
    verified(&world, 0).await;
    assert_eq!(faults.count(&interfaces), 4, "one for each account-region");

    let denied = Answer::error(403, "UnauthorizedOperation", "You are not authorized.");
    faults.on(interfaces.in_account(shop).in_region(world.hub_region()), denied);
    let unknown = verified(&world, 1).await;
    assert_eq!(states(&unknown, &world, "shop"), ["unknown", "idle"]);
    assert_eq!(states(&unknown, &world, "bank"), ["idle", "idle"]);
    let [failure] = &unknown["failures"].as_array().unwrap()[..] else { panic!("{unknown:#}") };
    let help = format!(
        "allow ec2:DescribeNetworkInterfaces for the role or user used in {shop}; `flowagg permissions` prints the IAM policies"
    );
    assert_eq!((&failure["call"], &failure["help"]), (&json!("DescribeNetworkInterfaces"), &json!(help)));
    let last = last_line(&world, "verify", 1).await;
    assert_eq!(last, "verify: not everything could be read; 1 unknown");
    let report = world.flowagg(["report", "--grace", "0s", "--json"]).await.unwrap().exits(1).json();
    assert_eq!(report["totals"]["account-regions"]["unknown"], 1);
    assert_eq!(report["findings"][0]["help"], json!(help), "{report:#}");
}

#[tokio::test]
async fn transit_gateway_is_idle_until_it_has_an_attachment() {
    let mut world = world(["shop"]).await;
    let (shop, region) = (world.accounts()["shop"].id, world.hub_region().clone());
    let ec2 = world.aws().ec2(shop, &region);
    let gateway = ec2.create_transit_gateway().send().await.unwrap().transit_gateway.unwrap();
    let gateway = gateway.transit_gateway_id.unwrap();
    world.set_of("shop", "vpcs = \"none\"");
    world.set_of("shop", "transit-gateways = \"all\"");
    apply(&world).await;
    assert_eq!(states(&verified(&world, 0).await, &world, "shop"), ["idle"]);

    let vpc = world.accounts()["shop"].vpcs[&region][0].to_string();
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.9.0/24").send().await.unwrap();
    let attach = ec2.create_transit_gateway_vpc_attachment().transit_gateway_id(gateway).vpc_id(vpc);
    let attach = attach.subnet_ids(subnet.subnet.unwrap().subnet_id.unwrap()).send().await.unwrap();
    let attached = attach.transit_gateway_vpc_attachment.unwrap().state.unwrap();
    assert_eq!(attached, TransitGatewayAttachmentState::Available);
    assert_eq!(states(&verified(&world, 3).await, &world, "shop"), ["silent"]);
}
