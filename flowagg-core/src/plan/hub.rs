//! What differs at the bucket's settings. No setting of an existing bucket is loosened.

use super::{Concern, HubChange, Note, Subject};
use crate::fleet::{Encryption, Fleet};
use crate::layout;
use crate::observed::{Bucket, BucketEncryption, LifecycleRule, PublicAccessBlock};

const ENFORCED: &str = "BucketOwnerEnforced";

/// What changes at the settings of the hub bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubPart {
    /// The changes, in order. The policy is not among them.
    pub changes: Vec<HubChange>,
    /// What differs and is not changed.
    pub concerns: Vec<Concern>,
    /// What is worth knowing.
    pub notes: Vec<Note>,
}

/// What changes at the settings of the hub bucket, which is `None` if it does not exist.
pub fn hub_changes(fleet: &Fleet, bucket: Option<&Bucket>) -> HubPart {
    let mut part = HubPart::default();
    let absent = Bucket::default();
    let found = bucket.unwrap_or(&absent);
    if bucket.is_none() {
        part.changes.push(HubChange::CreateBucket { region: fleet.hub.region.clone() });
    }
    let off = switches_off(found.public_access_block);
    if !off.is_empty() {
        part.changes.push(HubChange::BlockPublicAccess { off });
    }
    if found.ownership.as_deref() != Some(ENFORCED) {
        part.changes.push(HubChange::EnforceBucketOwner { was: found.ownership.clone() });
    }
    encryption(fleet, found, &mut part);
    lifecycle(fleet, found, &mut part);
    part
}

fn switches_off(block: PublicAccessBlock) -> Vec<&'static str> {
    let switches = [
        (block.block_acls, "BlockPublicAcls"),
        (block.ignore_acls, "IgnorePublicAcls"),
        (block.block_policy, "BlockPublicPolicy"),
        (block.restrict_buckets, "RestrictPublicBuckets"),
    ];
    switches.into_iter().filter(|(on, _)| !on).map(|(_, name)| name).collect()
}

fn encryption(fleet: &Fleet, found: &Bucket, part: &mut HubPart) {
    let wanted = &fleet.hub.encryption;
    let (right, stronger) = match (wanted, &found.encryption) {
        (_, None) => (false, None),
        (Encryption::SseS3, Some(BucketEncryption { algorithm, key, .. })) => {
            // The AWS managed key cannot be used from other accounts, so it is no protection but an obstacle.
            (algorithm == "AES256", key.as_ref().filter(|_| algorithm != "AES256"))
        }
        (Encryption::SseKms { key, bucket_key }, Some(found)) => {
            (found.key.as_deref() == Some(key.as_str()) && found.bucket_key == *bucket_key, None)
        }
    };
    if let Some(key) = stronger {
        part.notes.push(Note::StrongerEncryption { key: key.clone() });
    } else if !right {
        let was = found.encryption.as_ref().map(|found| match &found.key {
            Some(key) => {
                let bucket_key = if found.bucket_key { " and a bucket key" } else { "" };
                format!("{} with {key}{bucket_key}", found.algorithm)
            }
            None if found.algorithm == "AES256" => found.algorithm.clone(),
            None => format!("{} with the AWS managed key, which log delivery cannot use", found.algorithm),
        });
        part.changes.push(HubChange::Encrypt { was, with: wanted.clone() });
    }
}

fn lifecycle(fleet: &Fleet, found: &Bucket, part: &mut HubPart) {
    let wanted = LifecycleRule {
        under: layout::root(fleet.hub.prefix.as_ref()),
        lifecycle: fleet.hub.lifecycle.clone(),
    };
    if found.lifecycle.as_ref() == Some(&wanted) {
        return;
    }
    if let Some(other) = found.other_logs.first() {
        part.concerns.push(Concern {
            about: Subject::Bucket,
            account: fleet.hub.account,
            region: Some(fleet.hub.region.clone()),
            resource: fleet.hub.bucket.to_string(),
            what: format!(
                "expiry after {} days is not set: other logs lie under `{}` too (`{other}`) and would expire with the flow logs",
                wanted.lifecycle.retention_days, wanted.under
            ),
            help: "give flow logs a sub-folder of their own with `hub.prefix`, or move the other logs".to_owned(),
        });
        return;
    }
    part.changes.push(HubChange::SetLifecycle { was: found.lifecycle.clone(), rule: wanted });
}
