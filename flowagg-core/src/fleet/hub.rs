use serde::Serialize;

use crate::id::{AccountId, BucketName, KmsKeyArn, Prefix, Region, RoleName};
use crate::lifecycle::Lifecycle;

/// The account and bucket that all logs go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hub {
    /// The account that owns the bucket.
    pub account: AccountId,
    /// The region of the bucket.
    pub region: Region,
    /// The bucket.
    pub bucket: BucketName,
    /// The sub-folder under which `AWSLogs/` lies.
    pub prefix: Option<Prefix>,
    /// How long objects are kept, and where.
    pub lifecycle: Lifecycle,
    /// How objects are encrypted at rest.
    pub encryption: Encryption,
    /// The profile (of the AWS configuration files) that every call starts from.
    pub profile: Option<String>,
    /// The role to take in the hub account when the caller is in another.
    pub role: Option<RoleName>,
}

impl Hub {
    /// A bucket as it is where nothing more is said.
    pub fn new(account: AccountId, region: Region, bucket: BucketName) -> Self {
        Self {
            account,
            region,
            bucket,
            prefix: None,
            lifecycle: Lifecycle::default(),
            encryption: Encryption::SseS3,
            profile: None,
            role: None,
        }
    }
}

/// How objects are encrypted at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Encryption {
    /// With keys that S3 manages.
    #[default]
    SseS3,
    /// With a customer managed KMS key.
    SseKms {
        /// The key.
        key: KmsKeyArn,
        /// Whether S3 uses a bucket key, which spares a call to KMS for each object.
        bucket_key: bool,
    },
}
