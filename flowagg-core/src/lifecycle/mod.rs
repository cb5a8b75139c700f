//! The expiration and storage class of objects: the settings of the hub in the fleet file, and the lifecycle configuration of a
//! bucket.

mod document;
mod element;
mod fate;
mod rule;

use serde::{Serialize, Serializer};

pub use self::document::{LifecycleDocument, LifecycleError, foreign_losses};
pub use self::fate::{Expires, Fate, fate};
pub use self::rule::{Expiration, FleetRule, Move, Rule, RuleName};

/// The lifecycle settings of the fleet file. Days count from the creation of an object.
///
/// Source: "Lifecycle configuration elements" (Amazon S3 User Guide).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Lifecycle {
    /// When objects expire.
    #[serde(rename = "retention-days")]
    pub retention: Retention,
    /// The transition to a cheaper storage class before the expiration.
    pub transition: Option<Transition>,
    /// In a versioned bucket, the number of days after which noncurrent versions are deleted.
    pub noncurrent_days: Option<u32>,
    /// The number of days after which incomplete multipart uploads are aborted.
    pub abort_uploads_days: Option<u32>,
}

impl Lifecycle {
    /// The default expiration in a bucket that flowagg creates, in days.
    pub const DEFAULT_RETENTION_DAYS: u32 = 90;
    /// The default number of days after which incomplete multipart uploads are aborted.
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

/// The expiration of objects in the fleet file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retention {
    /// Not set: [`Lifecycle::DEFAULT_RETENTION_DAYS`] in a bucket that flowagg creates, while an existing bucket keeps its rules.
    #[default]
    Unset,
    /// After the given number of days.
    Days(u32),
    /// Never.
    Forever,
}

impl Retention {
    /// The value in the fleet file for objects that never expire.
    pub const FOREVER: &str = "forever";

    /// The number of days after which objects expire in a bucket that flowagg creates; `None` if never.
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

/// A transition to another storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Transition {
    /// The number of days after which objects move.
    pub days: u32,
    /// The storage class.
    pub storage_class: String,
}

impl Transition {
    /// A transition to this storage class after the given number of days.
    pub fn new(days: u32, storage_class: impl Into<String>) -> Self {
        Self { days, storage_class: storage_class.into() }
    }
}

/// A storage class for transitions.
///
/// Source: "Transitioning objects using Amazon S3 Lifecycle" (Amazon S3 User Guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageClass {
    /// S3 Standard-IA, for infrequent access.
    StandardIa,
    /// S3 One Zone-IA, for infrequent access in one Availability Zone.
    OnezoneIa,
    /// S3 Intelligent-Tiering, which moves objects between tiers by access pattern.
    IntelligentTiering,
    /// S3 Glacier Instant Retrieval.
    GlacierIr,
    /// S3 Glacier Flexible Retrieval.
    Glacier,
    /// S3 Glacier Deep Archive.
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

    /// The value in the S3 API and the fleet file.
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

    /// The minimum number of days before S3 moves an object to the class.
    ///
    /// Source: "Transitioning objects using Amazon S3 Lifecycle", constraints (Amazon S3 User Guide).
    pub fn fewest_days(self) -> u32 {
        match self {
            Self::StandardIa | Self::OnezoneIa => 30,
            _ => 0,
        }
    }
}
