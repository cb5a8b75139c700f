//! Lookups of `flowagg query` in EC2: names and NAT gateways.

use std::io::Write as _;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Tag;
use flate2::Compression;
use flate2::write::GzEncoder;
use flowagg_core::id::AccountId;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::{Ran, World};
use jiff::Timestamp;
use snapbox::{assert_data_eq, str};

use crate::{applied, apply, on_paper, world};

/// The account of a member, and its EC2 client for the hub's region.
fn of(world: &World, name: &str) -> (AccountId, Client) {
    let account = world.accounts()[name].id;
    (account, world.aws().ec2(account, world.hub_region()))
}

/// The VPC of a member in the hub's region, and a new subnet in it.
async fn subnet(world: &World, name: &str) -> (String, String) {
    let vpc = world.accounts()[name].vpcs[world.hub_region()][0].to_string();
    let (_, ec2) = of(world, name);
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.7.0/24").send().await.unwrap();
    (vpc, subnet.subnet.unwrap().subnet_id.unwrap())
}

/// Creates a network interface with this address.
async fn interface(ec2: &Client, subnet: &str, address: &str, description: &str) -> String {
    let create = ec2.create_network_interface().subnet_id(subnet).private_ip_address(address);
    let made = create.description(description).send().await.unwrap();
    made.network_interface.unwrap().network_interface_id.unwrap()
}

async fn call(ec2: &Client, resource: &str, name: &str) {
    let tag = Tag::builder().key("Name").value(name).build();
    ec2.create_tags().resources(resource).tags(tag).send().await.unwrap();
}

/// Stores an object of a member in the hub's region, with records that ended a minute ago.
async fn put(world: &World, account: AccountId, header: &str, records: &[String]) {
    let now = Timestamp::now();
    let end = now.as_second() - 60;
    let lines = records.iter().map(|record| format!("{record} {} {end}\n", end - 60));
    let text = format!("{header} start end\n{}", lines.collect::<String>());
    let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
    zip.write_all(text.as_bytes()).unwrap();
    let region = world.hub_region();
    let key = format!(
        "AWSLogs/{account}/vpcflowlogs/{region}/{}/{account}_vpcflowlogs_{region}_fl-0123456789abcdef0_{}_0a1b2c3d.log.gz",
        now.strftime("%Y/%m/%d"),
        now.strftime("%Y%m%dT%H%MZ")
    );
    let put = world.s3().put_object().bucket(world.bucket().as_str()).key(key);
    put.body(zip.finish().unwrap().into()).send().await.unwrap();
}

/// The output, without the start of the window and the numbers in the last line.
fn shown(world: &World, ran: &Ran) -> String {
    let start_of_window = "note: reading records that ended since ";
    let lines = ran.stderr.lines().filter(|line| !line.starts_with(start_of_window));
    let until_size = |line: &str| match line.split_once(" with ") {
        Some((start, _)) if line.starts_with("ok: ") || line.starts_with("query: ") => start.to_owned(),
        _ => line.to_owned(),
    };
    let notes: Vec<String> = lines.map(until_size).collect();
    on_paper(world, &format!("{}{}", ran.stdout, notes.join("\n")))
}

const FIELDS: &str = "interface-id srcaddr dstaddr vpc-id bytes";
const RECORDS: &str =
    "SELECT log_account, interface_id, srcaddr, dstaddr, vpc_id, bytes FROM vpc_flow_logs ORDER BY bytes";

/// A shop with a load balancer and a tagged interface, a bank with an interface that has the address of one of the
/// shop's, and their records.
async fn shop_and_bank() -> World {
    let world = applied(["shop", "bank"]).await;
    let ((shop, in_shop), (_, in_bank)) = (of(&world, "shop"), of(&world, "bank"));
    let ((vpc, of_shop), (_, of_bank)) = (subnet(&world, "shop").await, subnet(&world, "bank").await);
    let balancer = interface(&in_shop, &of_shop, "10.0.7.10", "ELB app/shop/50dc6c495c0c9188").await;
    let web = interface(&in_shop, &of_shop, "10.0.7.20", "").await;
    let both = interface(&in_shop, &of_shop, "10.0.7.30", "the shop's").await;
    interface(&in_bank, &of_bank, "10.0.7.30", "the bank's").await;
    interface(&in_bank, &of_bank, "10.0.7.40", "ledger").await;
    call(&in_shop, &web, "web").await;
    call(&in_shop, &vpc, "main").await;
    let records = [
        format!("{balancer} 10.0.7.10 10.0.7.20 {vpc} 1"),
        format!("{web} 10.0.7.20 10.0.7.40 {vpc} 2"),
        format!("{both} 10.0.7.30 203.0.113.9 {vpc} 3"),
    ];
    put(&world, shop, FIELDS, &records).await;
    world
}

#[tokio::test]
async fn names_are_added_for_accounts_interfaces_vpcs_and_addresses() {
    let mut world = shop_and_bank().await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let ran = world.flowagg(["query", RECORDS, "--names", "--format", "csv"]).await.unwrap().exits(0);
    assert_data_eq!(
        shown(&world, &ran),
        str![[r#"
log_account,log_account_name,interface_id,interface_id_name,srcaddr,srcaddr_name,dstaddr,dstaddr_name,vpc_id,vpc_id_name,bytes
222222222222,shop,eni-0123456789abcdef0,ELB app/shop/50dc6c495c0c9188,10.0.7.10,ELB app/shop/50dc6c495c0c9188,10.0.7.20,web,vpc-0123456789abcdef0,main,1
222222222222,shop,eni-0123456789abcdef1,web,10.0.7.20,web,10.0.7.40,ledger,vpc-0123456789abcdef0,main,2
222222222222,shop,eni-0123456789abcdef2,the shop's,10.0.7.30,,203.0.113.9,,vpc-0123456789abcdef0,main,3
ok: 3 rows from 3 records in 1 object
"#]]
    );
    assert_eq!(faults.writes(), Vec::<String>::new());
    let printed = world.flowagg(["permissions", "--query", "--json"]).await.unwrap().exits(0).stdout;
    let calls = faults.calls();
    for call in calls.iter().filter(|call| call.starts_with("Describe")) {
        assert!(printed.contains(&format!("\"ec2:{call}\"")), "{call}: {printed}");
    }
    assert!(calls.contains(&"DescribeNetworkInterfaces".to_owned()), "{calls:?}");
    assert!(!calls.contains(&"DescribeFlowLogs".to_owned()), "no unnecessary lookups: {calls:?}");
}

#[tokio::test]
async fn lookups_are_limited_to_the_accounts_in_the_rows() {
    let mut world = shop_and_bank().await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let bank = world.accounts()["bank"].id;
    let of_bank = || CallFilter::any().in_account(bank);
    let ids = "SELECT log_account, log_region, interface_id FROM vpc_flow_logs ORDER BY 3 LIMIT 1";
    let ran = world.flowagg(["query", ids, "--names", "--format", "csv"]).await.unwrap().exits(0);
    assert!(ran.stdout.lines().nth(1).unwrap().contains(",shop,"), "{ran}");
    let interfaces = faults.count(&CallFilter::operation("DescribeNetworkInterfaces"));
    assert_eq!((interfaces, faults.count(&of_bank())), (1, 0), "{:?}", faults.calls());

    let before = faults.calls().len();
    let accounts = "SELECT log_account, count(*) AS records FROM vpc_flow_logs GROUP BY 1";
    let ran = world.flowagg(["query", accounts, "--names", "--format", "csv"]).await.unwrap().exits(0);
    assert!(ran.stdout.lines().nth(1).unwrap().contains(",shop,3"), "{ran}");
    let calls = faults.calls().split_off(before);
    assert!(!calls.iter().any(|call| call.starts_with("Describe") || call == "AssumeRole"), "{calls:?}");
}

#[tokio::test]
async fn failed_name_lookups_are_reported_after_the_rows() {
    let mut world = shop_and_bank().await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let bank = world.accounts()["bank"].id;
    faults.refuse_roles_of(bank);
    let denied =
        Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    faults.on(CallFilter::operation("DescribeVpcs"), denied);
    let ran = world.flowagg(["query", RECORDS, "--names", "--format", "csv"]).await.unwrap().exits(1);
    assert_data_eq!(
        shown(&world, &ran),
        str![[r#"
log_account,log_account_name,interface_id,interface_id_name,srcaddr,srcaddr_name,dstaddr,dstaddr_name,vpc_id,vpc_id_name,bytes
222222222222,shop,eni-0123456789abcdef0,ELB app/shop/50dc6c495c0c9188,10.0.7.10,ELB app/shop/50dc6c495c0c9188,10.0.7.20,web,vpc-0123456789abcdef0,,1
222222222222,shop,eni-0123456789abcdef1,web,10.0.7.20,web,10.0.7.40,,vpc-0123456789abcdef0,,2
222222222222,shop,eni-0123456789abcdef2,the shop's,10.0.7.30,the shop's,203.0.113.9,,vpc-0123456789abcdef0,,3
error: 2 times: arn:aws:iam::333333333333:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: User is not authorized to perform: sts:AssumeRole on a role of 333333333333
       create the role in 333333333333 with a trust policy for the caller and allow the caller sts:AssumeRole on it, or set `role` to another role; `flowagg permissions` prints the policies, and `aws iam get-role` in 333333333333 shows the role
       in 333333333333: eu-west-1, us-east-1
error: 2 times: DescribeVpcs: UnauthorizedOperation: You are not authorized to perform this operation.
       allow ec2:DescribeVpcs for the role or user used in 222222222222; `flowagg permissions --query` prints the IAM policies
       in 222222222222: eu-west-1, us-east-1
note: names that could not be looked up are missing, and an address may also belong to a network interface in an account-region that was not looked up
query: not everything could be looked up: names; 3 rows from 3 records in 1 object
"#]]
    );
}

#[tokio::test]
async fn names_are_limited_to_the_first_ten_thousand_rows_with_a_note() {
    let world = shop_and_bank().await;
    let values: Vec<String> = (0..4_000).map(|n| format!("({n})")).collect();
    let sql =
        format!("SELECT log_account FROM vpc_flow_logs CROSS JOIN (VALUES {}) AS many (n)", values.join(","));
    let ran = world.flowagg(["query", &sql, "--names", "--format", "csv"]).await.unwrap().exits(0);
    let named = ran.stdout.lines().filter(|line| line.ends_with(",shop")).count();
    let unnamed = ran.stdout.lines().skip(1).filter(|line| line.ends_with(',')).count();
    assert_eq!((named, unnamed), (10_000, 2_000));
    let note =
        "note: names were looked up only for the first 10,000 rows; `--limit` reduces the number of rows";
    assert!(ran.stderr.lines().any(|line| line == note), "{}", ran.stderr);
}

#[tokio::test]
async fn throttled_lookups_are_retried() {
    let mut world = shop_and_bank().await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let throttled = Answer::error(503, "RequestLimitExceeded", "Request limit exceeded.");
    faults.on(CallFilter::operation("DescribeNetworkInterfaces").first(2), throttled);
    let ran = world.flowagg(["query", RECORDS, "--names", "--format", "json"]).await.unwrap().exits(0);
    assert!(ran.stdout.contains("\"srcaddr_name\":\"web\""), "{ran}");
}

#[tokio::test]
async fn names_and_gateways_of_the_fleet_need_a_fleet_file() {
    let world = applied(["shop"]).await;
    let bucket = world.bucket().to_string();
    let mut said = String::new();
    for args in [["top", "--names"], ["top", "--nat=fleet"]] {
        let ran =
            world.flowagg([&["query", "--bucket", &bucket][..], &args].concat()).await.unwrap().exits(2);
        said += &format!("{}\n", shown(&world, &ran));
    }
    assert_data_eq!(
        said,
        str![[r#"
error: `--names` looks up names in the accounts of the fleet file, which `--bucket` does not read
       remove one of the two options; without `--bucket`, the bucket of the fleet file is read
error: `--nat fleet` looks up NAT gateways in the accounts of the fleet file, which `--bucket` does not read
       remove one of the two options; without `--bucket`, the bucket of the fleet file is read

"#]]
    );
}

/// Fields with which `nat` can be answered if the gateways are known.
const OF_GATEWAYS: &str = "interface-id srcaddr dstaddr bytes pkt-srcaddr pkt-dstaddr";

/// A world whose flow logs do not record `interface-type`.
async fn without_types() -> World {
    let mut world = world(["shop", "bank"]).await;
    let fields: Vec<String> =
        OF_GATEWAYS.split(' ').chain(["start", "end"]).map(|field| format!("\"{field}\"")).collect();
    world.set("flow-logs", &format!("fields = [{}]", fields.join(", ")));
    apply(&world).await;
    world
}

/// Creates a NAT gateway. Returns its network interface and address.
async fn gateway(ec2: &Client, subnet: &str) -> (String, String) {
    let address = ec2.allocate_address().send().await.unwrap().allocation_id.unwrap();
    let made = ec2.create_nat_gateway().subnet_id(subnet).allocation_id(address).send().await.unwrap();
    let id = made.nat_gateway.unwrap().nat_gateway_id.unwrap();
    let found = ec2.describe_nat_gateways().nat_gateway_ids(id).send().await.unwrap();
    let address = found.nat_gateways()[0].nat_gateway_addresses()[0].clone();
    (address.network_interface_id.unwrap(), address.private_ip.unwrap())
}

#[tokio::test]
async fn gateways_are_looked_up_if_records_do_not_identify_them() {
    let mut world = without_types().await;
    let (shop, in_shop) = of(&world, "shop");
    let (_, of_shop) = subnet(&world, "shop").await;
    let (interface, address) = gateway(&in_shop, &of_shop).await;
    let records = [
        format!("{interface} 10.0.7.20 {address} 700 10.0.7.20 203.0.113.9"),
        // A load balancer with the gateway's address, in another VPC.
        format!("eni-0fffffffffffffff0 10.0.7.20 {address} 90000 10.0.7.20 203.0.113.9"),
    ];
    put(&world, shop, OF_GATEWAYS, &records).await;
    let ran = world.flowagg(["query", "nat", "--format", "csv"]).await.unwrap().exits(0);
    assert_data_eq!(
        shown(&world, &ran),
        str![[r#"
account,gateway,source,sent,received,bytes
222222222222,eni-0123456789abcdef0,10.0.7.20,700,0,700
note: 1 NAT gateway was found in 4 account-regions. Deleted gateways cannot be found; name them with `--nat`
note: `nat` is more precise with fields that are not recorded in: `action` (1 of 1 objects), `resource-id` (1 of 1 objects), `interface-type` (1 of 1 objects)
ok: 1 row from 2 records in 1 object
"#]]
    );

    let named =
        world.flowagg(["query", "nat", "--nat", "10.9.9.9", "--format", "csv"]).await.unwrap().exits(0);
    assert_data_eq!(
        shown(&world, &named),
        str![[r#"
account,gateway,source,sent,received,bytes
note: `nat` is more precise with fields that are not recorded in: `action` (1 of 1 objects), `resource-id` (1 of 1 objects)
note: no records of these NAT gateways were found: check `--from` and `--nat` (name a zonal gateway by its network interface or private address, and a regional one by its ID)
ok: 0 rows from 2 records in 1 object
"#]]
    );

    // The lookup for another question, with an account whose role cannot be assumed.
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    faults.refuse_roles_of(world.accounts()["bank"].id);
    let ran =
        world.flowagg(["query", "pairs", "packets", "--nat", "fleet", "--format", "csv"]).await.unwrap();
    assert_data_eq!(
        shown(&world, &ran.exits(1)),
        str![[r#"
source,destination,bytes,both_ends
10.0.7.20,203.0.113.9,90700,true
note: 1 NAT gateway was found in 2 account-regions. Deleted gateways cannot be found; name them with `--nat`
note: both ends counted: rows with `both_ends` have records without `flow-direction`, and flows that two network interfaces recorded are counted twice. Record the field to count them once
note: `pairs` is more precise with fields that are not recorded in: `action` (1 of 1 objects), `flow-direction` (1 of 1 objects), `interface-type` (1 of 1 objects)
error: 2 times: arn:aws:iam::333333333333:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: User is not authorized to perform: sts:AssumeRole on a role of 333333333333
       create the role in 333333333333 with a trust policy for the caller and allow the caller sts:AssumeRole on it, or set `role` to another role; `flowagg permissions` prints the policies, and `aws iam get-role` in 333333333333 shows the role
       in 333333333333: eu-west-1, us-east-1
note: where NAT gateways could not be looked up, they are treated like other network interfaces
query: not everything could be looked up: NAT gateways; 1 row from 2 records in 1 object
"#]]
    );
}

#[tokio::test]
async fn fleet_without_gateways_has_an_empty_answer_without_reading_objects() {
    let mut world = without_types().await;
    let (shop, _) = of(&world, "shop");
    put(
        &world,
        shop,
        OF_GATEWAYS,
        &["eni-0fffffffffffffff0 10.0.7.20 10.0.7.1 7 10.0.7.20 203.0.113.9".to_owned()],
    )
    .await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let ran = world.flowagg(["query", "nat", "--format", "json"]).await.unwrap().exits(0);
    assert_data_eq!(
        shown(&world, &ran),
        str![[r#"
[]
note: no NAT gateway was found in 4 account-regions, so nothing was read. Deleted gateways cannot be found; name them with `--nat`
ok: 0 rows from 0 records in 0 objects
"#]]
    );
    assert!(!faults.calls().iter().any(|call| call.starts_with("GET ")), "{:?}", faults.calls());
    assert_eq!(faults.count(&CallFilter::operation("DescribeNatGateways")), 4);

    // The size of the query does not depend on the gateways.
    let before = faults.calls().len();
    world.flowagg(["query", "nat", "--explain"]).await.unwrap().exits(0);
    assert!(
        !faults.calls()[before..].iter().any(|call| call.starts_with("Describe")),
        "{:?}",
        faults.calls()
    );

    let denied =
        Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    faults.on(CallFilter::operation("DescribeNatGateways"), denied);
    let ran = world.flowagg(["query", "nat", "--format", "json"]).await.unwrap().exits(1);
    assert_data_eq!(
        shown(&world, &ran),
        str![[r#"
error: 4 times: DescribeNatGateways: UnauthorizedOperation: You are not authorized to perform this operation.
       allow ec2:DescribeNatGateways for the role or user used in each account; `flowagg permissions --query` prints the IAM policies
       in eu-west-1, us-east-1: 222222222222, 333333333333
"#]]
    );
}
