//! What a flow log recorded of a network interface and another end.

use std::net::IpAddr;

use super::{TCP, UDP};

/// Whether a network interface receives or sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// It receives.
    Ingress,
    /// It sends.
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

    /// The direction of this value of `flow-direction`.
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

/// Records of a network interface that have the same addresses, protocol and lower port. What is `None` was not recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedTraffic {
    /// The network interface, by id.
    pub interface: String,
    /// Whether it is accepted traffic. Records of rejected traffic, and those without traffic, only show that there is a flow log.
    pub is_accepted: bool,
    /// Whether a record states that others were skipped.
    pub is_skipped: bool,
    /// When the first of the records starts, in Unix seconds.
    pub since: Option<i64>,
    /// Whether the interface received or sent it.
    pub direction: Option<Direction>,
    /// Where it is from: the address of the section of the path, and that in the packet.
    pub sources: [Option<IpAddr>; 2],
    /// Where it goes.
    pub destinations: [Option<IpAddr>; 2],
    /// The protocol.
    pub protocol: Option<u8>,
    /// The ports.
    pub ports: Option<RecordedPorts>,
    /// Whether a record has the first packet of a connection: SYN.
    pub opens: bool,
    /// Whether a record has the answer to the first packet of a connection: SYN and ACK.
    pub answers: bool,
}

/// The ports of records with the same lower port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedPorts {
    /// The lower port.
    pub lower: u16,
    /// Whether the lower port is that of the destination.
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

/// Ports below this one are those of services: no client of TCP or UDP calls from one of them. Some, such as those of NFS, call from 512
/// to 1023.
///
/// Source: `rresvport` in "rcmd(3)" (Linux Programmer's Manual).
const CALLED_ONLY: u16 = 512;
/// From this port on, every port may be that of a client.
///
/// Source: "NAT gateway basics" (Amazon VPC User Guide), whose gateways call from 1024 to 65535.
const ANY_CLIENT: u16 = 1024;

/// A way to read records: as a request through a rule of this direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) direction: Direction,
    /// The ports that are called.
    pub(super) ports: Option<[u16; 2]>,
    /// The other end, if it is known.
    pub(super) peers: [Option<IpAddr>; 2],
}

impl RecordedTraffic {
    /// Records of this network interface.
    pub fn new(interface: impl Into<String>) -> Self {
        Self { interface: interface.into(), ..Self::default() }
    }

    /// Whether the connections were opened by the source (`true`), by the destination, or may have been by either.
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

    /// The ways in which the records can be read, for an interface that has or has not such an address.
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
