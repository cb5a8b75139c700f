//! How long objects are kept, and in which storage class: a setting of the hub in the fleet file, and a rule of a bucket in
//! AWS.

use serde::Serialize;

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
