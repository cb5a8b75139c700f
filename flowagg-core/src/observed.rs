//! What AWS has, as plain values: the bucket and its key, and each region's VPCs and flow logs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::failure::Failure;
use crate::id::{AccountId, FlowLogId, Region, ResourceId};
use crate::layout::AWS_LOGS;
use crate::lifecycle::Lifecycle;

/// One region of one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.account, self.region)
    }
}

/// What AWS has of a fleet, and what could not be read.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The hub bucket; `None` if it does not exist.
    pub bucket: Result<Option<Bucket>, Failure>,
    /// The KMS key that the fleet file names; `None` if it names none.
    pub key: Option<Result<Key, Failure>>,
    /// Every region of every member that was selected.
    pub regions: BTreeMap<Place, Result<RegionState, Failure>>,
    /// How much of the fleet `regions` covers.
    pub scope: Scope,
}

/// How much of a fleet was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every account and region.
    Whole,
    /// Selected accounts or regions. What the other ones need cannot be decided.
    Part,
}

/// The hub bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Its default encryption; `None` where there is none.
    pub encryption: Option<BucketEncryption>,
    /// Our lifecycle rule.
    pub lifecycle: Option<LifecycleRule>,
    /// The ids of its lifecycle rules that are not ours.
    pub other_rules: BTreeSet<String>,
    /// Its public access block.
    pub public_access_block: PublicAccessBlock,
    /// Its object ownership setting, in S3's word.
    pub ownership: Option<String>,
    /// Its policy, as S3 returns it.
    pub policy: Option<String>,
    /// Folders other than `vpcflowlogs` under the accounts' folders. Looked for only when a new expiry could reach them.
    pub other_logs: BTreeSet<String>,
}

/// A bucket's default encryption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BucketEncryption {
    /// S3's word: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The KMS key, as it was given; `None` stands for the AWS managed key `aws/s3`.
    pub key: Option<String>,
    /// Whether S3 uses a bucket key.
    pub bucket_key: bool,
}

/// The KMS key that objects are to be encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whether AWS manages it: then its policy cannot be changed.
    pub is_aws_managed: bool,
    /// KMS's word for its state: `Enabled` where it can be used.
    pub state: String,
    /// Its policy.
    pub policy: String,
}

/// A lifecycle rule for the objects of log delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LifecycleRule {
    /// The prefix of the objects it is for.
    pub under: String,
    /// What becomes of them.
    pub lifecycle: Lifecycle,
}

impl LifecycleRule {
    /// The longest id, in characters. Source: "LifecycleRule" (Amazon S3 API Reference).
    const LONGEST_ID: usize = 255;

    /// The id of our rule for the objects under this folder. No other rule is touched: one for another folder stays, so that
    /// what lies there still expires, and fleets in different folders of a bucket do not take each other's.
    pub fn id_under(root: &str) -> String {
        let folder = root.trim_end_matches('/');
        let folder = folder.strip_suffix(AWS_LOGS).unwrap_or(folder).trim_end_matches('/');
        if folder.is_empty() {
            return "flowagg-expiry".to_owned();
        }
        let id = format!("flowagg-expiry-{folder}");
        if id.chars().count() <= Self::LONGEST_ID {
            return id;
        }
        // FNV-1a tells folders apart that begin alike.
        let hash = folder.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let start: String = id.chars().take(Self::LONGEST_ID - 17).collect();
        format!("{start}-{hash:016x}")
    }
}

/// The four switches of a public access block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`
    pub block_acls: bool,
    /// `IgnorePublicAcls`
    pub ignore_acls: bool,
    /// `BlockPublicPolicy`
    pub block_policy: bool,
    /// `RestrictPublicBuckets`
    pub restrict_buckets: bool,
}

impl PublicAccessBlock {
    /// All four on.
    pub const FULL: Self =
        Self { block_acls: true, ignore_acls: true, block_policy: true, restrict_buckets: true };
}

/// What one region of one account has that can be logged, and its flow logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionState {
    /// The resources that the account sees, shared ones among them, of the kinds that are asked for.
    pub resources: Vec<Resource>,
    /// The flow logs.
    pub flow_logs: Vec<FlowLog>,
}

/// A VPC, a subnet, a network interface or a transit gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// The account that owns it.
    pub owner: Option<AccountId>,
    /// Whether it is the region's default VPC.
    pub is_default: bool,
    /// The subnet and the VPC that it is a part of.
    pub part_of: BTreeSet<ResourceId>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A flow log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowLog {
    /// Its id.
    pub id: FlowLogId,
    /// What it logs: a VPC, a subnet, a network interface, a transit gateway.
    pub resource: String,
    /// EC2's word: `ALL`, `ACCEPT` or `REJECT`; `None` for transit gateways, which know no such choice.
    pub traffic: Option<String>,
    /// The ARN it delivers to.
    pub destination: String,
    /// The record format.
    pub format: Option<String>,
    /// The aggregation interval in seconds.
    pub interval: Option<i32>,
    /// How files are written, where the endpoint returns it.
    pub options: Option<FileOptions>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// EC2's word on delivery, where it gives one: `SUCCESS` or `FAILED`.
    pub deliver_status: Option<String>,
    /// Why delivery failed: `Rate limited`, `Access error` or `Unknown error`.
    pub deliver_error: Option<String>,
}

impl FlowLog {
    /// Whether it bears flowagg's mark.
    pub fn is_ours(&self) -> bool {
        self.tags.get(crate::flow_log::MARK.0).is_some_and(|value| value == crate::flow_log::MARK.1)
    }
}

/// How a flow log writes its files. The default is what AWS takes when nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// `plain-text` or `parquet`.
    pub format: String,
    /// Whether folders are named in Hive's way.
    pub hive: bool,
    /// Whether each hour has a folder.
    pub per_hour: bool,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self { format: "plain-text".to_owned(), hive: false, per_hour: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_of_a_bucket_has_a_lifecycle_rule_of_its_own() {
        assert_eq!(LifecycleRule::id_under("AWSLogs/"), "flowagg-expiry");
        assert_eq!(LifecycleRule::id_under("network/flow/AWSLogs/"), "flowagg-expiry-network/flow");
        let long = "x".repeat(700);
        let [one, other] = ["a", "b"].map(|end| LifecycleRule::id_under(&format!("{long}{end}/AWSLogs/")));
        assert!(one != other && one.len() == 255 && other.len() == 255, "{one} {other}");
    }
}
