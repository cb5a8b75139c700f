//! The records of a flow on the network interfaces along its path.

use super::network::{End, Flow, GATEWAY, Interface, service_of};

/// The fields of every record: all that the questions read, except tags.
pub(super) const FIELDS: [&str; 33] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "az-id",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
    "ecs-cluster-name",
    "ecs-service-name",
    "ecs-task-id",
    "encryption-status",
    "interface-type",
    "next-hop-az-id",
    "reject-reason",
    "resource-id",
];

/// The values of `tcp-flags`: SYN, SYN with ACK.
const SYN: u8 = 2;
const SYN_ACK: u8 = 18;
/// The values of `traffic-path`.
///
/// Source: "Flow log records", available fields (Amazon VPC User Guide).
const SAME_VPC: u8 = 1;
const PEERING: u8 = 4;
const GATEWAY_ENDPOINT: u8 = 7;
const INTERNET_GATEWAY: u8 = 8;
/// Difference between a client's port and the one that its NAT gateway uses instead.
const TRANSLATED: u16 = 20_000;
const BYTES_OF_A_PACKET: i64 = 1_200;
/// Duration of a record's traffic, in seconds.
const SECONDS: i64 = 540;

/// One hop of a flow in one direction, from an interface or host to the next.
#[derive(Clone, Copy, Debug)]
struct Section {
    from: End,
    to: End,
    /// Addresses in the packets.
    packet: [&'static str; 2],
    ports: [u16; 2],
    /// Value of `traffic-path`, the same in both directions.
    path: u8,
}

impl Section {
    fn reversed(&self) -> Self {
        let Self { from, to, packet: [source, destination], ports: [client, server], path } = *self;
        Self { from: to, to: from, packet: [destination, source], ports: [server, client], path }
    }
}

#[derive(Debug)]
pub(super) struct Record<'f> {
    flow: &'f Flow,
    section: Section,
    interface: &'static Interface,
    is_egress: bool,
    is_answer: bool,
    bytes: i64,
    start: i64,
}

impl<'f> Record<'f> {
    /// The records of a flow and its response on all interfaces.
    pub(super) fn of(flow: &'f Flow, midnight: i64) -> Vec<Self> {
        let start = midnight + flow.hour * 3_600 + flow.minute * 60;
        let mut records = Vec::new();
        let there = way(flow, flow.client, flow.server, flow.ports);
        let back = there.iter().rev().map(|section| section.reversed()).collect();
        for (sections, bytes, is_answer) in [(there, flow.bytes[0], false), (back, flow.bytes[1], true)] {
            for section in sections.into_iter().filter(|_| bytes > 0) {
                for (end, is_egress) in [(section.from, true), (section.to, false)] {
                    let Some(interface) = end.interface() else { continue };
                    records.push(Self { flow, section, interface, is_egress, is_answer, bytes, start });
                }
            }
        }
        records
    }

    pub(super) fn account(&self) -> &'static str {
        self.interface.account
    }

    /// The record as a line of a text file.
    pub(super) fn line(&self) -> String {
        FIELDS.map(|field| self.value(field)).join(" ") + "\n"
    }

    /// The address of an end as the interface sees it: only a NAT gateway itself records its own address.
    fn address(&self, end: End, in_packet: &'static str) -> &'static str {
        match end {
            End::Own(other) if other.kind == GATEWAY && other.id != self.interface.id => in_packet,
            end => end.address(),
        }
    }

    /// The interface at the other end.
    fn other(&self) -> Option<&'static Interface> {
        if self.is_egress { self.section.to.interface() } else { self.section.from.interface() }
    }

    fn value(&self, field: &str) -> String {
        let Self { flow, section, interface, .. } = self;
        // Only the server records a rejection.
        let is_rejected = flow.is_rejected && !self.is_egress;
        let of_service =
            |value: &str| if interface.service == "-" { "-".to_owned() } else { value.to_owned() };
        match field {
            "version" => "11".to_owned(),
            "account-id" => interface.account.to_owned(),
            "interface-id" => interface.id.to_owned(),
            "srcaddr" => self.address(section.from, section.packet[0]).to_owned(),
            "dstaddr" => self.address(section.to, section.packet[1]).to_owned(),
            "srcport" => section.ports[0].to_string(),
            "dstport" => section.ports[1].to_string(),
            "protocol" => "6".to_owned(),
            "packets" => (1 + self.bytes / BYTES_OF_A_PACKET).to_string(),
            "bytes" => self.bytes.to_string(),
            "start" => self.start.to_string(),
            "end" => (self.start + SECONDS).to_string(),
            "action" => if is_rejected { "REJECT" } else { "ACCEPT" }.to_owned(),
            "log-status" => "OK".to_owned(),
            "vpc-id" => interface.vpc.to_owned(),
            "subnet-id" => interface.subnet.to_owned(),
            "instance-id" => interface.instance.to_owned(),
            "tcp-flags" => if self.is_answer { SYN_ACK } else { SYN }.to_string(),
            "pkt-srcaddr" => section.packet[0].to_owned(),
            "pkt-dstaddr" => section.packet[1].to_owned(),
            "az-id" => interface.zone.to_owned(),
            "pkt-src-aws-service" => service_of(section.packet[0]).to_owned(),
            "pkt-dst-aws-service" => service_of(section.packet[1]).to_owned(),
            "flow-direction" => if self.is_egress { "egress" } else { "ingress" }.to_owned(),
            "traffic-path" if self.is_egress => section.path.to_string(),
            "ecs-cluster-name" => of_service("shop"),
            "ecs-service-name" => interface.service.to_owned(),
            "ecs-task-id" => of_service(interface.instance.trim_start_matches("i-")),
            "encryption-status" => if flow.is_encrypted { "1" } else { "0" }.to_owned(),
            "next-hop-az-id" => self.other().map_or("-", |other| other.zone).to_owned(),
            "interface-type" => interface.kind.to_owned(),
            _ => "-".to_owned(),
        }
    }
}

/// The hops from a client to a server. Hosts without a public address reach the internet through their NAT gateway.
fn way(flow: &Flow, from: End, to: End, ports: [u16; 2]) -> Vec<Section> {
    let packet = [from.address(), to.address()];
    let whole = |path| vec![Section { from, to, packet, ports, path }];
    match (from, to) {
        (End::Own(client), End::Own(server)) => {
            whole(if client.vpc == server.vpc { SAME_VPC } else { PEERING })
        }
        _ if flow.by_endpoint => whole(GATEWAY_ENDPOINT),
        (End::Own(Interface { gateway: Some(gateway), .. }), End::Internet(_)) => {
            let gateway = End::Own(gateway);
            let beyond = [gateway.address(), to.address()];
            let translated = [ports[0] - TRANSLATED, ports[1]];
            vec![
                Section { from, to: gateway, packet, ports, path: SAME_VPC },
                Section { from: gateway, to, packet: beyond, ports: translated, path: INTERNET_GATEWAY },
            ]
        }
        _ => whole(INTERNET_GATEWAY),
    }
}
