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

/// What differs, in the order in which it is done, and what was found on the way.
///
/// Only the functions `plan`, `destroy` and `again` create one, so every plan has its policy decided and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// What changes at the hub, in order.
    pub(super) hub: Vec<HubChange>,
    /// What changes in the members' accounts, by account, region and resource.
    pub(super) flow_logs: Vec<FlowLogChange>,
    /// Changes that would expire objects of an existing bucket sooner, and need `--allow-expiry`.
    pub(super) not_applied: Vec<HubChange>,
    /// Flow logs that stay as they are, with the reason.
    pub(super) left: Vec<Left>,
    /// Flow logs of others on resources that the fleet logs: the same traffic is delivered, and billed, twice.
    pub(super) also_logged: Vec<AlsoLogged>,
    /// What is not as declared and not flowagg's to change.
    pub(super) concerns: Vec<Concern>,
    /// What keeps the changes from being made: while there is one, `hub` and `flow-logs` are empty.
    pub(super) obstacles: Vec<Concern>,
    /// What could not be read.
    pub(super) failures: Vec<Failure>,
    /// What else is worth knowing.
    pub(super) notes: Vec<Note>,
    /// The names of accounts, and of the resources that the plan mentions.
    pub(super) names: Names,
    #[serde(skip)]
    pub(super) held_back: HeldBack,
    #[serde(skip)]
    pub(super) goal: Goal,
}

/// Changes that are not made, because of an obstacle or because something could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldBack {
    /// Changes at the hub.
    pub hub: Vec<HubChange>,
    /// Changes at flow logs.
    pub flow_logs: Vec<FlowLogChange>,
}

/// What a plan is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Apply(Unnamed, Expiry, Adoption),
    Destroy,
}

/// Which foreign statements are adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Adoption {
    /// Those that a person named, if no delivery would stop; `unchecked` also if it is not known of every account.
    Named { statements: BTreeSet<StatementRef>, unchecked: bool },
    /// Those with these texts, which an earlier plan adopted after it checked these deliveries.
    Again { texts: BTreeSet<String>, deliveries: BTreeSet<KnownDelivery> },
}

/// The write that a plan makes to the bucket policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyWrite<'p> {
    /// The policy that the plan was made from; `None` if there was none.
    pub replaces: Option<&'p str>,
    /// The policy to write; `None` to delete it.
    pub text: Option<&'p str>,
}

impl Plan {
    /// What changes at the hub, in order.
    pub fn hub(&self) -> &[HubChange] {
        &self.hub
    }

    /// What changes in the members' accounts, by account, region and resource.
    pub fn flow_logs(&self) -> &[FlowLogChange] {
        &self.flow_logs
    }

    /// Changes that need `--allow-expiry`.
    pub fn not_applied(&self) -> &[HubChange] {
        &self.not_applied
    }

    /// Flow logs, and resources without one, that stay as they are.
    pub fn left(&self) -> &[Left] {
        &self.left
    }

    /// Flow logs of others on resources that the fleet logs. They are no difference from the fleet file.
    pub fn also_logged(&self) -> &[AlsoLogged] {
        &self.also_logged
    }

    /// What differs from the fleet file and is not changed.
    pub fn concerns(&self) -> &[Concern] {
        &self.concerns
    }

    /// What keeps the changes from being made.
    pub fn obstacles(&self) -> &[Concern] {
        &self.obstacles
    }

    /// What could not be read: each account-region and the hub, by account and region.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// What is worth knowing and needs no action.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The names of accounts, and of the resources that the plan mentions.
    pub fn names(&self) -> &Names {
        &self.names
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

    /// Who may no longer deliver: accounts by name, and others.
    pub(super) fn revoked(&self) -> (BTreeSet<AccountId>, BTreeSet<Access>) {
        let revoked = self.hub.iter().find_map(|change| match change {
            HubChange::PutPolicy(change) => Some((&change.revoked, &change.revoked_access)),
            HubChange::RemoveGrant(removal) => Some((&removal.revoked, &removal.revoked_access)),
            _ => None,
        });
        revoked.map(|(accounts, access)| (accounts.clone(), access.clone())).unwrap_or_default()
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
        self.is_empty() && self.not_applied.is_empty() && self.concerns.is_empty() && self.is_complete()
    }

    /// Makes no change.
    pub(super) fn hold_back(&mut self) {
        self.held_back.hub.append(&mut self.hub);
        self.held_back.flow_logs.append(&mut self.flow_logs);
    }
}

/// Something about the hub.
pub(super) fn at_hub(fleet: &Fleet, about: Subject, resource: String, what: String, help: String) -> Concern {
    let mut concern = Concern::new(about, fleet.hub.account, resource, what, help);
    concern.region = Some(fleet.hub.region.clone());
    concern
}

/// Something about the bucket.
pub(super) fn about_bucket(fleet: &Fleet, what: String, help: &str) -> Concern {
    at_hub(fleet, Subject::Bucket, fleet.hub.bucket.to_string(), what, help.to_owned())
}

/// Something about the bucket policy.
pub(super) fn about_policy(fleet: &Fleet, what: String, help: &str) -> Concern {
    at_hub(fleet, Subject::Policy, format!("the policy of {}", fleet.hub.bucket), what, help.to_owned())
}
