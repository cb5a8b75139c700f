//! Recorded traffic between a network interface and a peer.

use std::net::IpAddr;

use super::{TCP, UDP};

/// The direction of traffic, as seen from a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Received traffic.
    Ingress,
    /// Sent traffic.
    Egress,
}

impl Direction {
    /// The value of `flow-direction`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }

    /// The direction for a value of `flow-direction`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ingress, Self::Egress].into_iter().find(|direction| direction.as_str() == text)
    }

    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Ingress => Self::Egress,
            Self::Egress => Self::Ingress,
        }
    }
}

/// Records of a network interface with the same addresses, protocol and lower port. `None` means not recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct RecordedTraffic {
    /// The ID of the network interface.
    pub interface: String,
    /// Whether it is accepted traffic. Records of rejected traffic and without traffic only show that a flow log exists.
    pub is_accepted: bool,
    /// Whether a record reports skipped records.
    pub is_skipped: bool,
    /// The start of the first record, in Unix seconds.
    pub since: Option<i64>,
    pub direction: Option<Direction>,
    /// The source: the address of the section of the path, and the address in the packet.
    pub sources: [Option<IpAddr>; 2],
    /// The destination, likewise.
    pub destinations: [Option<IpAddr>; 2],
    pub protocol: Option<u8>,
    pub ports: Option<RecordedPorts>,
    /// Whether a record contains the first packet of a connection: SYN.
    pub opens: bool,
    /// Whether a record contains the response to the first packet of a connection: SYN and ACK.
    pub answers: bool,
}

/// The ports of records with the same lower port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedPorts {
    /// The lower port.
    pub lower: u16,
    /// Whether the lower port is the port of the destination.
    pub is_lower_destination: bool,
    /// The first and the last of the higher ports.
    pub higher: [u16; 2],
}

impl RecordedPorts {
    /// A lower port with the first and the last of the higher ones.
    pub fn new(lower: u16, is_lower_destination: bool, higher: [u16; 2]) -> Self {
        Self { lower, is_lower_destination, higher }
    }

    fn of_destination(self) -> [u16; 2] {
        if self.is_lower_destination { [self.lower; 2] } else { self.higher }
    }

    fn of_source(self) -> [u16; 2] {
        if self.is_lower_destination { self.higher } else { [self.lower; 2] }
    }
}

/// Ports below this one belong to services: no TCP or UDP client connects from them. Some clients, such as those of NFS, connect from
/// ports 512 to 1023.
///
/// Source: `rresvport` in "rcmd(3)" (Linux Programmer's Manual).
const CALLED_ONLY: u16 = 512;
/// From this port on, any port may belong to a client.
///
/// Source: "NAT gateway basics" (Amazon VPC User Guide): the gateways connect from ports 1024 to 65535.
const ANY_CLIENT: u16 = 1024;

/// An interpretation of records: a request through a rule of this direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) direction: Direction,
    /// The destination ports.
    pub(super) ports: Option<[u16; 2]>,
    /// The peer, if it is known.
    pub(super) peers: [Option<IpAddr>; 2],
}

impl RecordedTraffic {
    /// Records of this network interface.
    pub fn new(interface: impl Into<String>) -> Self {
        Self { interface: interface.into(), ..Self::default() }
    }

    /// Whether the source (`true`) or the destination (`false`) opened the connections; `None` if either may have.
    fn is_request(&self) -> Option<bool> {
        match (self.opens, self.answers) {
            (true, false) => return Some(true),
            (false, true) => return Some(false),
            (true, true) => return None,
            (false, false) => {}
        }
        let ports = self.ports.filter(|_| matches!(self.protocol, Some(TCP | UDP)))?;
        let is_clear = ports.lower < CALLED_ONLY && ports.higher[0] >= ANY_CLIENT;
        is_clear.then_some(ports.is_lower_destination)
    }

    /// All possible interpretations of the records. `is_own` returns whether an address belongs to the network interface.
    pub(super) fn readings(&self, is_own: impl Fn(IpAddr) -> bool) -> Vec<Reading> {
        let has_own = |ends: [Option<IpAddr>; 2]| ends.into_iter().flatten().any(&is_own);
        let directions = match (self.direction, has_own(self.sources), has_own(self.destinations)) {
            (Some(direction), ..) => vec![direction],
            (None, true, false) => vec![Direction::Egress],
            (None, false, true) => vec![Direction::Ingress],
            (None, ..) => vec![Direction::Ingress, Direction::Egress],
        };
        let is_request = self.is_request();
        let mut readings = Vec::new();
        for direction in directions {
            let peers = match direction {
                Direction::Ingress => self.sources,
                Direction::Egress => self.destinations,
            };
            if is_request != Some(false) {
                let ports = self.ports.map(RecordedPorts::of_destination);
                readings.push(Reading { direction, ports, peers });
            }
            if is_request != Some(true) {
                let ports = self.ports.map(RecordedPorts::of_source);
                readings.push(Reading { direction: direction.opposite(), ports, peers });
            }
        }
        readings
    }
}
