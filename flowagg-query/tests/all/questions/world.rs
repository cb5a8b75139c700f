//! A small simulated network: its traffic, and the records of each network interface.

use std::net::IpAddr;

use super::record::{Format, Record};

/// A network interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) id: &'static str,
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
    pub(crate) vpc: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) address: &'static str,
    pub(crate) address_v6: &'static str,
    pub(crate) instance: &'static str,
    /// The value of `interface-type`.
    pub(crate) kind: &'static str,
    /// Whether it has a public address; the others use the NAT gateway.
    pub(crate) is_public: bool,
    /// The format of its flow log; `None` if it has no flow log.
    pub(crate) format: Option<Format>,
}

const ACCOUNT_A: &str = "111122223333";
const ACCOUNT_B: &str = "444455556666";

/// The indexes of the NAT gateway and the two transit gateway attachments in the list of interfaces.
const NAT: usize = 3;
const TRANSIT_A: usize = 4;
const TRANSIT_B: usize = 7;
/// The indexes of instances.
const INSTANCES: [usize; 6] = [0, 1, 2, 5, 6, 8];

pub(crate) const NAT_ID: &str = "eni-0aaaaaaaaaaaaaaa4";
pub(crate) const NAT_ADDRESS: &str = "10.0.0.220";
/// The ID of the NAT gateway in worlds where it is a regional NAT gateway.
pub(crate) const REGIONAL_NAT_ID: &str = "nat-0aaaaaaaaaaaaaaa4";

impl Interface {
    pub(crate) fn is_regional(&self) -> bool {
        self.id == REGIONAL_NAT_ID
    }
}

fn interfaces() -> Vec<Interface> {
    let one = |id, account, vpc, zone, address, address_v6, instance, kind| Interface {
        id,
        account,
        region: if vpc == "vpc-c" { "us-east-1" } else { "eu-west-1" },
        vpc,
        zone,
        address,
        address_v6,
        instance,
        kind,
        is_public: !matches!(address, "10.0.1.5" | "10.0.2.7"),
        format: Some(Format::Full),
    };
    let (a, b) = (ACCOUNT_A, ACCOUNT_B);
    vec![
        one(
            "eni-0aaaaaaaaaaaaaaa1",
            a,
            "vpc-a",
            "az1",
            "10.0.1.5",
            "2001:db8:a::5",
            "i-0aaaaaaaaaaaaaaa1",
            "-",
        ),
        one(
            "eni-0aaaaaaaaaaaaaaa2",
            a,
            "vpc-a",
            "az2",
            "10.0.1.6",
            "2001:db8:a::6",
            "i-0aaaaaaaaaaaaaaa2",
            "-",
        ),
        one(
            "eni-0aaaaaaaaaaaaaaa3",
            a,
            "vpc-a",
            "az2",
            "10.0.2.7",
            "2001:db8:a::7",
            "i-0aaaaaaaaaaaaaaa3",
            "-",
        ),
        one(NAT_ID, a, "vpc-a", "az1", NAT_ADDRESS, "-", "-", "nat_gateway"),
        one("eni-0aaaaaaaaaaaaaaa5", a, "vpc-a", "az1", "10.0.9.1", "-", "-", "transit_gateway"),
        one("eni-0bbbbbbbbbbbbbbb1", b, "vpc-b", "az1", "10.40.2.236", "-", "i-0bbbbbbbbbbbbbbb1", "-"),
        one("eni-0bbbbbbbbbbbbbbb2", b, "vpc-b", "az2", "10.40.2.237", "-", "i-0bbbbbbbbbbbbbbb2", "-"),
        one("eni-0bbbbbbbbbbbbbbb3", b, "vpc-b", "az1", "10.40.1.175", "-", "-", "transit_gateway"),
        one("eni-0ccccccccccccccc1", a, "vpc-c", "az1", "10.80.0.9", "-", "i-0ccccccccccccccc1", "-"),
    ]
}

/// Internet hosts, with the AWS service that they belong to.
pub(crate) const HOSTS: [(&str, &str); 5] = [
    ("203.0.113.5", "-"),
    ("198.51.100.77", "-"),
    ("52.95.128.179", "S3"),
    ("52.94.5.10", "DYNAMODB"),
    ("2600:9000::9", "-"),
];

pub(crate) fn service_of(address: &str) -> &'static str {
    HOSTS.iter().find(|(host, _)| *host == address).map_or("-", |(_, service)| service)
}

/// The path from one network interface or host to the next.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) sender: Option<usize>,
    pub(crate) receiver: Option<usize>,
    /// Source and destination as recorded by the interfaces.
    pub(crate) ends: [String; 2],
    /// Source and destination in the packets.
    pub(crate) packet: [String; 2],
    pub(crate) ports: [u16; 2],
    /// The value of `traffic-path` at the sender.
    pub(crate) path: Option<u8>,
}

/// Packets of one flow in one direction, on their path through the network.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) sections: Vec<Section>,
    pub(crate) protocol: u8,
    pub(crate) bytes: i64,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) flags: u8,
    pub(crate) encryption: Option<u8>,
    /// The end that rejects the packets: the sender or the receiver of the last section.
    pub(crate) rejected: Option<Rejects>,
    /// The value of `reject-reason` if it is rejected.
    pub(crate) reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejects {
    Sender,
    Receiver,
}

/// A network, its traffic, and its flow logs.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) events: Vec<Event>,
}

/// Deterministic pseudorandom numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }

    fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize].clone()
    }
}

impl World {
    /// A world with random traffic, whose interfaces each have one of these flow logs. With an odd seed, the NAT
    /// gateway is regional.
    pub(crate) fn new(seed: u64, formats: &[Option<Format>]) -> Self {
        let mut random = Random(seed);
        let mut interfaces = interfaces();
        if !seed.is_multiple_of(2) {
            (interfaces[NAT].id, interfaces[NAT].kind) = (REGIONAL_NAT_ID, "regional_nat_gateway");
        }
        for interface in &mut interfaces {
            interface.format = random.one_of(formats);
        }
        let mut world = Self { interfaces, events: Vec::new() };
        for _ in 0..120 {
            let event = world.event(&mut random);
            world.events.push(event);
        }
        world
    }

    fn event(&self, random: &mut Random) -> Event {
        let from = random.one_of(&INSTANCES);
        let service = random.one_of(&[22, 23, 443, 3389, 5432, 8080]);
        let client = random.one_of(&[40_001, 40_002, 50_003]);
        let is_answer = random.below(3) == 0;
        let ports = if is_answer { [service, client] } else { [client, service] };
        let sections = match random.below(4) {
            0 => self.to_internet(from, &random.one_of(&HOSTS), ports),
            1 => self.received_from_internet(from, &random.one_of(&HOSTS), ports),
            _ => {
                let others: Vec<usize> = INSTANCES.into_iter().filter(|other| *other != from).collect();
                let to = random.one_of(&others);
                let is_v6 = random.below(4) == 0;
                self.between(from, to, ports, is_v6)
            }
        };
        // A few days around a weekend; 2026-03-05 was a Thursday.
        let start = 1_772_668_800 + random.below(5 * 86_400) as i64;
        let only_last = sections.len() == 1;
        let rejected = match random.below(8) {
            0 if only_last => Some(Rejects::Sender),
            1 => Some(Rejects::Receiver),
            _ => None,
        };
        Event {
            sections,
            protocol: random.one_of(&[6, 6, 6, 17]),
            bytes: 1 + random.below(1_000_000) as i64,
            start,
            end: start + 59,
            flags: if is_answer { random.one_of(&[18, 19, 0]) } else { random.one_of(&[2, 3, 0]) },
            encryption: random.one_of(&[None, Some(0), Some(1), Some(3)]),
            rejected,
            reason: random.one_of(&["-", "BPA", "EC"]),
        }
    }

    fn address(&self, interface: usize) -> String {
        self.interfaces[interface].address.to_owned()
    }

    fn section(
        &self,
        sender: Option<usize>,
        receiver: Option<usize>,
        ends: [&str; 2],
        packet: [&str; 2],
        ports: [u16; 2],
    ) -> Section {
        let path = match (sender, receiver) {
            (None, _) => None,
            (Some(_), None) => Some(8),
            (Some(from), Some(to)) => {
                let (from, to) = (&self.interfaces[from], &self.interfaces[to]);
                if from.vpc == to.vpc {
                    Some(1)
                } else if from.region == to.region {
                    None
                } else {
                    Some(5)
                }
            }
        };
        let (ends, packet) = (ends.map(str::to_owned), packet.map(str::to_owned));
        Section { sender, receiver, ends, packet, ports, path }
    }

    fn between(&self, from: usize, to: usize, ports: [u16; 2], is_v6: bool) -> Vec<Section> {
        let (source, destination) = (&self.interfaces[from], &self.interfaces[to]);
        let vpcs = [source.vpc, destination.vpc];
        let pair = if is_v6 && vpcs == ["vpc-a", "vpc-a"] {
            [source.address_v6, destination.address_v6]
        } else {
            [source.address, destination.address]
        };
        let (first, last) = match vpcs {
            ["vpc-a", "vpc-b"] => (TRANSIT_A, TRANSIT_B),
            ["vpc-b", "vpc-a"] => (TRANSIT_B, TRANSIT_A),
            _ => return vec![self.section(Some(from), Some(to), pair, pair, ports)],
        };
        // The transit gateway is between the attachments. The interfaces at the ends record the addresses of the
        // packets.
        let (in_address, out_address) = (self.address(first), self.address(last));
        let mut sections = vec![
            self.section(Some(from), None, pair, pair, ports),
            self.section(None, Some(first), [pair[0], &in_address], pair, ports),
            self.section(Some(last), None, [&out_address, pair[1]], pair, ports),
            self.section(None, Some(to), pair, pair, ports),
        ];
        sections[0].path = None;
        sections[2].path = Some(1);
        sections
    }

    fn own_address(&self, interface: usize, host: &str) -> Option<String> {
        let is_v6 = host.parse::<IpAddr>().unwrap().is_ipv6();
        let interface = &self.interfaces[interface];
        let address = if is_v6 { interface.address_v6 } else { interface.address };
        (address != "-").then(|| address.to_owned())
    }

    fn to_internet(&self, from: usize, host: &(&str, &str), ports: [u16; 2]) -> Vec<Section> {
        let Some(own) = self.own_address(from, host.0) else {
            return self.to_internet(from, &HOSTS[0], ports);
        };
        let pair = [own.as_str(), host.0];
        let first = self.section(Some(from), None, pair, pair, ports);
        if self.is_direct(from, host) {
            return vec![first];
        }
        let translated = [NAT_ADDRESS, host.0];
        let mut sections = vec![
            first,
            self.section(None, Some(NAT), [&own, NAT_ADDRESS], pair, ports),
            self.section(Some(NAT), None, translated, translated, [ports[0] + 11, ports[1]]),
        ];
        sections[0].path = Some(1);
        sections
    }

    fn received_from_internet(&self, to: usize, host: &(&str, &str), ports: [u16; 2]) -> Vec<Section> {
        let Some(own) = self.own_address(to, host.0) else {
            return self.received_from_internet(to, &HOSTS[0], ports);
        };
        let pair = [host.0, own.as_str()];
        let last = self.section(None, Some(to), pair, pair, ports);
        if self.is_direct(to, host) {
            return vec![last];
        }
        let translated = [host.0, NAT_ADDRESS];
        let mut sections = vec![
            self.section(None, Some(NAT), translated, translated, [ports[0], ports[1] + 11]),
            self.section(Some(NAT), None, [NAT_ADDRESS, &own], pair, ports),
            last,
        ];
        sections[1].path = Some(1);
        sections
    }

    fn is_direct(&self, interface: usize, host: &(&str, &str)) -> bool {
        self.interfaces[interface].is_public || host.0.contains(':')
    }

    /// The records of all interfaces with a flow log.
    pub(crate) fn records(&self) -> Vec<Record<'_>> {
        let mut records = Vec::new();
        for event in &self.events {
            let last = event.sections.len() - 1;
            for (place, section) in event.sections.iter().enumerate() {
                for (end, is_egress) in [(section.sender, true), (section.receiver, false)] {
                    let Some(interface) = end.map(|end| &self.interfaces[end]) else { continue };
                    let is_last = place == last;
                    if event.rejected == Some(Rejects::Sender) && !is_egress || interface.format.is_none() {
                        continue;
                    }
                    let rejects = if is_egress { Rejects::Sender } else { Rejects::Receiver };
                    let is_accepted = !(is_last && event.rejected == Some(rejects));
                    let next = if is_egress { section.receiver } else { section.sender };
                    let next = next.map(|next| &self.interfaces[next]);
                    let record = Record {
                        event,
                        section,
                        interface,
                        next,
                        is_egress,
                        is_accepted,
                        bytes: event.bytes,
                    };
                    // The sender's intervals are shorter: it has two records for each record of the receiver.
                    if is_egress && event.bytes > 1 {
                        records.push(Record { bytes: event.bytes / 2, ..record.clone() });
                        records.push(Record { bytes: event.bytes - event.bytes / 2, ..record });
                    } else {
                        records.push(record);
                    }
                }
            }
        }
        records
    }

    /// The text of each interface's object, including the header.
    pub(crate) fn texts(&self) -> Vec<(&Interface, String)> {
        let records = self.records();
        let logged = self.interfaces.iter().filter(|interface| interface.format.is_some());
        let texts = logged.map(|interface| {
            let fields = interface.format.unwrap().fields();
            let mut text = fields.join(" ") + "\n";
            for record in records.iter().filter(|record| record.interface.id == interface.id) {
                let values: Vec<String> = fields.iter().map(|field| record.value(field)).collect();
                text += &(values.join(" ") + "\n");
            }
            // An interval without traffic.
            let empty = fields.iter().map(|field| match *field {
                "version" => "5",
                "account-id" => interface.account,
                "interface-id" if !interface.is_regional() => interface.id,
                "start" => "1772668800",
                "end" => "1772668859",
                "log-status" => "NODATA",
                _ => "-",
            });
            text += &(empty.collect::<Vec<_>>().join(" ") + "\n");
            (interface, text)
        });
        texts.collect()
    }
}
