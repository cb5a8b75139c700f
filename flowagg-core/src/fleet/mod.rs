//! The fleet that `flowagg.toml` declares: the hub bucket, the members, their flow logs and the bucket policy.

mod exception;
mod fault;
mod file;
mod hub;
mod member;
mod only;
mod organization;
mod policy;
mod position;
mod read;
mod resolution;
mod schema;
mod table;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::civil::Date;
use serde::Serialize;

pub use exception::Exception;
pub use fault::{Fault, FleetError};
pub use file::FleetFile;
pub use hub::{Encryption, Hub, ObjectOwnership};
pub use member::{Choice, Exclusion, Filter, Member, NothingSelected, Regions, Selection, Standing};
pub use only::{NothingMatches, Only};
pub use organization::{Discovery, FoundAccount, Lookup, Organization};
pub use policy::{AclCondition, GrantForm, PolicySettings};
pub use resolution::Resolution;
pub use schema::schema;
pub use write::{Part, Remark};

use crate::cost::Prices;
use crate::flow_log::{Destination, FLEET_TAG, FlowLogSpec, ForeignFlowLogs, MARK};
use crate::id::{AccountId, ExternalId, FleetName, Partition, Place, Region, RoleName};
use crate::layout::Layout;
use crate::observed::{FlowLog, Resource};

/// A resolved fleet: every member with its regions. A [`FleetFile`] declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fleet {
    /// The name that the fleet file sets; [`Fleet::name`] falls back to a default.
    pub declared_name: Option<FleetName>,
    /// The role that read-only commands assume in every account, instead of the account's own role.
    pub read_role: Option<RoleName>,
    /// The external ID that is sent whenever a role is assumed.
    pub external_id: Option<ExternalId>,
    /// The account and bucket that all logs go to.
    pub hub: Hub,
    /// The accounts whose VPCs are logged, by account ID.
    pub members: BTreeMap<AccountId, Member>,
    /// The settings of every flow log.
    pub flow_logs: FlowLogSpec,
    /// How the bucket policy grants delivery.
    pub policy: PolicySettings,
    /// The organization that the accounts belong to, if the fleet file names it.
    pub organization: Option<Organization>,
    /// Findings that are accepted until a given day, in the order of the fleet file.
    pub exceptions: Vec<Exception>,
    /// The prices for cost estimates.
    pub prices: Prices,
    /// Accounts of the organization that are not members, with the reason.
    pub left_out: BTreeMap<AccountId, String>,
    /// The names of the accounts in `left_out`, from the organization.
    pub names: BTreeMap<AccountId, String>,
}

impl Fleet {
    /// A fleet with this hub, without members, and with the defaults of the fleet file.
    pub fn new(hub: Hub) -> Self {
        FleetFile::new(hub).without_lookup()
    }

    /// Reads a fleet file that lists all its accounts and regions. All errors are returned at once, each with its position.
    ///
    /// A file with accounts or regions that must be looked up is an error; [`FleetFile::parse`] accepts it.
    pub fn parse(text: &str) -> Result<Self, FleetError> {
        FleetFile::parse(text)?.named()
    }

    /// The fleet's name: the declared one, or a default that is derived from the bucket and the prefix.
    pub fn name(&self) -> FleetName {
        self.declared_name.clone().unwrap_or_else(|| self.hub.default_name())
    }

    /// The tags of every flow log of the fleet: those of the fleet file, and those that mark it as managed by this fleet.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.flow_logs.tags.clone();
        tags.extend(self.marks());
        tags
    }

    /// Whether a flow log counts as the flow log of its resource. A managed one that delivers to the fleet's destination does;
    /// for a foreign one, `flow-logs.foreign` decides.
    pub fn counts(&self, log: &FlowLog) -> bool {
        let spec = &self.flow_logs;
        self.destination().is(&log.destination)
            && (log.is_managed_by(&self.name())
                || match spec.foreign {
                    ForeignFlowLogs::Covers => log.covers(spec),
                    ForeignFlowLogs::Differs => true,
                    ForeignFlowLogs::Ignore => false,
                })
    }

    /// The tags that mark a flow log as managed by this fleet.
    pub fn marks(&self) -> [(String, String); 2] {
        [(MARK.0.to_owned(), MARK.1.to_owned()), (FLEET_TAG.to_owned(), self.name().to_string())]
    }

    /// The name of an account, if it is known: the member's name, or the name in the organization.
    pub fn account_name(&self, account: AccountId) -> Option<&str> {
        let of_member = self.members.get(&account).and_then(|member| member.name.as_deref());
        of_member.or_else(|| self.names.get(&account).map(String::as_str))
    }

    /// The partition of the hub and every member.
    pub fn partition(&self) -> Partition {
        self.hub.region.partition()
    }

    /// The exceptions that are in force on `today` and accept findings in an account-region: those of a resource, or, without
    /// one, those of the whole account-region.
    pub fn exceptions(&self, place: &Place, resource: Option<&Resource>, today: Date) -> Vec<&Exception> {
        let member = self.members.get(&place.account);
        let covers = |exception: &&Exception| match resource {
            Some(resource) => exception.covers(place, member, resource),
            None => exception.covers_place(place, member),
        };
        self.exceptions.iter().filter(|exception| !exception.is_expired(today)).filter(covers).collect()
    }

    /// The destination of every flow log.
    pub fn destination(&self) -> Destination {
        Destination {
            partition: self.partition(),
            bucket: self.hub.bucket.clone(),
            prefix: self.hub.prefix.clone(),
        }
    }

    /// The layout of the folders in the bucket.
    pub fn layout(&self) -> Layout {
        Layout { prefix: self.hub.prefix.clone(), files: self.flow_logs.files }
    }

    /// The declared regions of each member; empty for all regions that the account has enabled.
    pub fn regions(&self) -> BTreeMap<AccountId, BTreeSet<Region>> {
        let declared = |member: &Member| match &member.regions {
            Regions::These(regions) => regions.clone(),
            Regions::All { .. } => BTreeSet::new(),
        };
        self.members.iter().map(|(account, member)| (*account, declared(member))).collect()
    }

    /// Every member with each of its known regions, in order.
    pub fn places(&self) -> impl Iterator<Item = (&Member, &Region)> {
        self.places_in(&[])
    }

    /// Like [`places`](Self::places), limited to the members and regions in `only`. If it contains no member, all members are
    /// included; if it contains no region, all regions are.
    pub fn places_in<'a>(&'a self, only: &'a [Only]) -> impl Iterator<Item = (&'a Member, &'a Region)> {
        let places = self
            .members
            .values()
            .flat_map(|member| member.regions.iter().map(move |region| (member, region)));
        places.filter(move |(member, region)| Only::member(only, member) && Only::region(only, region))
    }
}

impl FromStr for Fleet {
    type Err = FleetError;

    fn from_str(text: &str) -> Result<Self, FleetError> {
        Self::parse(text)
    }
}
