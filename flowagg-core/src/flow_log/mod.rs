//! What a flow log does: which traffic, how often, where to, under which tags.

mod format;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use format::{Field, RecordFormat};

use crate::id::{BucketName, Partition};
use crate::layout::Prefix;

/// The tag that marks what flowagg made. What does not bear it is never changed or deleted.
pub const MARK: (&str, &str) = ("managed-by", "flowagg");

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

    /// The interval in seconds.
    pub fn seconds(self) -> i32 {
        match self {
            Self::OneMinute => 60,
            Self::TenMinutes => 600,
        }
    }
}

/// What every flow log of the fleet should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowLogSpec {
    /// The traffic to record.
    pub traffic: TrafficType,
    /// The aggregation interval.
    pub aggregation_interval: AggregationInterval,
    /// The fields of a record.
    pub format: RecordFormat,
    /// The tags on the flow log, [`MARK`] among them.
    pub tags: BTreeMap<String, String>,
}

/// Where flow logs are delivered: a bucket and perhaps a sub-folder of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// The partition of the bucket.
    pub partition: Partition,
    /// The bucket.
    pub bucket: BucketName,
    /// The sub-folder.
    pub prefix: Option<Prefix>,
}

impl Destination {
    /// The ARN that `CreateFlowLogs` takes: `arn:aws:s3:::bucket` or `arn:aws:s3:::bucket/folder/`.
    pub fn arn(&self) -> String {
        self.to_string()
    }

    /// Whether an ARN names this bucket, whatever the sub-folder.
    pub fn is_in_bucket(&self, arn: &str) -> bool {
        let own = format!("arn:{}:s3:::{}", self.partition, self.bucket);
        arn.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether an ARN names this destination. A slash at the end does not count: AWS returns it at will.
    pub fn is(&self, arn: &str) -> bool {
        arn.trim_end_matches('/') == self.arn().trim_end_matches('/')
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
        assert!(top.is("arn:aws:s3:::acme-logs") && top.is("arn:aws:s3:::acme-logs/"));
        assert!(!top.is("arn:aws:s3:::acme-logs/network/") && !top.is("arn:aws:s3:::acme-logs-2"));
        let folder = destination(Some("network"));
        assert!(folder.is("arn:aws:s3:::acme-logs/network") && folder.is("arn:aws:s3:::acme-logs/network/"));
        assert_eq!(folder.arn(), "arn:aws:s3:::acme-logs/network/");
    }

    #[test]
    fn a_bucket_whose_name_only_begins_alike_is_another_bucket() {
        assert!(destination(None).is_in_bucket("arn:aws:s3:::acme-logs/any/"));
        assert!(!destination(None).is_in_bucket("arn:aws:s3:::acme-logs-2"));
        assert!(!destination(None).is_in_bucket("arn:aws-cn:s3:::acme-logs"));
    }
}
