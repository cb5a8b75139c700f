//! Settings that affect flow logs and that flowagg never changes: one note for each, and an obstacle for Requester Pays.

use super::{HubPart, about_bucket};
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::observed::{Usage, Versioning};
use crate::plan::Note;

/// Adds the notes. `noncurrent` is the number of days after which noncurrent versions are deleted, if all of them are.
pub(super) fn explain(fleet: &Fleet, usage: &Usage, noncurrent: Option<u32>, part: &mut HubPart) {
    let mut unread = Vec::new();
    if let Some(versioning @ (Versioning::Enabled | Versioning::Suspended)) =
        known("versioning", &usage.versioning, &mut unread)
    {
        part.notes.push(Note::Versioned { versioning: *versioning, noncurrent_days: noncurrent });
    }
    if let Some(Some(lock)) = known("Object Lock", &usage.object_lock, &mut unread) {
        part.notes.push(Note::ObjectLocked { retention: lock.retention.clone() });
    }
    if let Some(true) = known("replication", &usage.replication, &mut unread) {
        part.notes.push(Note::Replicated);
    }
    if let Some(true) = known("event notifications", &usage.notifications, &mut unread) {
        part.notes.push(Note::Notifies);
    }
    if let Some(true) = known("Requester Pays", &usage.requester_pays, &mut unread) {
        let bucket = &fleet.hub.bucket;
        // Source: "Using Requester Pays general purpose buckets for storage transfers and usage" (Amazon S3 User Guide).
        part.obstacles.push(about_bucket(
            fleet,
            "it is a Requester Pays bucket, which S3 does not support as a target of end user logging; AWS does not document \
             whether flow logs are delivered to one"
                .to_owned(),
            format!(
                "disable Requester Pays (`aws s3api put-bucket-request-payment --bucket {bucket} \
                 --request-payment-configuration Payer=BucketOwner`), or use another `hub.bucket`"
            ),
        ));
    }
    if !unread.is_empty() {
        part.notes.push(Note::SettingsUnread { settings: unread });
    }
}

/// The setting, if it was read. Otherwise its name and the failed call are added to `unread`.
fn known<'u, T>(name: &str, setting: &'u Result<T, Failure>, unread: &mut Vec<String>) -> Option<&'u T> {
    let known = setting.as_ref();
    if let Err(failure) = known {
        unread.push(format!("{name} ({})", failure.what()));
    }
    known.ok()
}
