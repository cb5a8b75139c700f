//! The names, descriptions and examples of questions.

use std::fmt;

use crate::near::meant;

/// The name of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuestionName {
    /// Pairs of addresses by bytes.
    Pairs,
    /// Addresses, instances or subnets by bytes.
    Top,
    /// Traffic of an address.
    Who,
    /// Traffic of a network interface or an instance.
    Interface,
    /// Rejected traffic.
    Rejected,
    /// SSH and RDP.
    SshRdp,
    /// Requests to administration and database ports.
    AdminPorts,
    /// Accepted requests from the internet.
    Inbound,
    /// Traffic to the internet.
    Outbound,
    /// Traffic through NAT gateways.
    Nat,
    /// Traffic through NAT gateways to services that have a gateway endpoint.
    NatToAws,
    /// Traffic between Availability Zones.
    CrossZone,
    /// Traffic between accounts, VPCs or regions.
    BetweenAccounts,
    /// Bytes by account and day.
    ByDay,
    /// Large single flows.
    LargeFlows,
    /// Sources with many targets.
    Scans,
    /// Traffic outside office hours.
    OffHours,
    /// Security group rules without traffic.
    UnusedRules,
    /// Bytes by ECS service, task or tag.
    ByService,
    /// Unencrypted traffic.
    Unencrypted,
}

/// The error for an unknown question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown question `{text}`")]
#[non_exhaustive]
pub struct UnknownQuestion {
    /// The given name.
    pub text: String,
    /// The question that was probably meant.
    pub meant: Option<QuestionName>,
}

/// The argument of a question on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// The name in help.
    pub name: &'static str,
    /// Whether it is required.
    pub is_required: bool,
}

struct Row {
    name: &'static str,
    about: &'static str,
    counts: &'static str,
    argument: Option<Argument>,
    example: &'static str,
}

const fn optional(name: &'static str) -> Option<Argument> {
    Some(Argument { name, is_required: false })
}

const fn required(name: &'static str) -> Option<Argument> {
    Some(Argument { name, is_required: true })
}

/// How most questions count a flow that two network interfaces recorded, followed by details.
macro_rules! once {
    ($rest:literal) => {
        concat!(
            "Counts sent bytes (`egress`) or received bytes (`ingress`), whichever is greater, so a flow that both ends recorded counts \
             once. ",
            $rest
        )
    };
}

/// In the order of [`QuestionName::ALL`].
static ROWS: [Row; QuestionName::ALL.len()] = [
    Row {
        name: "pairs",
        about: "Pairs of addresses by bytes",
        counts: once!(
            "With `interfaces`, traffic through a gateway has one pair before and one after the gateway. With `packets`, the addresses \
             are those in the packets, and only the section of a path with the most bytes counts. Rejected traffic is excluded."
        ),
        argument: optional("interfaces|packets"),
        example: "flowagg query pairs --from 24h",
    },
    Row {
        name: "top",
        about: "Addresses, instances or subnets by bytes sent and received",
        counts: once!(
            "The traffic of an address is the sum of its pairs in `pairs packets`. With `default` fields, traffic through a NAT gateway \
             counts again on the other side of the gateway. An instance or a subnet counts the records of its own network interfaces: \
             traffic between two of them is sent by one and received by the other. Rejected traffic is excluded."
        ),
        argument: optional("addresses|instances|subnets"),
        example: "flowagg query top --from 24h",
    },
    Row {
        name: "who",
        about: "Who exchanged traffic with an address, when, and on which port",
        counts: once!(
            "The port is the lower one, which is usually the port of the service. Of the sections of a path through gateways, only the \
             one with the most bytes counts. Traffic through a NAT gateway appears again with the address of the gateway. `rejected` is \
             the number of records with REJECT, which only the rejecting network interface has."
        ),
        argument: required("ADDRESS"),
        example: "flowagg query who 10.0.0.7 --from 24h",
    },
    Row {
        name: "interface",
        about: "Traffic of a network interface or an instance",
        counts: "Counts the records of this network interface, or of all network interfaces of this instance. Records of the other end \
                 are ignored. The port is the lower one, which is usually the port of the service.",
        argument: required("ID"),
        example: "flowagg query interface eni-0a1b2c3d4e5f67890",
    },
    Row {
        name: "rejected",
        about: "Rejected traffic by source, destination and port",
        counts: "Counts records with REJECT. Only the rejecting network interface has such a record, at either end, so nothing counts \
                 twice. `direction` shows whether the traffic was leaving the network interface (`egress`) or arriving at it.",
        argument: None,
        example: "flowagg query rejected --from 24h",
    },
    Row {
        name: "ssh-rdp",
        about: "SSH and RDP connections, with their sources",
        counts: "Counts records of requests to TCP port 22 and TCP or UDP port 3389. `accepted` is the number of records of the receiver \
                 (`ingress`) or, if no receiver recorded the request, of the sender. A request that the sender's network interface \
                 accepts and the receiver's rejects is rejected.",
        argument: None,
        example: "flowagg query ssh-rdp --from 7d",
    },
    Row {
        name: "admin-ports",
        about: "Requests to administration and database ports, by target",
        counts: "Counts sources and records like `ssh-rdp`, by target and port. `sources` have an accepted request, and \
                 `internet_sources` also have a public address. Pass other ports as `22,5432`.",
        argument: optional("PORTS"),
        example: "flowagg query admin-ports 5432,6379",
    },
    Row {
        name: "inbound",
        about: "Accepted requests from the internet",
        counts: "Counts accepted traffic that was received (`ingress`) from a public address. Responses to requests from inside, which \
                 go to the higher port, are excluded. Responses over ICMP, and responses between equal ports (as in NTP), are included. IPv6 \
                 addresses of a VPC are public: list your networks with `--own`.",
        argument: None,
        example: "flowagg query inbound --own 2001:db8::/32",
    },
    Row {
        name: "outbound",
        about: "Traffic to the internet, by account and target",
        counts: "Counts traffic that was sent (`egress`) to a public address by the network interface that faces the internet gateway \
                 (`traffic-path` 2 or 8), so traffic through a NAT gateway counts once, in the account of the gateway. With `--nat`, it \
                 counts in the account of the sender, and records of the gateways are excluded. IPv6 addresses of a VPC are public: \
                 list your networks with `--own`.",
        argument: None,
        example: "flowagg query outbound --from 24h",
    },
    Row {
        name: "nat",
        about: "Traffic through NAT gateways, by source",
        counts: "Counts records of the gateways on the side of the source only, where the address in the packet differs from the address \
                 of the gateway: each byte that a gateway processes counts once, in the direction as seen from the source. Gateways are \
                 identified by the field `interface-type`, listed with `--nat`, or looked up in the accounts of the fleet file with \
                 `--nat fleet`, which is the default if the fleet file does not record `interface-type`. Addresses alone do not \
                 distinguish them from load balancers and transit gateways.",
        argument: None,
        example: "flowagg query nat --nat eni-0a1b2c3d4e5f67890",
    },
    Row {
        name: "nat-to-aws",
        about: "Traffic to Amazon S3 and DynamoDB through NAT gateways instead of a gateway endpoint",
        counts: "Counts like `nat`, but only traffic to or from a public address of Amazon S3 or DynamoDB.",
        argument: None,
        example: "flowagg query nat-to-aws --nat eni-0a1b2c3d4e5f67890",
    },
    Row {
        name: "cross-zone",
        about: "Traffic between Availability Zones, and its price",
        counts: "Counts traffic that was sent (`egress`) by network interfaces whose next hop is in another Availability Zone. Each \
                 section of a path through gateways counts, because AWS charges for it. The price is the list price of data transfer \
                 within a region, 0.01 USD per GB (1,073,741,824 bytes) out of one zone and the same into the other; some services do \
                 not charge for it.",
        argument: None,
        example: "flowagg query cross-zone --from 7d",
    },
    Row {
        name: "between-accounts",
        about: "Traffic between accounts, VPCs or regions",
        counts: "Counts flows that exactly two accounts, VPCs or regions recorded with the same addresses and ports, once, with the \
                 bytes of the end that recorded more. Traffic that only one of them logs, and traffic whose addresses are translated, is \
                 not found. If networks have overlapping addresses, a match may be wrong; check the VPC of both ends.",
        argument: optional("accounts|vpcs|regions"),
        example: "flowagg query between-accounts --from 24h",
    },
    Row {
        name: "by-day",
        about: "Bytes by account and day or hour, compared with the average",
        counts: "Counts sent bytes (`egress`) and received bytes (`ingress`) of the network interfaces of an account separately. Bytes \
                 of records without `flow-direction` are in the column `undirected`, which includes the records of both ends. \
                 `percent` compares the sum with the account's average day or hour. Days and hours are UTC. Rejected traffic is excluded.",
        argument: optional("day|hour"),
        example: "flowagg query by-day hour --from 2d",
    },
    Row {
        name: "large-flows",
        about: "Single flows above a size (500 MB)",
        counts: once!(
            "A flow consists of all records with the same addresses, ports and protocol. Of the sections of a path through gateways, \
             only the one with the most bytes counts. Rejected traffic is excluded."
        ),
        argument: optional("SIZE"),
        example: "flowagg query large-flows 2GB --from 24h",
    },
    Row {
        name: "scans",
        about: "Sources with requests to many targets or ports (100)",
        counts: "Counts distinct targets and distinct ports of requests over TCP and UDP, so it does not matter whether one or both ends \
                 recorded them. `rejected` is the number of records with REJECT, which only the rejecting network interface has. Known \
                 NAT gateways are excluded; load balancers, proxies and monitoring look like scans.",
        argument: optional("NUMBER"),
        example: "flowagg query scans 50 --from 24h",
    },
    Row {
        name: "off-hours",
        about: "Traffic outside office hours",
        counts: once!(
            "The time is the end of a record. Office hours are 8 to 18 from Monday to Friday in UTC, unless `--hours`, `--weekdays` and \
             `--utc-offset` set others. The offset applies to the whole period: daylight saving time does not change it. The port is the \
             lower one. Rejected traffic is excluded."
        ),
        argument: None,
        example: "flowagg query off-hours --hours 7-19 --utc-offset +1",
    },
    Row {
        name: "unused-rules",
        about: "Security group rules that no traffic matched",
        counts: "Compares accepted records with the rules of the selected accounts and regions, which are read from Amazon EC2. A rule \
                 counts as used if it would have allowed a request that a network interface of its group recorded; all rules that would \
                 have allowed it count. Responses do not require a rule: `tcp-flags` or a port below 512 shows which end opened a \
                 connection, and otherwise rules of both directions count. Anything that is not recorded counts as use. ICMP types are \
                 not recorded, so any ICMP counts. `reason` is `no traffic` if every network interface of the group has records. The \
                 rule may be in use if `reason` is `incomplete records` (some network interfaces have no records, skipped records, or \
                 no records of accepted traffic) or `no records`; skipped objects make all records incomplete. Rules, groups and \
                 addresses are the current ones: use by deleted network interfaces is unknown. The default of `--from` is 30 days, and \
                 a rule may be needed less often than that.",
        argument: None,
        example: "flowagg query unused-rules",
    },
    Row {
        name: "by-service",
        about: "Bytes by ECS service or task, or by tag",
        counts: "Counts the records of the network interfaces of a service, task or tag: `sent` is the traffic that they sent \
                 (`egress`), `received` the traffic that they received, and `bytes` the sum. Traffic between two of them is sent by one \
                 and received by the other.",
        argument: optional("ecs-service|ecs-task|instance-tag|interface-tag|asg-tag"),
        example: "flowagg query by-service ecs-task",
    },
    Row {
        name: "unencrypted",
        about: "Unencrypted traffic",
        counts: once!(
            "Only records with `encryption-status` 0 count: AWS found no encryption by the Nitro system or by the application. Records \
             without a status (`-`) are excluded. The port is the lower one. Rejected traffic is excluded."
        ),
        argument: None,
        example: "flowagg query unencrypted --from 24h",
    },
];

impl QuestionName {
    /// All questions.
    pub const ALL: [Self; 20] = [
        Self::Pairs,
        Self::Top,
        Self::Who,
        Self::Interface,
        Self::Rejected,
        Self::SshRdp,
        Self::AdminPorts,
        Self::Inbound,
        Self::Outbound,
        Self::Nat,
        Self::NatToAws,
        Self::CrossZone,
        Self::BetweenAccounts,
        Self::ByDay,
        Self::LargeFlows,
        Self::Scans,
        Self::OffHours,
        Self::UnusedRules,
        Self::ByService,
        Self::Unencrypted,
    ];

    /// The question with this name.
    pub fn parse(text: &str) -> Result<Self, UnknownQuestion> {
        let named = |text: &str| Self::ALL.into_iter().find(|name| name.as_str() == text);
        named(text).ok_or_else(|| {
            let lower = text.to_ascii_lowercase();
            let meant = meant(&lower, Self::ALL.into_iter().map(Self::as_str)).and_then(named);
            UnknownQuestion { text: text.to_owned(), meant }
        })
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// A description in one line.
    pub fn about(self) -> &'static str {
        self.row().about
    }

    /// Which records it counts and which it excludes.
    pub fn counts(self) -> &'static str {
        self.row().counts
    }

    /// The argument, if it has one.
    pub fn argument(self) -> Option<Argument> {
        self.row().argument
    }

    /// An example command line.
    pub fn example(self) -> &'static str {
        self.row().example
    }

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

impl fmt::Display for QuestionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_unknown_ones_have_a_suggestion() {
        for (n, name) in QuestionName::ALL.into_iter().enumerate() {
            assert_eq!(name as usize, n, "{name}");
            assert_eq!(QuestionName::parse(name.as_str()), Ok(name));
            assert!(name.example().starts_with(&format!("flowagg query {name}")), "{name}");
        }
        let meant = |text: &str| QuestionName::parse(text).unwrap_err().meant;
        assert_eq!(meant("scan"), Some(QuestionName::Scans));
        assert_eq!(meant("nat-to-s3"), Some(QuestionName::NatToAws));
        assert_eq!((meant("TOP"), meant("By-Day")), (Some(QuestionName::Top), Some(QuestionName::ByDay)));
        assert_eq!(meant("zebra"), None);
    }
}
