use serde::Serialize;

use crate::id::{AccountId, BucketName, KmsKeyArn, Region, RoleName};
use crate::layout::Prefix;

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

/// How long objects are kept, and where. Days count from an object's creation.
///
/// Source: "Lifecycle configuration elements" (Amazon S3 User Guide).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Lifecycle {
    /// After how many days an object expires.
    pub retention_days: u32,
    /// When it goes to a cheaper storage class before.
    pub transition: Option<Transition>,
    /// In a versioned bucket: after how many days an object that expired, or was overwritten, is gone for good.
    pub noncurrent_days: Option<u32>,
    /// After how many days the parts of an upload that was never finished are deleted.
    pub abort_uploads_days: Option<u32>,
}

impl Lifecycle {
    /// Days until expiry where the fleet file does not say.
    pub const DEFAULT_RETENTION_DAYS: u32 = 90;
    /// Days until an unfinished upload is deleted where the fleet file does not say.
    pub const DEFAULT_ABORT_UPLOADS_DAYS: u32 = 7;
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            retention_days: Self::DEFAULT_RETENTION_DAYS,
            transition: None,
            noncurrent_days: None,
            abort_uploads_days: Some(Self::DEFAULT_ABORT_UPLOADS_DAYS),
        }
    }
}

/// A move to a cheaper storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Transition {
    /// After how many days.
    pub days: u32,
    /// Where to, in S3's word.
    pub storage_class: String,
}

/// A storage class that objects may go to.
///
/// Source: "Transitioning objects using Amazon S3 Lifecycle" (Amazon S3 User Guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageClass {
    /// Less often read.
    StandardIa,
    /// Less often read, and in one zone only.
    OnezoneIa,
    /// S3 watches how often each object is read.
    IntelligentTiering,
    /// Archive, read at once.
    GlacierIr,
    /// Archive, read after minutes or hours.
    Glacier,
    /// Archive, read after hours.
    DeepArchive,
}

impl StorageClass {
    /// All values.
    pub const ALL: [Self; 6] = [
        Self::StandardIa,
        Self::OnezoneIa,
        Self::IntelligentTiering,
        Self::GlacierIr,
        Self::Glacier,
        Self::DeepArchive,
    ];

    /// S3's word, which the fleet file has too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StandardIa => "STANDARD_IA",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::GlacierIr => "GLACIER_IR",
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
        }
    }

    /// The fewest days after which S3 takes an object there.
    ///
    /// Source: "Transitioning objects using Amazon S3 Lifecycle", constraints (Amazon S3 User Guide).
    pub fn fewest_days(self) -> u32 {
        match self {
            Self::StandardIa | Self::OnezoneIa => 30,
            _ => 0,
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
