use serde::Serialize;

use crate::id::{AccountId, BucketName, FleetName, KmsKeyArn, Place, Prefix, Region, RoleName};
use crate::lifecycle::Lifecycle;

/// The account and bucket that all logs go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Hub {
    /// The account that owns the bucket.
    pub account: AccountId,
    /// The region of the bucket.
    pub region: Region,
    pub bucket: BucketName,
    /// The prefix of all objects: the folder that contains `AWSLogs/`.
    pub prefix: Option<Prefix>,
    /// The expiration and storage class of objects.
    pub lifecycle: Lifecycle,
    /// The default encryption. `None` if the fleet file does not set it: then an existing default encryption is kept, and a
    /// bucket without one gets [`Encryption::default`].
    pub encryption: Option<Encryption>,
    /// Whether an existing bucket gets the ownership setting `BucketOwnerEnforced`. `None`: only if its ACL grants access to
    /// no one but the owner.
    pub object_ownership: Option<ObjectOwnership>,
    /// The AWS configuration profile for all calls.
    pub profile: Option<String>,
    /// The role to assume in the hub account if the caller is in another account.
    pub role: Option<RoleName>,
}

impl Hub {
    /// A hub with the defaults of the fleet file.
    pub fn new(account: AccountId, region: Region, bucket: BucketName) -> Self {
        Self {
            account,
            region,
            bucket,
            prefix: None,
            lifecycle: Lifecycle::default(),
            encryption: None,
            object_ownership: None,
            profile: None,
            role: None,
        }
    }

    /// The default name of a fleet with this hub.
    pub(super) fn default_name(&self) -> FleetName {
        FleetName::default_for(&self.bucket, self.prefix.as_ref())
    }

    /// The account-region of the bucket.
    pub fn place(&self) -> Place {
        Place::new(self.account, &self.region)
    }
}

/// The default encryption of the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Encryption {
    /// SSE-S3, with keys that S3 manages.
    #[default]
    SseS3,
    /// SSE-KMS with a customer managed key.
    SseKms {
        /// The ARN of the key.
        key: KmsKeyArn,
        /// Whether S3 uses a bucket key, which avoids a KMS call for each object.
        bucket_key: bool,
    },
}

/// What flowagg does with the object ownership setting of an existing bucket. A bucket that flowagg creates always gets
/// `BucketOwnerEnforced`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectOwnership {
    /// Set `BucketOwnerEnforced`, whatever the ACL grants.
    Enforce,
    /// Keep the setting and do not report it.
    Keep,
}

impl ObjectOwnership {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Enforce, Self::Keep];

    /// The value in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Keep => "keep",
        }
    }
}
