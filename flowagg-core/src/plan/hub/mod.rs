//! What differs at the bucket's settings. No setting of an existing bucket is loosened, and none is tightened against evidence that someone depends on it.

mod acl;
mod encryption;
mod usage;

pub use self::encryption::{EncryptionInUse, encryption_in_use};
use super::{Concern, HubChange, Note, Subject};
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::layout;
use crate::observed::{Bucket, LifecycleRule, Switch};

/// What changes at the settings of the hub bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubPart {
    /// The changes, in order. The policy is not among them.
    pub changes: Vec<HubChange>,
    /// What differs and is not changed.
    pub concerns: Vec<Concern>,
    /// What keeps every change from being made.
    pub obstacles: Vec<Concern>,
    /// What is worth knowing.
    pub notes: Vec<Note>,
}

/// What changes at the settings of the hub bucket, which is `None` if it does not exist.
pub fn hub_changes(fleet: &Fleet, bucket: Option<&Bucket>) -> HubPart {
    let mut part = HubPart::default();
    match bucket {
        Some(found) => {
            acl::public_access(fleet, found, &mut part);
            acl::ownership(fleet, found, &mut part);
            encryption::of_existing(fleet, found, &mut part);
            lifecycle(fleet, found, &mut part);
            usage::explain(fleet, &found.usage, &mut part);
        }
        None => {
            let with = fleet.hub.encryption.clone().unwrap_or_default();
            part.changes.push(HubChange::CreateBucket { region: fleet.hub.region.clone() });
            part.changes.push(HubChange::BlockPublicAccess { off: Switch::ALL.to_vec(), compared: None });
            part.changes.push(HubChange::EnforceBucketOwner { was: None, compared: None });
            part.changes.push(HubChange::Encrypt { was: None, with, compared: None });
            lifecycle(fleet, &Bucket::default(), &mut part);
        }
    }
    part
}

/// Something about the bucket.
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

/// That a setting is unknown, because the call that reads it failed.
fn unread(setting: &str, failure: &Failure) -> String {
    format!("{setting} could not be read ({})", failure.what())
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
        let what = format!(
            "expiry after {} days is not set: other logs lie under `{}` too (`{other}`) and would expire with the flow logs",
            wanted.lifecycle.retention_days, wanted.under
        );
        let help = "give flow logs a sub-folder of their own with `hub.prefix`, or move the other logs";
        part.concerns.push(about_bucket(fleet, what, help.to_owned()));
        return;
    }
    part.changes.push(HubChange::SetLifecycle { was: found.lifecycle.clone(), rule: wanted });
}
