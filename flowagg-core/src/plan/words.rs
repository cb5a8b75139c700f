//! How a plan reads.

use std::fmt;

use super::named::Named;
use super::{ExpiryGroup, FlowLogChange, Note, Step, Why, access};
use crate::id::FleetMark;
use crate::names::Names;
use crate::observed::Versioning;

impl fmt::Display for ExpiryGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.days, self.some) {
            (Some(days), false) => write!(f, "expire after {days} days")?,
            (Some(days), true) => write!(f, "expire after {days} days, some before")?,
            (None, false) => f.write_str("do not expire")?,
            (None, true) => f.write_str("do not all expire")?,
        }
        self.rule.as_ref().map_or(Ok(()), |rule| write!(f, " by the lifecycle rule {rule}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => f.write_str("create a flow log"),
            Self::Replace { old, .. } => write!(f, "replace {old}"),
            Self::Tag { flow_log, .. } => write!(f, "tag {flow_log}"),
            Self::Delete { flow_log, .. } => write!(f, "delete {flow_log}"),
        }
    }
}

impl fmt::Display for Named<'_, FlowLogChange> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FlowLogChange { place, resource, step, reason } = self.of;
        let (place, resource) = (self.names.place(place), self.names.resource(resource.as_str()));
        write!(f, "{place} {resource}: {step}: {reason}")
    }
}

impl fmt::Display for FlowLogChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named(Names::NONE).fmt(f)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsWanted => f.write_str("as declared"),
            Self::ForeignAsWanted { manager } => write!(f, "as declared, though {manager}"),
            Self::ForeignCovers { manager, differences } => {
                write!(f, "covers the resource, though {manager}: {}", differences.join(", "))
            }
            Self::ForeignWithoutGrant { manager } => {
                write!(f, "{manager}; it stops delivering unless another statement allows it")
            }
            Self::UnknownResource { manager } => {
                write!(f, "{manager}; it logs a kind of resource that flowagg does not know")
            }
            Self::Covered { by } => write!(f, "{by} is logged, and it with it"),
            Self::PartOfUnlogged { whole } => write!(f, "part of {whole}, which cannot get a flow log"),
            Self::Shared { owner } => write!(f, "shared by its owner, {owner}, which alone can log it"),
            Self::NotChosen { kind } => {
                let noun = kind.noun();
                write!(f, "the fleet file does not choose this {noun}; `--prune` deletes the flow log")
            }
        }
    }
}

impl Why {
    /// A few words that follow a number.
    pub fn short(&self) -> &'static str {
        match self {
            Self::AsWanted => "as declared",
            Self::ForeignAsWanted { .. } => "as declared, of another manager",
            Self::ForeignCovers { .. } => "covered by a flow log of another manager",
            Self::ForeignWithoutGrant { .. } => "of another manager",
            Self::UnknownResource { .. } => "of an unknown kind of resource",
            Self::Covered { .. } => "covered by another flow log",
            Self::PartOfUnlogged { .. } => "part of something that cannot get a flow log",
            Self::Shared { .. } => "owned by another account",
            Self::NotChosen { .. } => "not chosen by the fleet file",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named(Names::NONE).fmt(f)
    }
}

impl fmt::Display for Named<'_, Note> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names;
        match self.of {
            Note::NothingToLog { place, kinds } => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.noun()).collect();
                write!(f, "{}: no {} to log", names.place(place), kinds.join(" or "))
            }
            Note::KeptEncryption { key } => write!(
                f,
                "the bucket keeps its default encryption with the key `{key}`, because `hub.encryption` is not set; set it to this \
                 ARN to manage it"
            ),
            Note::StrongerEncryption { key } => write!(
                f,
                "the bucket is encrypted with the key `{key}`, which is stronger than `sse-s3` and stays; write it in \
                 `hub.encryption`"
            ),
            Note::Versioned { versioning, noncurrent_days } => {
                let state = match versioning {
                    Versioning::Off => "off",
                    Versioning::Enabled => "enabled",
                    Versioning::Suspended => "suspended",
                };
                write!(f, "versioning is {state}: expiry only adds delete markers, and old versions ")?;
                match noncurrent_days {
                    Some(days) => write!(f, "are deleted after {days} more days"),
                    None => f.write_str("stay: no lifecycle rule deletes all of them"),
                }
            }
            Note::AlsoExpires { accounts: others } => write!(
                f,
                "the fleet's lifecycle rule also expires flow logs of accounts that are not members: {}",
                names.accounts(others)
            ),
            Note::Expiry { groups } => match groups.as_slice() {
                [group] => write!(f, "flow logs {group}"),
                groups => {
                    let groups: Vec<String> =
                        groups.iter().map(|group| format!("in {} folders {group}", group.folders)).collect();
                    write!(f, "flow logs {}", groups.join(", "))
                }
            },
            Note::ObjectLocked { retention: None } => f.write_str(
                "Object Lock is enabled: locked versions of objects stay after expiry, until their retention ends",
            ),
            Note::ObjectLocked { retention: Some(retention) } => write!(
                f,
                "Object Lock is enabled with a default retention of {} ({}): every log file stays that long, even if it expires \
                 before; AWS does not document whether log delivery supports a default retention",
                retention.period, retention.mode
            ),
            Note::Replicated => f.write_str(
                "the bucket has a replication configuration: flow logs that it copies to another bucket do not expire there by \
                 `hub.retention-days`",
            ),
            Note::Notifies => f.write_str(
                "the bucket has event notifications: each log file may send one, about every 5 minutes for each flow log",
            ),
            Note::SettingsUnread { settings } => write!(
                f,
                "settings of the bucket that could not be read and may affect flow logs: {}; `flowagg permissions` prints the \
                 actions to allow",
                settings.join(", ")
            ),
            Note::LeftOut { accounts, why } => match accounts.as_slice() {
                [one] => write!(f, "{} of the organization is left out: {why}", names.account(*one)),
                few if few.len() <= LISTED => {
                    let listed: Vec<String> = few.iter().map(|account| names.account(*account)).collect();
                    write!(f, "{} of the organization are left out: {why}", listed.join(", "))
                }
                many => write!(f, "{} accounts of the organization are left out: {why}", many.len()),
            },
            Note::AlsoGranted { statement, of, accounts: members } => {
                write!(f, "statement {statement}")?;
                match of {
                    Some(FleetMark::Name(name)) => write!(f, ", managed by flowagg fleet {name},")?,
                    Some(mark) => write!(f, ", managed by a flowagg fleet with the mark {mark},")?,
                    None => {}
                }
                write!(f, " also lets {} deliver", names.accounts(members))
            }
            Note::DelegatesToAccessPoints { statement, to } => write!(
                f,
                "statement {statement} delegates access to {to}; log delivery does not go through an access point"
            ),
            Note::StatementKept { what } => f.write_str(what),
            Note::UnknownResource { place, flow_log, resource, manager } => write!(
                f,
                "{}: the flow log {flow_log} to the bucket is {manager} and logs `{}`, a kind of resource that flowagg does \
                 not know; it is neither changed nor deleted",
                names.place(place),
                resource.escape_debug()
            ),
            Note::Undecided { what, .. } => {
                write!(f, "{what}; `flowagg verify` shows after the next delivery whether objects arrive")
            }
            Note::StillGranted { account } => write!(
                f,
                "the fleet's statements still name {}, which is not in the fleet file; `--prune` removes it",
                names.account(*account)
            ),
            Note::StillGrantedIn { access: still } => write!(
                f,
                "the fleet's statements still cover {}, which the fleet file does not; `--prune` removes that",
                access(still, names).join("; ")
            ),
            Note::GrantsOrganization { id, units } => {
                f.write_str("the grant is for ")?;
                if !units.is_empty() {
                    let units: Vec<&str> = units.iter().map(|unit| unit.as_str()).collect();
                    write!(f, "{} in ", units.join(", "))?;
                }
                write!(
                    f,
                    "organization {id} and not for single accounts: `--only` does not limit it, and every account there may deliver"
                )
            }
            Note::NothingPrunedForPart => {
                f.write_str("`--prune` revokes no grant while only a part of the fleet is selected")
            }
            Note::LifecycleStaysForPart { root } => write!(
                f,
                "the lifecycle rule of {root} is for every member and stays as it is while only a part of the fleet is selected"
            ),
            Note::GrantStaysForPart => {
                f.write_str("the grant and the lifecycle rules stay while only a part of the fleet is selected")
            }
            Note::GrantStaysForUnread => {
                f.write_str("the grant and the lifecycle rules are kept, because flow logs that could not be read may still need them")
            }
        }
    }
}

/// Up to this many accounts of one reason are listed; more are counted.
const LISTED: usize = 12;
