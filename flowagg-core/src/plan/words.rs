//! How a plan reads.

use std::fmt;

use super::{FlowLogChange, HubChange, Note, PolicyChange, Step, Why};
use crate::fleet::Encryption;
use crate::id::{AccountId, FleetMark};
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
            Self::Encrypt { was: now, with } => write!(f, "encrypt with {with}{}", was(now)),
            Self::SetLifecycle { was, rule } => {
                let now = was.as_ref().map(|was| format!(" (now: {}, under {})", was.lifecycle, was.under));
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
                let accounts = accounts(&removal.revoked);
                write!(
                    f,
                    "take flowagg's statements out of the bucket policy: revokes delivery from {accounts}; {rest}"
                )
            }
        }
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
pub fn accounts(accounts: &std::collections::BTreeSet<AccountId>) -> String {
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
            Self::StrongerEncryption { key } => write!(
                f,
                "the bucket is encrypted with the key `{key}`, which is stronger than `sse-s3` and stays; write it in \
                 `hub.encryption`"
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
            Self::StatementKept { what } => f.write_str(what),
            Self::StillGranted { account } => write!(
                f,
                "the bucket policy lets {account} deliver, which the fleet file does not name; `--prune` revokes it"
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
