//! The two parts of the difference between the declared fleet and the observed state: changes to the hub bucket, and changes to
//! the flow logs of every account-region.
//!
//! Neither part can be applied on its own. `flowagg_policy::plan` creates the plan: it also decides the bucket policy, whether log
//! delivery may use the KMS key, and which changes are safe if something could not be read.

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

/// A change to the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "change", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum HubChange {
    /// Create the bucket.
    CreateBucket {
        /// The region of the bucket.
        region: Region,
    },
    /// Enable settings of the public access block.
    BlockPublicAccess {
        /// The settings that are off and are enabled.
        off: Vec<Switch>,
        /// How the result compares to the current setting; `null` for a new bucket.
        compared: Option<Strength>,
    },
    /// Disable ACLs, so that the bucket owner owns every object.
    EnforceBucketOwner {
        /// The current setting.
        was: Option<String>,
        /// How the result compares to the current setting; `null` for a new bucket.
        compared: Option<Strength>,
    },
    /// Set the default encryption.
    Encrypt {
        /// The current encryption.
        was: Option<String>,
        /// The encryption to set.
        with: Encryption,
        /// How the result compares to the current setting; `null` for a new bucket.
        compared: Option<Strength>,
    },
    /// Set the fleet's lifecycle rules.
    SetLifecycle(LifecycleChange),
    /// Write the bucket policy.
    PutPolicy(PolicyChange),
    /// Remove the fleet's lifecycle rules. This happens last, after the flow logs are deleted.
    RemoveLifecycle(LifecycleChange),
    /// Remove the fleet's statements from the bucket policy. This happens last, after the flow logs are deleted.
    RemoveGrant(GrantRemoval),
}

/// How a setting compares to the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// It allows less.
    Stronger,
    /// It allows neither less nor more, or they cannot be compared.
    Different,
    /// It protects less. The only case is an encryption that the fleet file sets and that log delivery requires.
    Weaker,
}

/// Whether a plan may make objects of an existing bucket expire sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Apply such changes.
    Allow,
    /// Do not apply such changes; list them in `not_applied`.
    Withhold,
}

/// A new lifecycle configuration: the one that was read, with edited rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct LifecycleChange {
    /// The folder of the fleet's flow logs.
    pub root: String,
    /// The configuration to write; `null` if no rule remains and the configuration is deleted.
    pub write: Option<LifecycleDocument>,
    /// The configuration that was read. The new one is written only if this one is still current.
    pub replaces: Option<LifecycleDocument>,
    /// The rules that are added or changed.
    pub set: Vec<FleetRule>,
    /// The IDs of the fleet's rules that are removed.
    pub removed: BTreeSet<String>,
    /// Objects of an existing bucket that expire sooner. If there are any, the change requires `--allow-expiry`.
    pub sooner: Vec<Sooner>,
    /// The age of the oldest of those objects.
    pub oldest: Oldest,
}

/// Objects that a change expires sooner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Sooner {
    /// What happens to the objects.
    pub end: End,
    /// The number of days before the change; `null` if never.
    pub before: Option<u32>,
    /// The number of days after the change.
    pub after: u32,
    /// The number of folders.
    pub folders: usize,
}

/// What a lifecycle rule does to objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Objects expire.
    Expiry,
    /// Noncurrent versions are deleted.
    Versions,
}

/// Folders of flow logs with the same expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryGroup {
    /// The number of days after which all objects expire; `None` if some or all do not.
    pub days: Option<u32>,
    /// Whether a rule expires some of them differently, which is also a concern.
    pub some: bool,
    /// The name and manager of the rule that expires them, if it is not a rule of this fleet.
    pub rule: Option<String>,
    /// The number of folders.
    pub folders: usize,
}

/// A new bucket policy: the one that was read, with the fleet's statements updated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct PolicyChange {
    /// The policy to write.
    pub text: String,
    /// The policy that was read. The new one is written only if this one is still current.
    pub replaces: Option<String>,
    /// The size that counts against the limit, in bytes of compact JSON.
    pub bytes: usize,
    /// The size of the policy that was read.
    pub bytes_before: Option<usize>,
    /// Accounts that can deliver after the change.
    pub granted: BTreeSet<AccountId>,
    /// Accounts that the fleet's statements allow after the change and that foreign statements already allow.
    pub also_granted: BTreeSet<AccountId>,
    /// Accounts that can no longer deliver.
    pub revoked: BTreeSet<AccountId>,
    /// Other access that is revoked, such as that of an account in one region.
    pub revoked_access: BTreeSet<Access>,
    /// The names of foreign statements that are removed because the grant replaces them.
    pub adopted: Vec<String>,
    /// Other changes, as text.
    pub notes: Vec<String>,
}

impl PolicyChange {
    /// A policy for a bucket without a policy, which grants and revokes no access. `bytes` is its size as compact JSON.
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

/// A bucket policy without the fleet's statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct GrantRemoval {
    /// The policy that was read.
    pub replaces: String,
    /// The remaining policy; `null` if nothing remains and the policy is deleted.
    pub leaves: Option<String>,
    /// Accounts that can no longer deliver.
    pub revoked: BTreeSet<AccountId>,
    /// Other access that is revoked, such as that of an account in one region.
    pub revoked_access: BTreeSet<Access>,
}

impl GrantRemoval {
    /// Deletes the policy that was read, without revoking access.
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
    /// The resource.
    pub resource: ResourceId,
    /// The action.
    pub step: Step,
    /// The reason.
    pub reason: String,
}

impl FlowLogChange {
    /// A step for this resource, with the reason.
    pub fn new(place: Place, resource: ResourceId, step: Step, reason: impl Into<String>) -> Self {
        Self { place, resource, step, reason: reason.into() }
    }
}

/// An action on a flow log. The settings of a flow log cannot be changed after its creation; only its tags can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Step {
    /// Create a flow log.
    Create,
    /// Create a flow log, then delete the one that it replaces.
    Replace {
        /// The flow log to replace, which this fleet manages.
        old: FlowLogId,
        /// Whether AWS may reject the new one only because the old one has the same destination. Only then may the old one be
        /// deleted first.
        may_conflict: bool,
    },
    /// Set tags.
    Tag {
        /// The flow log, which this fleet manages.
        flow_log: FlowLogId,
        /// The tags to set.
        tags: BTreeMap<String, String>,
    },
    /// Delete a flow log.
    Delete {
        /// The flow log, which this fleet manages.
        flow_log: FlowLogId,
        /// The resource whose new flow log must exist before the deletion; `null` if there is none.
        after: Option<ResourceId>,
    },
}

/// A difference from the fleet file that flowagg does not change or, in a plan's obstacles, a problem that blocks the changes. It
/// is never caused by a failed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Concern {
    /// The kind of resource that it is about.
    pub about: Subject,
    /// The account.
    pub account: AccountId,
    /// The region, if it is about a single region.
    pub region: Option<Region>,
    /// The name of the resource.
    pub resource: String,
    /// What is wrong.
    pub what: String,
    /// How to fix it.
    pub help: String,
}

impl Concern {
    /// A concern that is not about a single region.
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

/// The kind of resource that a concern is about.
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
    /// A logged resource, or its flow logs.
    FlowLog,
}

/// Information that requires no action. [`Display`](std::fmt::Display) is also its JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// An account-region has no resources of the kinds that the fleet file logs.
    NothingToLog {
        /// The account-region.
        place: Place,
        /// The kinds that the fleet file logs there.
        kinds: Vec<ResourceKind>,
    },
    /// A flow log to the bucket logs a kind of resource that flowagg does not support.
    UnknownResource {
        /// The account-region.
        place: Place,
        /// The flow log.
        flow_log: FlowLogId,
        /// The resource, as EC2 returns it.
        resource: String,
        /// Who manages it.
        manager: Manager,
    },
    /// Whether deliveries are allowed depends on condition keys whose values are unknown.
    Undecided {
        /// The bucket policy or the key.
        about: Subject,
        /// The deliveries, and the decision.
        what: String,
    },
    /// The bucket is encrypted with a KMS key, which is kept because the fleet file does not set an encryption.
    KeptEncryption {
        /// The KMS key.
        key: String,
    },
    /// The bucket has a stronger encryption than the fleet file sets, which is kept.
    StrongerEncryption {
        /// The KMS key.
        key: String,
    },
    /// The bucket keeps noncurrent versions of objects.
    Versioned {
        /// Whether new versions are kept, or only existing ones.
        versioning: Versioning,
        /// The number of days after which noncurrent versions are deleted; `None` if some or all are kept.
        noncurrent_days: Option<u32>,
    },
    /// When flow logs expire, considering all lifecycle rules of the bucket.
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
        /// Each setting with the call that failed.
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
        /// The statement: its Sid in backticks, or its position in the policy, starting at 1.
        statement: String,
        /// The fleet whose mark is in the Sid, if any.
        of: Option<FleetMark>,
        /// The members.
        accounts: BTreeSet<AccountId>,
    },
    /// A foreign statement delegates access to access points, which log delivery does not use.
    DelegatesToAccessPoints {
        /// The statement: its Sid in backticks, or its position in the policy, starting at 1.
        statement: String,
        /// The access points, as text.
        to: String,
    },
    /// A statement of the fleet that this fleet file does not produce is kept.
    StatementKept {
        /// The statement, why it is kept, and how to remove it.
        what: String,
    },
    /// A managed statement still grants delivery to an account that is not in the fleet file.
    StillGranted {
        /// The account.
        account: AccountId,
    },
    /// A managed statement allows accounts to deliver from regions that the fleet file does not list for them.
    StillGrantedIn {
        /// The accounts with their regions.
        access: BTreeSet<Access>,
    },
    /// The grant allows a whole organization, or units of it, to deliver, although only part of the fleet was selected.
    GrantsOrganization {
        /// The organization.
        id: OrganizationId,
        /// Only the accounts under these units; empty for the whole organization.
        units: BTreeSet<OrganizationalUnitId>,
    },
    /// The grant is not pruned, because only part of the fleet was selected.
    NothingPrunedForPart,
    /// The lifecycle rule for all members is not changed, because only part of the fleet was selected.
    LifecycleStaysForPart {
        /// The folder of the rule.
        root: String,
    },
    /// The grant is not removed, because only part of the fleet was selected.
    GrantStaysForPart,
    /// The grant is not removed, because some account-regions could not be read.
    GrantStaysForUnread,
}

impl Note {
    /// Whether it is about a setting of the hub bucket that affects flow logs, or that could not be read.
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

/// What a plan does with managed grants and flow logs that are not in the fleet file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// Keep and report them.
    Keep,
    /// Remove them.
    Prune,
}
