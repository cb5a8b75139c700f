//! What a flow log does: which traffic, how often, where to, in what files, under which tags.

mod format;
mod kind;
mod preset;
mod recorded;
mod target;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use format::{Field, NoFields, RecordFormat};
pub use kind::FieldKind;
pub use preset::FieldSet;
pub use recorded::RecordedField;
pub use target::LogDestination;

use crate::id::{BucketName, Partition, Prefix, ResourceKind};

/// The tag of flow logs that flowagg manages. Together with [`FLEET_TAG`] it marks those of one fleet, and no other flow log is
/// changed or deleted.
pub const MARK: (&str, &str) = ("managed-by", "flowagg");

/// The key of the tag whose value is the name of the fleet that manages a flow log.
pub const FLEET_TAG: &str = "flowagg:fleet";

/// Which traffic a flow log records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrafficType {
    /// Accepted and rejected traffic.
    #[default]
    All,
    /// Accepted traffic only.
    Accept,
    /// Rejected traffic only.
    Reject,
}

impl TrafficType {
    /// All values.
    pub const ALL: [Self; 3] = [Self::All, Self::Accept, Self::Reject];

    /// The word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }

    /// The word in EC2's API.
    pub fn as_api(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
        }
    }
}

/// The longest time over which traffic is gathered into one record.
///
/// Source: "Flow log records", aggregation interval (Amazon VPC User Guide).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum AggregationInterval {
    /// One minute. Nitro instances always use at most this.
    #[serde(rename = "1m")]
    OneMinute,
    /// Ten minutes.
    #[default]
    #[serde(rename = "10m")]
    TenMinutes,
}

impl AggregationInterval {
    /// All values.
    pub const ALL: [Self; 2] = [Self::TenMinutes, Self::OneMinute];

    /// The word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneMinute => "1m",
            Self::TenMinutes => "10m",
        }
    }

    /// The one that a flow log of this kind of resource has: those of transit gateways take one minute only.
    ///
    /// Source: "CreateFlowLogs", MaxAggregationInterval (Amazon EC2 API Reference).
    #[must_use]
    pub fn for_kind(self, kind: ResourceKind) -> Self {
        if kind == ResourceKind::TransitGateway { Self::OneMinute } else { self }
    }

    /// The interval in seconds.
    pub fn seconds(self) -> i32 {
        match self {
            Self::OneMinute => 60,
            Self::TenMinutes => 600,
        }
    }
}

/// How records are written to a file. Every file is gzip-compressed, Parquet's within.
///
/// Source: "Flow log files" (Amazon VPC User Guide).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// A line of text for each record, under a header.
    #[default]
    PlainText,
    /// Apache Parquet.
    Parquet,
}

impl FileFormat {
    /// All values.
    pub const ALL: [Self; 2] = [Self::PlainText, Self::Parquet];

    /// The word in the fleet file and in EC2's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlainText => "plain-text",
            Self::Parquet => "parquet",
        }
    }

    /// What the names of such files end in. Of Parquet, AWS documents no ending; `.log.parquet` is what is seen.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::PlainText => ".log.gz",
            Self::Parquet => ".log.parquet",
        }
    }
}

/// What files a flow log writes, and into which folders. The fleet file chooses a [`FileFormat`]; AWS may return a format that
/// flowagg does not know, so an observed flow log has EC2's word.
///
/// Source: "DestinationOptionsRequest" (Amazon EC2 API Reference). The default is EC2's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Files<Format = FileFormat> {
    /// How records are written.
    pub format: Format,
    /// Whether folders are named in Hive's way: `aws-region=eu-west-1/year=2026/`.
    pub hive_compatible_partitions: bool,
    /// Whether each hour has a folder of its own.
    pub per_hour_partition: bool,
}

impl<Format> Files<Format> {
    /// Files in this format, in folders for each day that are not Hive-compatible.
    pub const fn new(format: Format) -> Self {
        Self { format, hive_compatible_partitions: false, per_hour_partition: false }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new(FileFormat::default())
    }
}

/// Whether a flow log that someone else made counts as the one of its resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ForeignFlowLogs {
    /// It does if it delivers the declared traffic, or more, to where the fleet's flow logs deliver.
    #[default]
    Covers,
    /// It does if it delivers to where the fleet's flow logs deliver. One to the bucket that is not as declared is a finding.
    Differs,
    /// It does not.
    Ignore,
}

impl ForeignFlowLogs {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Covers, Self::Differs, Self::Ignore];

    /// The word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Covers => "covers",
            Self::Differs => "differs",
            Self::Ignore => "ignore",
        }
    }
}

/// What every flow log of the fleet should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FlowLogSpec {
    /// The traffic to record.
    pub traffic: TrafficType,
    /// The aggregation interval.
    pub aggregation_interval: AggregationInterval,
    /// The fields of a record. Transit gateways have other ones, and keep AWS's default.
    pub format: RecordFormat,
    /// The files and folders.
    pub files: Files,
    /// The tags that the fleet file names. [`Fleet::tags`](crate::fleet::Fleet::tags) adds those that mark the fleet.
    pub tags: BTreeMap<String, String>,
    /// Whether flow logs of others count.
    pub foreign: ForeignFlowLogs,
}

/// Where flow logs are delivered: a bucket and perhaps a sub-folder of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Destination {
    /// The partition of the bucket.
    pub partition: Partition,
    /// The bucket.
    pub bucket: BucketName,
    /// The sub-folder.
    pub prefix: Option<Prefix>,
}

impl Destination {
    /// This bucket, or a sub-folder of it.
    pub fn new(partition: Partition, bucket: BucketName, prefix: Option<Prefix>) -> Self {
        Self { partition, bucket, prefix }
    }

    /// The ARN that `CreateFlowLogs` takes: `arn:aws:s3:::bucket` or `arn:aws:s3:::bucket/folder/`.
    pub fn arn(&self) -> String {
        self.to_string()
    }

    /// Whether a flow log delivers to this bucket, whatever the sub-folder.
    pub fn is_in_bucket(&self, log: &LogDestination) -> bool {
        let own = format!("arn:{}:s3:::{}", self.partition, self.bucket);
        let rest = log.s3_arn().and_then(|arn| arn.strip_prefix(&own));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether a flow log delivers to this destination. A slash at the end does not count: AWS returns it at will.
    pub fn is(&self, log: &LogDestination) -> bool {
        log.s3_arn().is_some_and(|arn| arn.trim_end_matches('/') == self.arn().trim_end_matches('/'))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, bucket, prefix } = self;
        write!(f, "arn:{partition}:s3:::{bucket}")?;
        prefix.as_ref().map_or(Ok(()), |prefix| write!(f, "/{prefix}/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(prefix: Option<&str>) -> Destination {
        Destination {
            partition: Partition::Aws,
            bucket: BucketName::parse("acme-logs").unwrap(),
            prefix: prefix.map(|text| Prefix::parse(text).unwrap()),
        }
    }

    #[test]
    fn a_destination_is_the_same_with_and_without_its_last_slash() {
        let top = destination(None);
        let is = |destination: &Destination, arn: &str| destination.is(&arn.into());
        assert!(is(&top, "arn:aws:s3:::acme-logs") && is(&top, "arn:aws:s3:::acme-logs/"));
        assert!(!is(&top, "arn:aws:s3:::acme-logs/network/") && !is(&top, "arn:aws:s3:::acme-logs-2"));
        let folder = destination(Some("network"));
        assert!(is(&folder, "arn:aws:s3:::acme-logs/network"));
        assert!(is(&folder, "arn:aws:s3:::acme-logs/network/"));
        assert_eq!(folder.arn(), "arn:aws:s3:::acme-logs/network/");
        let log_group = LogDestination::CloudWatchLogs { log_group: top.arn() };
        assert!(!top.is(&log_group) && !top.is_in_bucket(&log_group), "only S3 counts");
    }

    #[test]
    fn a_bucket_whose_name_only_begins_alike_is_another_bucket() {
        let is_in_bucket = |arn: &str| destination(None).is_in_bucket(&arn.into());
        assert!(is_in_bucket("arn:aws:s3:::acme-logs/any/"));
        assert!(!is_in_bucket("arn:aws:s3:::acme-logs-2"));
        assert!(!is_in_bucket("arn:aws-cn:s3:::acme-logs"));
    }
}
