//! The questions by name, each with its sentence.

use std::fmt;

use crate::near::meant;

/// The name of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuestionName {
    /// Pairs of addresses by bytes.
    Pairs,
    /// Addresses, instances or subnets by bytes.
    Top,
    /// What an address sent and received.
    Who,
    /// What a network interface or an instance did.
    Interface,
    /// Rejected traffic.
    Rejected,
    /// SSH and RDP.
    SshRdp,
    /// Ports of administration and databases.
    AdminPorts,
    /// Accepted requests from the internet.
    Inbound,
    /// Traffic to the internet.
    Outbound,
    /// What passes NAT gateways.
    Nat,
    /// What passes NAT gateways to services that have a gateway endpoint.
    NatToAws,
    /// Traffic between availability zones.
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
    /// Traffic that is not encrypted.
    Unencrypted,
}

/// The name of no question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown question `{text}`")]
#[non_exhaustive]
pub struct UnknownQuestion {
    /// What was given.
    pub text: String,
    /// The question that was probably meant.
    pub meant: Option<QuestionName>,
}

/// What follows the name of a question on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// What it is called in help.
    pub name: &'static str,
    /// Whether the question cannot be asked without it.
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

/// How most questions count a flow that two network interfaces recorded.
macro_rules! once {
    ($rest:literal) => {
        concat!(
            "Counts what was sent (`egress`) or what was received (`ingress`), whichever is more, so a flow that both ends recorded \
             counts once. ",
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
            "With `interfaces`, what passes a gateway has a pair before the gateway and another after it. With `packets`, the addresses \
             are those in the packets, and of the sections of a path the one with the most bytes counts. Rejected traffic is left out."
        ),
        argument: optional("interfaces|packets"),
        example: "flowagg query pairs --from 24h",
    },
    Row {
        name: "top",
        about: "Addresses, instances or subnets by bytes sent and received",
        counts: once!(
            "An address sends what its pairs of `pairs packets` send. With `default` fields, what passes a NAT gateway counts again on \
             the other side of the gateway. An instance or a subnet counts the records of its own network interfaces: what two of them \
             exchange is sent by one and received by the other. Rejected traffic is left out."
        ),
        argument: optional("addresses|instances|subnets"),
        example: "flowagg query top --from 24h",
    },
    Row {
        name: "who",
        about: "Who exchanged traffic with an address, when, and on which port",
        counts: once!(
            "The port is the lower one, which is that of the service. Of the sections of a path through gateways the one with the most \
             bytes counts. What passes a NAT gateway is there once more with the address of the gateway. `rejected` is the number of \
             records with REJECT, which only the network interface that rejects has."
        ),
        argument: required("ADDRESS"),
        example: "flowagg query who 10.0.0.7 --from 24h",
    },
    Row {
        name: "interface",
        about: "What a network interface or an instance did",
        counts: "Counts the records of this network interface, or of all network interfaces of this instance: the other end's records are \
                 not read. The port is the lower one, which is that of the service.",
        argument: required("ID"),
        example: "flowagg query interface eni-0a1b2c3d4e5f67890",
    },
    Row {
        name: "rejected",
        about: "What was rejected, from whom, and to which port",
        counts: "Counts records with REJECT. Only the network interface that rejects has such a record, whichever end it is, so \
                 nothing counts twice: `direction` says whether the traffic was about to leave it (`egress`) or to reach it.",
        argument: None,
        example: "flowagg query rejected --from 24h",
    },
    Row {
        name: "ssh-rdp",
        about: "SSH and RDP connections, and from where",
        counts: "Counts records of requests to TCP port 22 and TCP or UDP port 3389. `accepted` is what the receiver recorded \
                 (`ingress`); if no receiver recorded it, what the sender did. A request that the sender's network interface accepts and \
                 the receiver's rejects is rejected.",
        argument: None,
        example: "flowagg query ssh-rdp --from 7d",
    },
    Row {
        name: "admin-ports",
        about: "Requests to ports of administration and databases, by target",
        counts: "Counts sources and records as `ssh-rdp` does, by target and port. `sources` have an accepted request, and \
                 `internet_sources` a public address as well. Other ports can be given, as in `22,5432`.",
        argument: optional("PORTS"),
        example: "flowagg query admin-ports 5432,6379",
    },
    Row {
        name: "inbound",
        about: "Accepted requests from the internet",
        counts: "Counts what was received (`ingress`) from a public address and accepted. Answers to requests from inside, which go to \
                 the higher port, are left out; answers over ICMP and between equal ports, such as those of NTP, are not. IPv6 addresses \
                 of a VPC are public: name your networks with `--own`.",
        argument: None,
        example: "flowagg query inbound --own 2001:db8::/32",
    },
    Row {
        name: "outbound",
        about: "Traffic to the internet, by account and target",
        counts: "Counts what was sent (`egress`) to a public address by the network interface that faces the internet gateway \
                 (`traffic-path` 2 or 8), so what passes a NAT gateway counts once, in the account of the gateway. With `--nat`, it \
                 counts in the account of the sender, and records of the gateways are left out. IPv6 addresses of a VPC are public: \
                 name your networks with `--own`.",
        argument: None,
        example: "flowagg query outbound --from 24h",
    },
    Row {
        name: "nat",
        about: "What passes NAT gateways, by source",
        counts: "Counts records of the gateways on the side of the source only, where the address in the packet differs from that of the \
                 gateway: each byte that a gateway processes counts once, in the direction that it has for the source. Gateways are \
                 recognised by the field `interface-type`, named with `--nat`, or looked up in the accounts of the fleet file with `--nat \
                 fleet`, which is the default if the fleet file does not record `interface-type`. Addresses alone do not tell them from \
                 load balancers and transit gateways.",
        argument: None,
        example: "flowagg query nat --nat eni-0a1b2c3d4e5f67890",
    },
    Row {
        name: "nat-to-aws",
        about: "Traffic to Amazon S3 and DynamoDB that passes NAT gateways instead of a gateway endpoint",
        counts: "Counts as `nat` does, and only what goes to or comes from a public address of Amazon S3 or DynamoDB.",
        argument: None,
        example: "flowagg query nat-to-aws --nat eni-0a1b2c3d4e5f67890",
    },
    Row {
        name: "cross-zone",
        about: "Traffic between availability zones, and its price",
        counts: "Counts what was sent (`egress`) by network interfaces whose next hop is in another availability zone. Each section of \
                 a path through gateways counts, as AWS charges for it. The price is the list price of data transfer within a region, \
                 0.01 USD per GB (1,073,741,824 bytes) out of one zone and the same into the other; some services do not charge for it.",
        argument: None,
        example: "flowagg query cross-zone --from 7d",
    },
    Row {
        name: "between-accounts",
        about: "Traffic between accounts, VPCs or regions",
        counts: "Counts flows that exactly two accounts, VPCs or regions recorded with the same addresses and ports, once: what the end \
                 with more bytes recorded. Traffic that only one of them logs is not found, nor is traffic whose addresses are \
                 translated. Where networks have the same addresses, a match may be chance.",
        argument: optional("accounts|vpcs|regions"),
        example: "flowagg query between-accounts --from 24h",
    },
    Row {
        name: "by-day",
        about: "Bytes by account and day or hour, and how unusual they are",
        counts: "Counts what the network interfaces of an account sent (`egress`) and what they received (`ingress`) separately. Bytes \
                 of records without `flow-direction` are in the column `undirected`, which has what both ends recorded. \
                 `percent` compares the sum with the account's average day or hour. Days and hours are UTC. Rejected traffic is left out.",
        argument: optional("day|hour"),
        example: "flowagg query by-day hour --from 2d",
    },
    Row {
        name: "large-flows",
        about: "Single flows with very many bytes (500 MB)",
        counts: once!(
            "A flow is what has the same addresses, ports and protocol, over all records. Of the sections of a path through gateways \
             the one with the most bytes counts. Rejected traffic is left out."
        ),
        argument: optional("SIZE"),
        example: "flowagg query large-flows 2GB --from 24h",
    },
    Row {
        name: "scans",
        about: "Sources with requests to many targets or ports (100)",
        counts: "Counts different targets and different ports of requests over TCP and UDP, so it does not matter how many ends recorded \
                 them. `rejected` is the number of records with REJECT, which only the network interface that rejects has. Known NAT \
                 gateways are left out; load balancers, proxies and monitoring look like scans.",
        argument: optional("NUMBER"),
        example: "flowagg query scans 50 --from 24h",
    },
    Row {
        name: "off-hours",
        about: "Traffic outside office hours",
        counts: once!(
            "The time is the end of a record. Office hours are 8 to 18 on Monday to Friday in UTC, unless `--hours`, `--weekdays` and \
             `--utc-offset` set others. The offset is that of the whole time: daylight saving time does not change it. The port is the \
             lower one. Rejected traffic is left out."
        ),
        argument: None,
        example: "flowagg query off-hours --hours 7-19 --utc-offset +1",
    },
    Row {
        name: "unused-rules",
        about: "Security group rules that no traffic used",
        counts: "Compares accepted records with the rules of the selected accounts and regions, which are read from Amazon EC2. A rule counts as \
                 used if it would have allowed a request that a network interface of its group recorded; all rules that would have \
                 allowed it count. Answers need no rule: who opened a connection is known from `tcp-flags` or from a port below 512, \
                 and otherwise rules of both directions count. What is not recorded counts as use. Types of ICMP are not recorded: \
                 any ICMP counts. `reason` is `no traffic` if every network interface of the group has records. The rule may be \
                 in use if it is `incomplete records` (some have no records, skipped ones, or none of accepted traffic) or `no records`; \
                 skipped objects make all records incomplete. \
                 Rules, groups and addresses are those of now: what network interfaces used that have been deleted since is \
                 not known. The default of `--from` is 30 days, and a rule may be needed less often than that.",
        argument: None,
        example: "flowagg query unused-rules",
    },
    Row {
        name: "by-service",
        about: "Bytes by ECS service or task, or by tag",
        counts: "Counts the records of the network interfaces of a service, task or tag: `sent` what they sent (`egress`), `received` \
                 what they received, and `bytes` both. What two of them exchange is sent by one and received by the other.",
        argument: optional("ecs-service|ecs-task|instance-tag|interface-tag|asg-tag"),
        example: "flowagg query by-service ecs-task",
    },
    Row {
        name: "unencrypted",
        about: "Traffic that is not encrypted in transit",
        counts: once!(
            "Only records with `encryption-status` 0 count: AWS found no encryption by the Nitro system or by the application. What has \
             no status (`-`) is left out. The port is the lower one. Rejected traffic is left out."
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

    /// The question of this name.
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

    /// What it is about, in one line.
    pub fn about(self) -> &'static str {
        self.row().about
    }

    /// Which records it counts, and what it leaves out.
    pub fn counts(self) -> &'static str {
        self.row().counts
    }

    /// What may follow the name.
    pub fn argument(self) -> Option<Argument> {
        self.row().argument
    }

    /// A command line.
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
    fn names_are_read_back_and_unknown_ones_have_a_suggestion() {
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
