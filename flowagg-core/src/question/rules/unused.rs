//! Unused rules, with the certainty of the result.

use std::cmp::Ordering;

use super::SecurityGroupRule;
use crate::id::Place;

/// A rule that no recorded request used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct UnusedRule {
    /// The account that owns the group, and its region.
    pub place: Place,
    /// The ID of the security group.
    pub group: String,
    pub group_name: String,
    /// The ID of the rule.
    pub id: String,
    pub rule: SecurityGroupRule,
    /// Why it is reported.
    pub why: WhyUnused,
    /// The number of network interfaces of the group that can have traffic.
    pub interfaces: usize,
    /// The start of the first record of one of them, in Unix seconds.
    pub since: Option<i64>,
}

impl UnusedRule {
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let key = |it: &Self| {
            let rule = &it.rule;
            let (peer, ports) = (rule.peer.to_string(), rule.ports);
            (
                it.place.clone(),
                it.group.clone(),
                rule.direction,
                rule.protocol.clone(),
                ports,
                peer,
                it.id.clone(),
            )
        };
        key(self).cmp(&key(other))
    }
}

/// Why a rule is reported as unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyUnused {
    /// Every network interface of the group has records, and the rule would not have allowed any recorded request.
    NoTraffic,
    /// The rule would not have allowed any recorded request, but records are incomplete: some network interfaces of the group have no
    /// records, skipped records or no records of accepted traffic, or records could not be read.
    IncompleteRecords,
    /// There are no records of the network interfaces of the group, so the rule may be in use.
    NoRecords,
    /// No network interface has the group.
    NoInterface,
}

impl WhyUnused {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::NoTraffic, Self::IncompleteRecords, Self::NoRecords, Self::NoInterface];

    /// The reason in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoTraffic => "no traffic",
            Self::IncompleteRecords => "incomplete records",
            Self::NoRecords => "no records",
            Self::NoInterface => "no network interface",
        }
    }

    pub(super) fn of(known: &[Known]) -> Self {
        if known.is_empty() {
            Self::NoInterface
        } else if known.iter().all(|known| *known == Known::Nothing) {
            Self::NoRecords
        } else if known.iter().all(|known| *known == Known::Whole) {
            Self::NoTraffic
        } else {
            Self::IncompleteRecords
        }
    }
}

/// How completely the accepted traffic of a network interface is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Nothing,
    Partly,
    Whole,
}
