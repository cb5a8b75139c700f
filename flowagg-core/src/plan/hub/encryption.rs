//! The default encryption of the bucket: which one deliveries use, and whether it changes.

use super::HubPart;
use crate::fleet::{Encryption, Fleet, Hub};
use crate::id::KmsKeyArn;
use crate::observed::{Bucket, BucketEncryption};
use crate::plan::{HubChange, Note, Strength};

/// S3's value for encryption with keys that S3 manages.
const AES256: &str = "AES256";
/// S3's value for dual-layer encryption with KMS keys.
const DSSE: &str = "aws:kms:dsse";

/// The encryption of deliveries after a plan is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptionInUse {
    /// Keys that S3 manages.
    SseS3,
    /// A KMS key by its ARN, as log delivery requires.
    Key {
        /// The key.
        arn: KmsKeyArn,
        /// Whether S3 uses a bucket key.
        bucket_key: bool,
    },
    /// The AWS managed key `aws/s3`, which the bucket uses and the fleet file does not replace.
    AwsManaged,
    /// A key that the bucket configuration does not name by its ARN, and that the fleet file does not replace.
    ///
    /// Source: "Required key policy for use with SSE-KMS" (Amazon VPC User Guide): with a key ID the destination is undeliverable.
    NotArn {
        /// The key ID or alias.
        key: String,
    },
}

/// The encryption of deliveries: the one that the fleet file sets, otherwise the one that the bucket has and keeps.
pub fn encryption_in_use(hub: &Hub, found: Option<&BucketEncryption>) -> EncryptionInUse {
    match (&hub.encryption, found) {
        (Some(Encryption::SseKms { key, bucket_key }), found) => {
            let bucket_key = *bucket_key && !found.is_some_and(is_dual_layer);
            EncryptionInUse::Key { arn: key.clone(), bucket_key }
        }
        (None, Some(found)) => found_in_use(found),
        (Some(Encryption::SseS3), Some(found)) if is_by_customer(found) => found_in_use(found),
        (Some(Encryption::SseS3), _) | (None, None) => EncryptionInUse::SseS3,
    }
}

fn found_in_use(found: &BucketEncryption) -> EncryptionInUse {
    match &found.key {
        _ if found.algorithm == AES256 => EncryptionInUse::SseS3,
        None => EncryptionInUse::AwsManaged,
        Some(key) => match KmsKeyArn::parse(key) {
            Ok(arn) => EncryptionInUse::Key { arn, bucket_key: found.bucket_key },
            Err(_) => EncryptionInUse::NotArn { key: key.clone() },
        },
    }
}

/// Keeps the encryption of an existing bucket, unless the bucket has none or the fleet file sets one that is not weaker.
pub(super) fn of_existing(fleet: &Fleet, bucket: &Bucket, part: &mut HubPart) {
    let wanted = fleet.hub.encryption.as_ref();
    let Some(found) = &bucket.encryption else {
        let with = wanted.cloned().unwrap_or_default();
        part.changes.push(HubChange::Encrypt { was: None, with, compared: Some(Strength::Stronger) });
        return;
    };
    let compared = match wanted {
        Some(Encryption::SseS3) if is_by_customer(found) => None,
        Some(Encryption::SseS3) if found.algorithm == AES256 => None,
        // One layer instead of two, because log delivery cannot use the AWS managed key.
        Some(Encryption::SseS3) if is_dual_layer(found) => Some(Strength::Weaker),
        Some(Encryption::SseS3) => Some(Strength::Different),
        Some(Encryption::SseKms { key, bucket_key }) => {
            let is_set = found.key.as_deref() == Some(key.as_str())
                && (found.bucket_key == *bucket_key || is_dual_layer(found));
            let strength = if is_by_customer(found) { Strength::Different } else { Strength::Stronger };
            (!is_set).then_some(strength)
        }
        None => None,
    };
    if let (Some(with), Some(strength)) = (wanted, compared) {
        let (was, with) = (Some(words(found)), with.clone());
        part.changes.push(HubChange::Encrypt { was, with, compared: Some(strength) });
        return;
    }
    // A key that log delivery cannot use is reported elsewhere, with the key.
    if let (None | Some(Encryption::SseS3), EncryptionInUse::Key { arn, .. }) = (wanted, found_in_use(found))
    {
        let key = arn.to_string();
        part.notes.push(match wanted {
            Some(_) => Note::StrongerEncryption { key },
            None => Note::KeptEncryption { key },
        });
    }
}

/// Whether objects are encrypted with a customer managed key. Its key policy then also decides who can read; with the AWS managed
/// key and the keys of S3, only the permissions of the bucket do.
fn is_by_customer(found: &BucketEncryption) -> bool {
    found.algorithm != AES256 && found.key.is_some()
}

/// Whether objects are encrypted twice. S3 does not support bucket keys with it, and flowagg keeps it when it sets another key.
///
/// Source: "Using dual-layer server-side encryption with AWS KMS keys (DSSE-KMS)" (Amazon S3 User Guide).
fn is_dual_layer(found: &BucketEncryption) -> bool {
    found.algorithm == DSSE
}

fn words(found: &BucketEncryption) -> String {
    match &found.key {
        Some(key) => {
            let bucket_key = if found.bucket_key { " and a bucket key" } else { "" };
            format!("{} with {key}{bucket_key}", found.algorithm)
        }
        None if found.algorithm == AES256 => found.algorithm.clone(),
        None => {
            let layers = if is_dual_layer(found) { ", two layers," } else { "" };
            format!("{}{layers} with the AWS managed key, which log delivery cannot use", found.algorithm)
        }
    }
}
