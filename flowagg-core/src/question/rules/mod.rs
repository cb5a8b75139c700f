//! Finds unused security group rules by comparing rules and network interfaces from Amazon EC2 with recorded traffic.
//!
//! Users may delete a rule that is reported as unused, so anything uncertain counts as use: which end opened a connection, the
//! addresses of deleted network interfaces, and fields that are not recorded.

mod addresses;
mod traffic;
mod unused;
mod usage;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::argument::Network;
use crate::id::Place;

pub use traffic::{Direction, RecordedPorts, RecordedTraffic};
pub use unused::{UnusedRule, WhyUnused};
pub use usage::RuleUsage;

/// The security groups of account-regions, with the data for deciding whether a rule was used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecurityGroups {
    /// The groups, by ID.
    pub groups: BTreeMap<String, SecurityGroup>,
    /// The rules, by ID.
    pub rules: BTreeMap<String, SecurityGroupRule>,
    /// The network interfaces, by ID.
    pub interfaces: BTreeMap<String, GroupInterface>,
    /// The networks of the VPCs. An address in one of them may have belonged to a deleted network interface.
    pub networks: Vec<Network>,
}

impl SecurityGroups {
    /// Adds the security groups of another account-region.
    pub fn extend(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.rules.extend(other.rules);
        self.interfaces.extend(other.interfaces);
        self.networks.extend(other.networks);
    }
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct SecurityGroup {
    /// The account that owns it, and its region.
    pub place: Place,
    pub name: String,
    pub vpc: Option<String>,
}

impl SecurityGroup {
    /// A group with this name.
    pub fn new(place: Place, name: impl Into<String>) -> Self {
        Self { place, name: name.into(), vpc: None }
    }
}

/// A network interface, with the properties that rules refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct GroupInterface {
    /// The IDs of its security groups.
    pub groups: Vec<String>,
    pub vpc: Option<String>,
    /// Its private IPv4 addresses, its IPv6 addresses, and its delegated prefixes.
    pub addresses: Vec<Network>,
    /// Whether it is attached. A detached network interface has no traffic.
    pub is_in_use: bool,
}

/// A rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct SecurityGroupRule {
    /// The ID of its security group.
    pub group: String,
    /// The direction, as seen from the network interface.
    pub direction: Direction,
    pub protocol: RuleProtocol,
    /// The first and the last port of TCP and UDP, or the type and the code of ICMP. `None` and -1 mean all.
    pub ports: [Option<i32>; 2],
    /// The other end.
    pub peer: RulePeer,
    pub description: Option<String>,
}

impl SecurityGroupRule {
    /// A rule for all protocols.
    pub fn new(group: impl Into<String>, direction: Direction, peer: RulePeer) -> Self {
        let group = group.into();
        Self { group, direction, protocol: RuleProtocol::All, ports: [None; 2], peer, description: None }
    }

    /// The ports as text: `443`, `1024-65535`, `type 8`, `all`.
    pub fn ports(&self) -> String {
        let [from, to] = self.ports.map(|port| port.filter(|port| *port >= 0));
        match (&self.protocol, from, to) {
            (RuleProtocol::Number(ICMP | ICMP_V6), Some(kind), Some(code)) => {
                format!("type {kind} code {code}")
            }
            (RuleProtocol::Number(ICMP | ICMP_V6), Some(kind), None) => format!("type {kind}"),
            (RuleProtocol::Number(TCP | UDP), Some(from), Some(to)) if from == to => from.to_string(),
            (RuleProtocol::Number(TCP | UDP), Some(from), Some(to)) if (from, to) != (0, 65_535) => {
                format!("{from}-{to}")
            }
            _ => "all".to_owned(),
        }
    }

    /// Whether it allows this protocol and any of these destination ports. Unknown values are allowed.
    fn allows(&self, protocol: Option<u8>, ports: Option<[u16; 2]>) -> bool {
        let (RuleProtocol::Number(own), Some(protocol)) = (&self.protocol, protocol) else { return true };
        let (Some([first, last]), [Some(from), Some(to)]) = (ports, self.ports) else {
            return *own == protocol;
        };
        let has_ports = matches!(protocol, TCP | UDP) && from >= 0 && to >= 0;
        *own == protocol && (!has_ports || from <= i32::from(last) && i32::from(first) <= to)
    }
}

/// ICMP.
///
/// Source of the numbers: "Protocol Numbers" (IANA).
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

/// The protocol of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleProtocol {
    /// All protocols.
    All,
    /// A protocol, by number.
    Number(u8),
    /// An unknown protocol: any traffic may have used the rule.
    Unknown(String),
}

impl RuleProtocol {
    /// A protocol as Amazon EC2 returns it.
    ///
    /// Source: `SecurityGroupRule` (Amazon EC2 API Reference).
    pub fn parse(text: &str) -> Self {
        match text {
            "-1" => Self::All,
            "tcp" => Self::Number(TCP),
            "udp" => Self::Number(UDP),
            "icmp" => Self::Number(ICMP),
            "icmpv6" => Self::Number(ICMP_V6),
            number => number.parse().map_or_else(|_| Self::Unknown(text.to_owned()), Self::Number),
        }
    }
}

impl fmt::Display for RuleProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad("all"),
            Self::Number(TCP) => f.pad("tcp"),
            Self::Number(UDP) => f.pad("udp"),
            Self::Number(ICMP) => f.pad("icmp"),
            Self::Number(ICMP_V6) => f.pad("icmpv6"),
            Self::Number(number) => number.fmt(f),
            Self::Unknown(text) => f.pad(text),
        }
    }
}

/// The other end of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulePeer {
    /// A network.
    Network(Network),
    /// A prefix list, by ID, with its networks. `None` if they could not be read: it may contain any address.
    PrefixList(String, Option<Vec<Network>>),
    /// The network interfaces of a security group, by ID. If the group was not read, any address may belong to it.
    Group(String),
    /// An unknown kind of peer, which may include any address.
    Unknown(String),
}

impl fmt::Display for RulePeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::PrefixList(id, _) | Self::Group(id) | Self::Unknown(id) => f.pad(id),
        }
    }
}

/// Whether one of these networks contains an address.
fn contain(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests;
