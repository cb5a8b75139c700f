//! Resources other than VPCs.

use aws_sdk_ec2::Client;
use flowagg_core::id::AccountId;
use flowagg_testkit::world::World;
use snapbox::{assert_data_eq, str};

use crate::{applied, apply, deliver, delivers, on_paper, told, world};

/// The account of a member, and its EC2 client for the hub's region.
fn ec2(world: &World, name: &str) -> (AccountId, Client) {
    let account = world.accounts()[name].id;
    (account, world.aws().ec2(account, world.hub_region()))
}

async fn subnet(ec2: &Client, vpc: &str, block: &str) -> String {
    let made = ec2.create_subnet().vpc_id(vpc).cidr_block(block).send().await.unwrap();
    made.subnet.unwrap().subnet_id.unwrap()
}

async fn interface(ec2: &Client, subnet: &str) -> String {
    let made = ec2.create_network_interface().subnet_id(subnet).send().await.unwrap();
    made.network_interface.unwrap().network_interface_id.unwrap()
}

/// The logged resources in the hub's region, sorted.
async fn logged(world: &World, account: AccountId) -> Vec<String> {
    let logs = world.flow_logs(account, world.hub_region()).await.unwrap();
    let mut resources: Vec<String> = logs.into_iter().filter_map(|log| log.resource_id).collect();
    resources.sort();
    resources
}

#[tokio::test]
async fn subnets_and_interfaces_are_logged_unless_already_covered() {
    let mut world = world(["shop"]).await;
    let (shop, ec2) = ec2(&world, "shop");
    let vpc = world.accounts()["shop"].vpcs[world.hub_region()][0].to_string();
    let (one, two) = (subnet(&ec2, &vpc, "10.0.1.0/24").await, subnet(&ec2, &vpc, "10.0.2.0/24").await);
    let (in_one, in_two) = (interface(&ec2, &one).await, interface(&ec2, &two).await);

    world.set_of("shop", "vpcs = \"none\"");
    world.set_of("shop", &format!("subnets = [\"{one}\"]"));
    world.set_of("shop", &format!("network-interfaces = [\"{in_one}\", \"{in_two}\"]"));
    apply(&world).await;
    let mut expected = vec![one, in_two];
    expected.sort();
    assert_eq!(logged(&world, shop).await, expected, "the other interface is covered by its subnet");
    assert!(deliver(&world).await.iter().all(|report| report.outcome.key().is_some()));
    let verified = world.flowagg(["verify", "--json"]).await.unwrap().json();
    let verified: Vec<&str> = verified["flow-logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| log["resource"].as_str().unwrap())
        .collect();
    for resource in &expected {
        assert!(verified.contains(&resource.as_str()), "{verified:?}");
    }
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
}

#[tokio::test]
async fn vpc_flow_log_replaces_those_of_its_subnets() {
    let mut world = world(["shop"]).await;
    let (shop, ec2) = ec2(&world, "shop");
    let vpc = world.accounts()["shop"].vpcs[world.hub_region()][0].to_string();
    let inside = subnet(&ec2, &vpc, "10.0.1.0/24").await;
    world.set_of("shop", "subnets = \"all\"");
    let lines = world.fleet_file();
    assert!(lines.contains("subnets"));
    world.set_of("shop", "vpcs = { tags = { logged = \"yes\" } }");
    apply(&world).await;
    assert_eq!(logged(&world, shop).await, std::slice::from_ref(&inside));

    world.tag_vpcs("shop", "logged", "yes").await.unwrap();
    let plan = world.flowagg(["plan"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &plan),
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  = up to date

flow logs
  - 222222222222  shop  eu-west-1  subnet-0123456789abcdef0  delete fl-0123456789abcdef0  will be covered by the flow log of vpc-0123456789abcdef0
  + 222222222222  shop  eu-west-1  vpc-0123456789abcdef0     create
  + 222222222222  shop  us-east-1  vpc-0123456789abcdef1     create

note: flow logs expire after 90 days

cost: unknown until flow logs of the same accounts have delivered for a whole day (UTC)
plan: 2 flow logs to create, 1 flow log to delete
next: run `flowagg apply` to make these changes

"#]]
    );
    apply(&world).await;
    assert_eq!(logged(&world, shop).await, [vpc]);
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    delivers(&world).await;
}

#[tokio::test]
async fn shared_vpc_is_logged_only_by_its_owner() {
    let mut world = applied(["network"]).await;
    let shop = world.member("shop", 1).await.unwrap();
    world.share_vpcs("network", "shop");
    let shared = world.accounts()["network"].vpcs[world.hub_region()][0].to_string();
    let network = world.accounts()["network"].id;

    let plan = world.flowagg(["plan", "--all"]).await.unwrap().exits(0).stdout;
    let left: Vec<&str> = plan.lines().filter(|line| line.contains("only the owner can log it")).collect();
    assert_data_eq!(
        on_paper(&world, &left.join("\n")),
        str![[r#"
  = 333333333333  shop     eu-west-1  vpc-0123456789abcdef0                             shared by 222222222222; only the owner can log it
  = 333333333333  shop     us-east-1  vpc-0123456789abcdef1                             shared by 222222222222; only the owner can log it
"#]]
    );
    apply(&world).await;
    let own = world.accounts()["shop"].vpcs[world.hub_region()][0].to_string();
    assert_eq!((logged(&world, network).await, logged(&world, shop).await), (vec![shared], vec![own]));
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    assert_eq!(delivers(&world).await.len(), 2 * world.regions().len());
}

#[tokio::test]
async fn transit_gateway_is_logged_along_with_vpcs() {
    let mut world = world(["shop"]).await;
    let (shop, ec2) = ec2(&world, "shop");
    let gateway = ec2.create_transit_gateway().send().await.unwrap().transit_gateway.unwrap();
    let gateway = gateway.transit_gateway_id.unwrap();
    world.set_of("shop", "transit-gateways = \"all\"");
    world.set("flow-logs", "fields = [\"version\", \"pkt-srcaddr\"]");
    apply(&world).await;
    let logs = world.flow_logs(shop, world.hub_region()).await.unwrap();
    assert_eq!(logs.len(), 2);
    let log = logs.iter().find(|log| log.resource_id() == Some(&gateway)).unwrap();
    assert_eq!(log.max_aggregation_interval(), Some(60));
    assert!(!log.log_format().unwrap_or_default().contains("pkt-srcaddr"), "{log:?}");
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    delivers(&world).await;
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    assert!(logged(&world, shop).await.is_empty());
    assert_eq!(deliver(&world).await, []);
}
