use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::id::{AccountId, Region};

fn place() -> Place {
    Place::new(AccountId::parse("222222222222").unwrap(), &Region::parse("eu-west-1").unwrap())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn network(text: &str) -> RulePeer {
    RulePeer::Network(text.parse().unwrap())
}

/// A rule for these TCP ports.
fn tcp(group: &str, direction: Direction, ports: [i32; 2], peer: RulePeer) -> SecurityGroupRule {
    let mut rule = SecurityGroupRule::new(group, direction, peer);
    (rule.protocol, rule.ports) = (RuleProtocol::parse("tcp"), ports.map(Some));
    rule
}

fn interface(vpc: &str, groups: &[&str], own: &str) -> GroupInterface {
    GroupInterface {
        groups: groups.iter().map(|&id| id.to_owned()).collect(),
        vpc: Some(vpc.to_owned()),
        addresses: vec![Network::from(address(own))],
        is_in_use: true,
    }
}

/// Two network interfaces in a VPC: `eni-app` (10.0.0.1) in `sg-app`, and `eni-db` (10.0.0.2) in `sg-db`. `sg-old` has none.
fn found(rules: Vec<(&str, SecurityGroupRule)>) -> SecurityGroups {
    let mut found = SecurityGroups::default();
    for id in ["sg-app", "sg-db", "sg-old"] {
        let mut group = SecurityGroup::new(place(), id.trim_start_matches("sg-"));
        group.vpc = Some("vpc-1".to_owned());
        found.groups.insert(id.to_owned(), group);
    }
    for (id, group, own) in [("eni-app", "sg-app", "10.0.0.1"), ("eni-db", "sg-db", "10.0.0.2")] {
        found.interfaces.insert(id.to_owned(), interface("vpc-1", &[group], own));
    }
    found.rules = rules.into_iter().map(|(id, rule)| (id.to_owned(), rule)).collect();
    found.networks = vec!["10.0.0.0/16".parse().unwrap()];
    found
}

/// TCP traffic between two addresses as recorded by an interface, with the lower port last.
fn traffic(interface: &str, source: &str, destination: &str, ports: [u16; 2]) -> RecordedTraffic {
    let [from, to] = ports;
    let mut traffic = RecordedTraffic::new(interface);
    traffic.is_accepted = true;
    traffic.sources[0] = Some(address(source));
    traffic.destinations[0] = Some(address(destination));
    traffic.protocol = Some(TCP);
    traffic.ports = Some(RecordedPorts::new(from.min(to), to <= from, [from.max(to); 2]));
    traffic
}

/// The reported rules with the reason.
fn reported(found: SecurityGroups, seen: &[RecordedTraffic]) -> Vec<(String, &'static str)> {
    let mut usage = RuleUsage::new(found);
    seen.iter().for_each(|traffic| usage.see(traffic));
    usage.unused().into_iter().map(|rule| (rule.id, rule.why.as_str())).collect()
}

fn rules(names: &[&str], why: &'static str) -> Vec<(String, &'static str)> {
    names.iter().map(|name| ((*name).to_owned(), why)).collect()
}

use Direction::{Egress, Ingress};

#[test]
fn requests_use_all_matching_rules_and_responses_none() {
    let found = found(vec![
        ("in-network", tcp("sg-db", Ingress, [5432, 5432], network("10.0.0.0/24"))),
        ("in-group", tcp("sg-db", Ingress, [5000, 6000], RulePeer::Group("sg-app".into()))),
        ("in-other-port", tcp("sg-db", Ingress, [22, 22], network("10.0.0.0/24"))),
        ("in-other-network", tcp("sg-db", Ingress, [5432, 5432], network("10.1.0.0/24"))),
        ("in-other-group", tcp("sg-db", Ingress, [5432, 5432], RulePeer::Group("sg-db".into()))),
        ("out", SecurityGroupRule::new("sg-db", Egress, network("0.0.0.0/0"))),
    ]);
    let mut request = traffic("eni-db", "10.0.0.1", "10.0.0.2", [40_000, 5432]);
    request.opens = true;
    let mut answer = traffic("eni-db", "10.0.0.2", "10.0.0.1", [5432, 40_000]);
    answer.answers = true;
    let expected = rules(&["in-other-port", "in-other-network", "in-other-group", "out"], "no traffic");
    let mut seen = reported(found, &[request, answer]);
    seen.sort();
    let mut expected = expected;
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn ambiguous_connections_use_rules_of_both_directions() {
    let both = || {
        vec![
            ("in", tcp("sg-db", Ingress, [2049, 2049], network("10.0.0.0/24"))),
            ("out", tcp("sg-db", Egress, [700, 700], network("10.0.0.0/24"))),
        ]
    };
    let unused = |ports, opens| {
        let mut traffic = traffic("eni-db", "10.0.0.1", "10.0.0.2", ports);
        traffic.direction = Some(Ingress);
        traffic.opens = opens;
        reported(found(both()), &[traffic])
    };
    // An NFS client connects from a port below 1024.
    assert_eq!(unused([700, 2049], false), []);
    assert_eq!(unused([700, 2049], true), rules(&["out"], "no traffic"));
    // SSH is never a client port, and the response goes to a port without a rule.
    assert_eq!(unused([22, 40_000], false), rules(&["in", "out"], "no traffic"));
}

#[test]
fn missing_direction_is_derived_from_addresses() {
    let both = || {
        vec![
            ("in", tcp("sg-db", Ingress, [443, 443], network("10.0.0.0/24"))),
            ("out", tcp("sg-db", Egress, [443, 443], network("10.0.0.0/24"))),
        ]
    };
    let unused = |source, destination| {
        reported(found(both()), &[traffic("eni-db", source, destination, [40_000, 443])])
    };
    assert_eq!(unused("10.0.0.1", "10.0.0.2"), rules(&["out"], "no traffic"));
    assert_eq!(unused("10.0.0.2", "10.0.0.1"), rules(&["in"], "no traffic"));
    // The interface has neither address, but may have had one of them.
    assert_eq!(unused("10.0.0.8", "10.0.0.9"), []);
}

#[test]
fn addresses_of_deleted_interfaces_may_belong_to_any_group() {
    let rule = || vec![("in", tcp("sg-db", Ingress, [5432, 5432], RulePeer::Group("sg-old".into())))];
    let unused = |source| reported(found(rule()), &[traffic("eni-db", source, "10.0.0.2", [40_000, 5432])]);
    assert_eq!(unused("10.0.7.7"), []);
    assert_eq!(unused("10.0.0.1"), rules(&["in"], "no traffic"));
    assert_eq!(unused("203.0.113.9"), rules(&["in"], "no traffic"));

    // The same address in an unrelated network is not evidence.
    let mut elsewhere = found(rule());
    elsewhere.interfaces.insert("eni-far".into(), interface("vpc-2", &["sg-far"], "10.0.7.7"));
    let traffic = traffic("eni-db", "10.0.7.7", "10.0.0.2", [40_000, 5432]);
    assert_eq!(reported(elsewhere, &[traffic]), []);
}

#[test]
fn missing_data_counts_as_use() {
    let found = |peer| found(vec![("in", tcp("sg-db", Ingress, [5432, 5432], peer))]);
    let from = |source| traffic("eni-db", source, "10.0.0.2", [40_000, 5432]);
    for peer in [
        RulePeer::Group("sg-of-another-account".into()),
        RulePeer::PrefixList("pl-1".into(), None),
        RulePeer::Unknown("?".into()),
    ] {
        assert_eq!(reported(found(peer), &[from("198.51.100.1")]), []);
    }
    let list = RulePeer::PrefixList("pl-1".into(), Some(vec!["198.51.100.0/24".parse().unwrap()]));
    assert_eq!(reported(found(list.clone()), &[from("198.51.100.1")]), []);
    assert_eq!(reported(found(list), &[from("203.0.113.1")]), rules(&["in"], "no traffic"));

    let mut bare = RecordedTraffic::new("eni-db");
    bare.is_accepted = true;
    assert_eq!(reported(found(network("192.0.2.0/24")), &[bare.clone()]), []);
    bare.protocol = Some(UDP);
    assert_eq!(reported(found(network("192.0.2.0/24")), &[bare]), rules(&["in"], "no traffic"));
}

#[test]
fn no_traffic_requires_complete_records() {
    let mut two = found(vec![("in", tcp("sg-db", Ingress, [22, 22], network("10.0.0.0/24")))]);
    two.interfaces.insert("eni-db2".into(), interface("vpc-1", &["sg-db"], "10.0.0.3"));
    let why = |found: &SecurityGroups, seen: &[RecordedTraffic]| reported(found.clone(), seen)[0].1;
    let of = |id: &str| traffic(id, "10.0.0.9", "10.0.0.2", [40_000, 443]);
    let idle = RecordedTraffic::new;
    let mut skipped = RecordedTraffic::new("eni-db2");
    skipped.is_skipped = true;
    for (seen, expected) in [
        (vec![], "no records"),
        (vec![of("eni-app")], "no records"),
        (vec![of("eni-db")], "incomplete records"),
        (vec![of("eni-db"), of("eni-db2")], "no traffic"),
        // It is idle, and others in the VPC show that accepted traffic is recorded.
        (vec![of("eni-db"), idle("eni-db2")], "no traffic"),
        (vec![of("eni-app"), idle("eni-db"), idle("eni-db2")], "no traffic"),
        // The flow logs may only record rejected traffic.
        (vec![idle("eni-db"), idle("eni-db2")], "incomplete records"),
        (vec![of("eni-db"), of("eni-db2"), skipped], "incomplete records"),
    ] {
        assert_eq!(why(&two, &seen), expected, "{seen:?}");
    }
    // A detached interface has no records, unless it was attached before.
    two.interfaces.get_mut("eni-db2").unwrap().is_in_use = false;
    assert_eq!(why(&two, &[of("eni-db")]), "no traffic");
    two.interfaces.get_mut("eni-db").unwrap().is_in_use = false;
    assert_eq!(why(&two, &[]), "no network interface");
    assert_eq!(why(&two, &[of("eni-db2")]), "no traffic");
}

#[test]
fn unreadable_records_make_results_incomplete() {
    let mut usage =
        RuleUsage::new(found(vec![("in", tcp("sg-db", Ingress, [22, 22], network("10.0.0.0/24")))]));
    usage.see(&traffic("eni-db", "10.0.0.9", "10.0.0.2", [40_000, 443]));
    assert_eq!(usage.unused()[0].why, WhyUnused::NoTraffic);
    usage.miss_records();
    assert_eq!(usage.unused()[0].why, WhyUnused::IncompleteRecords);
}

#[test]
fn deleted_interfaces_are_counted() {
    let mut usage =
        RuleUsage::new(found(vec![("in", tcp("sg-old", Ingress, [22, 22], network("10.0.0.0/24")))]));
    for id in ["eni-gone", "eni-gone", "eni-gone2"] {
        usage.see(&traffic(id, "10.0.0.9", "10.0.0.2", [40_000, 22]));
    }
    usage.see(&RecordedTraffic::new("eni-idle"));
    assert_eq!(usage.gone(), 2);
    let unused = usage.unused();
    assert_eq!((unused[0].why, unused[0].interfaces, unused[0].since), (WhyUnused::NoInterface, 0, None));
}

#[test]
fn ports_and_protocols_are_formatted_like_the_console() {
    for (protocol, ports, expected) in [
        ("tcp", [Some(443), Some(443)], "tcp 443"),
        ("udp", [Some(1024), Some(65_535)], "udp 1024-65535"),
        ("tcp", [Some(0), Some(65_535)], "tcp all"),
        ("icmp", [Some(8), Some(-1)], "icmp type 8"),
        ("icmp", [Some(3), Some(4)], "icmp type 3 code 4"),
        ("icmpv6", [Some(-1), Some(-1)], "icmpv6 all"),
        ("-1", [None, None], "all all"),
        ("50", [None, None], "50 all"),
        ("quic", [None, None], "quic all"),
    ] {
        let mut rule = SecurityGroupRule::new("sg-1", Ingress, network("0.0.0.0/0"));
        (rule.protocol, rule.ports) = (RuleProtocol::parse(protocol), ports);
        assert_eq!(format!("{} {}", rule.protocol, rule.ports()), expected);
    }
}

/// A connection between two ends.
#[derive(Clone, Debug)]
struct Happened {
    /// The last octets of the addresses.
    from: u8,
    to: u8,
    protocol: u8,
    client: u16,
    service: u16,
}

/// Which parts of it are recorded.
#[derive(Clone, Copy, Debug)]
struct Evidence {
    flags: bool,
    direction: bool,
    protocol: bool,
    ports: bool,
    packets: bool,
}

const WHOLE: Evidence = Evidence { flags: true, direction: true, protocol: true, ports: true, packets: true };

/// Last octets of addresses: 1 to 4 are network interfaces, 5 and 6 are deleted ones of `sg-a`, and 9 is on the internet.
fn ip(number: u8) -> Ipv4Addr {
    if number == 9 { Ipv4Addr::new(203, 0, 113, 9) } else { Ipv4Addr::new(10, 0, 0, number) }
}

const GROUPS: [&str; 3] = ["sg-a", "sg-b", "sg-c"];

/// The groups of an address while it was used.
fn groups_of(number: u8) -> &'static [&'static str] {
    match number {
        1 | 5 | 6 => &["sg-a"],
        2 => &["sg-b"],
        3 => &["sg-a", "sg-b"],
        _ => &[],
    }
}

impl Happened {
    /// The records of existing network interfaces.
    fn recorded(&self, evidence: Evidence) -> Vec<RecordedTraffic> {
        let mut all = Vec::new();
        for (is_answer, [from, to], [srcport, dstport]) in [
            (false, [self.from, self.to], [self.client, self.service]),
            (true, [self.to, self.from], [self.service, self.client]),
        ] {
            for (end, direction) in [(from, Egress), (to, Ingress)] {
                if !(1..=4).contains(&end) {
                    continue;
                }
                let mut traffic = traffic(
                    &format!("eni-{end}"),
                    &ip(from).to_string(),
                    &ip(to).to_string(),
                    [srcport, dstport],
                );
                let has_flags = evidence.flags && self.protocol == TCP;
                (traffic.opens, traffic.answers) = (has_flags && !is_answer, has_flags && is_answer);
                traffic.direction = Some(direction).filter(|_| evidence.direction);
                traffic.protocol = Some(self.protocol).filter(|_| evidence.protocol);
                traffic.ports = traffic.ports.filter(|_| evidence.ports);
                if evidence.packets {
                    (traffic.sources[1], traffic.destinations[1]) =
                        (traffic.sources[0], traffic.destinations[0]);
                }
                all.push(traffic);
            }
        }
        all
    }

    /// Whether it used a rule according to AWS's documentation, with complete knowledge.
    fn used(&self, rule: &SecurityGroupRule) -> bool {
        let (own, peer) = if rule.direction == Ingress { (self.to, self.from) } else { (self.from, self.to) };
        let is_at_group = (1..=4).contains(&own) && groups_of(own).contains(&rule.group.as_str());
        let is_port = rule.protocol == RuleProtocol::All
            || rule.protocol == RuleProtocol::Number(self.protocol)
                && (rule.ports[0]..=rule.ports[1]).contains(&Some(i32::from(self.service)));
        let is_peer = match &rule.peer {
            RulePeer::Group(group) => groups_of(peer).contains(&group.as_str()),
            RulePeer::Network(network) => match network.to_string().as_str() {
                "0.0.0.0/0" => true,
                "10.0.0.0/30" => (1..=3).contains(&peer),
                "203.0.113.9/32" => peer == 9,
                other => unreachable!("{other}"),
            },
            other => unreachable!("{other}"),
        };
        is_at_group && is_port && is_peer
    }
}

fn any_rule() -> impl Strategy<Value = SecurityGroupRule> {
    let peers = prop_oneof![
        prop::sample::select(vec!["0.0.0.0/0", "10.0.0.0/30", "203.0.113.9/32"]).prop_map(network),
        prop::sample::select(GROUPS.to_vec()).prop_map(|group| RulePeer::Group(group.into())),
    ];
    let ports = prop::sample::select(vec![
        [22, 22],
        [443, 443],
        [0, 65_535],
        [2000, 6000],
        [1024, 65_535],
        [5432, 5432],
    ]);
    let protocols = prop::sample::select(vec!["-1", "tcp", "udp"]);
    (prop::sample::select(GROUPS.to_vec()), any::<bool>(), protocols, ports, peers).prop_map(
        |(group, is_egress, protocol, ports, peer)| {
            let mut rule = tcp(group, if is_egress { Egress } else { Ingress }, ports, peer);
            rule.protocol = RuleProtocol::parse(protocol);
            rule
        },
    )
}

fn happened(ends: Vec<u8>, protocols: Vec<u8>) -> impl Strategy<Value = Happened> {
    let ports = |all: &[u16]| prop::sample::select(all.to_vec());
    let ends = prop::sample::select(ends);
    let (clients, services) = (ports(&[700, 1500, 40_000, 60_000]), ports(&[22, 443, 2049, 5432, 50_000]));
    (ends.clone(), ends, prop::sample::select(protocols), clients, services)
        .prop_filter("two ends", |(from, to, ..)| from != to)
        .prop_map(|(from, to, protocol, client, service)| Happened { from, to, protocol, client, service })
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    any::<[bool; 5]>().prop_map(|[flags, direction, protocol, ports, packets]| Evidence {
        flags,
        direction,
        protocol,
        ports,
        packets,
    })
}

/// The rules with four network interfaces, of which the last has no group.
fn world(rules: &[SecurityGroupRule]) -> SecurityGroups {
    let mut found = SecurityGroups::default();
    for id in GROUPS {
        let mut group = SecurityGroup::new(place(), id);
        group.vpc = Some("vpc-1".to_owned());
        found.groups.insert(id.to_owned(), group);
    }
    for number in 1..=4 {
        let own = interface("vpc-1", groups_of(number), &ip(number).to_string());
        found.interfaces.insert(format!("eni-{number}"), own);
    }
    found.rules =
        rules.iter().enumerate().map(|(number, rule)| (format!("{number}"), rule.clone())).collect();
    found.networks = vec!["10.0.0.0/24".parse().unwrap()];
    found
}

fn unused(rules: &[SecurityGroupRule], seen: impl IntoIterator<Item = RecordedTraffic>) -> Vec<usize> {
    let mut usage = RuleUsage::new(world(rules));
    seen.into_iter().for_each(|traffic| usage.see(&traffic));
    let mut unused: Vec<usize> = usage.unused().iter().map(|rule| rule.id.parse().unwrap()).collect();
    unused.sort_unstable();
    unused
}

proptest! {
    /// Holds for any recorded data and any deleted network interfaces.
    #[test]
    fn used_rules_are_never_reported(
        rules in prop::collection::vec(any_rule(), 1..12),
        events in prop::collection::vec((happened(vec![1, 2, 3, 4, 5, 6, 9], vec![TCP, UDP]), any_evidence()), 0..12),
    ) {
        let seen = events.iter().flat_map(|(event, evidence)| event.recorded(*evidence));
        for number in unused(&rules, seen) {
            prop_assert!(!events.iter().any(|(event, _)| event.used(&rules[number])), "{:?}", rules[number]);
        }
    }

    #[test]
    fn unused_rules_are_reported_if_everything_is_recorded(
        rules in prop::collection::vec(any_rule(), 1..12),
        events in prop::collection::vec(happened(vec![1, 2, 3, 4, 9], vec![TCP]), 0..12),
    ) {
        let expected: Vec<usize> = (0..rules.len()).filter(|number| !events.iter().any(|event| event.used(&rules[*number]))).collect();
        prop_assert_eq!(unused(&rules, events.iter().flat_map(|event| event.recorded(WHOLE))), expected);
    }
}
