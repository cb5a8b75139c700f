//! The two parts of a difference between the fleet as declared and AWS as observed: what changes at the hub bucket, and what
//! changes at the flow logs of every account and region.
//!
//! Neither part can be applied. A plan also decides the bucket policy and whether log delivery may use the KMS key, and
//! whether the changes are safe if something could not be read: `flowagg_policy::plan` creates it.

mod access;
mod also_logged;
mod flow_logs;
mod hub;
mod hub_words;
mod left;
mod named;
mod sign;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::access::{Access, access, revoked};
pub use self::also_logged::{AlsoLogged, AlsoLoggedGroup, PossibleOwner, also_logged_groups};
pub use self::flow_logs::{FlowLogPart, flow_log_changes, flow_log_removals, reduced};
pub use self::hub::{
    EncryptionInUse, HubPart, encryption_in_use, folders_that_end_sooner, hub_changes, lifecycle_removal,
    rule_of_new_bucket,
};
pub use self::left::{Left, Why};
pub use self::named::Named;
pub use self::sign::Sign;
use crate::fleet::Encryption;
use crate::id::{
    AccountId, FleetMark, FlowLogId, OrganizationId, OrganizationalUnitId, Place, Region, ResourceId,
    ResourceKind, text_in_json,
};
use crate::lifecycle::{FleetRule, LifecycleDocument};
use crate::observed::{DefaultRetention, Manager, Oldest, Switch, Versioning};

/// A change at the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "change", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum HubChange {
    /// Make the bucket.
    CreateBucket {
        /// Where.
        region: Region,
    },
    /// Turn on switches of the public access block.
    BlockPublicAccess {
        /// The switches that are off and are turned on.
        off: Vec<Switch>,
        /// How the result compares to the current setting; `null` for a new bucket.
        compared: Option<Strength>,
    },
    /// Turn ACLs off: the bucket's owner owns every object.
    EnforceBucketOwner {
        /// The setting that is there.
        was: Option<String>,
        /// How the result compares to the current setting; `null` for a new bucket.
        compared: Option<Strength>,
    },
    /// Set the default encryption.
    Encrypt {
        /// The encryption that is there, in S3's words.
        was: Option<String>,
        /// What to set.
        with: Encryption,
        /// How the result compares to the current setting; `null` for a new bucket.
        compared: Option<Strength>,
    },
    /// Set the fleet's lifecycle rules.
    SetLifecycle(LifecycleChange),
    /// Write the bucket policy.
    PutPolicy(PolicyChange),
    /// Remove the fleet's lifecycle rules. Done last, after the flow logs are gone.
    RemoveLifecycle(LifecycleChange),
    /// Take our statements out of the bucket policy. Done last, after the flow logs are gone.
    RemoveGrant(GrantRemoval),
}

/// How a setting compares to the one that it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// It allows less.
    Stronger,
    /// It allows neither less nor more, or that cannot be said.
    Different,
    /// It protects less. Only an encryption that the fleet file sets and without which log delivery fails.
    Weaker,
}

/// Whether a plan may have objects of an existing bucket expire sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It may.
    Allow,
    /// It may not: such a change is listed as not applied.
    Withhold,
}

/// A new lifecycle configuration, edited into the one that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct LifecycleChange {
    /// The folder that the fleet's flow logs are delivered to.
    pub root: String,
    /// The configuration to write; `null` if no rule is left, and it is deleted.
    pub write: Option<LifecycleDocument>,
    /// The configuration that was read; the new one is written only while this one is still there.
    pub replaces: Option<LifecycleDocument>,
    /// The rules that are new or different.
    pub set: Vec<FleetRule>,
    /// The ids of the fleet's rules that are removed.
    pub removed: BTreeSet<String>,
    /// What ends sooner for objects in an existing bucket. If anything does, the change needs `--allow-expiry`.
    pub sooner: Vec<Sooner>,
    /// How old the oldest objects are that end sooner.
    pub oldest: Oldest,
}

/// Objects that end sooner by a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Sooner {
    /// What ends.
    pub end: End,
    /// After how many days before the change; `null` if never.
    pub before: Option<u32>,
    /// After how many days by the change.
    pub after: u32,
    /// In how many folders.
    pub folders: usize,
}

/// What ends by a lifecycle rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Objects expire.
    Expiry,
    /// Versions that are no longer current are deleted.
    Versions,
}

/// Folders of flow logs with the same expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryGroup {
    /// After how many days all objects expire; `None` if some or all do not.
    pub days: Option<u32>,
    /// Whether a rule expires some of them otherwise, which a concern names.
    pub some: bool,
    /// The rule that expires them, by name and manager, if it is not the fleet's.
    pub rule: Option<String>,
    /// How many folders.
    pub folders: usize,
}

/// A new bucket policy, merged into the one that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct PolicyChange {
    /// The policy to write.
    pub text: String,
    /// The policy that was read; the new one is written only while this one is still there.
    pub replaces: Option<String>,
    /// What counts against the limit, in bytes of compact JSON.
    pub bytes: usize,
    /// The same of the policy that was read.
    pub bytes_before: Option<usize>,
    /// Accounts that may deliver from now on.
    pub granted: BTreeSet<AccountId>,
    /// Accounts that the fleet's statements allow from now on and that foreign statements let deliver already.
    pub also_granted: BTreeSet<AccountId>,
    /// Accounts that may no longer deliver.
    pub revoked: BTreeSet<AccountId>,
    /// Who else may no longer deliver, in words, such as an account in one region.
    pub revoked_access: BTreeSet<Access>,
    /// Foreign statements that are removed because the grant replaces them, by name.
    pub adopted: Vec<String>,
    /// What else changes, in words.
    pub notes: Vec<String>,
}

impl PolicyChange {
    /// A policy for a bucket without one, which grants and revokes no access. `bytes` is its size as compact JSON.
    pub fn new(text: impl Into<String>, bytes: usize) -> Self {
        Self {
            text: text.into(),
            replaces: None,
            bytes,
            bytes_before: None,
            granted: BTreeSet::new(),
            also_granted: BTreeSet::new(),
            revoked: BTreeSet::new(),
            revoked_access: BTreeSet::new(),
            adopted: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// A bucket policy without our statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct GrantRemoval {
    /// The policy that was read.
    pub replaces: String,
    /// What is left of it; `None` when nothing is, and the policy is deleted.
    pub leaves: Option<String>,
    /// Accounts that may no longer deliver.
    pub revoked: BTreeSet<AccountId>,
    /// Who else may no longer deliver, in words, such as an account in one region.
    pub revoked_access: BTreeSet<Access>,
}

impl GrantRemoval {
    /// The deletion of the policy that was read, which revokes no access.
    pub fn new(replaces: impl Into<String>) -> Self {
        Self {
            replaces: replaces.into(),
            leaves: None,
            revoked: BTreeSet::new(),
            revoked_access: BTreeSet::new(),
        }
    }
}

/// A change to the flow logs of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FlowLogChange {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// What is logged.
    pub resource: ResourceId,
    /// What is done.
    pub step: Step,
    /// Why.
    pub reason: String,
}

impl FlowLogChange {
    /// A step for this resource, and why it is made.
    pub fn new(place: Place, resource: ResourceId, step: Step, reason: impl Into<String>) -> Self {
        Self { place, resource, step, reason: reason.into() }
    }
}

/// What is done to a flow log. Its settings cannot change once it is made; only its tags can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Step {
    /// Make one.
    Create,
    /// Make a right one, then delete the wrong one.
    Replace {
        /// The wrong one, which this fleet manages.
        old: FlowLogId,
        /// Whether AWS may refuse the right one because of it, and of no other: both have the same destination. Only then may the wrong
        /// one be deleted first.
        may_conflict: bool,
    },
    /// Set tags.
    Tag {
        /// The flow log, which this fleet manages.
        flow_log: FlowLogId,
        /// The tags to set.
        tags: BTreeMap<String, String>,
    },
    /// Delete one that is not wanted.
    Delete {
        /// The flow log, which this fleet manages.
        flow_log: FlowLogId,
        /// The resource whose new flow log takes its place: without that one, nothing is deleted. `None` if it needs no other.
        after: Option<ResourceId>,
    },
}

/// Something that differs from the fleet file and that flowagg does not change; or, in a plan's obstacles, something that
/// keeps its changes from being made. No failed call is behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Concern {
    /// What kind of thing it is about.
    pub about: Subject,
    /// The account.
    pub account: AccountId,
    /// The region, if it is about one.
    pub region: Option<Region>,
    /// The thing, by name.
    pub resource: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

impl Concern {
    /// A concern that is not about one region.
    pub fn new(
        about: Subject,
        account: AccountId,
        resource: impl Into<String>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { about, account, region: None, resource: resource.into(), what: what.into(), help: help.into() }
    }
}

/// What a concern is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The hub bucket's settings.
    Bucket,
    /// The hub bucket's policy.
    Policy,
    /// The KMS key of the hub bucket.
    Key,
    /// The organization and its accounts.
    Organization,
    /// A resource that is logged, or its flow logs.
    FlowLog,
}

/// Something worth knowing that needs no action. [`Display`](std::fmt::Display) gives the sentence, which is also its JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// An account-region has nothing of the kinds that the fleet file logs.
    NothingToLog {
        /// The account-region.
        place: Place,
        /// The kinds that the fleet file logs there.
        kinds: Vec<ResourceKind>,
    },
    /// A flow log to the bucket logs a kind of resource that flowagg does not know.
    UnknownResource {
        /// The account-region.
        place: Place,
        /// The flow log.
        flow_log: FlowLogId,
        /// What it logs, as EC2 names it.
        resource: String,
        /// Who manages it.
        manager: Manager,
    },
    /// Whether deliveries are allowed depends on condition keys whose values are not known.
    Undecided {
        /// The bucket policy or the key.
        about: Subject,
        /// The deliveries, and the decision.
        what: String,
    },
    /// The bucket is encrypted with a KMS key, which is kept because the fleet file sets no encryption.
    KeptEncryption {
        /// The KMS key.
        key: String,
    },
    /// The bucket has an encryption that is stronger than the fleet file's, which is kept.
    StrongerEncryption {
        /// The KMS key.
        key: String,
    },
    /// The bucket keeps old versions of objects.
    Versioned {
        /// Whether new versions are kept, or only those from before.
        versioning: Versioning,
        /// After how many days versions that are no longer current are deleted; `None` if some or all stay.
        noncurrent_days: Option<u32>,
    },
    /// When flow logs expire by all lifecycle rules of the bucket together.
    Expiry {
        /// The folders of the members' flow logs.
        groups: Vec<ExpiryGroup>,
    },
    /// The fleet's rule for the whole folder of logs also expires flow logs of accounts that are not members.
    AlsoExpires {
        /// The accounts.
        accounts: BTreeSet<AccountId>,
    },
    /// The bucket has Object Lock.
    ObjectLocked {
        /// Its default retention.
        retention: Option<DefaultRetention>,
    },
    /// The bucket has a replication configuration.
    Replicated,
    /// The bucket has event notifications.
    Notifies,
    /// Settings that could not be read.
    SettingsUnread {
        /// Each with the call that failed.
        settings: Vec<String>,
    },
    /// Accounts of the organization that are not members.
    LeftOut {
        /// The accounts.
        accounts: Vec<AccountId>,
        /// Why they are not members.
        why: String,
    },
    /// A foreign statement also grants delivery to members, so that removing the fleet's statements does not stop them.
    AlsoGranted {
        /// The statement: its Sid in backticks, or its place in the list, from 1.
        statement: String,
        /// The fleet whose mark its Sid carries, if any.
        of: Option<FleetMark>,
        /// The members.
        accounts: BTreeSet<AccountId>,
    },
    /// A foreign statement delegates access to access points, through which log delivery does not go.
    DelegatesToAccessPoints {
        /// The statement: its Sid in backticks, or its place in the list, from 1.
        statement: String,
        /// The access points, in words.
        to: String,
    },
    /// A statement of the fleet was not written by this fleet file and is kept, in words.
    StatementKept {
        /// The statement, why it is kept, and what removes it.
        what: String,
    },
    /// A managed statement still grants delivery to an account that the fleet file does not name.
    StillGranted {
        /// The account.
        account: AccountId,
    },
    /// A managed statement lets accounts deliver from regions that the fleet file does not name for them.
    StillGrantedIn {
        /// The accounts, each with a region.
        access: BTreeSet<Access>,
    },
    /// The grant lets a whole organization, or units of it, deliver, although only part of the fleet was selected.
    GrantsOrganization {
        /// The organization.
        id: OrganizationId,
        /// Only the accounts under these units; none stands for the whole organization.
        units: BTreeSet<OrganizationalUnitId>,
    },
    /// Nothing is pruned from the grant, because only part of the fleet was selected.
    NothingPrunedForPart,
    /// The lifecycle rule of every member is not changed, because only part of the fleet was selected.
    LifecycleStaysForPart {
        /// The folder that the rule is for.
        root: String,
    },
    /// The grant is not removed, because only part of the fleet was selected.
    GrantStaysForPart,
    /// The grant is not removed, because some accounts or regions could not be read.
    GrantStaysForUnread,
}

impl Note {
    /// Whether it is about a setting of the hub bucket that affects flow logs or could not be read.
    pub fn is_about_bucket(&self) -> bool {
        match self {
            Self::Versioned { .. }
            | Self::Expiry { .. }
            | Self::AlsoExpires { .. }
            | Self::ObjectLocked { .. }
            | Self::Replicated
            | Self::Notifies
            | Self::LifecycleStaysForPart { .. }
            | Self::SettingsUnread { .. } => true,
            Self::KeptEncryption { .. }
            | Self::StrongerEncryption { .. }
            | Self::NothingToLog { .. }
            | Self::UnknownResource { .. }
            | Self::LeftOut { .. }
            | Self::StillGranted { .. }
            | Self::StillGrantedIn { .. }
            | Self::AlsoGranted { .. }
            | Self::DelegatesToAccessPoints { .. }
            | Self::StatementKept { .. }
            | Self::Undecided { .. }
            | Self::GrantsOrganization { .. }
            | Self::NothingPrunedForPart
            | Self::GrantStaysForPart
            | Self::GrantStaysForUnread => false,
        }
    }
}

text_in_json!(Note);

/// What becomes of managed grants and flow logs that the fleet file does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// They are kept and reported.
    Keep,
    /// They are removed.
    Prune,
}
