//! The live state: existing resources that are imported, and those that are left out.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, Member, Standing};
use flowagg_core::id::{FlowLogId, Place, Region, ResourceId, ResourceKind};
use flowagg_core::lifecycle::FleetRule;
use flowagg_core::observed::{
    Bucket, BucketEncryption, FlowLog, Observed, PublicAccessBlock, RegionState, Resource,
};
use flowagg_core::plan::{Concern, HubChange, Step, rule_of_new_bucket};
use flowagg_policy::Plan;

use super::block::{Block, Body, Value};
use super::names::{self, NAME};
use crate::export::ExportError;

/// The object ownership setting with which ACLs have no effect.
pub(super) const OWNER_ENFORCED: &str = "BucketOwnerEnforced";

/// The observed state and the plan that was created from it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LiveState<'a> {
    /// The hub bucket; `None` if it does not exist.
    pub bucket: Option<&'a Bucket>,
    /// The state of every account-region.
    pub regions: &'a BTreeMap<Place, Result<RegionState, Failure>>,
    /// The plan for this state.
    pub plan: &'a Plan,
}

/// The resources of one kind in an account-region, with their flow logs.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The logged resources.
    pub(super) logged: BTreeSet<ResourceId>,
    /// Resources that are left out because a foreign flow log covers or blocks them.
    pub(super) left_out: BTreeSet<ResourceId>,
    /// The managed flow logs of the logged resources.
    pub(super) imports: BTreeMap<ResourceId, FlowLogId>,
    /// Whether AWS returns their destination without a final slash.
    pub(super) without_slash: bool,
}

impl<'a> LiveState<'a> {
    /// The observed state and its plan. The plan must be [complete](Plan::is_complete): a bucket that could not be read is treated as one that
    /// does not exist.
    pub fn new(observed: &'a Observed, plan: &'a Plan) -> Self {
        let bucket = observed.bucket.as_ref().ok().and_then(Option::as_ref);
        Self { bucket, regions: &observed.regions, plan }
    }

    /// The policy after the plan.
    pub(super) fn policy(&self) -> Option<&'a str> {
        let merged = self.plan.hub().iter().find_map(|change| match change {
            HubChange::PutPolicy(change) => Some(change.text.as_str()),
            _ => None,
        });
        merged.or(self.bucket.and_then(|bucket| bucket.policy.as_deref()))
    }

    /// The live encryption, unless the plan changes it.
    pub(super) fn encryption_that_stays(&self) -> Option<&'a BucketEncryption> {
        let changes = self.plan.hub().iter().any(|change| matches!(change, HubChange::Encrypt { .. }));
        self.bucket.filter(|_| !changes)?.encryption.as_ref()
    }

    /// The public access block after the plan.
    pub(super) fn public_access_block(&self) -> PublicAccessBlock {
        let Some(bucket) = self.bucket else { return PublicAccessBlock::FULL };
        let turned_on = self.plan.hub().iter().find_map(|change| match change {
            HubChange::BlockPublicAccess { off, .. } => Some(off.as_slice()),
            _ => None,
        });
        bucket.public_access_block.with(turned_on.unwrap_or_default())
    }

    /// The object ownership setting after the plan; `None` if the bucket has none.
    pub(super) fn ownership(&self) -> Option<&'a str> {
        let enforces =
            self.plan.hub().iter().any(|change| matches!(change, HubChange::EnforceBucketOwner { .. }));
        match self.bucket {
            Some(bucket) if !enforces => bucket.ownership.as_deref(),
            _ => Some(OWNER_ENFORCED),
        }
    }

    /// The lifecycle rule for Terraform, which manages all rules of a bucket or none. `None` if the bucket keeps foreign rules or several of
    /// the fleet's rules, or if the plan sets none. Fails if the plan adds a rule next to foreign rules.
    pub(super) fn lifecycle_rule(&self, fleet: &Fleet) -> Result<Option<FleetRule>, ExportError> {
        let Some(bucket) = self.bucket else { return Ok(rule_of_new_bucket(fleet)) };
        let change = self.plan.hub().iter().find_map(|change| match change {
            HubChange::SetLifecycle(change) => Some(change),
            _ => None,
        });
        let others = self.other_rules(fleet);
        match change {
            Some(_) if !others.is_empty() => Err(ExportError::OtherRules(others)),
            Some(change) => {
                let after =
                    change.write.as_ref().and_then(|document| document.rules().ok()).unwrap_or_default();
                Ok(change.set.first().filter(|_| after.len() == 1).cloned())
            }
            None if others.is_empty() => {
                let wanted = rule_of_new_bucket(fleet);
                let has = |rule: &FleetRule| {
                    bucket.lifecycle.as_ref().is_some_and(|document| document.has(rule).unwrap_or(false))
                };
                Ok(wanted.filter(has))
            }
            None => Ok(None),
        }
    }

    /// The IDs of the foreign lifecycle rules of the bucket.
    pub(super) fn other_rules(&self, fleet: &Fleet) -> Vec<String> {
        let document = self.bucket.and_then(|bucket| bucket.lifecycle.as_ref());
        let rules = document.and_then(|document| document.rules().ok()).unwrap_or_default();
        let others = rules.iter().filter(|rule| !rule.is_of(&fleet.name()));
        others.map(|rule| rule.id.clone().unwrap_or_default()).collect()
    }

    /// The logged resources of a member's region, by kind.
    pub(super) fn found(
        &self,
        fleet: &Fleet,
        member: &Member,
        region: &Region,
    ) -> Result<BTreeMap<ResourceKind, Found>, ExportError> {
        let place = Place::new(member.account, region);
        let Some(Ok(state)) = self.regions.get(&place) else { return Err(ExportError::Unread(place)) };
        let changes = self.plan.flow_logs().iter();
        let changes: Vec<_> = changes.filter(|change| change.place == place).collect();
        let (destination, name) = (fleet.destination(), fleet.name());
        let mut found: BTreeMap<ResourceKind, Found> = BTreeMap::new();
        for (Resource { id, .. }, standing) in member.standings(&state.resources) {
            if standing != Standing::Logged {
                continue;
            }
            let steps: Vec<&Step> =
                changes.iter().filter(|change| change.resource == *id).map(|change| &change.step).collect();
            let goes = |log: &FlowLog| {
                steps.iter().any(|step| matches!(step, Step::Delete { flow_log, .. } if *flow_log == log.id))
            };
            let replaced = steps.iter().find_map(|step| match step {
                Step::Replace { old, .. } => Some(old),
                _ => None,
            });
            let ours = state.flow_logs.iter().filter(|log| {
                log.is_of(id) && log.is_managed_by(&name) && destination.is_in_bucket(&log.destination)
            });
            let ours: Vec<&FlowLog> = ours.filter(|log| !goes(log)).collect();
            // The flow log that stays, or, if none matches, the one that Terraform replaces.
            let import = ours.iter().find(|log| replaced.is_none_or(|old| *old == log.id));
            let of_kind = found.entry(id.kind()).or_default();
            if import.is_none() && !steps.contains(&&Step::Create) {
                of_kind.left_out.insert(id.clone());
                continue;
            }
            of_kind.logged.insert(id.clone());
            if let Some(log) = import {
                of_kind.imports.insert(id.clone(), log.id.clone());
                let has_slash = log.destination.s3_arn().is_some_and(|arn| arn.ends_with('/'));
                of_kind.without_slash |= destination.is(&log.destination) && !has_slash;
            }
        }
        Ok(found)
    }

    /// An `import` block for the bucket and each existing setting.
    pub(super) fn imports(&self, fleet: &Fleet, owns_lifecycle: bool) -> Vec<Block> {
        let Some(bucket) = self.bucket else { return Vec::new() };
        // If all four switches are off, the configuration may not exist, and then it cannot be imported.
        let has_block = bucket.public_access_block != PublicAccessBlock::default();
        let things = [
            (names::BUCKET, true),
            (names::PUBLIC_ACCESS_BLOCK, has_block),
            (names::OWNERSHIP, bucket.ownership.is_some()),
            (names::ENCRYPTION, bucket.encryption.is_some()),
            (names::LIFECYCLE, owns_lifecycle && bucket.lifecycle.is_some()),
            (names::POLICY, bucket.policy.is_some()),
        ];
        let there = things.into_iter().filter(|(_, is_there)| *is_there);
        there.map(|(r#type, _)| import(format!("{type}.{NAME}"), fleet.hub.bucket.as_str())).collect()
    }

    /// Notes about parts of the plan that Terraform does not apply.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let count =
            |of: fn(&Step) -> bool| self.plan.flow_logs().iter().filter(|change| of(&change.step)).count();
        let replaced = count(|step| matches!(step, Step::Replace { .. }));
        if replaced > 0 {
            notes.push(format!(
                "managed flow logs that differ from the fleet file: {replaced}. They are imported, and Terraform replaces them. It deletes the old \
                 one first, so traffic is not recorded until the new one works"
            ));
        }
        let deleted = count(|step| matches!(step, Step::Delete { .. }));
        if deleted > 0 {
            notes.push(format!(
                "managed flow logs that are not in the fleet file: {deleted}. They are not exported; `flowagg apply` deletes them"
            ));
        }
        let concern = |concern: &Concern| format!("{}: {}; {}", concern.resource, concern.what, concern.help);
        notes.extend(self.plan.concerns().iter().map(concern));
        notes.extend(self.plan.notes().iter().map(ToString::to_string));
        notes
    }
}

/// An `import` block that imports an existing resource to this address.
///
/// Source: "import block reference" (Terraform Language Documentation); the ID: the "Import" section of each resource's page
/// (AWS Provider Documentation).
pub(super) fn import(address: String, id: &str) -> Block {
    Block::new("import", &[], Body::default().set("to", Value::address(address)).set("id", id))
}
