use std::collections::BTreeSet;

use super::{Discovery, Fault, Fleet, FleetError, FoundAccount, Hub, Member, Organization, Regions, read};
use crate::id::{AccountId, FleetName, Region, RoleName};

/// A fleet as `flowagg.toml` declares it. What it leaves to be looked up, accounts of an organization and the regions
/// of an account, is put in; then it is a [`Fleet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub(super) fleet: Fleet,
}

impl From<Fleet> for Declared {
    /// A fleet as one that is still to be looked up, or to be written down.
    fn from(fleet: Fleet) -> Self {
        Self { fleet }
    }
}

impl Declared {
    /// Reads `flowagg.toml`. On faults, all of them are told, each with its place.
    pub fn parse(text: &str) -> Result<Self, FleetError> {
        read::fleet(text).map(|fleet| Self { fleet })
    }

    /// The fleet's name.
    pub fn name(&self) -> FleetName {
        self.fleet.name()
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.fleet.hub
    }

    /// The members that are known so far.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.fleet.members.values()
    }

    /// The organization whose accounts are to be found, and how.
    pub fn discovery(&self) -> Option<(&Organization, &Discovery)> {
        let organization = self.fleet.organization.as_ref()?;
        Some((organization, organization.discovery.as_ref()?))
    }

    /// Puts an account of the organization in: as a member, or as one that is left out, with the reason. Returns the
    /// member, if it is a new one. A member that the fleet file names itself stays as it is.
    pub fn find(&mut self, found: FoundAccount) -> Option<&Member> {
        let FoundAccount { id, ref name, ref state, in_units } = found;
        let covered = in_units || self.fleet.organization.as_ref().is_some_and(|it| it.units.is_empty());
        if let Some(named) = self.fleet.members.get_mut(&id) {
            named.name = named.name.take().or(found.name);
            named.in_organization = true;
            // An account that is also listed by its id is found twice.
            named.in_units |= covered;
            return None;
        }
        let (organization, discovery) = self.discovery()?;
        let listed = discovery.accounts.contains(&id);
        let by_unit = in_units && (discovery.accounts.is_empty() || !organization.units.is_empty());
        let why_not = if discovery.except_accounts.contains(&id) {
            Some("excepted by the fleet file".to_owned())
        } else if !listed && !by_unit {
            Some("in no unit that the fleet file chooses".to_owned())
        } else if !found.is_usable() {
            Some(state.clone())
        } else {
            None
        };
        if let Some(why_not) = why_not {
            self.fleet.left_out.insert(id, why_not);
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
        };
        Some(self.fleet.members.entry(id).or_insert(member))
    }

    /// Puts in which regions an account has enabled, where the fleet file says that all of them are logged.
    pub fn enable(&mut self, account: AccountId, regions: BTreeSet<Region>) {
        if let Some(Member { regions: Regions::All { enabled }, .. }) = self.fleet.members.get_mut(&account) {
            *enabled = Some(regions);
        }
    }

    /// The fleet, with what was put in.
    pub fn into_fleet(self) -> Fleet {
        self.fleet
    }

    /// Every role that has to be taken, where the fleet file names its account.
    pub fn roles(&self) -> impl Iterator<Item = (AccountId, &RoleName)> {
        let hub = &self.fleet.hub;
        let lookup = self.discovery().and_then(|(_, discovery)| discovery.lookup.as_ref());
        self.members()
            .filter(|member| member.account != hub.account)
            .map(|member| (member.account, &member.role))
            .chain(hub.role.as_ref().map(|role| (hub.account, role)))
            .chain(lookup.map(|lookup| (lookup.account, &lookup.role)))
    }

    /// Whether the fleet file names every account and region, so that nothing has to be looked up.
    pub fn is_named(&self) -> bool {
        self.not_named().is_none()
    }

    fn not_named(&self) -> Option<&'static str> {
        if self.discovery().is_some() {
            Some("the accounts of the organization have to be looked up in AWS")
        } else if self.members().any(|member| matches!(member.regions, Regions::All { .. })) {
            Some("`regions = [\"all\"]` has to be looked up in AWS")
        } else {
            None
        }
    }

    /// The fleet, where nothing is left to be looked up.
    pub(super) fn named(self) -> Result<Fleet, FleetError> {
        let Some(what) = self.not_named() else { return Ok(self.fleet) };
        let help = "name every account and its regions in `[[members]]`, or read it with `Declared::parse`";
        Err(FleetError {
            faults: vec![Fault { line: 1, column: 1, what: what.to_owned(), help: help.to_owned() }],
        })
    }
}
