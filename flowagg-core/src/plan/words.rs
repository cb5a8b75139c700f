//! How a plan reads.

use std::fmt;

use super::{FlowLogChange, HubChange, Note, PolicyChange, Step, Strength, Why, access, accounts, revoked};
use crate::fleet::Encryption;
use crate::id::{AccountId, FleetMark};
use crate::lifecycle::Lifecycle;
use crate::observed::Versioning;

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
            Self::SetLifecycle { was, rule } => {
                let now = was
                    .as_ref()
                    .map(|was| format!(" (now: {}, under {}; different)", was.lifecycle, was.under));
                let now = now.unwrap_or_default();
                write!(f, "lifecycle of objects under {}: {}{now}", rule.under, rule.lifecycle)
            }
            Self::PutPolicy(policy) => policy.fmt(f),
            Self::RemoveGrant(removal) => {
                let rest = if removal.leaves.is_some() {
                    "the others stay"
                } else {
                    "nothing else is in it, and it is deleted"
                };
                f.write_str("take flowagg's statements out of the bucket policy: ")?;
                for from in revoked(&removal.revoked, &removal.revoked_access) {
                    write!(f, "revokes delivery from {from}; ")?;
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

impl fmt::Display for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { retention_days, transition, noncurrent_days, abort_uploads_days } = self;
        write!(f, "expire after {retention_days} days")?;
        if let Some(transition) = transition {
            write!(f, ", go to {} after {}", transition.storage_class, transition.days)?;
        }
        if let Some(days) = noncurrent_days {
            write!(f, ", old versions deleted after {days}")?;
        }
        abort_uploads_days.map_or(Ok(()), |days| write!(f, ", unfinished uploads deleted after {days}"))
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
        let from = revoked(&self.revoked, &self.revoked_access);
        parts.extend(from.into_iter().map(|from| format!("revokes delivery from {from}")));
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
        write!(f, "{} {} {}: {}: {}", self.account, self.region, self.resource, self.step, self.reason)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsWanted => f.write_str("as wanted"),
            Self::ForeignAsWanted { manager } => write!(f, "as wanted, though {manager}"),
            Self::ForeignAlongside { manager, differences } => {
                write!(f, "{manager}, delivers to the bucket as well: {}", differences.join(", "))
            }
            Self::ForeignWithoutGrant { manager } => {
                write!(f, "{manager}; it stops delivering unless another statement allows it")
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
                write!(f, "versioning is {state}: expiry only adds delete markers, and old versions stay until ")?;
                match noncurrent_days {
                    Some(days) => write!(f, "they are deleted after {days} more days (`hub.noncurrent-days`)"),
                    None => f.write_str("`hub.noncurrent-days` deletes them, which is not set"),
                }
            }
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
            Self::StillGranted { account } => write!(
                f,
                "the bucket policy lets {account} deliver, which the fleet file does not name; `--prune` revokes it"
            ),
            Self::StillGrantedIn { access: still } => write!(
                f,
                "the bucket policy still allows delivery from {}, which the fleet file does not name; `--prune` revokes it",
                access(still).join("; from ")
            ),
            Self::GrantStaysForPart => {
                f.write_str("the grant stays while only a part of the fleet is taken away")
            }
            Self::GrantStaysForUnread => {
                f.write_str("the grant is kept, because flow logs that could not be read may still need it")
            }
        }
    }
}

/// Up to this many accounts of one reason are listed; more are counted.
const LISTED: usize = 12;
