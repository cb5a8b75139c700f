//! What AWS has already, where somebody has looked: what becomes `import` blocks, and what stays out of them.

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

/// What AWS has, and the plan that was made of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LiveState<'a> {
    /// The hub's bucket; `None` where it does not exist.
    pub bucket: Option<&'a Bucket>,
    /// Every member's regions.
    pub regions: &'a BTreeMap<Place, Result<RegionState, Failure>>,
    /// What differs.
    pub plan: &'a Plan,
}

/// What of a region's resources of one kind has a flow log in the configuration.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What the fleet logs.
    pub(super) logged: BTreeSet<ResourceId>,
    /// What it would log, and another's flow log covers or is in the way of.
    pub(super) left_out: BTreeSet<ResourceId>,
    /// Which of them have a flow log of ours.
    pub(super) imports: BTreeMap<ResourceId, FlowLogId>,
    /// Whether AWS names their destination without the slash at its end.
    pub(super) without_slash: bool,
}

impl<'a> LiveState<'a> {
    /// What was observed, and the plan that was made of it. The plan must be [complete](Plan::is_complete): a bucket that could
    /// not be read counts as one that does not exist.
    pub fn new(observed: &'a Observed, plan: &'a Plan) -> Self {
        let bucket = observed.bucket.as_ref().ok().and_then(Option::as_ref);
        Self { bucket, regions: &observed.regions, plan }
    }

    /// The policy to be: merged, or as it is where nothing has to change.
    pub(super) fn policy(&self) -> Option<&'a str> {
        let merged = self.plan.hub().iter().find_map(|change| match change {
            HubChange::PutPolicy(change) => Some(change.text.as_str()),
            _ => None,
        });
        merged.or(self.bucket.and_then(|bucket| bucket.policy.as_deref()))
    }

    /// The encryption that is there, where the plan leaves it.
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

    /// The lifecycle rule that becomes Terraform's, which manages all rules of a bucket or none. `None` if the bucket keeps rules
    /// of others, or several of the fleet, or if the plan sets none. Fails if the plan sets one next to rules of others.
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

    /// The lifecycle rules of the bucket that are not the fleet's, by id.
    pub(super) fn other_rules(&self, fleet: &Fleet) -> Vec<String> {
        let document = self.bucket.and_then(|bucket| bucket.lifecycle.as_ref());
        let rules = document.and_then(|document| document.rules().ok()).unwrap_or_default();
        let others = rules.iter().filter(|rule| !rule.is_of(&fleet.name()));
        others.map(|rule| rule.id.clone().unwrap_or_default()).collect()
    }

    /// What of a member's region is logged, by kind.
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
            // The one that stays, and where none is right the one that Terraform replaces.
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

    /// An `import` block for each thing of the bucket that is there.
    pub(super) fn imports(&self, fleet: &Fleet, owns_lifecycle: bool) -> Vec<Block> {
        let Some(bucket) = self.bucket else { return Vec::new() };
        // Where all four switches are off there may be no such configuration, and what is not there cannot be imported.
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

    /// What the plan says that Terraform does not do.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let count =
            |of: fn(&Step) -> bool| self.plan.flow_logs().iter().filter(|change| of(&change.step)).count();
        let replaced = count(|step| matches!(step, Step::Replace { .. }));
        if replaced > 0 {
            notes.push(format!(
                "{replaced} flow logs of flowagg's are not as declared: they are imported, and Terraform replaces them; it deletes \
                 the old one first, and what passes until the new one works is not recorded"
            ));
        }
        let deleted = count(|step| matches!(step, Step::Delete { .. }));
        if deleted > 0 {
            notes.push(format!(
                "{deleted} flow logs of flowagg's are not wanted and stay outside of Terraform: `flowagg apply` deletes them"
            ));
        }
        let concern = |concern: &Concern| format!("{}: {}; {}", concern.resource, concern.what, concern.help);
        notes.extend(self.plan.concerns().iter().map(concern));
        notes.extend(self.plan.notes().iter().map(ToString::to_string));
        notes
    }
}

/// Takes what is there for the resource at this address.
///
/// Source: "import block reference" (Terraform Language Documentation); the id, of the "Import" part of each resource's page
/// (AWS Provider Documentation).
pub(super) fn import(address: String, id: &str) -> Block {
    Block::new("import", &[], Body::default().set("to", Value::address(address)).set("id", id))
}
