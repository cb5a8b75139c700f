//! The query about security group rules: its results are compared with the simulated traffic and with each record on
//! its own.

use std::collections::BTreeSet;
use std::net::IpAddr;

use flowagg_core::flow_log::FileFormat;
use flowagg_core::id::{AccountId, Place, Region};
use flowagg_core::question::{
    Direction, GroupInterface, Network, RecordedPorts, RecordedTraffic, RulePeer, RuleProtocol, RuleUsage,
    SecurityGroup, SecurityGroupRule, SecurityGroups,
};
use flowagg_query::{FlowLogs, recorded_traffic};

use super::record::{Format, Record};
use super::world::{Interface, World};
use super::{Home, Object, bucket, session, session_of, sql};

const PORTS: [u16; 6] = [22, 23, 443, 3389, 5432, 8080];
const NETWORKS: [&str; 4] = ["0.0.0.0/0", "10.0.0.0/8", "::/0", "203.0.113.0/24"];

fn group_of(interface: &Interface) -> String {
    interface.id.replace("eni-", "sg-")
}

/// A group for each network interface, with rules for every port, network and group in both directions.
fn groups(world: &World) -> SecurityGroups {
    let mut found = SecurityGroups::default();
    found.networks = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap()).to_vec();
    let networks = NETWORKS.map(|network| RulePeer::Network(network.parse().unwrap()));
    let of_groups = world.interfaces.iter().map(|interface| RulePeer::Group(group_of(interface)));
    let peers: Vec<RulePeer> = networks.into_iter().chain(of_groups).collect();
    for interface in &world.interfaces {
        let id = group_of(interface);
        let place = Place::new(
            AccountId::parse(interface.account).unwrap(),
            &Region::parse(interface.region).unwrap(),
        );
        let mut group = SecurityGroup::new(place, interface.id);
        group.vpc = Some(interface.vpc.to_owned());
        found.groups.insert(id.clone(), group);
        let addresses = [interface.address, interface.address_v6].into_iter();
        let mut own = GroupInterface::default();
        own.groups = vec![id.clone()];
        own.vpc = Some(interface.vpc.to_owned());
        own.addresses = addresses.filter_map(|it| it.parse::<IpAddr>().ok()).map(Network::from).collect();
        own.is_in_use = true;
        found.interfaces.insert(interface.id.to_owned(), own);
        for (number, peer) in peers.iter().enumerate() {
            for direction in [Direction::Ingress, Direction::Egress] {
                for port in PORTS {
                    for protocol in ["tcp", "udp"] {
                        let mut rule = SecurityGroupRule::new(&id, direction, peer.clone());
                        rule.protocol = RuleProtocol::parse(protocol);
                        rule.ports = [Some(i32::from(port)); 2];
                        let name = format!("{id} {} {protocol} {port} {number}", direction.as_str());
                        found.rules.insert(name, rule);
                    }
                }
            }
        }
    }
    found
}

fn reported(found: &SecurityGroups, seen: impl IntoIterator<Item = RecordedTraffic>) -> BTreeSet<String> {
    let mut usage = RuleUsage::new(found.clone());
    seen.into_iter().for_each(|traffic| usage.see(&traffic));
    usage.unused().into_iter().map(|rule| rule.id).collect()
}

/// A single record as a row, to compare with the rows that SQL groups.
fn alone(record: &Record<'_>) -> RecordedTraffic {
    let fields = record.interface.format.unwrap().fields();
    let value = |field: &str| {
        let value = fields.contains(&field).then(|| record.value(field));
        value.filter(|value| value != "-")
    };
    let address = |field: &str| value(field).map(|text| text.parse().unwrap());
    let port = |field: &str| value(field).map(|text| text.parse::<u16>().unwrap());
    let mut traffic = RecordedTraffic::new(record.interface_id());
    traffic.is_accepted = value("action").as_deref() != Some("REJECT");
    traffic.direction = value("flow-direction").and_then(|text| Direction::parse(&text));
    traffic.sources = ["srcaddr", "pkt-srcaddr"].map(address);
    traffic.destinations = ["dstaddr", "pkt-dstaddr"].map(address);
    traffic.protocol = value("protocol").map(|text| text.parse().unwrap());
    let ports = port("srcport").zip(port("dstport"));
    traffic.ports = ports.map(|(from, to)| RecordedPorts::new(from.min(to), to <= from, [from.max(to); 2]));
    let flags = value("tcp-flags").filter(|_| traffic.protocol == Some(6));
    traffic.opens = matches!(flags.as_deref(), Some("2" | "3"));
    traffic.answers = matches!(flags.as_deref(), Some("18" | "19"));
    traffic
}

/// The rules that requests used at the network interfaces.
fn used(world: &World, found: &SecurityGroups) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for record in world.records() {
        // Regional NAT gateways have no network interface, and so no security group.
        if record.interface.is_regional() {
            continue;
        }
        let [client, service] = record.section.ports;
        if !record.is_accepted || client < service || record.section.ends != record.section.packet {
            continue;
        }
        let (direction, peer) = if record.is_egress {
            (Direction::Egress, &record.section.ends[1])
        } else {
            (Direction::Ingress, &record.section.ends[0])
        };
        let peer: IpAddr = peer.parse().unwrap();
        let protocol = RuleProtocol::Number(record.event.protocol);
        let is_used = |rule: &SecurityGroupRule| {
            let is_peer = match &rule.peer {
                RulePeer::Network(network) => network.contains(peer),
                RulePeer::Group(group) => world.interfaces.iter().any(|interface| {
                    let own = [interface.address, interface.address_v6];
                    group_of(interface) == *group && own.iter().any(|own| *own == peer.to_string())
                }),
                other => panic!("{other}"),
            };
            rule.group == group_of(record.interface)
                && rule.direction == direction
                && rule.protocol == protocol
                && rule.ports[0] == Some(i32::from(service))
                && is_peer
        };
        used.extend(found.rules.iter().filter(|(_, rule)| is_used(rule)).map(|(id, _)| id.clone()));
    }
    used
}

#[tokio::test]
async fn used_rules_are_never_reported_and_grouping_reports_no_fewer_rules() {
    use Format::{Default, Directed, Full};
    let formats: [&[Option<Format>]; 3] =
        [&[Some(Full)], &[Some(Full), Some(Default), None], &[Some(Directed), Some(Default)]];
    for (seed, formats) in formats.iter().cycle().take(6).enumerate() {
        let world = World::new(seed as u64, formats);
        let found = groups(&world);
        let session = session_of(&world).await;
        let batches = session.sql(&sql("unused-rules")).await.unwrap().collect().await.unwrap();
        let rows: Vec<RecordedTraffic> =
            batches.iter().flat_map(|batch| recorded_traffic(batch).unwrap()).collect();
        let grouped = reported(&found, rows);
        let used = used(&world, &found);
        assert!(used.is_disjoint(&grouped), "world {seed}: {:?}", used.intersection(&grouped).next());
        assert!(!used.is_empty() && !grouped.is_empty(), "world {seed}");
        // Grouped records report every rule that the same records report individually, and possibly more.
        let alone = reported(&found, world.records().iter().map(alone));
        assert!(alone.is_subset(&grouped), "world {seed}: {:?}", alone.difference(&grouped).next());
    }
}

/// The reason reported for a rule for port 22, given the text of the network interface's object.
async fn why(text: &str) -> String {
    let mut found = SecurityGroups::default();
    let place = Place::new(AccountId::parse("111122223333").unwrap(), &Region::parse("eu-west-1").unwrap());
    found.groups.insert("sg-1".into(), SecurityGroup::new(place, "one"));
    let mut own = GroupInterface::default();
    (own.groups, own.vpc, own.is_in_use) = (vec!["sg-1".into()], Some("vpc-1".into()), true);
    own.addresses = vec![Network::from("10.0.0.2".parse::<IpAddr>().unwrap())];
    found.interfaces.insert("eni-1".into(), own);
    let network = RulePeer::Network("10.0.0.0/8".parse().unwrap());
    let mut rule = SecurityGroupRule::new("sg-1", Direction::Ingress, network);
    (rule.protocol, rule.ports) = (RuleProtocol::parse("tcp"), [Some(22); 2]);
    found.rules.insert("sgr-1".into(), rule);
    let object = Object::new(&Home::PLAIN, 1_772_668_800, 0, FileFormat::PlainText, text.to_owned());
    let session = session(FlowLogs::new(bucket(&[object]).await));
    let batches = session.sql(&sql("unused-rules")).await.unwrap().collect().await.unwrap();
    let mut usage = RuleUsage::new(found);
    for batch in &batches {
        recorded_traffic(batch).unwrap().iter().for_each(|traffic| usage.see(traffic));
    }
    let unused = usage.unused();
    unused.first().map_or("used".to_owned(), |rule| format!("{} since {:?}", rule.why.as_str(), rule.since))
}

#[tokio::test]
async fn rejected_and_empty_records_use_no_rule_and_incomplete_records_use_any() {
    const HEADER: &str = "interface-id srcaddr dstaddr srcport dstport protocol start action log-status\n";
    for (records, expected) in [
        ("eni-1 10.0.0.1 10.0.0.2 40000 22 6 7 ACCEPT OK\n", "used"),
        ("eni-1 10.0.0.1 10.0.0.2 40000 22 6 7 REJECT OK\n", "incomplete records since Some(7)"),
        ("eni-1 - - - - - 7 - NODATA\n", "incomplete records since Some(7)"),
        (
            "eni-1 10.0.0.1 10.0.0.2 40000 443 6 7 ACCEPT OK\neni-1 - - - - - 5 - NODATA\n",
            "no traffic since Some(5)",
        ),
        (
            "eni-1 10.0.0.1 10.0.0.2 40000 443 6 7 ACCEPT OK\neni-1 - - - - - 9 - SKIPDATA\n",
            "incomplete records since Some(7)",
        ),
        ("eni-2 10.0.0.1 10.0.0.2 40000 22 6 7 ACCEPT OK\n", "no records since None"),
    ] {
        assert_eq!(why(&format!("{HEADER}{records}")).await, expected, "{records}");
    }
    for (text, expected) in [
        ("interface-id srcaddr dstaddr protocol action\neni-1 10.0.0.1 10.0.0.2 6 ACCEPT\n", "used"),
        ("interface-id srcaddr dstaddr protocol\neni-1 10.0.0.1 10.0.0.2 6\n", "used"),
        ("interface-id srcaddr dstaddr protocol\neni-1 10.0.0.1 10.0.0.2 17\n", "no traffic since None"),
        ("interface-id srcaddr dstaddr protocol\neni-1 - - -\n", "incomplete records since None"),
        ("interface-id bytes\neni-1 700\n", "used"),
    ] {
        assert_eq!(why(text).await, expected, "{text}");
    }
}
