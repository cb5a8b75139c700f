//! How long objects are kept, and in which storage class: a setting of the hub in the fleet file, and the lifecycle
//! configuration of a bucket in AWS.

mod document;
mod element;
mod fate;
mod rule;

use serde::{Serialize, Serializer};

pub use self::document::{LifecycleDocument, LifecycleError, foreign_losses};
pub use self::fate::{Expires, Fate, fate};
pub use self::rule::{Expiration, FleetRule, Move, Rule, RuleName};

/// How long the fleet file has objects kept, and where. Days count from an object's creation.
///
/// Source: "Lifecycle configuration elements" (Amazon S3 User Guide).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Lifecycle {
    /// When an object expires.
    #[serde(rename = "retention-days")]
    pub retention: Retention,
    /// When it moves to a cheaper storage class before.
    pub transition: Option<Transition>,
    /// In a versioned bucket: after how many days a version that is no longer the current one is deleted.
    pub noncurrent_days: Option<u32>,
    /// After how many days the parts of an upload that was never finished are deleted.
    pub abort_uploads_days: Option<u32>,
}

impl Lifecycle {
    /// Days until expiry in a bucket that flowagg creates, unless the fleet file sets others.
    pub const DEFAULT_RETENTION_DAYS: u32 = 90;
    /// Days until the parts of an unfinished upload are deleted, unless the fleet file sets others.
    pub const DEFAULT_ABORT_UPLOADS_DAYS: u32 = 7;
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            retention: Retention::Unset,
            transition: None,
            noncurrent_days: None,
            abort_uploads_days: Some(Self::DEFAULT_ABORT_UPLOADS_DAYS),
        }
    }
}

/// When the fleet file has objects expire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retention {
    /// The fleet file does not set it: after [`Lifecycle::DEFAULT_RETENTION_DAYS`] in a bucket that flowagg creates. An
    /// existing bucket keeps what it has.
    #[default]
    Unset,
    /// After this many days.
    Days(u32),
    /// Never.
    Forever,
}

impl Retention {
    /// The word in the fleet file for objects that never expire.
    pub const FOREVER: &str = "forever";

    /// After how many days objects expire in a bucket that flowagg creates; `None` if never.
    pub fn in_new_bucket(self) -> Option<u32> {
        match self {
            Self::Unset => Some(Lifecycle::DEFAULT_RETENTION_DAYS),
            Self::Days(days) => Some(days),
            Self::Forever => None,
        }
    }
}

impl Serialize for Retention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unset => serializer.serialize_none(),
            Self::Days(days) => serializer.serialize_u32(*days),
            Self::Forever => serializer.serialize_str(Self::FOREVER),
        }
    }
}

/// A move to a cheaper storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Transition {
    /// After how many days.
    pub days: u32,
    /// The storage class, in S3's word.
    pub storage_class: String,
}

impl Transition {
    /// A move to this storage class, in S3's word, after this many days.
    pub fn new(days: u32, storage_class: impl Into<String>) -> Self {
        Self { days, storage_class: storage_class.into() }
    }
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
    /// S3 moves each object to the tier that fits how often it is read.
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
