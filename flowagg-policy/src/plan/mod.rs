//! The plan: everything that differs between the fleet as declared and AWS as observed, the bucket policy included, and the
//! only function that creates one.
//!
//! What could not be read is part of what is planned from: [`plan`] holds back every change that would not be safe without it.

mod key;
mod make;
mod words;

use std::collections::BTreeSet;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::AccountId;
use flowagg_core::observed::Observed;
use flowagg_core::plan::{Concern, FlowLogChange, HubChange, Left, Note, Unnamed};
use serde::Serialize;

use self::make::make;

/// What differs, in the order in which it is done, and what was found on the way.
///
/// Only [`plan`], [`destroy`] and [`Plan::again`] create one, so every plan has its policy decided and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// What changes at the hub, in order.
    hub: Vec<HubChange>,
    /// What changes in the members' accounts, by account, region and resource.
    flow_logs: Vec<FlowLogChange>,
    /// Flow logs that stay as they are, with the reason.
    left: Vec<Left>,
    /// What is not as declared and not flowagg's to change.
    concerns: Vec<Concern>,
    /// What keeps the changes from being made: while there is one, `hub` and `flow-logs` are empty.
    obstacles: Vec<Concern>,
    /// What could not be read.
    failures: Vec<Failure>,
    /// What else is worth knowing.
    notes: Vec<Note>,
    #[serde(skip)]
    held_back: HeldBack,
    #[serde(skip)]
    goal: Goal,
}

/// Changes that are not made, because of an obstacle or because something could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Changes at the hub.
    pub hub: Vec<HubChange>,
    /// Changes at flow logs.
    pub flow_logs: Vec<FlowLogChange>,
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Apply(Unnamed),
    Destroy,
}

/// The write that a plan makes to the bucket policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyWrite<'p> {
    /// The policy that the plan was made from; `None` if there was none.
    pub replaces: Option<&'p str>,
    /// The policy to write; `None` to delete it.
    pub text: Option<&'p str>,
}

/// The plan that makes AWS what the fleet file declares.
pub fn plan(fleet: &Fleet, observed: &Observed, unnamed: Unnamed) -> Plan {
    make(fleet, observed, Goal::Apply(unnamed))
}

/// The plan that removes every managed flow log to the fleet's destination, then the grant. The bucket, its objects and
/// everything foreign stay.
pub fn destroy(fleet: &Fleet, observed: &Observed) -> Plan {
    make(fleet, observed, Goal::Destroy)
}

impl Plan {
    /// The plan with the same goal for what AWS has now.
    ///
    /// It may not revoke what this plan did not show: then nothing is changed, and an obstacle names the account. To decide only
    /// what the hub needs, leave `observed.regions` empty.
    #[must_use]
    pub fn again(&self, fleet: &Fleet, observed: &Observed) -> Self {
        let mut plan = make(fleet, observed, self.goal);
        if let Some(account) = plan.revoked().difference(self.revoked()).next() {
            plan.obstacles.push(make::about_policy(
                fleet,
                format!(
                    "delivery was granted to {account} after the plan was made, which the plan did not show, so nothing \
                     was revoked"
                ),
                "run `flowagg plan` again",
            ));
            plan.hold_back();
        }
        plan
    }

    /// What changes at the hub, in order.
    pub fn hub(&self) -> &[HubChange] {
        &self.hub
    }

    /// What changes in the members' accounts, by account, region and resource.
    pub fn flow_logs(&self) -> &[FlowLogChange] {
        &self.flow_logs
    }

    /// Flow logs, and resources without one, that stay as they are.
    pub fn left(&self) -> &[Left] {
        &self.left
    }

    /// What differs from the fleet file and is not changed.
    pub fn concerns(&self) -> &[Concern] {
        &self.concerns
    }

    /// What keeps the changes from being made.
    pub fn obstacles(&self) -> &[Concern] {
        &self.obstacles
    }

    /// What could not be read.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// What is worth knowing and needs no action.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The changes that are not made, because of an obstacle or because something could not be read.
    pub fn held_back(&self) -> &HeldBack {
        &self.held_back
    }

    /// The write to the bucket policy; `None` if the policy stays as it is.
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

    /// The accounts that may no longer deliver.
    fn revoked(&self) -> &BTreeSet<AccountId> {
        const NONE: &BTreeSet<AccountId> = &BTreeSet::new();
        let revoked = self.hub.iter().find_map(|change| match change {
            HubChange::PutPolicy(change) => Some(&change.revoked),
            HubChange::RemoveGrant(removal) => Some(&removal.revoked),
            _ => None,
        });
        revoked.unwrap_or(NONE)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.hub.is_empty() && self.flow_logs.is_empty()
    }

    /// Whether changes could be made: everything was read, and nothing is in the way.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.obstacles.is_empty()
    }

    /// Whether AWS is as declared: nothing to do, nothing that differs, nothing in the way, nothing unread.
    pub fn is_settled(&self) -> bool {
        self.is_empty() && self.concerns.is_empty() && self.is_complete()
    }

    /// Makes no change.
    fn hold_back(&mut self) {
        self.held_back.hub.append(&mut self.hub);
        self.held_back.flow_logs.append(&mut self.flow_logs);
    }
}
