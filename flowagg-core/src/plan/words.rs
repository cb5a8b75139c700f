//! How a plan reads.

use std::fmt;

use super::{
    End, ExpiryGroup, FlowLogChange, HubChange, LifecycleChange, Note, PolicyChange, Sooner, Step, Strength,
    Why, access, accounts, revoked,
};
use crate::fleet::Encryption;
use crate::id::{AccountId, FleetMark};
use crate::lifecycle::FleetRule;
use crate::observed::{Oldest, Versioning};

impl fmt::Display for HubChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateBucket { region } => write!(f, "create the bucket in {region}"),
            Self::BlockPublicAccess { compared: None, .. } => f.write_str("block all public access"),
            Self::BlockPublicAccess { off, compared: Some(strength) } => {
                let names: Vec<&str> = off.iter().map(|switch| switch.as_str()).collect();
                write!(f, "block public access (now off: {}; {strength})", names.join(", "))
            }
            Self::EnforceBucketOwner { was, compared } => {
                f.write_str("set object ownership BucketOwnerEnforced")?;
                now(f, was.as_deref().unwrap_or("unset"), *compared)
            }
            Self::Encrypt { was, with, compared } => {
                write!(f, "encrypt with {with}")?;
                now(f, was.as_deref().unwrap_or("no default encryption"), *compared)
            }
            Self::SetLifecycle(change) => change.fmt(f),
            Self::RemoveLifecycle(change) => {
                f.write_str("remove flowagg's ")?;
                match change.removed.len() {
                    1 => f.write_str("lifecycle rule")?,
                    n => write!(f, "{n} lifecycle rules")?,
                }
                f.write_str(": flow logs no longer expire by it")
            }
            Self::PutPolicy(policy) => policy.fmt(f),
            Self::RemoveGrant(removal) => {
                let rest = if removal.leaves.is_some() {
                    "the others stay"
                } else {
                    "nothing else is in it, and it is deleted"
                };
                f.write_str("take flowagg's statements out of the bucket policy: ")?;
                for what in revoked(&removal.revoked, &removal.revoked_access) {
                    write!(f, "revokes {what}; ")?;
                }
                f.write_str(rest)
            }
        }
    }
}

/// The current value of a setting, and how the wanted one compares to it. A new bucket has none.
fn now(f: &mut fmt::Formatter<'_>, was: &str, compared: Option<Strength>) -> fmt::Result {
    compared.map_or(Ok(()), |strength| write!(f, " (now {was}; {strength})"))
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stronger => "stronger",
            Self::Different => "different",
            Self::Weaker => "weaker",
        })
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SseS3 => f.write_str("SSE-S3"),
            Self::SseKms { key, bucket_key } => {
                let with = if *bucket_key { "and" } else { "without" };
                write!(f, "the KMS key {key} {with} a bucket key")
            }
        }
    }
}

impl fmt::Display for LifecycleChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { root, write: _, replaces: _, set, removed, sooner, oldest } = self;
        match set.as_slice() {
            [] => {}
            [rule] => write!(f, "lifecycle of {}: {rule}", rule.under)?,
            [first, rest @ ..] => {
                write!(f, "lifecycle of flow logs in {} folders under {root}: ", set.len())?;
                if rest.iter().all(|rule| does_the_same(rule, first)) {
                    first.fmt(f)?;
                } else {
                    f.write_str("a rule each")?;
                }
            }
        }
        if !removed.is_empty() {
            let start = if set.is_empty() { format!("lifecycle of {root}: ") } else { "; ".to_owned() };
            let noun = if removed.len() == 1 { "rule" } else { "rules" };
            let ids: Vec<String> =
                removed.iter().take(LISTED_RULES).map(|id| format!("`{}`", id.escape_debug())).collect();
            let more = removed.len().saturating_sub(LISTED_RULES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            write!(f, "{start}remove the {noun} {}{more}", ids.join(", "))?;
        }
        if sooner.is_empty() {
            return Ok(());
        }
        let now: Vec<String> = sooner.iter().map(|it| before(it, set.len() > 1)).collect();
        write!(f, " ({}; {})", now.join(", "), oldest)
    }
}

/// Whether two rules do the same to their objects, whatever their ids and folders.
fn does_the_same(one: &FleetRule, other: &FleetRule) -> bool {
    let FleetRule { id, under, .. } = one.clone();
    FleetRule { id, under, ..other.clone() } == *one
}

impl fmt::Display for FleetRule {
    /// What it does to its objects.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id: _, under: _, expire_days, transition, noncurrent_days, abort_uploads_days } = self;
        match expire_days {
            Some(days) => write!(f, "expire after {days} days")?,
            None => f.write_str("no expiry")?,
        }
        if let Some(transition) = transition {
            write!(f, ", go to {} after {}", transition.storage_class, transition.days)?;
        }
        if let Some(days) = noncurrent_days {
            write!(f, ", old versions deleted after {days}")?;
        }
        abort_uploads_days.map_or(Ok(()), |days| write!(f, ", unfinished uploads deleted after {days}"))
    }
}

/// What the bucket has now, and, if rules may differ, what it has after the change.
fn before(sooner: &Sooner, with_after: bool) -> String {
    let now = match (sooner.end, sooner.before) {
        (End::Expiry, None) => "now never".to_owned(),
        (End::Expiry, Some(days)) => format!("now after {days} days"),
        (End::Versions, None) => "old versions now stay".to_owned(),
        (End::Versions, Some(days)) => format!("old versions now deleted after {days} days"),
    };
    if !with_after {
        return now;
    }
    let folders =
        if sooner.folders == 1 { "1 folder".to_owned() } else { format!("{} folders", sooner.folders) };
    format!("{folders}: {now}, then after {}", sooner.after)
}

impl fmt::Display for Oldest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRead => f.write_str("the age of the objects was not read"),
            Self::NoFiles => f.write_str("no flow log files yet"),
            Self::Day(day) => write!(f, "oldest flow logs: {day}"),
            Self::Unread(failure) => write!(f, "the age of the objects is unknown: {}", failure.what()),
        }
    }
}

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

impl fmt::Display for PolicyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.granted.is_empty() {
            parts.push(format!("grants delivery to {}", accounts(&self.granted)));
        }
        if !self.also_granted.is_empty() {
            let already = accounts(&self.also_granted);
            parts.push(format!("also grants delivery to {already}, which other statements allow already"));
        }
        let revoked = revoked(&self.revoked, &self.revoked_access);
        parts.extend(revoked.into_iter().map(|what| format!("revokes {what}")));
        if !self.adopted.is_empty() {
            parts.push(format!("replaces the adopted {}", self.adopted.join(", ")));
        }
        parts.extend(self.notes.iter().cloned());
        if parts.is_empty() {
            parts.push("brings flowagg's statements up to date".to_owned());
        }
        let verb = if self.replaces.is_some() { "merge" } else { "write" };
        write!(f, "{verb} the bucket policy: {} ({} bytes)", parts.join("; "), self.bytes)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => f.write_str("create a flow log"),
            Self::Replace { old } => write!(f, "replace {old}"),
            Self::Tag { flow_log, .. } => write!(f, "tag {flow_log}"),
            Self::Delete { flow_log } => write!(f, "delete {flow_log}"),
        }
    }
}

impl fmt::Display for FlowLogChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}: {}", self.place, self.resource, self.step, self.reason)
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
            Self::Shared { .. } => "owned by another account",
            Self::NotChosen { .. } => "not chosen by the fleet file",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToLog { place, kinds } => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.noun()).collect();
                write!(f, "{place}: no {} to log", kinds.join(" or "))
            }
            Self::KeptEncryption { key } => write!(
                f,
                "the bucket keeps its default encryption with the key `{key}`, because `hub.encryption` is not set; set it to this \
                 ARN to manage it"
            ),
            Self::StrongerEncryption { key } => write!(
                f,
                "the bucket is encrypted with the key `{key}`, which is stronger than `sse-s3` and stays; write it in \
                 `hub.encryption`"
            ),
            Self::Versioned { versioning, noncurrent_days } => {
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
            Self::AlsoExpires { accounts: others } => write!(
                f,
                "the fleet's lifecycle rule also expires flow logs of accounts that are not members: {}",
                accounts(others)
            ),
            Self::Expiry { groups } => match groups.as_slice() {
                [group] => write!(f, "flow logs {group}"),
                groups => {
                    let groups: Vec<String> =
                        groups.iter().map(|group| format!("in {} folders {group}", group.folders)).collect();
                    write!(f, "flow logs {}", groups.join(", "))
                }
            },
            Self::ObjectLocked { retention: None } => f.write_str(
                "Object Lock is enabled: locked versions of objects stay after expiry, until their retention ends",
            ),
            Self::ObjectLocked { retention: Some(retention) } => write!(
                f,
                "Object Lock is enabled with a default retention of {} ({}): every log file stays that long, even if it expires \
                 before; AWS does not document whether log delivery supports a default retention",
                retention.period, retention.mode
            ),
            Self::Replicated => f.write_str(
                "the bucket has a replication configuration: flow logs that it copies to another bucket do not expire there by \
                 `hub.retention-days`",
            ),
            Self::Notifies => f.write_str(
                "the bucket has event notifications: each log file may send one, about every 5 minutes for each flow log",
            ),
            Self::SettingsUnread { settings } => write!(
                f,
                "settings of the bucket that could not be read and may affect flow logs: {}; `flowagg permissions` prints the \
                 actions to allow",
                settings.join(", ")
            ),
            Self::LeftOut { accounts, why } => match accounts.as_slice() {
                [one] => write!(f, "{one} of the organization is left out: {why}"),
                few if few.len() <= LISTED => {
                    let listed: Vec<String> = few.iter().map(AccountId::to_string).collect();
                    write!(f, "{} of the organization are left out: {why}", listed.join(", "))
                }
                many => write!(f, "{} accounts of the organization are left out: {why}", many.len()),
            },
            Self::AlsoGranted { statement, of, accounts: members } => {
                write!(f, "statement {statement}")?;
                match of {
                    Some(FleetMark::Name(name)) => write!(f, ", managed by flowagg fleet {name},")?,
                    Some(mark) => write!(f, ", managed by a flowagg fleet with the mark {mark},")?,
                    None => {}
                }
                write!(f, " also lets {} deliver", accounts(members))
            }
            Self::DelegatesToAccessPoints { statement, to } => write!(
                f,
                "statement {statement} delegates access to {to}; log delivery does not go through an access point"
            ),
            Self::StatementKept { what } => f.write_str(what),
            Self::UnknownResource { place, flow_log, resource, manager } => write!(
                f,
                "{place}: the flow log {flow_log} to the bucket is {manager} and logs `{}`, a kind of resource that flowagg does \
                 not know; it is neither changed nor deleted",
                resource.escape_debug()
            ),
            Self::Undecided { what, .. } => {
                write!(f, "{what}; `flowagg verify` shows after the next delivery whether objects arrive")
            }
            Self::StillGranted { account } => write!(
                f,
                "the fleet's statements still name {account}, which is not in the fleet file; `--prune` removes it"
            ),
            Self::StillGrantedIn { access: still } => write!(
                f,
                "the fleet's statements still cover {}, which the fleet file does not; `--prune` removes that",
                access(still).join("; ")
            ),
            Self::GrantStaysForPart => {
                f.write_str("the grant and the lifecycle rules stay while only a part of the fleet is selected")
            }
            Self::GrantStaysForUnread => {
                f.write_str("the grant and the lifecycle rules are kept, because flow logs that could not be read may still need them")
            }
        }
    }
}

/// Up to this many lifecycle rules are listed; more are counted.
const LISTED_RULES: usize = 3;
/// Up to this many accounts of one reason are listed; more are counted.
const LISTED: usize = 12;
