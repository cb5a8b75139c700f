//! Rules that no traffic used, and how sure that is.

use std::cmp::Ordering;

use super::SecurityGroupRule;
use crate::id::Place;

/// A rule that no recorded request used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnusedRule {
    /// The account that owns the group, and its region.
    pub place: Place,
    /// Its security group, by id.
    pub group: String,
    /// The name of the group.
    pub group_name: String,
    /// Its id.
    pub id: String,
    /// The rule.
    pub rule: SecurityGroupRule,
    /// What is known.
    pub why: WhyUnused,
    /// The network interfaces of the group that can have traffic.
    pub interfaces: usize,
    /// When the first record of one of them starts, in Unix seconds.
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
    /// Every network interface of the group is recorded, and no request would have been allowed by the rule.
    NoTraffic,
    /// The same as far as there are records: some network interfaces of the group have none, skipped ones, or none of accepted traffic, or
    /// records could not be read.
    IncompleteRecords,
    /// There are no records of the network interfaces of the group: the rule may be used.
    NoRecords,
    /// No network interface has the group.
    NoInterface,
}

impl WhyUnused {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::NoTraffic, Self::IncompleteRecords, Self::NoRecords, Self::NoInterface];

    /// The reason in a few words.
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

/// How much of the accepted traffic of a network interface is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Nothing,
    Partly,
    Whole,
}
