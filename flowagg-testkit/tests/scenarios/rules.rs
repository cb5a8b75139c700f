//! `flowagg query unused-rules`: security group rules, compared with the records of the network interfaces that have
//! them.

use std::io::Write as _;

use aws_sdk_ec2::types::{IpPermission, IpRange, UserIdGroupPair};
use flate2::Compression;
use flate2::write::GzEncoder;
use flowagg_core::flow_log::Files;
use flowagg_core::id::{AccountId, FlowLogId, Place, Region};
use flowagg_core::layout::{FileName, Layout};
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::{Ran, World};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use snapbox::{assert_data_eq, str};

use crate::{applied, messages};

/// A rule for one TCP port.
fn tcp(port: i32) -> aws_sdk_ec2::types::builders::IpPermissionBuilder {
    IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port)
}

/// The only network interface of an account-region, with its address.
async fn interface(world: &World, account: AccountId, region: &Region) -> (String, String) {
    let found = world.aws().ec2(account, region).describe_network_interfaces().send().await.unwrap();
    let [interface] = found.network_interfaces() else { panic!("{found:?}") };
    (interface.network_interface_id().unwrap().to_owned(), interface.private_ip_address().unwrap().to_owned())
}

/// Assigns a new security group `web` to the network interface. It allows HTTPS from everywhere, SSH from a network and
/// PostgreSQL from the group.
async fn web(world: &World, account: AccountId, region: &Region, interface: &str) {
    let ec2 = world.aws().ec2(account, region);
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    let vpc = vpcs.vpcs()[0].vpc_id().unwrap();
    let create = ec2.create_security_group().group_name("web").description("web").vpc_id(vpc);
    let group = create.send().await.unwrap().group_id.unwrap();
    let range = |network: &str| IpRange::builder().cidr_ip(network).build();
    let of_group = UserIdGroupPair::builder().group_id(&group).build();
    let allow = ec2.authorize_security_group_ingress().group_id(&group);
    let allow = allow.ip_permissions(tcp(443).ip_ranges(range("0.0.0.0/0")).build());
    let allow = allow.ip_permissions(tcp(22).ip_ranges(range("192.0.2.0/24")).build());
    allow.ip_permissions(tcp(5432).user_id_group_pairs(of_group).build()).send().await.unwrap();
    let attach = ec2.modify_network_interface_attribute().network_interface_id(interface).groups(&group);
    attach.send().await.unwrap();
}

/// The key of an object with the current time.
fn key(account: AccountId, region: &Region, hash: &str) -> String {
    let flow_log = FlowLogId::parse("fl-0a1b2c3d4e5f67890").unwrap();
    let time = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
    Layout::new(None, Files::default()).key(&FileName::new(Place::new(account, region), flow_log, time, hash))
}

/// Puts an object with these records into the bucket.
async fn put(world: &World, account: AccountId, region: &Region, records: &str) {
    let now = Timestamp::now();
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    let header = "interface-id srcaddr dstaddr srcport dstport protocol start end action log-status";
    let (start, end) = (now.as_second() - 60, now.as_second() - 1);
    let records = records.replace("TIME", &format!("{start} {end}"));
    write!(zipped, "{header}\n{records}").unwrap();
    let put = world.s3().put_object().bucket(world.bucket().as_str());
    let put = put.key(key(account, region, "0a1b2c3d"));
    put.body(zipped.finish().unwrap().into()).send().await.unwrap();
}

async fn unused(world: &World, args: &[&str]) -> Ran {
    let args = [&["query", "unused-rules", "--format", "csv"][..], args].concat();
    world.flowagg(args).await.unwrap()
}

/// The rows without IDs and times, sorted: region, group name, direction, protocol, ports, reason and number of
/// interfaces.
fn rows(ran: &Ran) -> String {
    let mut rows: Vec<String> = ran
        .stdout
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [_, region, _, group, _, direction, protocol, ports, _, _, reason, interfaces, _] = cells[..]
            else {
                panic!("{line}")
            };
            format!("{region} {group} {direction} {protocol} {ports}: {reason}, {interfaces}\n")
        })
        .collect();
    rows.sort();
    rows.concat()
}

#[tokio::test]
async fn unused_rules_are_listed_with_reasons() {
    let mut world = applied(["shop"]).await;
    world.start_instances("shop").await.unwrap();
    let (shop, region) = (world.accounts()["shop"].id, world.hub_region().clone());
    let (id, own) = interface(&world, shop, &region).await;
    web(&world, shop, &region, &id).await;
    let records = format!(
        "{id} 203.0.113.9 {own} 40000 443 6 TIME ACCEPT OK\n\
         {id} {own} 203.0.113.9 443 40000 6 TIME ACCEPT OK\n\
         {id} 192.0.2.7 {own} 40000 22 6 TIME REJECT OK\n\
         eni-0deleted 192.0.2.7 10.0.0.9 40000 22 6 TIME ACCEPT OK\n"
    );
    put(&world, shop, &region, &records).await;

    let ran = unused(&world, &[]).await.exits(0);
    assert_data_eq!(
        rows(&ran),
        str![[r#"
eu-west-1 default egress all all: no network interface, 0
eu-west-1 web egress all all: no traffic, 1
eu-west-1 web ingress tcp 22: no traffic, 1
eu-west-1 web ingress tcp 5432: no traffic, 1
us-east-1 default egress all all: no records, 1

"#]]
    );
    let first = unused(&world, &["--limit", "1"]).await.exits(0);
    assert_eq!(first.stdout.lines().count(), 2, "{first}");
    let seen = unused(&world, &["--from", "1h"]).await.exits(0);
    let notes: Vec<String> = messages(&world, &seen).lines().map(without_times).collect();
    assert_data_eq!(
        notes.join("\n"),
        str![[r#"
note: `unused-rules` is more precise with fields that are not recorded in: `bytes` (1 of 1 objects), `tcp-flags` (1 of 1 objects), `pkt-srcaddr` (1 of 1 objects), `pkt-dstaddr` (1 of 1 objects), `flow-direction` (1 of 1 objects)
note: rules with `no traffic` allowed no accepted request in the records from TIME to 2026-11-23T09:20:00Z. They may be needed at other times, and the other rules may be in use; `flowagg query unused-rules --list` describes the reasons
note: less than 30 days of records were read, so rules that are used once a month may look unused; `--from 30d` reads more
note: 1 network interface in the records was not found: it was deleted, or its account-region was not read. It may have used listed rules
"#]]
    );

    // A denied call in one region does not affect the others.
    let other = world.regions().iter().find(|other| **other != region).unwrap().clone();
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let denied =
        || Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    faults.on(CallFilter::operation("DescribeSecurityGroupRules").in_region(&other), denied());
    let ran = unused(&world, &["--from", "1h"]).await.exits(1);
    assert!(!ran.stdout.contains(other.as_str()) && ran.stdout.contains(region.as_str()), "{ran}");
    let errors: Vec<String> = messages(&world, &ran).lines().map(without_times).collect();
    assert_data_eq!(
        errors.join("\n"),
        str![[r#"
note: `unused-rules` is more precise with fields that are not recorded in: `bytes` (1 of 1 objects), `tcp-flags` (1 of 1 objects), `pkt-srcaddr` (1 of 1 objects), `pkt-dstaddr` (1 of 1 objects), `flow-direction` (1 of 1 objects)
note: rules with `no traffic` allowed no accepted request in the records from TIME to 2026-11-23T09:20:00Z. They may be needed at other times, and the other rules may be in use; `flowagg query unused-rules --list` describes the reasons
note: less than 30 days of records were read, so rules that are used once a month may look unused; `--from 30d` reads more
note: 1 network interface in the records was not found: it was deleted, or its account-region was not read. It may have used listed rules
error: 222222222222 us-east-1: DescribeSecurityGroupRules: UnauthorizedOperation: You are not authorized to perform this operation.
       allow ec2:DescribeSecurityGroupRules for the role or user used in 222222222222; `flowagg permissions --query` prints the IAM policies
note: the result does not include rules of account-regions that could not be looked up
"#]]
    );
    let last = ran.stderr.lines().next_back().unwrap();
    assert!(last.starts_with("query: not everything could be looked up: security group rules; "), "{last}");
    assert_eq!(faults.writes(), Vec::<String>::new());

    // If no rules can be read, no object is downloaded.
    faults.on(CallFilter::operation("DescribeSecurityGroupRules"), denied());
    let before = faults.count(&CallFilter::operation("GetObject"));
    let ran = unused(&world, &["--from", "1h"]).await.exits(1);
    assert_eq!(
        (ran.stdout.as_str(), faults.count(&CallFilter::operation("GetObject"))),
        ("", before),
        "{ran}"
    );
    assert!(before > 0);
    faults.lift();

    // The unreadable records of a broken object might match any rule.
    let broken = world.s3().put_object().bucket(world.bucket().as_str()).key(key(shop, &region, "broken"));
    broken.body(b"not gzip".to_vec().into()).send().await.unwrap();
    let ran = unused(&world, &[]).await.exits(3);
    let reasons = rows(&ran);
    assert!(!reasons.contains("no traffic") && reasons.contains("incomplete records"), "{ran}");
}

/// A line in which every time is replaced by `TIME`.
fn without_times(line: &str) -> String {
    let words =
        line.split(' ').map(|word| if word.ends_with('Z') && word.contains('T') { "TIME" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
