//! The text of a change to the hub, with the values before and after.

use std::collections::BTreeSet;
use std::fmt;

use super::named::Named;
use super::{End, HubChange, LifecycleChange, PolicyChange, Sooner, Strength, revoked};
use crate::fleet::Encryption;
use crate::lifecycle::{FleetRule, LifecycleDocument, Rule, Transition};
use crate::names::Names;
use crate::observed::Oldest;

/// More lifecycle rules than this are counted instead of listed.
const LISTED_RULES: usize = 3;

impl fmt::Display for HubChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named(Names::NONE).fmt(f)
    }
}

impl fmt::Display for Named<'_, HubChange> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            HubChange::CreateBucket { region } => write!(f, "create the bucket in {region}"),
            HubChange::BlockPublicAccess { compared: None, .. } => f.write_str("block all public access"),
            HubChange::BlockPublicAccess { off, compared: Some(strength) } => {
                let names: Vec<&str> = off.iter().map(|switch| switch.as_str()).collect();
                write!(f, "block public access: {} off -> on ({strength})", names.join(", "))
            }
            HubChange::EnforceBucketOwner { compared: None, .. } => {
                f.write_str("set object ownership to BucketOwnerEnforced")
            }
            HubChange::EnforceBucketOwner { was, compared: Some(strength) } => {
                let was = was.as_deref().unwrap_or("unset");
                write!(f, "object ownership: {was} -> BucketOwnerEnforced ({strength})")
            }
            HubChange::Encrypt { with, compared: None, .. } => write!(f, "encrypt with {with}"),
            HubChange::Encrypt { was, with, compared: Some(strength) } => {
                write!(f, "default encryption: {} -> {with} ({strength})", was.as_deref().unwrap_or("none"))
            }
            HubChange::SetLifecycle(change) => change.fmt(f),
            HubChange::RemoveLifecycle(change) => {
                f.write_str("remove flowagg's ")?;
                match change.removed.len() {
                    1 => f.write_str("lifecycle rule")?,
                    n => write!(f, "{n} lifecycle rules")?,
                }
                f.write_str("; after that, only other rules expire flow logs")
            }
            HubChange::PutPolicy(policy) => Named { of: policy, names: self.names }.fmt(f),
            HubChange::RemoveGrant(removal) => {
                f.write_str(if removal.leaves.is_some() {
                    "remove flowagg's statements from the bucket policy and keep all others"
                } else {
                    "delete the bucket policy, which contains only flowagg's statements"
                })?;
                for (n, what) in
                    revoked(&removal.revoked, &removal.revoked_access, self.names).iter().enumerate()
                {
                    write!(f, "{} revokes {what}", if n == 0 { ":" } else { ";" })?;
                }
                Ok(())
            }
        }
    }
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

/// The fleet's current rules for these folders.
fn rules_before(change: &LifecycleChange) -> Vec<Rule> {
    let rules = change.replaces.as_ref().map(LifecycleDocument::rules).transpose();
    // An unreadable document never leads to a change.
    let rules = rules.ok().flatten().unwrap_or_default();
    let ids = change.set.iter().map(|rule| rule.id.as_str());
    let is_set = |rule: &Rule| ids.clone().any(|id| rule.id.as_deref() == Some(id));
    rules.into_iter().filter(is_set).collect()
}

/// The effects of a rule, as `before -> after`. An effect that does not change is written once.
fn changed(before: &Rule, after: &FleetRule) -> String {
    let mut same = FleetRule::new("", "");
    same.expire_days = before.expire_days();
    same.noncurrent_days = before.noncurrent_days;
    same.abort_uploads_days = before.abort_uploads_days;
    let first = before.transitions.first();
    same.transition = first.and_then(|to| Some(Transition::new(to.days?, &to.storage_class)));
    let mut words: Vec<String> = Vec::new();
    for (before, after) in parts(&same).into_iter().zip(parts(after)) {
        words.extend(match (before, after) {
            (None, None) => None,
            (before, after) if before == after => after,
            (before, after) => {
                let none = || "none".to_owned();
                Some(format!("{} -> {}", before.unwrap_or_else(none), after.unwrap_or_else(none)))
            }
        });
    }
    if !before.is_enabled {
        words.push("disabled -> enabled".to_owned());
    }
    if before.is_narrowed {
        words.push("some objects -> all objects".to_owned());
    }
    words.join(", ")
}

/// The effects of a rule: expiration, transition, noncurrent versions, incomplete uploads.
fn parts(rule: &FleetRule) -> [Option<String>; 4] {
    let FleetRule { id: _, under: _, expire_days, transition, noncurrent_days, abort_uploads_days } = rule;
    [
        Some(expire_days.map_or("no expiration".to_owned(), |days| format!("expire after {days} days"))),
        transition.as_ref().map(|to| format!("move to {} after {} days", to.storage_class, to.days)),
        noncurrent_days.map(|days| format!("delete noncurrent versions after {days} days")),
        abort_uploads_days.map(|days| format!("abort incomplete uploads after {days} days")),
    ]
}

impl fmt::Display for LifecycleChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { root, write: _, replaces: _, set, removed, sooner, oldest } = self;
        let current = rules_before(self);
        match set.as_slice() {
            [] => {}
            [rule] => {
                write!(f, "lifecycle of {}: ", rule.under)?;
                match current.as_slice() {
                    [current] => f.write_str(&changed(current, rule))?,
                    _ => rule.fmt(f)?,
                }
            }
            [first, rest @ ..] => {
                write!(f, "lifecycle of flow logs in {} folders under {root}: ", set.len())?;
                if rest.iter().all(|rule| does_the_same(rule, first)) {
                    let changes: BTreeSet<String> = current.iter().map(|it| changed(it, first)).collect();
                    match (changes.first(), changes.len(), current.len() == set.len()) {
                        (Some(one), 1, true) => f.write_str(one)?,
                        _ => first.fmt(f)?,
                    }
                } else {
                    f.write_str("one rule each")?;
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

/// Whether two rules have the same effects, whatever their IDs and folders.
fn does_the_same(one: &FleetRule, other: &FleetRule) -> bool {
    let FleetRule { id, under, .. } = one.clone();
    FleetRule { id, under, ..other.clone() } == *one
}

impl fmt::Display for FleetRule {
    /// The effects of the rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = parts(self).into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

/// The current end of objects, and, if folders may differ, the end after the change.
fn before(sooner: &Sooner, with_after: bool) -> String {
    let now = match (sooner.end, sooner.before) {
        (End::Expiry, None) => "now never".to_owned(),
        (End::Expiry, Some(days)) => format!("now after {days} days"),
        (End::Versions, None) => "noncurrent versions now kept".to_owned(),
        (End::Versions, Some(days)) => format!("noncurrent versions now deleted after {days} days"),
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

impl fmt::Display for PolicyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Named { of: self, names: Names::NONE }.fmt(f)
    }
}

impl fmt::Display for Named<'_, PolicyChange> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of: change, names } = self;
        let mut parts = Vec::new();
        if !change.granted.is_empty() {
            parts.push(format!("grants delivery to {}", names.accounts(&change.granted)));
        }
        if !change.also_granted.is_empty() {
            let already = names.accounts(&change.also_granted);
            parts.push(format!("also grants delivery to {already}, which other statements already allow"));
        }
        let revoked = revoked(&change.revoked, &change.revoked_access, names);
        parts.extend(revoked.into_iter().map(|what| format!("revokes {what}")));
        if !change.adopted.is_empty() {
            parts.push(format!("replaces adopted {}", change.adopted.join(", ")));
        }
        parts.extend(change.notes.iter().cloned());
        if parts.is_empty() {
            parts.push("updates flowagg's statements".to_owned());
        }
        let (what, bytes) = (parts.join("; "), change.bytes);
        match change.bytes_before {
            Some(before) => write!(f, "update the bucket policy: {what} ({before} -> {bytes} bytes)"),
            None => write!(f, "write the bucket policy: {what} ({bytes} bytes)"),
        }
    }
}
