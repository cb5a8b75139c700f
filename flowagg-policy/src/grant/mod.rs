//! Who may deliver logs to a bucket, as a value; its statements, and statements read back. It never sees a whole policy:
//! that is `merge`'s.

mod read;
mod statement;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Fleet, GrantForm, Organization, PolicySettings};
use flowagg_core::flow_log::Files;
use flowagg_core::id::{
    AccountId, BucketName, FleetName, OrganizationId, OrganizationalUnitId, Partition, Prefix, Region,
};
use flowagg_core::layout::{self, FileName, Layout};

pub use write::GrantError;

pub(crate) use read::read;
pub(crate) use statement::{AclActions, AclCheck, Folders, Kind, Sid, Source, Statement, Write};
pub(crate) use write::list;

use crate::evaluate::{Delivery, Membership, Owner};

/// Who may deliver to a bucket, under which folder, and how the policy is to say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The fleet, whose mark the Sids of its statements carry. No other statement is replaced or removed.
    pub fleet: FleetName,
    /// The partition of the bucket.
    pub partition: Partition,
    /// The bucket.
    pub bucket: BucketName,
    /// The sub-folder under which `AWSLogs/` lies.
    pub prefix: Option<Prefix>,
    /// Whether the flow logs use Hive-compatible prefixes: `AWSLogs/aws-account-id=<account>/`.
    pub hive: bool,
    /// Who may deliver.
    pub who: Who,
    /// The organization that [`Who::Accounts`] belong to. The organization forms name it, and form `auto` does when no
    /// list of the accounts fits.
    pub organization: Option<Organization>,
    /// Those of [`Who::Accounts`] that the organization's statement does not cover, because they are not known to belong to
    /// it or to its units: the organization forms name them next to it.
    pub outside: BTreeSet<AccountId>,
    /// The regions of each account, where `aws:SourceArn` is tested; an account that is not here may deliver from all.
    pub regions: Option<BTreeMap<AccountId, BTreeSet<Region>>>,
    /// Who owns the bucket, if that is known.
    pub owner: Option<Owner>,
    /// The organizations of accounts. Nothing is known of an account that is not here.
    pub memberships: BTreeMap<AccountId, Membership>,
    /// The account that owns the bucket, if its own resources are logged: room is left for the statements that AWS may append.
    pub hub_member: Option<HubMember>,
    /// The form of the statements and their conditions.
    pub settings: PolicySettings,
}

/// The account that owns the bucket, as a member of the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubMember {
    /// The account.
    pub account: AccountId,
    /// The regions in which it has flow logs; none if they are not known.
    pub regions: BTreeSet<Region>,
}

/// Who may deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// These accounts.
    Accounts(BTreeSet<AccountId>),
    /// All accounts of an organization.
    Organization {
        /// The organization.
        id: OrganizationId,
        /// Only the accounts under these organizational units; none stands for the whole organization.
        units: BTreeSet<OrganizationalUnitId>,
        /// And these accounts, which need not belong to it.
        also: BTreeSet<AccountId>,
        /// Accounts known to belong to it, under the units where there are some. The organization's statement covers
        /// them, so they need no name: a statement of ours that lists them loses them without revoking anything.
        within: BTreeSet<AccountId>,
    },
}

impl Who {
    /// The organization, where all of it belongs to the fleet and the form does not ask for a list; else the members.
    fn of(fleet: &Fleet) -> Self {
        use GrantForm::{Auto, BoundOrganization, Organization};
        let by_organization = matches!(fleet.policy.form, Auto | Organization | BoundOrganization)
            && fleet.policy.source_conditions;
        let members = || fleet.members.values();
        match &fleet.organization {
            Some(organization) if by_organization && organization.is_whole() => {
                let (within, also): (BTreeSet<_>, BTreeSet<_>) = members()
                    .map(|member| (member.account, member.in_organization))
                    .chain(fleet.left_out.keys().map(|account| (*account, true)))
                    .partition(|(_, within)| *within);
                let accounts =
                    |found: BTreeSet<(AccountId, bool)>| found.into_iter().map(|(id, _)| id).collect();
                Self::Organization {
                    id: organization.id.clone(),
                    units: BTreeSet::new(),
                    also: accounts(also),
                    within: accounts(within),
                }
            }
            _ => Self::Accounts(members().map(|member| member.account).collect()),
        }
    }

    /// The accounts that are named one by one.
    pub fn accounts(&self) -> &BTreeSet<AccountId> {
        match self {
            Self::Accounts(accounts) | Self::Organization { also: accounts, .. } => accounts,
        }
    }

    /// The accounts that are known to be let in without a name.
    pub(crate) fn covered(&self) -> Option<&BTreeSet<AccountId>> {
        match self {
            Self::Accounts(_) => None,
            Self::Organization { within, .. } => Some(within),
        }
    }
}

/// Whether the organization, or its units, hold no account that the fleet file leaves out; or whether the file asks for
/// that form all the same.
fn names_no_more(organization: &Organization, fleet: &Fleet) -> bool {
    let leaves_out = organization.discovery.as_ref().is_some_and(|how| {
        !how.accounts.is_empty() || !how.except_units.is_empty() || !how.except_accounts.is_empty()
    });
    !leaves_out || fleet.policy.form != GrantForm::Auto
}

/// The members that a statement for the organization, or its units, does not cover. If its accounts are not looked up, the
/// fleet file states that all members belong to it.
fn outside(fleet: &Fleet) -> BTreeSet<AccountId> {
    let looked_up = fleet.organization.as_ref().is_some_and(|it| it.discovery.is_some());
    let outside = fleet.members.values().filter(|member| looked_up && !member.in_units);
    outside.map(|member| member.account).collect()
}

/// What is known of the organizations of the fleet's accounts. If its accounts are not looked up, the fleet file states that all
/// members belong to it and its units.
fn memberships(fleet: &Fleet) -> BTreeMap<AccountId, Membership> {
    let Some(Organization { id, units, discovery }) = &fleet.organization else { return BTreeMap::new() };
    let all_are_listed = discovery.as_ref().is_some_and(|how| units.is_empty() && how.accounts.is_empty());
    let members = fleet.members.values().map(|member| {
        let membership = match () {
            () if discovery.is_none() || member.in_units => Membership::Within(id.clone(), units.clone()),
            () if member.in_organization => Membership::Within(id.clone(), BTreeSet::new()),
            () if all_are_listed => Membership::Outside(id.clone()),
            () => Membership::Unknown,
        };
        (member.account, membership)
    });
    let left_out = fleet.left_out.keys();
    left_out
        .map(|account| (*account, Membership::Within(id.clone(), BTreeSet::new())))
        .chain(members)
        .collect()
}

fn owner(fleet: &Fleet, memberships: &BTreeMap<AccountId, Membership>) -> Owner {
    let organization = match memberships.get(&fleet.hub.account) {
        Some(Membership::Within(id, _)) => Some(id.clone()),
        _ => None,
    };
    Owner { region: Some(fleet.hub.region.clone()), organization, ..Owner::new(fleet.hub.account) }
}

impl Grant {
    /// A grant at the top of a bucket, with the default settings.
    pub fn new(fleet: FleetName, partition: Partition, bucket: BucketName, who: Who) -> Self {
        Self {
            fleet,
            partition,
            bucket,
            prefix: None,
            hive: false,
            who,
            organization: None,
            outside: BTreeSet::new(),
            regions: None,
            owner: None,
            memberships: BTreeMap::new(),
            hub_member: None,
            settings: PolicySettings::default(),
        }
    }

    /// The grant that a fleet needs: its members, to its bucket, by its settings.
    pub fn of(fleet: &Fleet) -> Self {
        let memberships = memberships(fleet);
        Self {
            fleet: fleet.name(),
            partition: fleet.partition(),
            bucket: fleet.hub.bucket.clone(),
            prefix: fleet.hub.prefix.clone(),
            hive: fleet.flow_logs.files.hive_compatible_partitions,
            who: Who::of(fleet),
            organization: fleet.organization.clone().filter(|it| names_no_more(it, fleet)),
            outside: outside(fleet),
            owner: Some(owner(fleet, &memberships)),
            memberships,
            regions: fleet.policy.source_arn.then(|| fleet.regions()),
            hub_member: fleet.members.get(&fleet.hub.account).map(|member| HubMember {
                account: member.account,
                regions: member.regions.iter().cloned().collect(),
            }),
            settings: fleet.policy.clone(),
        }
    }

    /// The accounts that statements of this form name one by one.
    pub(crate) fn named(&self, form: GrantForm) -> &BTreeSet<AccountId> {
        match &self.who {
            Who::Accounts(_) if form.is_by_organization() => &self.outside,
            who => who.accounts(),
        }
    }

    /// A delivery of the logs of an account to the bucket, with all that is known of both.
    pub fn delivery(&self, account: AccountId, region: &Region) -> Delivery {
        let membership = self.memberships.get(&account).cloned().unwrap_or_default();
        Delivery::new(account, region.clone()).of(membership).to(self.owner.clone())
    }

    /// The key of a flow log file in the folder of an account.
    pub(crate) fn key(&self, account: AccountId, region: &Region) -> String {
        self.layout().key(&FileName::example(account, region))
    }

    /// The bucket's ARN.
    pub fn bucket_arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.partition, self.bucket)
    }

    /// What stands before the account id in the ARN of an object: `arn:aws:s3:::bucket/[prefix/]AWSLogs/`.
    pub(crate) fn folder_arn(&self) -> String {
        let hive = if self.hive { layout::HIVE_ACCOUNT } else { "" };
        format!("{}/{}{hive}", self.bucket_arn(), layout::root(self.prefix.as_ref()))
    }

    /// How the folders in the bucket are named.
    pub fn layout(&self) -> Layout {
        let files = Files { hive_compatible_partitions: self.hive, ..Files::default() };
        Layout { prefix: self.prefix.clone(), files }
    }
}
