//! Changes to the settings of the hub bucket. No setting of an existing bucket is loosened, and none is tightened against evidence
//! that someone depends on it.

mod acl;
mod encryption;
mod lifecycle;
mod usage;

pub use self::encryption::{EncryptionInUse, encryption_in_use};
pub use self::lifecycle::{folders_that_end_sooner, lifecycle_removal, rule_of_new_bucket};
use super::{Concern, Expiry, HubChange, Note, Subject};
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::observed::{Bucket, Scope, Switch};

/// The changes to the settings of the hub bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubPart {
    /// The changes, in order, without the policy.
    pub changes: Vec<HubChange>,
    /// Changes that require an option on the command line.
    pub not_applied: Vec<HubChange>,
    /// Differences that are not changed.
    pub concerns: Vec<Concern>,
    /// Problems that block all changes.
    pub obstacles: Vec<Concern>,
    /// Information that requires no action.
    pub notes: Vec<Note>,
}

/// The changes to the settings of the hub bucket, which is `None` if it does not exist. Lifecycle rules of members outside of the
/// scope are not changed.
pub fn hub_changes(fleet: &Fleet, bucket: Option<&Bucket>, expiry: Expiry, scope: &Scope) -> HubPart {
    let mut part = HubPart::default();
    match bucket {
        Some(found) => {
            acl::public_access(fleet, found, &mut part);
            acl::ownership(fleet, found, &mut part);
            encryption::of_existing(fleet, found, &mut part);
            let noncurrent = lifecycle::of_existing(fleet, found, expiry, scope, &mut part);
            usage::explain(fleet, &found.usage, noncurrent, &mut part);
        }
        None => {
            let with = fleet.hub.encryption.clone().unwrap_or_default();
            part.changes.push(HubChange::CreateBucket { region: fleet.hub.region.clone() });
            part.changes.push(HubChange::BlockPublicAccess { off: Switch::ALL.to_vec(), compared: None });
            part.changes.push(HubChange::EnforceBucketOwner { was: None, compared: None });
            part.changes.push(HubChange::Encrypt { was: None, with, compared: None });
            lifecycle::of_new(fleet, &mut part);
        }
    }
    part
}

fn about_bucket(fleet: &Fleet, what: String, help: String) -> Concern {
    Concern {
        about: Subject::Bucket,
        account: fleet.hub.account,
        region: Some(fleet.hub.region.clone()),
        resource: fleet.hub.bucket.to_string(),
        what,
        help,
    }
}

/// The text for a setting whose call failed.
fn unread(setting: &str, failure: &Failure) -> String {
    format!("{setting} could not be read ({})", failure.what())
}
