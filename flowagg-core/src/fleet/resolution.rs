use std::collections::{BTreeMap, BTreeSet};

use super::{Fleet, FleetFile, FoundAccount, Member, Regions};
use crate::id::{AccountId, OrganizationalUnitId, Region};

/// A fleet file that is being resolved. Accounts and regions can be added in any order, as AWS returns them.
#[derive(Clone, Debug)]
pub struct Resolution {
    fleet: Fleet,
}

impl Resolution {
    pub(super) fn of(file: FleetFile) -> Self {
        let FleetFile {
            declared_name,
            read_role,
            external_id,
            hub,
            members,
            flow_logs,
            policy,
            organization,
            exceptions,
            prices,
        } = file;
        let (left_out, names) = (BTreeMap::new(), BTreeMap::new());
        Self {
            fleet: Fleet {
                declared_name,
                read_role,
                external_id,
                hub,
                members,
                flow_logs,
                policy,
                organization,
                exceptions,
                prices,
                left_out,
                names,
            },
        }
    }

    /// Adds an account of the organization, either as a member or to the accounts that are left out, with the reason. Returns
    /// the member if it is new. A member that the file lists keeps its settings.
    pub fn find(&mut self, found: FoundAccount) -> Option<&Member> {
        let FoundAccount { id, ref name, ref state, in_units } = found;
        let organization = self.fleet.organization.as_ref();
        let covered = in_units || organization.is_some_and(|it| it.units.is_empty());
        if let Some(named) = self.fleet.members.get_mut(&id) {
            named.name = named.name.take().or(found.name);
            named.in_organization = true;
            // An account in `accounts` may be found twice: by its ID and in a unit.
            named.in_units |= covered;
            return None;
        }
        let organization = organization?;
        let discovery = organization.discovery.as_ref()?;
        let listed = discovery.accounts.contains(&id);
        let by_unit = in_units && (discovery.accounts.is_empty() || !organization.units.is_empty());
        let why_not = if discovery.except_accounts.contains(&id) {
            Some("excluded by the fleet file".to_owned())
        } else if !listed && !by_unit {
            Some("not in a unit that the fleet file selects".to_owned())
        } else if !found.is_usable() {
            Some(state.clone())
        } else {
            None
        };
        if let Some(why_not) = why_not {
            self.fleet.left_out.insert(id, why_not);
            self.fleet.names.extend(found.name.map(|name| (id, name)));
            return None;
        }
        let member = Member {
            account: id,
            name: name.clone(),
            regions: discovery.regions.clone(),
            role: discovery.role.clone(),
            resources: discovery.resources.clone(),
            in_organization: true,
            in_units: covered,
            units: BTreeSet::new(),
        };
        Some(self.fleet.members.entry(id).or_insert(member))
    }

    /// Adds the regions that an account has enabled, if its declared regions are `["all"]`.
    pub fn enable(&mut self, account: AccountId, regions: BTreeSet<Region>) {
        if let Some(Member { regions: Regions::All { enabled }, .. }) = self.fleet.members.get_mut(&account) {
            *enabled = Some(regions);
        }
    }

    /// Adds the accounts of an organizational unit, at any depth.
    pub fn hold(&mut self, unit: &OrganizationalUnitId, accounts: &BTreeSet<AccountId>) {
        for account in accounts {
            if let Some(member) = self.fleet.members.get_mut(account) {
                member.units.insert(unit.clone());
            }
        }
    }

    /// Returns the resolved fleet.
    pub fn finish(self) -> Fleet {
        self.fleet
    }
}
