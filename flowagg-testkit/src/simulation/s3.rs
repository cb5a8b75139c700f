//! S3: one bucket with its settings and objects.

use std::collections::{BTreeMap, BTreeSet};

use hyper::Method;
use jiff::Timestamp;

use super::call::{Answer, Call, Service, escaped, verb};
use super::{BUCKET, REGIONS};

/// A bucket setting: its name in the URL, its name in the operation, and S3's error if it is not set.
const SETTINGS: [(&str, &str, &str); 5] = [
    ("encryption", "BucketEncryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("lifecycle", "BucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"),
    ("publicAccessBlock", "PublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls", "OwnershipControlsNotFoundError"),
    ("policy", "BucketPolicy", "NoSuchBucketPolicy"),
];

/// A read of how the bucket is used: its name in the URL, the operation, and the response for a bucket without other
/// uses.
const USAGE: [(&str, &str, Result<&str, &str>); 7] = [
    ("policyStatus", "GetBucketPolicyStatus", Ok("<PolicyStatus><IsPublic>false</IsPublic></PolicyStatus>")),
    ("acl", "GetBucketAcl", Ok("<AccessControlPolicy><Owner><ID>owner</ID></Owner></AccessControlPolicy>")),
    ("versioning", "GetBucketVersioning", Ok("<VersioningConfiguration/>")),
    ("object-lock", "GetObjectLockConfiguration", Err("ObjectLockConfigurationNotFoundError")),
    ("replication", "GetBucketReplication", Err("ReplicationConfigurationNotFoundError")),
    (
        "requestPayment",
        "GetBucketRequestPayment",
        Ok("<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"),
    ),
    ("notification", "GetBucketNotificationConfiguration", Ok("<NotificationConfiguration/>")),
];
/// Source: "ListObjectsV2", MaxKeys (Amazon S3 API Reference).
const PAGE: usize = 1_000;

/// An object without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was stored.
    pub stored: Timestamp,
}

pub(super) fn operation(method: &Method, query: &BTreeMap<String, String>) -> Option<String> {
    if let Some((_, name, _)) = SETTINGS.iter().find(|(key, ..)| query.contains_key(*key)) {
        return Some(format!("{}{name}", verb(method)?));
    }
    if let Some((_, name, _)) = USAGE.iter().find(|(key, ..)| query.contains_key(*key)) {
        return (*method == Method::GET).then(|| (*name).to_owned());
    }
    match *method {
        Method::HEAD => Some("HeadBucket".to_owned()),
        Method::PUT => Some("CreateBucket".to_owned()),
        Method::GET if query.contains_key("list-type") => Some("ListObjectsV2".to_owned()),
        _ => None,
    }
}

#[derive(Debug, Default)]
pub(super) struct S3 {
    /// Each setting as it was put; S3 accepts and returns the same document.
    bucket: Option<BTreeMap<&'static str, String>>,
    objects: BTreeMap<String, Object>,
}

impl S3 {
    pub(super) fn create_with_policy(&mut self, policy: &str) {
        self.bucket = Some(BTreeMap::from([("policy", policy.to_owned())]));
    }

    pub(super) fn store(&mut self, key: String, object: Object) {
        self.objects.insert(key, object);
    }

    pub(super) fn answer(&mut self, call: &Call) -> Answer {
        let Some(bucket) = &mut self.bucket else {
            if call.operation == "CreateBucket" {
                self.bucket = Some(BTreeMap::new());
                return Answer::ok("");
            }
            return none("NoSuchBucket");
        };
        if let Some((.., answer)) = USAGE.iter().find(|(_, name, _)| *name == call.operation) {
            return answer.map_or_else(none, Answer::ok);
        }
        let setting = SETTINGS.iter().find(|(key, ..)| call.has(key));
        match (call.operation.as_str(), setting) {
            ("HeadBucket", _) => Answer::ok("").with_header("x-amz-bucket-region", REGIONS[0]),
            ("CreateBucket", _) => {
                Answer::error(Service::S3, 409, "BucketAlreadyOwnedByYou", "you already own this bucket")
            }
            ("ListObjectsV2", _) => Answer::ok(self.list(call)),
            (get, Some((key, _, code))) if get.starts_with("Get") => {
                bucket.get(key).map_or_else(|| none(code), Answer::ok)
            }
            (put, Some((key, ..))) if put.starts_with("Put") => {
                bucket.insert(key, String::from_utf8_lossy(&call.body).into_owned());
                Answer::ok("")
            }
            (_, Some((key, ..))) => {
                bucket.remove(key);
                Answer::new(204, "")
            }
            _ => Answer::error(Service::S3, 501, "NotImplemented", "no such operation"),
        }
    }

    /// A page of objects and folders. Its token is the last key or folder of the previous page.
    fn list(&self, call: &Call) -> String {
        let (prefix, delimiter) = (call.parameter("prefix"), call.parameter("delimiter"));
        let after = match call.parameter("continuation-token") {
            "" => call.parameter("start-after"),
            token => token,
        };
        let (mut contents, mut folders) = (String::new(), BTreeSet::new());
        let (mut count, mut last, mut is_truncated) = (0, String::new(), false);
        for (key, object) in self.objects.range(prefix.to_owned()..) {
            let Some(rest) = key.strip_prefix(prefix) else { break };
            let below = rest.split_once(delimiter).filter(|_| !delimiter.is_empty());
            let folder = below.map(|(name, _)| format!("{prefix}{name}{delimiter}"));
            let item = folder.as_ref().unwrap_or(key);
            if item.as_str() <= after || folder.as_ref().is_some_and(|folder| folders.contains(folder)) {
                continue;
            }
            if count == PAGE {
                is_truncated = true;
                break;
            }
            count += 1;
            last.clone_from(item);
            match folder {
                Some(folder) => {
                    folders.insert(folder);
                }
                None => contents.push_str(&format!(
                    "<Contents><Key>{}</Key><LastModified>{}</LastModified><Size>{}</Size></Contents>",
                    escaped(key),
                    object.stored,
                    object.bytes
                )),
            }
        }
        let folders: String = folders
            .iter()
            .map(|folder| format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(folder)))
            .collect();
        let next = if is_truncated {
            format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(&last))
        } else {
            String::new()
        };
        format!(
            "<ListBucketResult><Name>{BUCKET}</Name><KeyCount>{count}</KeyCount><IsTruncated>{is_truncated}</IsTruncated>\
             {contents}{folders}{next}</ListBucketResult>"
        )
    }
}

fn none(code: &str) -> Answer {
    Answer::error(Service::S3, 404, code, "not found")
}
