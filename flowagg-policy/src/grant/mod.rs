//! The grant: who may deliver logs to a bucket, as a value, and its conversion to and from statements. Whole policies
//! are handled by `merge`.

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

/// Who may deliver to a bucket, to which folder, and in which form the bucket policy grants it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Grant {
    /// The fleet whose mark is in the Sids of its statements. No other statement is replaced or removed.
    pub fleet: FleetName,
    /// The partition of the bucket.
    pub partition: Partition,
    pub bucket: BucketName,
    /// The prefix that contains `AWSLogs/`.
    pub prefix: Option<Prefix>,
    /// Whether the flow logs use Hive-compatible prefixes: `AWSLogs/aws-account-id=<account>/`.
    pub hive: bool,
    /// The accounts that may deliver, as far as they are known individually.
    pub accounts: BTreeSet<AccountId>,
    /// The organization of these accounts.
    pub organization: Option<GrantedOrganization>,
    /// The regions of each account if `aws:SourceArn` is tested; accounts that are not listed may deliver from all
    /// regions.
    pub regions: Option<BTreeMap<AccountId, BTreeSet<Region>>>,
    /// The owner of the bucket, if known.
    pub owner: Option<Owner>,
    /// The organization memberships of accounts. The membership of an unlisted account is unknown.
    pub memberships: BTreeMap<AccountId, Membership>,
    /// The account that owns the bucket, if it is also a member: space is reserved for the statements that AWS may
    /// append.
    pub hub_member: Option<HubMember>,
    /// The form and the conditions of the statements.
    pub settings: PolicySettings,
}

/// The account that owns the bucket, as a member of the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct HubMember {
    pub account: AccountId,
    /// The regions in which it has flow logs; empty if unknown.
    pub regions: BTreeSet<Region>,
}

impl HubMember {
    /// The hub account, with flow logs in these regions.
    pub fn new(account: AccountId, regions: BTreeSet<Region>) -> Self {
        Self { account, regions }
    }
}

/// An organization, and how a statement for it or its units compares with the accounts of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct GrantedOrganization {
    pub id: OrganizationId,
    /// The organizational units; empty for the whole organization.
    pub units: BTreeSet<OrganizationalUnitId>,
    /// The other accounts that the statement would allow.
    pub extent: Extent,
    /// Accounts of the grant that the statement does not cover because they are not known to belong to the organization
    /// or its units. They are listed separately.
    pub outside: BTreeSet<AccountId>,
    /// Other accounts that the statement is known to cover. Replacing a list that names such an account with the
    /// statement revokes nothing.
    pub others: BTreeSet<AccountId>,
}

/// The accounts that a statement for an organization allows in addition to those of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// None: all current and future accounts are intended, and they need not be known individually.
    Whole,
    /// None: the accounts of its units are intended, and they are known individually.
    Units,
    /// Accounts that are not in the fleet file, if any.
    Unlisted,
    /// Accounts that the fleet file excludes.
    LeftOut,
}

impl GrantedOrganization {
    /// An organization whose accounts may all deliver.
    pub fn whole(id: OrganizationId) -> Self {
        Self {
            id,
            units: BTreeSet::new(),
            extent: Extent::Whole,
            outside: BTreeSet::new(),
            others: BTreeSet::new(),
        }
    }

    fn of(fleet: &Fleet) -> Option<Self> {
        let Organization { id, units, discovery, .. } = fleet.organization.as_ref()?;
        let extent = match discovery {
            None => Extent::Unlisted,
            Some(how) => match () {
                () if how.leaves_out() => Extent::LeftOut,
                () if units.is_empty() => Extent::Whole,
                () => Extent::Units,
            },
        };
        // If accounts are not discovered, the fleet file states that all members belong to the organization.
        let outside = fleet.members.values().filter(|member| discovery.is_some() && !member.in_units);
        let others = fleet.left_out.keys().filter(|_| units.is_empty());
        Some(Self {
            id: id.clone(),
            units: units.clone(),
            extent,
            outside: outside.map(|member| member.account).collect(),
            others: others.copied().collect(),
        })
    }
}

/// The known organization memberships of the fleet's accounts. If accounts are not discovered, the fleet file states
/// that all members belong to the organization and its units.
fn memberships(fleet: &Fleet) -> BTreeMap<AccountId, Membership> {
    let Some(Organization { id, units, discovery, .. }) = &fleet.organization else { return BTreeMap::new() };
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

impl From<&Fleet> for Grant {
    /// The grant for the members, bucket and settings of a fleet.
    fn from(fleet: &Fleet) -> Self {
        let memberships = memberships(fleet);
        Self {
            fleet: fleet.name(),
            partition: fleet.partition(),
            bucket: fleet.hub.bucket.clone(),
            prefix: fleet.hub.prefix.clone(),
            hive: fleet.flow_logs.files.hive_compatible_partitions,
            accounts: fleet.members.keys().copied().collect(),
            organization: GrantedOrganization::of(fleet),
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
}

impl Grant {
    /// A grant without accounts and prefix, with the default settings.
    pub fn new(fleet: FleetName, partition: Partition, bucket: BucketName) -> Self {
        Self {
            fleet,
            partition,
            bucket,
            prefix: None,
            hive: false,
            accounts: BTreeSet::new(),
            organization: None,
            regions: None,
            owner: None,
            memberships: BTreeMap::new(),
            hub_member: None,
            settings: PolicySettings::default(),
        }
    }

    /// The grant limited to these accounts. A statement for their organization still covers the others.
    #[must_use]
    pub(crate) fn limited_to(&self, selects: impl Fn(&AccountId) -> bool) -> Self {
        let mut part = self.clone();
        part.accounts.retain(&selects);
        part.regions.iter_mut().for_each(|regions| regions.retain(|account, _| selects(account)));
        if let Some(organization) = &mut part.organization {
            let inside = self.accounts.difference(&organization.outside).filter(|account| !selects(account));
            organization.others.extend(inside.copied());
            organization.outside.retain(&selects);
        }
        part
    }

    /// The accounts that statements of this form list individually.
    pub fn named(&self, form: GrantForm) -> &BTreeSet<AccountId> {
        match &self.organization {
            Some(organization) if form.is_by_organization() => &organization.outside,
            _ => &self.accounts,
        }
    }

    /// The accounts that statements of this form are known to allow.
    pub(crate) fn allowed(&self, form: GrantForm) -> BTreeSet<AccountId> {
        match &self.organization {
            Some(organization) if form.is_by_organization() => &self.accounts | &organization.others,
            _ => self.accounts.clone(),
        }
    }

    /// A delivery of an account's logs to the bucket, with the known membership and owner.
    pub fn delivery(&self, account: AccountId, region: &Region) -> Delivery {
        let membership = self.memberships.get(&account).cloned().unwrap_or_default();
        Delivery::new(account, region.clone()).with_membership(membership).with_owner(self.owner.clone())
    }

    /// An example key of a flow log file in the folder of an account.
    pub(crate) fn key(&self, account: AccountId, region: &Region) -> String {
        self.layout().key(&FileName::example(account, region))
    }

    /// The bucket's ARN.
    pub fn bucket_arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.partition, self.bucket)
    }

    /// The part before the account ID in an object ARN: `arn:aws:s3:::bucket/[prefix/]AWSLogs/`.
    pub(crate) fn folder_arn(&self) -> String {
        let hive = if self.hive { layout::HIVE_ACCOUNT } else { "" };
        format!("{}/{}{hive}", self.bucket_arn(), layout::root(self.prefix.as_ref()))
    }

    /// How the folders in the bucket are named.
    pub fn layout(&self) -> Layout {
        let mut files = Files::default();
        files.hive_compatible_partitions = self.hive;
        Layout::new(self.prefix.clone(), files)
    }
}
