use serde::Serialize;

use crate::id::{AccountId, BucketName, FleetName, KmsKeyArn, Place, Prefix, Region, RoleName};
use crate::lifecycle::Lifecycle;

/// The account and bucket that all logs go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
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
    /// How objects are encrypted at rest. `None`: the fleet file does not set it. Then an existing default encryption is kept,
    /// and a bucket without one gets [`Encryption::default`].
    pub encryption: Option<Encryption>,
    /// Whether an existing bucket gets the ownership setting `BucketOwnerEnforced`. `None`: only if its ACL grants nothing to
    /// anyone but the owner.
    pub object_ownership: Option<ObjectOwnership>,
    /// The profile (of the AWS configuration files) that every call starts from.
    pub profile: Option<String>,
    /// The role to assume in the hub account if the caller is in another.
    pub role: Option<RoleName>,
}

impl Hub {
    /// A bucket with the defaults of the fleet file.
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

    /// The name of a fleet with this hub, if its fleet file sets none.
    pub(super) fn default_name(&self) -> FleetName {
        FleetName::default_for(&self.bucket, self.prefix.as_ref())
    }

    /// Where the bucket is.
    pub fn place(&self) -> Place {
        Place::new(self.account, &self.region)
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
        /// The ARN of the key.
        key: KmsKeyArn,
        /// Whether S3 uses a bucket key, which spares a call to KMS for each object.
        bucket_key: bool,
    },
}

/// What becomes of the object ownership setting of an existing bucket. A bucket that flowagg creates always gets
/// `BucketOwnerEnforced`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectOwnership {
    /// It becomes `BucketOwnerEnforced`, whatever the ACL grants.
    Enforce,
    /// It stays, and is not reported.
    Keep,
}

impl ObjectOwnership {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Enforce, Self::Keep];

    /// The word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Keep => "keep",
        }
    }
}
