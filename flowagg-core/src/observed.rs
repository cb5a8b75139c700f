//! What AWS has, as plain values: the bucket and its key, and each region's VPCs and flow logs.

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

/// What AWS has of a fleet, and what could not be read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Observed {
    /// The hub bucket; `None` if it does not exist.
    pub bucket: Result<Option<Bucket>, Failure>,
    /// The KMS key that deliveries use, by [`encryption_in_use`](crate::plan::encryption_in_use); `None` if they use none that
    /// can be read.
    pub key: Option<Result<Key, Failure>>,
    /// Every region of every member that was selected.
    pub regions: BTreeMap<Place, Result<RegionState, Failure>>,
    /// How much of the fleet `regions` covers.
    pub scope: Scope,
}

impl Observed {
    /// This bucket, of a fleet that was read as a whole and has no key and no account-regions.
    pub fn new(bucket: Result<Option<Bucket>, Failure>) -> Self {
        Self { bucket, key: None, regions: BTreeMap::new(), scope: Scope::Whole }
    }
}

/// How much of a fleet was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every account and region.
    Whole,
    /// Selected accounts or regions. What the other ones need cannot be decided.
    Part {
        /// The members of which something is selected. The hub is not changed for another one.
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
pub struct Bucket {
    /// Its default encryption; `None` where there is none.
    pub encryption: Option<BucketEncryption>,
    /// Its lifecycle configuration; `None` if it has none.
    pub lifecycle: Option<LifecycleDocument>,
    /// Its public access block.
    pub public_access_block: PublicAccessBlock,
    /// Its object ownership setting, in S3's word.
    pub ownership: Option<String>,
    /// Its policy, as S3 returns it.
    pub policy: Option<String>,
    /// What lies in the fleet's folder of logs.
    pub contents: Contents,
    /// How old its flow logs are.
    pub oldest: Oldest,
    /// What else the bucket is set up for.
    pub usage: Usage,
    /// Every folder of logs in the bucket, by account and service.
    pub log_folders: LogFolders,
}

/// What else a bucket is set up for, besides flow logs. A setting that could not be read is unknown: decisions must not treat
/// it as absent. The default is a bucket of which everything was read and nothing is set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Whether S3 considers the bucket policy public.
    pub public_policy: Result<bool, Failure>,
    /// Its ACL.
    pub acl: Result<Acl, Failure>,
    /// Its versioning.
    pub versioning: Result<Versioning, Failure>,
    /// Its Object Lock; `None` if that is off.
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

/// Whether a bucket keeps old versions of its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// It was never enabled.
    Off,
    /// It is enabled.
    Enabled,
    /// It was enabled once. Versions from then are kept.
    Suspended,
}

/// The Object Lock of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectLock {
    /// How long new objects are locked; `None` if the bucket has no default retention.
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
    /// S3's word: `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// How long, as S3 has it: `30 days` or `1 year`.
    pub period: String,
}

impl DefaultRetention {
    /// A retention with this mode and period, in S3's words.
    pub fn new(mode: impl Into<String>, period: impl Into<String>) -> Self {
        Self { mode: mode.into(), period: period.into() }
    }
}

/// What lies under `[prefix/]AWSLogs/`, the folder that the fleet's flow logs are delivered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Everything two levels deep, as prefixes of keys: the accounts' folders of each service
    /// (`AWSLogs/222222222222/vpcflowlogs/`), and what is not in an account's folder.
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
    /// It was not looked for, because no change would expire objects sooner.
    #[default]
    NotRead,
    /// There are no files.
    NoFiles,
    /// The day (UTC) in the names of their folders.
    Day(#[cfg_attr(feature = "schema", schemars(with = "String"))] Date),
    /// The folders could not be listed.
    Unread(Failure),
}

/// The folders of logs in a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogFolders {
    /// They were not listed: only adopting a statement needs them.
    #[default]
    NotListed,
    /// These.
    Listed(BTreeSet<LogFolder>),
    /// They could not be listed.
    Unread(Failure),
}

/// A folder that AWS's log delivery created: `[prefix/]AWSLogs/<account>/<service>/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct LogFolder {
    /// The account whose logs it holds.
    pub account: AccountId,
    /// The folder, with a slash at its end.
    pub folder: String,
}

impl LogFolder {
    /// A folder, with a slash at its end, of an account's logs.
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
    /// S3's word: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The KMS key, as it was given; `None` stands for the AWS managed key `aws/s3`.
    pub key: Option<String>,
    /// Whether S3 uses a bucket key.
    pub bucket_key: bool,
}

impl BucketEncryption {
    /// Encryption with this algorithm, in S3's word, without a KMS key of the bucket's own and without a bucket key.
    pub fn new(algorithm: impl Into<String>) -> Self {
        Self { algorithm: algorithm.into(), key: None, bucket_key: false }
    }
}

/// The KMS key that objects are to be encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// Whether AWS manages it: then its policy cannot be changed.
    pub is_aws_managed: bool,
    /// KMS's word for its state: `Enabled` where it can be used.
    pub state: String,
    /// Its policy.
    pub policy: String,
}

impl Key {
    /// A customer managed key that is enabled and has this policy.
    pub fn new(policy: impl Into<String>) -> Self {
        Self { is_aws_managed: false, state: "Enabled".to_owned(), policy: policy.into() }
    }
}

/// A switch of a public access block, by S3's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Switch {
    /// Calls that set a public ACL fail.
    BlockPublicAcls,
    /// Public ACLs have no effect.
    IgnorePublicAcls,
    /// Calls that set a public bucket policy fail.
    BlockPublicPolicy,
    /// A public bucket policy serves AWS services and the bucket's account only.
    RestrictPublicBuckets,
}

impl Switch {
    /// All four.
    pub const ALL: [Self; 4] =
        [Self::BlockPublicAcls, Self::IgnorePublicAcls, Self::BlockPublicPolicy, Self::RestrictPublicBuckets];

    /// S3's name.
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

    /// The same with these switches on.
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

/// What one region of one account has that can be logged, and its flow logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegionState {
    /// The resources that the account sees, shared ones among them, of the kinds that are asked for.
    pub resources: Vec<Resource>,
    /// The flow logs.
    pub flow_logs: Vec<FlowLog>,
    /// What is left of a region that is up to date, if it was [reduced](crate::plan::reduced): then the other lists are empty.
    pub up_to_date: Vec<UpToDate>,
}

impl RegionState {
    /// A region that was read, with these resources and flow logs.
    pub fn new(resources: Vec<Resource>, flow_logs: Vec<FlowLog>) -> Self {
        Self { resources, flow_logs, up_to_date: Vec::new() }
    }

    /// The resources by id, each with its name.
    pub fn names(&self) -> impl Iterator<Item = (&ResourceId, Option<&str>)> {
        let reduced = self.up_to_date.iter().map(|it| (&it.resource, it.name.as_deref()));
        self.resources.iter().map(|it| (&it.id, it.name())).chain(reduced)
    }
}

/// A resource whose flow log matches the fleet file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpToDate {
    /// The resource.
    pub resource: ResourceId,
    /// The name that people gave it.
    pub name: Option<String>,
    /// The flow log.
    pub flow_log: FlowLogId,
    /// When the flow log was created.
    pub created: Option<Timestamp>,
}

impl UpToDate {
    /// A resource without a name, and its flow log.
    pub fn new(resource: ResourceId, flow_log: FlowLogId) -> Self {
        Self { resource, name: None, flow_log, created: None }
    }
}

/// The key of the tag whose value the AWS console shows as the name of a resource.
const NAME_TAG: &str = "Name";

/// A VPC, a subnet, a network interface or a transit gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

impl Resource {
    /// A resource without tags that is part of no other and whose owner is not known.
    pub fn new(id: ResourceId) -> Self {
        Self { id, owner: None, is_default: false, part_of: BTreeSet::new(), tags: BTreeMap::new() }
    }

    /// The name that people gave it: its tag `Name`, if that is not empty.
    pub fn name(&self) -> Option<&str> {
        self.tags.get(NAME_TAG).map(String::as_str).filter(|name| !name.trim().is_empty())
    }
}

/// A flow log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowLog {
    /// Its id.
    pub id: FlowLogId,
    /// What it logs: a VPC, a subnet, a network interface, a transit gateway.
    pub resource: LoggedId,
    /// EC2's word: `ALL`, `ACCEPT` or `REJECT`; `None` for transit gateways, which know no such choice.
    pub traffic: Option<String>,
    /// Where it delivers to.
    pub destination: LogDestination,
    /// The record format.
    pub format: Option<String>,
    /// The aggregation interval in seconds.
    pub interval: Option<i32>,
    /// The files and folders, where the endpoint returns them. The format is EC2's word.
    pub files: Option<Files<String>>,
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
    /// A flow log without tags, of which EC2 returned nothing else.
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

    /// Who manages it, by its tags.
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

    /// Whether it records the traffic that every flow log of a fleet should record, or more, into folders that are named in the same
    /// way. Fields and file format may differ. What EC2 does not return does not differ.
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
    /// Someone other than flowagg.
    Foreign,
    /// flowagg, for a fleet that no tag names.
    Flowagg,
    /// flowagg, for this fleet.
    Fleet {
        /// The fleet's name, as the tag has it.
        fleet: String,
    },
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not made by flowagg"),
            Self::Flowagg => write!(f, "managed by flowagg, without the tag `{FLEET_TAG}`"),
            Self::Fleet { fleet } => write!(f, "managed by flowagg fleet {}", fleet.escape_debug()),
        }
    }
}
