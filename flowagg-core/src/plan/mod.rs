//! The difference between the fleet as declared and AWS as observed: a value that is shown, and then done.

mod flow_logs;
mod hub;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::fleet::{Encryption, Fleet};
use crate::id::{AccountId, FlowLogId, Region, ResourceId};
use crate::observed::{Bucket, Failure, LifecycleRule, Place, RegionState};

/// What differs, in the order in which it is done, and what was found besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// What changes at the hub, in order.
    pub hub: Vec<HubChange>,
    /// What changes in the members' accounts, by account, region and resource.
    pub flow_logs: Vec<FlowLogChange>,
    /// Flow logs that stay as they are, with the reason.
    pub left: Vec<Left>,
    /// What is not as declared and not flowagg's to change.
    pub concerns: Vec<Concern>,
    /// What could not be read.
    pub failures: Vec<Failure>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

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
    /// Turn on all four switches of the public access block.
    BlockPublicAccess {
        /// The switches that are off, in S3's words.
        off: Vec<&'static str>,
    },
    /// Turn ACLs off: the bucket's owner owns every object.
    EnforceBucketOwner {
        /// The setting that is there.
        was: Option<String>,
    },
    /// Set the default encryption.
    Encrypt {
        /// The encryption that is there, in S3's words.
        was: Option<String>,
        /// What to set.
        with: Encryption,
    },
    /// Set our lifecycle rule.
    SetLifecycle {
        /// Our rule that is there.
        was: Option<LifecycleRule>,
        /// The one to set.
        rule: LifecycleRule,
    },
    /// Write the bucket policy.
    PutPolicy(PolicyChange),
    /// Take our statements out of the bucket policy. Done last, after the flow logs are gone.
    RemoveGrant(GrantRemoval),
}

/// A new bucket policy, merged into the one that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct PolicyChange {
    /// The policy to write.
    pub text: String,
    /// The policy that was read; the new one is written only while this one is still there.
    pub replaces: Option<String>,
    /// What counts against the limit, in bytes of compact JSON.
    pub bytes: usize,
    /// Accounts that may deliver from now on.
    pub granted: BTreeSet<AccountId>,
    /// Accounts that may no longer deliver.
    pub revoked: BTreeSet<AccountId>,
    /// What else changes, in words.
    pub notes: Vec<String>,
}

/// A bucket policy without our statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct GrantRemoval {
    /// The policy that was read.
    pub replaces: String,
    /// What is left of it; `None` when nothing is, and the policy is deleted.
    pub leaves: Option<String>,
    /// Accounts that may no longer deliver.
    pub revoked: BTreeSet<AccountId>,
}

/// A change to the flow logs of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct FlowLogChange {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// What is logged.
    pub resource: ResourceId,
    /// What is done.
    pub step: Step,
    /// Why.
    pub reason: String,
}

impl FlowLogChange {
    /// Where it is done.
    pub fn place(&self) -> Place {
        Place { account: self.account, region: self.region.clone() }
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
        /// The wrong one, which bears our mark.
        old: FlowLogId,
    },
    /// Set tags.
    Tag {
        /// The flow log, which bears our mark.
        flow_log: FlowLogId,
        /// The tags to set.
        tags: BTreeMap<String, String>,
    },
    /// Delete one that is not wanted.
    Delete {
        /// The flow log, which bears our mark.
        flow_log: FlowLogId,
    },
}

/// A flow log that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Left {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// What is logged, or would be.
    pub resource: String,
    /// The flow log, if there is one.
    pub flow_log: Option<FlowLogId>,
    /// Why it stays.
    pub reason: String,
}

impl Left {
    /// The reason of a flow log of which there is nothing to say.
    const AS_WANTED: &'static str = "as wanted";

    /// Whether it stays because nothing about it should change.
    pub fn is_as_wanted(&self) -> bool {
        self.reason == Self::AS_WANTED
    }
}

/// Something that is not as declared and not flowagg's to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Concern {
    /// The account.
    pub account: AccountId,
    /// The region, where it is about one.
    pub region: Option<Region>,
    /// What it is about.
    pub resource: String,
    /// What is so.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

/// What becomes of grants and flow logs of ours that the fleet does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// They stay, and are told.
    Keep,
    /// They go.
    Prune,
}

impl Plan {
    /// The plan for a fleet.
    ///
    /// `bucket` is `None` where the bucket does not exist; `policy` is the merged policy where it differs from the one
    /// that is there. Regions that could not be read come as failures: the rest is planned all the same.
    pub fn new(
        fleet: &Fleet,
        bucket: Option<&Bucket>,
        policy: Option<PolicyChange>,
        regions: &BTreeMap<Place, Result<RegionState, Failure>>,
        unnamed: Unnamed,
    ) -> Self {
        let mut plan = Self::default();
        hub::plan(fleet, bucket, policy, &mut plan);
        flow_logs::plan(fleet, regions, unnamed, &mut plan);
        plan
    }

    /// The plan where the hub could not be read: nothing is done, for flow logs without their bucket would only fail.
    pub fn without_hub(failure: Failure) -> Self {
        Self { failures: vec![failure], ..Self::default() }
    }

    /// The plan that takes a fleet away: every flow log of ours to the fleet's destination, then the grant. The bucket,
    /// its objects and all that others made stay.
    pub fn destroy(
        fleet: &Fleet,
        removal: Option<GrantRemoval>,
        regions: &BTreeMap<Place, Result<RegionState, Failure>>,
    ) -> Self {
        let mut plan = Self::default();
        flow_logs::destroy(fleet, regions, &mut plan);
        plan.hub.extend(removal.map(HubChange::RemoveGrant));
        plan
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.hub.is_empty() && self.flow_logs.is_empty()
    }

    /// Whether AWS is as declared: nothing to do, nothing in the way, nothing unread.
    pub fn is_settled(&self) -> bool {
        self.is_empty() && self.concerns.is_empty() && self.failures.is_empty()
    }
}
