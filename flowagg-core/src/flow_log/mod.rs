//! The settings of a flow log: traffic, interval, destination, files and tags.

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

/// The tag of managed flow logs. Together with [`FLEET_TAG`] it identifies those of one fleet; no other flow log is changed or
/// deleted.
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

    /// The value in the EC2 API.
    pub fn as_api(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
        }
    }
}

/// The maximum aggregation interval: the longest time that one record covers.
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

    /// The interval for a kind of resource: flow logs of transit gateways only support one minute.
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

/// The format of log files. Text files are gzip-compressed, and Parquet files internally.
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

    /// The suffix of the names of such files. AWS does not document the suffix of Parquet files; `.log.parquet` was observed.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::PlainText => ".log.gz",
            Self::Parquet => ".log.parquet",
        }
    }
}

/// The file settings of a flow log. The fleet file selects a [`FileFormat`]. An observed flow log has the value of the EC2 API,
/// because AWS may return an unknown format.
///
/// Source: "DestinationOptionsRequest" (Amazon EC2 API Reference). The default is EC2's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Files<Format = FileFormat> {
    /// The file format.
    pub format: Format,
    /// Whether folder names are Hive-compatible: `aws-region=eu-west-1/year=2026/`.
    pub hive_compatible_partitions: bool,
    /// Whether each hour has its own folder.
    pub per_hour_partition: bool,
}

impl<Format> Files<Format> {
    /// Files in this format, in daily folders that are not Hive-compatible.
    pub const fn new(format: Format) -> Self {
        Self { format, hive_compatible_partitions: false, per_hour_partition: false }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new(FileFormat::default())
    }
}

/// Whether a foreign flow log counts as the flow log of its resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ForeignFlowLogs {
    /// It does if it delivers at least the declared traffic to the fleet's destination.
    #[default]
    Covers,
    /// It does if it delivers to the fleet's destination. One that differs from the fleet file is a finding.
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

/// The declared settings of every flow log of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct FlowLogSpec {
    /// The traffic to record.
    pub traffic: TrafficType,
    pub aggregation_interval: AggregationInterval,
    /// The fields of a record. Transit gateways have different fields and keep AWS's default.
    pub format: RecordFormat,
    /// The files and folders.
    pub files: Files,
    /// The tags of the fleet file. [`Fleet::tags`](crate::fleet::Fleet::tags) adds those that mark the fleet.
    pub tags: BTreeMap<String, String>,
    /// Whether foreign flow logs count.
    pub foreign: ForeignFlowLogs,
}

/// The destination of flow logs: a bucket with an optional prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Destination {
    /// The partition of the bucket.
    pub partition: Partition,
    pub bucket: BucketName,
    pub prefix: Option<Prefix>,
}

impl Destination {
    /// A bucket with an optional prefix.
    pub fn new(partition: Partition, bucket: BucketName, prefix: Option<Prefix>) -> Self {
        Self { partition, bucket, prefix }
    }

    /// The ARN for `CreateFlowLogs`: `arn:aws:s3:::bucket` or `arn:aws:s3:::bucket/folder/`.
    pub fn arn(&self) -> String {
        self.to_string()
    }

    /// Whether a flow log delivers to this bucket, whatever the prefix.
    pub fn is_in_bucket(&self, log: &LogDestination) -> bool {
        let own = format!("arn:{}:s3:::{}", self.partition, self.bucket);
        let rest = log.s3_arn().and_then(|arn| arn.strip_prefix(&own));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether a flow log delivers to this destination. A trailing slash is ignored, because AWS does not always return it.
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
    fn trailing_slash_of_a_destination_is_ignored() {
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
    fn buckets_with_a_common_name_prefix_are_different() {
        let is_in_bucket = |arn: &str| destination(None).is_in_bucket(&arn.into());
        assert!(is_in_bucket("arn:aws:s3:::acme-logs/any/"));
        assert!(!is_in_bucket("arn:aws:s3:::acme-logs-2"));
        assert!(!is_in_bucket("arn:aws-cn:s3:::acme-logs"));
    }
}
