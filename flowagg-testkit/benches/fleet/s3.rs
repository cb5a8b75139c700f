//! S3: one bucket, with the settings that were put on it and no object.

use std::collections::BTreeMap;

use hyper::Method;

use crate::call::{Answer, Call, Service, verb};
use crate::fleet::REGIONS;

/// A setting of a bucket: its name in the URL, in the operation, and what S3 says where there is none.
const SETTINGS: [(&str, &str, &str); 5] = [
    ("encryption", "BucketEncryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("lifecycle", "BucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"),
    ("publicAccessBlock", "PublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls", "OwnershipControlsNotFoundError"),
    ("policy", "BucketPolicy", "NoSuchBucketPolicy"),
];

/// A read of how the bucket is used: its name in the URL, the operation, and the answer for a bucket that is used for nothing else.
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

/// The operation that a method and a query stand for.
pub(crate) fn operation(method: &Method, query: &BTreeMap<String, String>) -> Option<String> {
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

#[derive(Debug)]
pub(crate) struct S3 {
    /// Each setting as it was put: S3 takes and returns the same document.
    bucket: Option<BTreeMap<&'static str, String>>,
}

impl S3 {
    /// With a bucket that has this policy; `None`: without a bucket.
    pub(crate) fn with(policy: Option<String>) -> Self {
        Self { bucket: policy.map(|policy| BTreeMap::from([("policy", policy)])) }
    }

    pub(crate) fn answer(&mut self, call: &Call) -> Answer {
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
        let setting = SETTINGS.iter().find(|(key, ..)| call.form.contains_key(*key));
        match (call.operation.as_str(), setting) {
            ("HeadBucket", _) => {
                let region = ("x-amz-bucket-region", REGIONS[0].to_owned());
                Answer { headers: vec![region], ..Answer::ok("") }
            }
            ("CreateBucket", _) => Answer::error(Service::S3, 409, "BucketAlreadyOwnedByYou", "it is yours"),
            ("ListObjectsV2", _) => Answer::ok(
                "<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>",
            ),
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
}

fn none(code: &str) -> Answer {
    Answer::error(Service::S3, 404, code, "there is none")
}
