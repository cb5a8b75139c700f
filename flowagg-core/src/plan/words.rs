//! The text of a plan.

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
            (Some(days), true) => write!(f, "expire after {days} days, some earlier")?,
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
            Self::AsWanted => f.write_str("up to date"),
            Self::ForeignAsWanted { manager } => write!(f, "matches the fleet file ({manager})"),
            Self::ForeignCovers { manager, differences } => {
                write!(f, "covers the resource ({manager}): {}", differences.join(", "))
            }
            Self::ForeignWithoutGrant { manager } => {
                write!(f, "{manager}; it stops delivering unless another statement allows it")
            }
            Self::UnknownResource { manager } => {
                write!(f, "{manager}; it logs an unsupported kind of resource")
            }
            Self::Covered { by } => write!(f, "covered by the flow log of {by}"),
            Self::PartOfUnlogged { whole } => write!(f, "part of {whole}, which cannot get a flow log"),
            Self::Shared { owner } => write!(f, "shared by {owner}; only the owner can log it"),
            Self::NotChosen { kind } => {
                let noun = kind.noun();
                write!(f, "the fleet file does not select this {noun}; `--prune` deletes the flow log")
            }
        }
    }
}

impl Why {
    /// A short form that follows a number, as in `7 up to date`.
    pub fn short(&self) -> &'static str {
        match self {
            Self::AsWanted => "up to date",
            Self::ForeignAsWanted { .. } => "foreign and up to date",
            Self::ForeignCovers { .. } => "covered by a foreign flow log",
            Self::ForeignWithoutGrant { .. } => "foreign",
            Self::UnknownResource { .. } => "of an unsupported kind of resource",
            Self::Covered { .. } => "covered by another flow log",
            Self::PartOfUnlogged { .. } => "part of a resource that cannot get a flow log",
            Self::Shared { .. } => "owned by another account",
            Self::NotChosen { .. } => "not selected by the fleet file",
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
                "the bucket is encrypted with the key `{key}`, which is stronger than `sse-s3` and is kept; set `hub.encryption` \
                 to this ARN"
            ),
            Note::Versioned { versioning, noncurrent_days } => {
                let state = match versioning {
                    Versioning::Off => "off",
                    Versioning::Enabled => "enabled",
                    Versioning::Suspended => "suspended",
                };
                write!(f, "versioning is {state}: expiration only adds delete markers, and noncurrent versions ")?;
                match noncurrent_days {
                    Some(days) => write!(f, "are deleted after {days} more days"),
                    None => f.write_str("are kept: no lifecycle rule deletes all of them"),
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
                    let groups = groups.iter().map(|group| match group.folders {
                        1 => format!("in 1 folder {group}"),
                        folders => format!("in {folders} folders {group}"),
                    });
                    let groups: Vec<String> = groups.collect();
                    write!(f, "flow logs {}", groups.join(", "))
                }
            },
            Note::ObjectLocked { retention: None } => f.write_str(
                "Object Lock is enabled: locked object versions are kept after expiration, until their retention ends",
            ),
            Note::ObjectLocked { retention: Some(retention) } => write!(
                f,
                "Object Lock is enabled with a default retention of {} ({}): every log file is kept that long, even if it expires \
                 earlier; AWS does not document whether log delivery supports a default retention",
                retention.period, retention.mode
            ),
            Note::Replicated => f.write_str(
                "the bucket has a replication configuration: `hub.retention-days` does not expire the copies of flow logs in \
                 another bucket",
            ),
            Note::Notifies => f.write_str(
                "the bucket has event notifications: each log file may trigger one, about every 5 minutes for each flow log",
            ),
            Note::SettingsUnread { settings } => write!(
                f,
                "bucket settings that may affect flow logs could not be read: {}; `flowagg permissions` prints the actions to \
                 allow",
                settings.join(", ")
            ),
            Note::LeftOut { accounts, why } => match accounts.as_slice() {
                [one] => write!(f, "skipped {} of the organization: {why}", names.account(*one)),
                few if few.len() <= LISTED => {
                    let listed: Vec<String> = few.iter().map(|account| names.account(*account)).collect();
                    write!(f, "skipped {} of the organization: {why}", listed.join(", "))
                }
                many => write!(f, "skipped {} accounts of the organization: {why}", many.len()),
            },
            Note::AlsoGranted { statement, of, accounts: members } => {
                write!(f, "statement {statement}")?;
                match of {
                    Some(FleetMark::Name(name)) => write!(f, ", managed by flowagg fleet {name},")?,
                    Some(mark) => write!(f, ", managed by a flowagg fleet with the mark {mark},")?,
                    None => {}
                }
                write!(f, " also allows delivery from {}", names.accounts(members))
            }
            Note::DelegatesToAccessPoints { statement, to } => write!(
                f,
                "statement {statement} delegates access to {to}; log delivery does not use access points"
            ),
            Note::StatementKept { what } => f.write_str(what),
            Note::UnknownResource { place, flow_log, resource, manager } => write!(
                f,
                "{}: flow log {flow_log} to the bucket is {manager} and logs `{}`, which flowagg does not support; it is left \
                 unchanged",
                names.place(place),
                resource.escape_debug()
            ),
            Note::Undecided { what, .. } => {
                write!(f, "{what}; run `flowagg verify` after the next delivery to check whether objects arrive")
            }
            Note::StillGranted { account } => write!(
                f,
                "the fleet's statements still name {}, which is not in the fleet file; `--prune` removes it",
                names.account(*account)
            ),
            Note::StillGrantedIn { access: still } => write!(
                f,
                "the fleet's statements still cover {}, which is not in the fleet file; `--prune` removes it",
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
                    "organization {id}, not for individual accounts: `--only` does not limit it, and every account there can deliver"
                )
            }
            Note::NothingPrunedForPart => {
                f.write_str("`--prune` does not revoke grants while only part of the fleet is selected")
            }
            Note::LifecycleStaysForPart { root } => write!(
                f,
                "the lifecycle rule of {root} applies to every member and is not changed while only part of the fleet is selected"
            ),
            Note::GrantStaysForPart => {
                f.write_str("the grant and the lifecycle rules are kept while only part of the fleet is selected")
            }
            Note::GrantStaysForUnread => {
                f.write_str("the grant and the lifecycle rules are kept, because flow logs that could not be read may still need them")
            }
        }
    }
}

/// More accounts than this with the same reason are counted instead of listed.
const LISTED: usize = 12;
