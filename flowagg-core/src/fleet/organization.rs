use std::collections::BTreeSet;

use serde::Serialize;

use super::{Regions, Selection};
use crate::id::{AccountId, OrganizationId, OrganizationalUnitId, RoleName};

/// The organization that the accounts belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Organization {
    /// The organization's ID.
    pub id: OrganizationId,
    /// The organizational units whose accounts belong to the fleet; empty for the whole organization.
    pub units: BTreeSet<OrganizationalUnitId>,
    /// How its accounts become members; `None` if the fleet file lists all members itself.
    pub discovery: Option<Discovery>,
}

impl Organization {
    /// A whole organization whose accounts are not looked up.
    pub fn new(id: OrganizationId) -> Self {
        Self { id, units: BTreeSet::new(), discovery: None }
    }

    /// Whether the fleet file allows an account of the organization to become a member. Its unit is not considered.
    pub fn may_choose(&self, account: AccountId) -> bool {
        self.discovery.as_ref().is_some_and(|how| {
            let is_any = how.accounts.is_empty() || !self.units.is_empty();
            !how.except_accounts.contains(&account) && (is_any || how.accounts.contains(&account))
        })
    }

    /// Whether every current and future account of the organization belongs to the fleet.
    pub fn is_whole(&self) -> bool {
        self.units.is_empty() && self.discovery.as_ref().is_some_and(|how| !how.leaves_out())
    }
}

/// Which accounts of an organization become members, and with which settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Discovery {
    /// Units whose accounts do not become members.
    pub except_units: BTreeSet<OrganizationalUnitId>,
    /// Accounts that become members whatever their unit. If accounts but no units are listed, no other account becomes one.
    pub accounts: BTreeSet<AccountId>,
    /// Accounts that do not become members.
    pub except_accounts: BTreeSet<AccountId>,
    /// The regions that are logged in each account.
    pub regions: Regions,
    /// The role to assume in each account.
    pub role: RoleName,
    /// The resources to log in each account.
    pub resources: Selection,
    /// The role that lists the organization's accounts; `None` if the caller can list them.
    pub lookup: Option<Lookup>,
}

impl Discovery {
    /// Whether accounts of the organization, or of its units, do not become members.
    pub fn leaves_out(&self) -> bool {
        !self.except_units.is_empty() || !self.accounts.is_empty() || !self.except_accounts.is_empty()
    }

    /// Makes every account a member, with its VPCs logged in these regions.
    pub fn new(regions: Regions, role: RoleName) -> Self {
        Self {
            except_units: BTreeSet::new(),
            accounts: BTreeSet::new(),
            except_accounts: BTreeSet::new(),
            regions,
            role,
            resources: Selection::default(),
            lookup: None,
        }
    }
}

/// A role in the management account or in a delegated administrator account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Lookup {
    pub account: AccountId,
    pub role: RoleName,
}

impl Lookup {
    /// This role in this account.
    pub fn new(account: AccountId, role: RoleName) -> Self {
        Self { account, role }
    }
}

/// An account that AWS Organizations returned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct FoundAccount {
    /// The account ID.
    pub id: AccountId,
    /// Its name in AWS Organizations.
    pub name: Option<String>,
    /// Its state as AWS Organizations returns it: `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `CLOSED`, `PENDING_ACTIVATION`.
    pub state: String,
    /// Whether it is under a selected unit that is not excluded.
    pub in_units: bool,
}

impl FoundAccount {
    /// An account in this state, without a name and not under a selected unit.
    pub fn new(id: AccountId, state: impl Into<String>) -> Self {
        Self { id, name: None, state: state.into(), in_units: false }
    }

    /// Whether its roles can be assumed, which is still the case while its closure is pending.
    ///
    /// Source: "Account states in AWS Organizations" (AWS Organizations User Guide).
    pub fn is_usable(&self) -> bool {
        matches!(self.state.as_str(), "ACTIVE" | "PENDING_CLOSURE")
    }
}
