//! The fleet a person declares in `flowagg.toml`: the hub bucket, the members, their flow logs and the bucket policy.

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
pub use member::{Choice, Filter, Member, NothingSelected, Regions, Selection, Standing};
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

/// A whole fleet, resolved: every member, with its regions. A [`FleetFile`] declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fleet {
    /// The name that the fleet file gives the fleet; [`Fleet::name`] has a default.
    pub declared_name: Option<FleetName>,
    /// The role that commands which only read assume, instead of each account's own.
    pub read_role: Option<RoleName>,
    /// The external id of every role.
    pub external_id: Option<ExternalId>,
    /// The account and bucket that all logs go to.
    pub hub: Hub,
    /// The accounts whose VPCs are logged, by account id.
    pub members: BTreeMap<AccountId, Member>,
    /// What every flow log should be.
    pub flow_logs: FlowLogSpec,
    /// How the bucket policy grants delivery.
    pub policy: PolicySettings,
    /// The organization that the accounts belong to, if the fleet file names it.
    pub organization: Option<Organization>,
    /// Findings that are accepted until a day, in the order of the fleet file.
    pub exceptions: Vec<Exception>,
    /// What AWS charges, for estimates.
    pub prices: Prices,
    /// Accounts of the organization that are not members, with the reason.
    pub left_out: BTreeMap<AccountId, String>,
    /// The names of these accounts in the organization.
    pub names: BTreeMap<AccountId, String>,
}

impl Fleet {
    /// A fleet with this hub, without members, and with the defaults of the fleet file.
    pub fn new(hub: Hub) -> Self {
        FleetFile::new(hub).without_lookup()
    }

    /// Reads a fleet file that names all its accounts and regions. All errors are returned at once, each with its place.
    ///
    /// A file that leaves accounts or regions to be looked up is an error; [`FleetFile::parse`] reads those too.
    pub fn parse(text: &str) -> Result<Self, FleetError> {
        FleetFile::parse(text)?.named()
    }

    /// The fleet's name: the declared one, else one made from the bucket and the sub-folder.
    pub fn name(&self) -> FleetName {
        self.declared_name.clone().unwrap_or_else(|| self.hub.default_name())
    }

    /// The tags that every flow log of the fleet has: the fleet file's, and those that mark it as managed by this fleet.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.flow_logs.tags.clone();
        tags.extend(self.marks());
        tags
    }

    /// Whether a flow log counts as the one of the resource that it records: a managed one to the fleet's folder of the bucket
    /// does, and a foreign one by `flow-logs.foreign`.
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

    /// The name of an account, if it is known: that of a member, or that in the organization.
    pub fn account_name(&self, account: AccountId) -> Option<&str> {
        let of_member = self.members.get(&account).and_then(|member| member.name.as_deref());
        of_member.or_else(|| self.names.get(&account).map(String::as_str))
    }

    /// The partition of the hub and every member.
    pub fn partition(&self) -> Partition {
        self.hub.region.partition()
    }

    /// The exceptions that are in force on this day for what was found in an account-region: of a resource, or of all of it. Each accepts it.
    pub fn exceptions(&self, place: &Place, resource: Option<&Resource>, today: Date) -> Vec<&Exception> {
        let member = self.members.get(&place.account);
        let covers = |exception: &&Exception| match resource {
            Some(resource) => exception.covers(place, member, resource),
            None => exception.covers_place(place, member),
        };
        self.exceptions.iter().filter(|exception| !exception.is_expired(today)).filter(covers).collect()
    }

    /// Where every flow log delivers to.
    pub fn destination(&self) -> Destination {
        Destination {
            partition: self.partition(),
            bucket: self.hub.bucket.clone(),
            prefix: self.hub.prefix.clone(),
        }
    }

    /// How the folders in the bucket are named.
    pub fn layout(&self) -> Layout {
        Layout { prefix: self.hub.prefix.clone(), files: self.flow_logs.files }
    }

    /// The regions that each member is declared with; empty for all that it has enabled.
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

    /// The same, limited to the members and regions in `only`. Without a member in it all members count, and without a region
    /// all regions.
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
