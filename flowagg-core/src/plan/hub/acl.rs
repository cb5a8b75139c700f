//! The settings that determine whether ACLs and public policies have an effect: the public access block and object ownership.
//!
//! A setting that could not be read counts as evidence that someone depends on the current value.

use super::{HubPart, about_bucket, unread};
use crate::acl::AclGrant;
use crate::fleet::{Fleet, ObjectOwnership};
use crate::observed::{Bucket, Switch};
use crate::plan::{HubChange, Strength};

/// The ownership setting with which ACLs have no effect.
const ENFORCED: &str = "BucketOwnerEnforced";

/// More grants of an ACL than this are counted instead of listed.
const LISTED: usize = 3;

/// Why a setting is kept, and how to change it.
struct Evidence {
    what: String,
    help: String,
}

/// Enables the switches that are off, except those that someone may depend on.
pub(super) fn public_access(fleet: &Fleet, found: &Bucket, part: &mut HubPart) {
    let mut off = Vec::new();
    for (switches, evidence) in [
        ([Switch::BlockPublicAcls, Switch::IgnorePublicAcls], public_acl(fleet, found)),
        ([Switch::BlockPublicPolicy, Switch::RestrictPublicBuckets], public_policy(found)),
    ] {
        let of_these: Vec<Switch> =
            found.public_access_block.off().filter(|switch| switches.contains(switch)).collect();
        match evidence {
            Some(Evidence { what, help }) if !of_these.is_empty() => {
                let names: Vec<&str> = of_these.iter().map(|switch| switch.as_str()).collect();
                let verb = if names.len() == 1 { "stays" } else { "stay" };
                let what = format!("{} {verb} off: {what}", names.join(" and "));
                part.concerns.push(about_bucket(fleet, what, help));
            }
            _ => off.extend(of_these),
        }
    }
    if !off.is_empty() {
        part.changes.push(HubChange::BlockPublicAccess { off, compared: Some(Strength::Stronger) });
    }
}

/// Disables ACLs, unless someone may depend on them or the fleet file keeps them.
pub(super) fn ownership(fleet: &Fleet, found: &Bucket, part: &mut HubPart) {
    if is_enforced(found) {
        return;
    }
    let evidence = match fleet.hub.object_ownership {
        Some(ObjectOwnership::Keep) => return,
        Some(ObjectOwnership::Enforce) => None,
        None => other_grants(fleet, found),
    };
    match evidence {
        Some(Evidence { what, help }) => {
            let setting = found.ownership.as_deref().unwrap_or("unset (ACLs enabled)");
            part.concerns.push(about_bucket(
                fleet,
                format!("object ownership stays {setting}: {what}"),
                help,
            ));
        }
        None => part.changes.push(HubChange::EnforceBucketOwner {
            was: found.ownership.clone(),
            compared: Some(Strength::Stronger),
        }),
    }
}

fn is_enforced(found: &Bucket) -> bool {
    found.ownership.as_deref() == Some(ENFORCED)
}

/// Evidence that someone depends on a public ACL. There is none if ACLs are disabled.
fn public_acl(fleet: &Fleet, found: &Bucket) -> Option<Evidence> {
    if is_enforced(found) {
        return None;
    }
    let acl = match &found.usage.acl {
        Ok(acl) => acl,
        Err(failure) => {
            return Some(Evidence { what: unread("the bucket ACL", failure), help: failure.help() });
        }
    };
    let grants: Vec<&AclGrant> = acl.public().collect();
    let bucket = &fleet.hub.bucket;
    (!grants.is_empty()).then(|| Evidence {
        what: format!("the bucket ACL grants {}", listed(&grants)),
        help: format!(
            "if this access is not needed, reset the ACL (`aws s3api put-bucket-acl --bucket {bucket} --acl private` removes every \
             grant), then run `flowagg plan` again"
        ),
    })
}

/// Evidence that someone depends on a public bucket policy. There is none without a policy.
fn public_policy(found: &Bucket) -> Option<Evidence> {
    match &found.usage.public_policy {
        Ok(false) => None,
        Ok(true) => Some(Evidence {
            what: "the bucket policy is public".to_owned(),
            help: "if this access is not needed, remove the statements that grant it to everyone, then run `flowagg plan` again; \
                   otherwise choose another `hub.bucket`"
                .to_owned(),
        }),
        Err(failure) => found.policy.as_ref().map(|_| Evidence {
            what: unread("whether the bucket policy is public", failure),
            help: failure.help(),
        }),
    }
}

/// Evidence that someone other than the owner depends on the bucket ACL.
fn other_grants(fleet: &Fleet, found: &Bucket) -> Option<Evidence> {
    let bucket = &fleet.hub.bucket;
    match &found.usage.acl {
        Ok(acl) => (!acl.grants.is_empty()).then(|| Evidence {
            what: format!("the bucket ACL grants {}", listed(&acl.grants.iter().collect::<Vec<_>>())),
            help: format!(
                "to keep ACLs enabled, set `hub.object-ownership = \"keep\"`; to disable them, replace these grants with bucket \
                 policy statements and reset the ACL (`aws s3api put-bucket-acl --bucket {bucket} --acl private`)"
            ),
        }),
        Err(failure) => Some(Evidence {
            what: unread("the bucket ACL", failure),
            help: format!("{}; or set `hub.object-ownership` to \"keep\" or \"enforce\"", failure.help()),
        }),
    }
}

fn listed(grants: &[&AclGrant]) -> String {
    let mut listed: Vec<String> = grants.iter().take(LISTED).map(ToString::to_string).collect();
    if grants.len() > LISTED {
        listed.push(format!("{} more", grants.len() - LISTED));
    }
    listed.join(", ")
}
