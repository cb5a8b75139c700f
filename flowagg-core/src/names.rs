//! Display names of accounts and resources. They are printed next to the IDs and have no other effect.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::id::{AccountId, Place};
use crate::observed::RegionState;

/// More accounts than this are counted instead of listed.
const LISTED: usize = 6;

/// The names of accounts and resources, by ID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Names {
    /// The names of accounts, from the fleet file or from the organization.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, String>"))]
    pub accounts: BTreeMap<AccountId, String>,
    /// The names of VPCs, subnets, network interfaces and transit gateways, from the tag `Name`.
    pub resources: BTreeMap<String, String>,
}

impl Names {
    /// No known names.
    pub const NONE: &Self = &Self { accounts: BTreeMap::new(), resources: BTreeMap::new() };

    /// The names of a fleet's accounts, and of the resources in the account-regions that were read.
    pub fn new(fleet: &Fleet, regions: &BTreeMap<Place, Result<RegionState, Failure>>) -> Self {
        let accounts = fleet.members.keys().chain(fleet.names.keys());
        let accounts = accounts.filter_map(|id| Some((*id, fleet.account_name(*id)?.to_owned())));
        let resources = regions.values().flatten().flat_map(RegionState::names);
        let resources = resources.filter_map(|(id, name)| Some((id.to_string(), name?.to_owned())));
        Self { accounts: accounts.collect(), resources: resources.collect() }
    }

    /// Keeps only the names of these resources.
    pub fn retain(&mut self, resources: &BTreeSet<&str>) {
        self.resources.retain(|id, _| resources.contains(id.as_str()));
    }

    /// An account with its name: `222222222222 (payments)`.
    pub fn account(&self, id: AccountId) -> String {
        named(id.to_string(), self.accounts.get(&id))
    }

    /// A short list of accounts with their names, or their number if there are more.
    pub fn accounts(&self, ids: &BTreeSet<AccountId>) -> String {
        if ids.len() > LISTED {
            return format!("{} accounts", ids.len());
        }
        ids.iter().map(|id| self.account(*id)).collect::<Vec<_>>().join(", ")
    }

    /// An account-region: `222222222222 (payments) eu-west-1`.
    pub fn place(&self, Place { account, region }: &Place) -> String {
        format!("{} {region}", self.account(*account))
    }

    /// A resource with its name: `vpc-0a1b2c3d (main)`.
    pub fn resource(&self, id: &str) -> String {
        named(id.to_owned(), self.resources.get(id))
    }
}

fn named(id: String, name: Option<&String>) -> String {
    match name {
        Some(name) => format!("{id} ({name})"),
        None => id,
    }
}
