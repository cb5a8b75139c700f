//! How a plan reads.

use std::fmt;

use super::{FlowLogChange, HubChange, Plan, PolicyChange, Step};
use crate::fleet::Encryption;
use crate::id::AccountId;
use crate::lifecycle::Lifecycle;

impl fmt::Display for HubChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let was = |was: &Option<String>| was.as_ref().map(|was| format!(" (now {was})")).unwrap_or_default();
        match self {
            Self::CreateBucket { region } => write!(f, "create the bucket in {region}"),
            Self::BlockPublicAccess { off } if off.len() == 4 => f.write_str("block all public access"),
            Self::BlockPublicAccess { off } => {
                write!(f, "block all public access (now off: {})", off.join(", "))
            }
            Self::EnforceBucketOwner { was: now } => {
                write!(f, "set object ownership BucketOwnerEnforced{}", was(now))
            }
            Self::Encrypt { was: now, with: Encryption::SseS3 } => {
                write!(f, "encrypt with SSE-S3{}", was(now))
            }
            Self::Encrypt { was: now, with: Encryption::SseKms { key, bucket_key } } => {
                let with = if *bucket_key { "and" } else { "without" };
                write!(f, "encrypt with the KMS key {key} {with} a bucket key{}", was(now))
            }
            Self::SetLifecycle { was, rule } => {
                let now =
                    was.as_ref().map(|was| format!(" (now: {}, under {})", Days(&was.lifecycle), was.under));
                let now = now.unwrap_or_default();
                write!(f, "lifecycle of objects under {}: {}{now}", rule.under, Days(&rule.lifecycle))
            }
            Self::PutPolicy(policy) => policy.fmt(f),
            Self::RemoveGrant(removal) => {
                let rest = if removal.leaves.is_some() {
                    "the others stay"
                } else {
                    "nothing else is in it, and it is deleted"
                };
                let accounts = accounts(&removal.revoked);
                write!(
                    f,
                    "take flowagg's statements out of the bucket policy: revokes delivery from {accounts}; {rest}"
                )
            }
        }
    }
}

/// What becomes of objects, and when.
struct Days<'a>(&'a Lifecycle);

impl fmt::Display for Days<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lifecycle { retention_days, transition, noncurrent_days, abort_uploads_days } = self.0;
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
        if !self.revoked.is_empty() {
            parts.push(format!("revokes it from {}", accounts(&self.revoked)));
        }
        parts.extend(self.notes.iter().cloned());
        if parts.is_empty() {
            parts.push("brings flowagg's statements up to date".to_owned());
        }
        let verb = if self.replaces.is_some() { "merge" } else { "write" };
        write!(f, "{verb} the bucket policy: {} ({} bytes)", parts.join("; "), self.bytes)
    }
}

/// Up to a handful of accounts by id, more by number.
fn accounts(accounts: &std::collections::BTreeSet<AccountId>) -> String {
    const NAMED: usize = 6;
    if accounts.len() > NAMED {
        return format!("{} accounts", accounts.len());
    }
    accounts.iter().map(AccountId::to_string).collect::<Vec<_>>().join(", ")
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

impl Plan {
    /// The plan in one line: `5 hub changes, 12 flow logs to create`.
    pub fn summary(&self) -> String {
        let count =
            |wanted: fn(&Step) -> bool| self.flow_logs.iter().filter(|change| wanted(&change.step)).count();
        let hub = if self.hub.len() == 1 { "change to the hub" } else { "changes to the hub" };
        let parts: Vec<String> = [
            (self.hub.len(), hub),
            (count(|step| matches!(step, Step::Create)), "to create"),
            (count(|step| matches!(step, Step::Replace { .. })), "to replace"),
            (count(|step| matches!(step, Step::Tag { .. })), "to tag"),
            (count(|step| matches!(step, Step::Delete { .. })), "to delete"),
        ]
        .into_iter()
        .enumerate()
        .filter(|(_, (number, _))| *number > 0)
        .map(|(place, (number, what))| match place {
            0 => format!("{number} {what}"),
            _ => format!("{number} {} {what}", if number == 1 { "flow log" } else { "flow logs" }),
        })
        .collect();
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
    }
}
