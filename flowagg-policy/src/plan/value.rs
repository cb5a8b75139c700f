//! The plan as a value.

use std::collections::BTreeSet;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::AccountId;
use flowagg_core::names::Names;
use flowagg_core::plan::{
    Access, AlsoLogged, Concern, Expiry, FlowLogChange, HubChange, Left, Note, Subject, Unnamed,
};
use serde::Serialize;

use crate::adopt::{KnownDelivery, StatementRef};

/// Changes in the order in which they are made, and everything else that was found.
///
/// Only `plan`, `destroy` and `again` create plans, so the policy of every plan is evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// Changes at the hub, in order.
    pub(super) hub: Vec<HubChange>,
    /// Changes in the members' accounts, by account, region and resource.
    pub(super) flow_logs: Vec<FlowLogChange>,
    /// Changes that would expire objects of an existing bucket sooner; they require `--allow-expiry`.
    pub(super) not_applied: Vec<HubChange>,
    /// Flow logs that stay unchanged, with the reason.
    pub(super) left: Vec<Left>,
    /// Foreign flow logs on resources that the fleet logs: the same traffic is delivered and billed twice.
    pub(super) also_logged: Vec<AlsoLogged>,
    /// Differences from the fleet file that flowagg does not change.
    pub(super) concerns: Vec<Concern>,
    /// Problems that block the changes: if there are any, `hub` and `flow-logs` are empty.
    pub(super) obstacles: Vec<Concern>,
    /// Failed reads.
    pub(super) failures: Vec<Failure>,
    /// Other information.
    pub(super) notes: Vec<Note>,
    /// The names of accounts, and of the resources that the plan mentions.
    pub(super) names: Names,
    #[serde(skip)]
    pub(super) held_back: HeldBack,
    #[serde(skip)]
    pub(super) goal: Goal,
}

/// Changes that are not made because of an obstacle or a failed read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldBack {
    /// Changes at the hub.
    pub hub: Vec<HubChange>,
    /// Changes to flow logs.
    pub flow_logs: Vec<FlowLogChange>,
}

/// The purpose of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Apply(Unnamed, Expiry, Adoption),
    Destroy,
}

/// The foreign statements to adopt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Adoption {
    /// Statements named by the user, if no delivery would stop; `unchecked` also adopts them if some deliveries are
    /// unknown.
    Named { statements: BTreeSet<StatementRef>, unchecked: bool },
    /// Statements with these texts, which an earlier plan adopted after it checked these deliveries.
    Again { texts: BTreeSet<String>, deliveries: BTreeSet<KnownDelivery> },
}

/// The bucket policy write of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyWrite<'p> {
    /// The policy that the plan is based on; `None` if there was none.
    pub replaces: Option<&'p str>,
    /// The policy to write; `None` to delete it.
    pub text: Option<&'p str>,
}

impl Plan {
    /// Changes at the hub, in order.
    pub fn hub(&self) -> &[HubChange] {
        &self.hub
    }

    /// Changes in the members' accounts, by account, region and resource.
    pub fn flow_logs(&self) -> &[FlowLogChange] {
        &self.flow_logs
    }

    /// Changes that require `--allow-expiry`.
    pub fn not_applied(&self) -> &[HubChange] {
        &self.not_applied
    }

    /// Flow logs, and resources without one, that stay unchanged.
    pub fn left(&self) -> &[Left] {
        &self.left
    }

    /// Foreign flow logs on resources that the fleet logs. They are not a difference from the fleet file.
    pub fn also_logged(&self) -> &[AlsoLogged] {
        &self.also_logged
    }

    /// Differences from the fleet file that are not changed.
    pub fn concerns(&self) -> &[Concern] {
        &self.concerns
    }

    /// Problems that block the changes.
    pub fn obstacles(&self) -> &[Concern] {
        &self.obstacles
    }

    /// Failed reads: account-regions and the hub, by account and region.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Information that needs no action.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The names of accounts, and of the resources that the plan mentions.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Changes that are not made because of an obstacle or a failed read.
    pub fn held_back(&self) -> &HeldBack {
        &self.held_back
    }

    /// The bucket policy write; `None` if the policy stays unchanged.
    pub fn policy_write(&self) -> Option<PolicyWrite<'_>> {
        self.hub.iter().find_map(|change| match change {
            HubChange::PutPolicy(change) => {
                Some(PolicyWrite { replaces: change.replaces.as_deref(), text: Some(&change.text) })
            }
            HubChange::RemoveGrant(removal) => {
                Some(PolicyWrite { replaces: Some(&removal.replaces), text: removal.leaves.as_deref() })
            }
            _ => None,
        })
    }

    /// The accounts and other access that the plan revokes.
    pub(super) fn revoked(&self) -> (BTreeSet<AccountId>, BTreeSet<Access>) {
        let revoked = self.hub.iter().find_map(|change| match change {
            HubChange::PutPolicy(change) => Some((&change.revoked, &change.revoked_access)),
            HubChange::RemoveGrant(removal) => Some((&removal.revoked, &removal.revoked_access)),
            _ => None,
        });
        revoked.map(|(accounts, access)| (accounts.clone(), access.clone())).unwrap_or_default()
    }

    /// Whether the plan has no changes.
    pub fn is_empty(&self) -> bool {
        self.hub.is_empty() && self.flow_logs.is_empty()
    }

    /// Whether changes can be made: everything was read, and there are no obstacles.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.obstacles.is_empty()
    }

    /// Whether AWS matches the fleet file: no changes, differences, obstacles or failed reads.
    pub fn is_settled(&self) -> bool {
        self.is_empty() && self.not_applied.is_empty() && self.concerns.is_empty() && self.is_complete()
    }

    /// Moves all changes to `held_back`.
    pub(super) fn hold_back(&mut self) {
        self.held_back.hub.append(&mut self.hub);
        self.held_back.flow_logs.append(&mut self.flow_logs);
    }
}

pub(super) fn at_hub(fleet: &Fleet, about: Subject, resource: String, what: String, help: String) -> Concern {
    let mut concern = Concern::new(about, fleet.hub.account, resource, what, help);
    concern.region = Some(fleet.hub.region.clone());
    concern
}

pub(super) fn about_bucket(fleet: &Fleet, what: String, help: &str) -> Concern {
    at_hub(fleet, Subject::Bucket, fleet.hub.bucket.to_string(), what, help.to_owned())
}

pub(super) fn about_policy(fleet: &Fleet, what: String, help: &str) -> Concern {
    at_hub(fleet, Subject::Policy, format!("the policy of {}", fleet.hub.bucket), what, help.to_owned())
}
