use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::{
    Discovery, Exception, Fault, Fleet, FleetError, Hub, Member, Organization, PolicySettings, Regions,
    Resolution, read,
};
use crate::cost::Prices;
use crate::flow_log::FlowLogSpec;
use crate::id::{AccountId, ExternalId, FleetName, OrganizationalUnitId, Region, RoleName};

/// A fleet as `flowagg.toml` declares it. The accounts of an organization and the regions of `["all"]` are not known yet:
/// [`resolve`](Self::resolve) adds what AWS returns for them and produces a [`Fleet`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetFile {
    /// The name that the file sets; [`FleetFile::name`] falls back to a default.
    pub declared_name: Option<FleetName>,
    /// The role that read-only commands assume in every account, instead of the account's own role.
    pub read_role: Option<RoleName>,
    /// The external ID that is sent whenever a role is assumed.
    pub external_id: Option<ExternalId>,
    /// The account and bucket that all logs go to.
    pub hub: Hub,
    /// The members that the file lists, by account ID.
    pub members: BTreeMap<AccountId, Member>,
    /// The settings of every flow log.
    pub flow_logs: FlowLogSpec,
    /// How the bucket policy grants delivery.
    pub policy: PolicySettings,
    /// The organization that the accounts belong to, and how its accounts become members.
    pub organization: Option<Organization>,
    /// Findings that are accepted until a given day, in the order of the file.
    pub exceptions: Vec<Exception>,
    /// The prices for cost estimates.
    pub prices: Prices,
}

impl FleetFile {
    /// A fleet with this hub, without members, and with the defaults of the fleet file.
    pub fn new(hub: Hub) -> Self {
        Self {
            declared_name: None,
            read_role: None,
            external_id: None,
            hub,
            members: BTreeMap::new(),
            flow_logs: FlowLogSpec::default(),
            policy: PolicySettings::default(),
            organization: None,
            exceptions: Vec::new(),
            prices: Prices::default(),
        }
    }

    /// Reads `flowagg.toml`. All errors are returned at once, each with its position.
    pub fn parse(text: &str) -> Result<Self, FleetError> {
        read::fleet_file(text)
    }

    /// The fleet's name: the declared one, or a default that is derived from the bucket and the prefix.
    pub fn name(&self) -> FleetName {
        self.declared_name.clone().unwrap_or_else(|| self.hub.default_name())
    }

    /// The organization whose accounts are looked up, and how they become members.
    pub fn discovery(&self) -> Option<(&Organization, &Discovery)> {
        let organization = self.organization.as_ref()?;
        Some((organization, organization.discovery.as_ref()?))
    }

    /// The organizational units of exceptions. Their accounts are looked up together with those of the organization.
    pub fn units_of_exceptions(&self) -> BTreeSet<OrganizationalUnitId> {
        self.exceptions.iter().filter_map(|exception| exception.unit.clone()).collect()
    }

    /// The regions in the file that flowagg does not know: they are newer than this version, or misspelled.
    pub fn unknown_regions(&self) -> BTreeSet<&Region> {
        let found = self.discovery().map(|(_, discovery)| &discovery.regions);
        let of_members = self.members.values().map(|member| &member.regions).chain(found);
        let of_exceptions = self.exceptions.iter().filter_map(|exception| exception.region.as_ref());
        let named = of_members.flat_map(Regions::iter).chain(of_exceptions).chain([&self.hub.region]);
        named.filter(|region| !region.is_known()).collect()
    }

    /// The roles to assume in the accounts that the file names. In the hub account only the hub's role is assumed.
    pub fn roles(&self) -> impl Iterator<Item = (AccountId, &RoleName)> {
        let hub = &self.hub;
        let lookup = self.discovery().and_then(|(_, discovery)| discovery.lookup.as_ref());
        let lookup = lookup.filter(|lookup| lookup.account != hub.account);
        self.members
            .values()
            .filter(|member| member.account != hub.account)
            .map(|member| (member.account, &member.role))
            .chain(hub.role.as_ref().map(|role| (hub.account, role)))
            .chain(lookup.map(|lookup| (lookup.account, &lookup.role)))
    }

    /// The fleet for a read-only command: [`read_role`](Self::read_role) replaces the roles of the hub and the members, even if
    /// the hub has no role. [`Lookup`](super::Lookup) keeps its role, which is read-only.
    pub fn for_reading(mut self) -> Self {
        let Some(read_role) = &self.read_role else { return self };
        let discovery = self.organization.as_mut().and_then(|organization| organization.discovery.as_mut());
        let of_members = self.members.values_mut().map(|member| &mut member.role);
        for role in of_members.chain(discovery.map(|how| &mut how.role)) {
            role.clone_from(read_role);
        }
        self.hub.role = Some(read_role.clone());
        self
    }

    /// Starts to resolve the file into a [`Fleet`].
    pub fn resolve(self) -> Resolution {
        Resolution::of(self)
    }

    /// The fleet without any lookups: only listed accounts are members, and the regions of `["all"]` stay unknown.
    /// Do not plan with it if the file needs lookups; [`named`](Self::named) checks that.
    pub fn without_lookup(self) -> Fleet {
        self.resolve().finish()
    }

    /// The fleet, if the file lists every account and region. Otherwise the error contains what must be looked up.
    pub fn named(&self) -> Result<Fleet, FleetError> {
        let is_open = |member: &Member| matches!(member.regions, Regions::All { .. });
        let what = if self.discovery().is_some() {
            "the accounts of the organization must be looked up in AWS"
        } else if self.members.values().any(is_open) {
            "`regions = [\"all\"]` must be looked up in AWS"
        } else {
            return Ok(self.clone().without_lookup());
        };
        let help = "list every account and its regions in `[[members]]`, or use `FleetFile::parse`";
        Err(FleetError {
            faults: vec![Fault { line: 1, column: 1, what: what.to_owned(), help: help.to_owned() }],
        })
    }
}

impl FromStr for FleetFile {
    type Err = FleetError;

    fn from_str(text: &str) -> Result<Self, FleetError> {
        Self::parse(text)
    }
}
