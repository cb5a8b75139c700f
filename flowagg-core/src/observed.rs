//! The observed state of AWS as plain values: the bucket and its key, and the VPCs and flow logs of each account-region.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::acl::Acl;
use crate::failure::Failure;
use crate::flow_log::{FLEET_TAG, Files, FlowLogSpec, LogDestination, MARK, TrafficType};
use crate::id::{AccountId, FleetName, FlowLogId, LoggedId, Place, ResourceId};
use crate::lifecycle::LifecycleDocument;

/// The observed state of a fleet, including what could not be read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Observed {
    /// The hub bucket; `None` if it does not exist.
    pub bucket: Result<Option<Bucket>, Failure>,
    /// The KMS key of deliveries, according to [`encryption_in_use`](crate::plan::encryption_in_use); `None` if there is none that
    /// can be read.
    pub key: Option<Result<Key, Failure>>,
    /// Every selected account-region.
    pub regions: BTreeMap<Place, Result<RegionState, Failure>>,
    /// How much of the fleet `regions` covers.
    pub scope: Scope,
}

impl Observed {
    /// The state with this bucket, the whole scope, and neither a key nor account-regions.
    pub fn new(bucket: Result<Option<Bucket>, Failure>) -> Self {
        Self { bucket, key: None, regions: BTreeMap::new(), scope: Scope::Whole }
    }
}

/// How much of a fleet was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every account and region.
    Whole,
    /// Selected accounts or regions. Nothing is decided for the others.
    Part {
        /// The members with selected account-regions. The hub is not changed for other members.
        members: BTreeSet<AccountId>,
    },
}

impl Scope {
    /// Whether the hub may be changed for this account.
    pub fn selects(&self, account: AccountId) -> bool {
        match self {
            Self::Whole => true,
            Self::Part { members } => members.contains(&account),
        }
    }
}

/// The hub bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Bucket {
    /// The default encryption; `None` if there is none.
    pub encryption: Option<BucketEncryption>,
    /// The lifecycle configuration; `None` if there is none.
    pub lifecycle: Option<LifecycleDocument>,
    pub public_access_block: PublicAccessBlock,
    /// The object ownership setting, as S3 returns it.
    pub ownership: Option<String>,
    /// The policy, as S3 returns it.
    pub policy: Option<String>,
    /// The contents of the fleet's folder of logs.
    pub contents: Contents,
    /// The age of the flow logs.
    pub oldest: Oldest,
    /// Other settings of the bucket.
    pub usage: Usage,
    /// Every folder of logs in the bucket, by account and service.
    pub log_folders: LogFolders,
}

/// Other settings of a bucket. A setting that could not be read is unknown: decisions must not treat it as absent. The default is a
/// bucket whose settings were all read, with nothing set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Usage {
    /// Whether S3 considers the bucket policy public.
    pub public_policy: Result<bool, Failure>,
    pub acl: Result<Acl, Failure>,
    /// The versioning state.
    pub versioning: Result<Versioning, Failure>,
    /// The Object Lock configuration; `None` if it is disabled.
    pub object_lock: Result<Option<ObjectLock>, Failure>,
    /// Whether it has a replication configuration.
    pub replication: Result<bool, Failure>,
    /// Whether it is a Requester Pays bucket.
    pub requester_pays: Result<bool, Failure>,
    /// Whether it has event notifications.
    pub notifications: Result<bool, Failure>,
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            public_policy: Ok(false),
            acl: Ok(Acl::default()),
            versioning: Ok(Versioning::Off),
            object_lock: Ok(None),
            replication: Ok(false),
            requester_pays: Ok(false),
            notifications: Ok(false),
        }
    }
}

/// The versioning state of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// It was never enabled.
    Off,
    /// It is enabled.
    Enabled,
    /// It was enabled before. Existing versions are kept.
    Suspended,
}

/// The Object Lock of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectLock {
    /// The default retention of new objects; `None` if there is none.
    pub retention: Option<DefaultRetention>,
}

impl ObjectLock {
    /// Object Lock with this default retention, or without one.
    pub fn new(retention: Option<DefaultRetention>) -> Self {
        Self { retention }
    }
}

/// A default retention of Object Lock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultRetention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// The period, e.g. `30 days` or `1 year`.
    pub period: String,
}

impl DefaultRetention {
    /// A retention with this mode and period.
    pub fn new(mode: impl Into<String>, period: impl Into<String>) -> Self {
        Self { mode: mode.into(), period: period.into() }
    }
}

/// The contents of `[prefix/]AWSLogs/`, the folder of the fleet's flow logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Everything two levels deep, as key prefixes: the folders of each account and service (`AWSLogs/222222222222/vpcflowlogs/`),
    /// and everything outside of an account's folder.
    Listed(BTreeSet<String>),
    /// It could not be listed.
    Unread(Failure),
}

impl Default for Contents {
    fn default() -> Self {
        Self::Listed(BTreeSet::new())
    }
}

/// The day of the oldest flow log files that a lifecycle change would expire sooner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Oldest {
    /// It was not determined, because no change would expire objects sooner.
    #[default]
    NotRead,
    /// The bucket has no flow log files.
    NoFiles,
    /// The day (UTC), from the names of the folders.
    Day(#[cfg_attr(feature = "schema", schemars(with = "String"))] Date),
    /// The folders could not be listed.
    Unread(Failure),
}

/// The folders of logs in a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogFolders {
    /// They were not listed, because only the adoption of a statement requires them.
    #[default]
    NotListed,
    /// The listed folders.
    Listed(BTreeSet<LogFolder>),
    /// They could not be listed.
    Unread(Failure),
}

/// A folder that AWS's log delivery created: `[prefix/]AWSLogs/<account>/<service>/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct LogFolder {
    /// The account of the logs.
    pub account: AccountId,
    /// The folder, with a trailing slash.
    pub folder: String,
}

impl LogFolder {
    /// A folder of an account's logs, with a trailing slash.
    pub fn new(account: AccountId, folder: impl Into<String>) -> Self {
        Self { account, folder: folder.into() }
    }
}

/// A bucket's default encryption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct BucketEncryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The KMS key, as configured; `null` means the AWS managed key `aws/s3`.
    pub key: Option<String>,
    /// Whether S3 uses a bucket key.
    pub bucket_key: bool,
}

impl BucketEncryption {
    /// Encryption with this algorithm, without a customer managed KMS key and without a bucket key.
    pub fn new(algorithm: impl Into<String>) -> Self {
        Self { algorithm: algorithm.into(), key: None, bucket_key: false }
    }
}

/// The KMS key that encrypts objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// Whether it is an AWS managed key, whose policy cannot be changed.
    pub is_aws_managed: bool,
    /// The key state, as KMS returns it: `Enabled` if it can be used.
    pub state: String,
    /// The key policy.
    pub policy: String,
}

impl Key {
    /// An enabled customer managed key with this policy.
    pub fn new(policy: impl Into<String>) -> Self {
        Self { is_aws_managed: false, state: "Enabled".to_owned(), policy: policy.into() }
    }
}

/// A setting of a public access block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Switch {
    /// Calls that set a public ACL fail.
    BlockPublicAcls,
    /// Public ACLs have no effect.
    IgnorePublicAcls,
    /// Calls that set a public bucket policy fail.
    BlockPublicPolicy,
    /// A public bucket policy only applies to AWS services and the bucket owner's account.
    RestrictPublicBuckets,
}

impl Switch {
    /// All switches.
    pub const ALL: [Self; 4] =
        [Self::BlockPublicAcls, Self::IgnorePublicAcls, Self::BlockPublicPolicy, Self::RestrictPublicBuckets];

    /// The name in the S3 API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BlockPublicAcls => "BlockPublicAcls",
            Self::IgnorePublicAcls => "IgnorePublicAcls",
            Self::BlockPublicPolicy => "BlockPublicPolicy",
            Self::RestrictPublicBuckets => "RestrictPublicBuckets",
        }
    }
}

/// The four switches of a public access block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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

    /// The switches that are off.
    pub fn off(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.into_iter().filter(move |switch| !self.is_on(*switch))
    }

    /// Whether this switch is on.
    pub fn is_on(mut self, switch: Switch) -> bool {
        *self.switch(switch)
    }

    /// A copy with these switches on.
    #[must_use]
    pub fn with(mut self, on: &[Switch]) -> Self {
        on.iter().for_each(|switch| *self.switch(*switch) = true);
        self
    }

    fn switch(&mut self, switch: Switch) -> &mut bool {
        match switch {
            Switch::BlockPublicAcls => &mut self.block_acls,
            Switch::IgnorePublicAcls => &mut self.ignore_acls,
            Switch::BlockPublicPolicy => &mut self.block_policy,
            Switch::RestrictPublicBuckets => &mut self.restrict_buckets,
        }
    }
}

/// The resources and flow logs of one account-region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct RegionState {
    /// The resources of the selected kinds that are visible to the account, including shared ones.
    pub resources: Vec<Resource>,
    pub flow_logs: Vec<FlowLog>,
    /// The resources of a region that is up to date and was [reduced](crate::plan::reduced). The other lists are then empty.
    pub up_to_date: Vec<UpToDate>,
}

impl RegionState {
    /// A region with these resources and flow logs.
    pub fn new(resources: Vec<Resource>, flow_logs: Vec<FlowLog>) -> Self {
        Self { resources, flow_logs, up_to_date: Vec::new() }
    }

    /// The IDs of the resources, each with its name.
    pub fn names(&self) -> impl Iterator<Item = (&ResourceId, Option<&str>)> {
        let reduced = self.up_to_date.iter().map(|it| (&it.resource, it.name.as_deref()));
        self.resources.iter().map(|it| (&it.id, it.name())).chain(reduced)
    }
}

/// A resource whose flow log matches the fleet file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct UpToDate {
    pub resource: ResourceId,
    /// The display name.
    pub name: Option<String>,
    pub flow_log: FlowLogId,
    /// When the flow log was created.
    pub created: Option<Timestamp>,
}

impl UpToDate {
    /// A resource without a name, with its flow log.
    pub fn new(resource: ResourceId, flow_log: FlowLogId) -> Self {
        Self { resource, name: None, flow_log, created: None }
    }
}

/// The key of the tag that the AWS console displays as the name of a resource.
const NAME_TAG: &str = "Name";

/// A VPC, a subnet, a network interface or a transit gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Resource {
    pub id: ResourceId,
    /// The account that owns it.
    pub owner: Option<AccountId>,
    /// Whether it is the region's default VPC.
    pub is_default: bool,
    /// The subnet and the VPC that contain it.
    pub part_of: BTreeSet<ResourceId>,
    pub tags: BTreeMap<String, String>,
}

impl Resource {
    /// A resource without tags and containers and with an unknown owner.
    pub fn new(id: ResourceId) -> Self {
        Self { id, owner: None, is_default: false, part_of: BTreeSet::new(), tags: BTreeMap::new() }
    }

    /// The display name: the tag `Name`, if it is not empty.
    pub fn name(&self) -> Option<&str> {
        self.tags.get(NAME_TAG).map(String::as_str).filter(|name| !name.trim().is_empty())
    }
}

/// A flow log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct FlowLog {
    pub id: FlowLogId,
    /// The resource: a VPC, a subnet, a network interface or a transit gateway.
    pub resource: LoggedId,
    /// `ALL`, `ACCEPT` or `REJECT`; `None` for transit gateways, which have no traffic type.
    pub traffic: Option<String>,
    pub destination: LogDestination,
    /// The record format.
    pub format: Option<String>,
    /// The aggregation interval in seconds.
    pub interval: Option<i32>,
    /// The file settings, if the endpoint returns them. The format is the value of the EC2 API.
    pub files: Option<Files<String>>,
    pub tags: BTreeMap<String, String>,
    /// The creation time.
    pub created: Option<Timestamp>,
    /// The delivery status that EC2 reports, if any: `SUCCESS` or `FAILED`.
    pub deliver_status: Option<String>,
    /// Why delivery failed: `Rate limited`, `Access error` or `Unknown error`.
    pub deliver_error: Option<String>,
}

impl FlowLog {
    /// A flow log without tags and other details.
    pub fn new(id: FlowLogId, resource: impl Into<LoggedId>, destination: impl Into<LogDestination>) -> Self {
        Self {
            id,
            resource: resource.into(),
            traffic: None,
            destination: destination.into(),
            format: None,
            interval: None,
            files: None,
            tags: BTreeMap::new(),
            created: None,
            deliver_status: None,
            deliver_error: None,
        }
    }

    /// Who manages it, according to its tags.
    pub fn manager(&self) -> Manager {
        match (self.tags.get(MARK.0), self.tags.get(FLEET_TAG)) {
            (Some(by), Some(fleet)) if by == MARK.1 => Manager::Fleet { fleet: fleet.clone() },
            (Some(by), None) if by == MARK.1 => Manager::Flowagg,
            _ => Manager::Foreign,
        }
    }

    /// Whether it records the traffic of this resource.
    pub fn is_of(&self, resource: &ResourceId) -> bool {
        self.resource.known() == Some(resource)
    }

    /// Whether it records at least the declared traffic into folders with the declared naming scheme. Fields and file format may
    /// differ. Settings that EC2 does not return count as equal.
    pub fn covers(&self, spec: &FlowLogSpec) -> bool {
        let all = TrafficType::All.as_api();
        let records = |traffic: &String| traffic == all || traffic == spec.traffic.as_api();
        let hive =
            |files: &Files<String>| files.hive_compatible_partitions == spec.files.hive_compatible_partitions;
        (self.resource.is_of_transit_gateway() || self.traffic.as_ref().is_none_or(records))
            && self.files.as_ref().is_none_or(hive)
    }

    /// Whether this fleet manages it. No other flow log is changed or deleted.
    pub fn is_managed_by(&self, fleet: &FleetName) -> bool {
        matches!(self.manager(), Manager::Fleet { fleet: found } if found == fleet.as_str())
    }
}

/// Who manages a flow log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Manager {
    /// Another tool or person.
    Foreign,
    /// flowagg, for an unnamed fleet.
    Flowagg,
    /// flowagg, for the named fleet.
    Fleet {
        /// The fleet's name, as in the tag.
        fleet: String,
    },
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("foreign"),
            Self::Flowagg => write!(f, "managed by flowagg, without the tag `{FLEET_TAG}`"),
            Self::Fleet { fleet } => write!(f, "managed by flowagg fleet {}", fleet.escape_debug()),
        }
    }
}
