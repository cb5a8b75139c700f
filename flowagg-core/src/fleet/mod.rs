//! The fleet a person declares in `flowagg.toml`: the hub bucket, the members, their flow logs and the bucket policy.

mod fault;
mod read;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use fault::{Fault, FleetError};

use crate::flow_log::{Destination, FlowLogSpec};
use crate::id::{
    AccountId, BucketName, KmsKeyArn, OrganizationId, OrganizationalUnitId, Partition, Region, RoleName,
    VpcId,
};
use crate::layout::Prefix;
use crate::observed::Vpc;

/// A whole fleet, checked: one partition, no member twice, every name well formed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// The account and bucket that all logs go to.
    pub hub: Hub,
    /// The accounts whose VPCs are logged, by account id.
    pub members: BTreeMap<AccountId, Member>,
    /// What every flow log should be.
    pub flow_logs: FlowLogSpec,
    /// How the bucket policy grants delivery.
    pub policy: PolicySettings,
    /// The organization that the accounts belong to, where the bucket policy is to name it.
    pub organization: Option<Organization>,
}

impl Fleet {
    /// Reads `flowagg.toml`. On faults, all of them are told, each with its place.
    pub fn parse(text: &str) -> Result<Self, FleetError> {
        read::fleet(text)
    }

    /// The partition that the hub and every member lie in.
    pub fn partition(&self) -> Partition {
        self.hub.region.partition()
    }

    /// Where every flow log delivers to.
    pub fn destination(&self) -> Destination {
        Destination {
            partition: self.partition(),
            bucket: self.hub.bucket.clone(),
            prefix: self.hub.prefix.clone(),
        }
    }

    /// The regions of each member.
    pub fn regions(&self) -> BTreeMap<AccountId, BTreeSet<Region>> {
        self.members.iter().map(|(account, member)| (*account, member.regions.clone())).collect()
    }

    /// Every account and region that has members' VPCs, in order.
    pub fn places(&self) -> impl Iterator<Item = (&Member, &Region)> {
        self.places_in(&[])
    }

    /// The same, of these accounts and in these regions only. Where no account is named all count, and so with regions.
    pub fn places_in<'a>(&'a self, only: &'a [Only]) -> impl Iterator<Item = (&'a Member, &'a Region)> {
        let names_accounts = only.iter().any(|only| matches!(only, Only::Account(_)));
        let names_regions = only.iter().any(|only| matches!(only, Only::Region(_)));
        let places = self
            .members
            .values()
            .flat_map(|member| member.regions.iter().map(move |region| (member, region)));
        places.filter(move |(member, region)| {
            (!names_accounts || only.contains(&Only::Account(member.account)))
                && (!names_regions || only.contains(&Only::Region((*region).clone())))
        })
    }
}

/// A part of a fleet to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Only {
    /// One account.
    Account(AccountId),
    /// One region.
    Region(Region),
}

/// The account and bucket that all logs go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hub {
    /// The account that owns the bucket.
    pub account: AccountId,
    /// The region of the bucket.
    pub region: Region,
    /// The bucket.
    pub bucket: BucketName,
    /// The sub-folder under which `AWSLogs/` lies.
    pub prefix: Option<Prefix>,
    /// After how many days an object expires.
    pub retention_days: u32,
    /// How objects are encrypted at rest.
    pub encryption: Encryption,
    /// The profile (of the AWS configuration files) that every call starts from.
    pub profile: Option<String>,
    /// The role to take in the hub account when the caller is in another.
    pub role: Option<RoleName>,
}

impl Hub {
    /// Days until expiry where the fleet file does not say.
    pub const DEFAULT_RETENTION_DAYS: u32 = 90;
}

/// How objects are encrypted at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// With keys that S3 manages.
    #[default]
    SseS3,
    /// With a customer managed KMS key.
    SseKms(KmsKeyArn),
}

/// An account whose VPCs are logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// What people call it.
    pub name: Option<String>,
    /// The regions whose VPCs are logged.
    pub regions: BTreeSet<Region>,
    /// The role to take in the account when the caller is in another.
    pub role: RoleName,
    /// Which of its VPCs.
    pub vpcs: VpcSelection,
}

/// Which VPCs of an account are logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VpcSelection {
    /// These.
    Ids(BTreeSet<VpcId>),
    /// All that the account owns and that pass.
    All(VpcFilter),
}

impl Default for VpcSelection {
    fn default() -> Self {
        Self::All(VpcFilter::default())
    }
}

/// What a VPC must be to be logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VpcFilter {
    /// The tags that it must bear, all of them.
    pub tags: BTreeMap<String, String>,
    /// The VPCs that it must not be.
    pub except: BTreeSet<VpcId>,
    /// Whether it may be the default VPC that AWS makes in every region.
    pub default_vpcs: bool,
}

impl Default for VpcFilter {
    /// Every VPC passes.
    fn default() -> Self {
        Self { tags: BTreeMap::new(), except: BTreeSet::new(), default_vpcs: true }
    }
}

impl VpcSelection {
    /// Whether a VPC is among them.
    pub fn chooses(&self, id: &VpcId, vpc: &Vpc) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(id),
            Self::All(VpcFilter { tags, except, default_vpcs }) => {
                tags.iter().all(|(key, value)| vpc.tags.get(key) == Some(value))
                    && !except.contains(id)
                    && (*default_vpcs || !vpc.is_default)
            }
        }
    }
}

/// How the bucket policy grants delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicySettings {
    /// How the accounts are written down.
    pub form: GrantForm,
    /// Whether the statements test `aws:SourceAccount` (or `aws:SourceOrgID`).
    ///
    /// Without it, any account that has a flow log may deliver under the listed prefixes.
    pub source_conditions: bool,
    /// Whether the statements also test `aws:SourceArn`, which binds each account to its declared regions.
    pub source_arn: bool,
    /// Whether the write must come with the ACL `bucket-owner-full-control`.
    pub acl_condition: AclCondition,
    /// Whether the service may also list the bucket, which spares CloudTrail some `AccessDenied` entries.
    pub list_bucket: bool,
    /// Whether a statement denies all access that is not over TLS.
    pub deny_insecure_transport: bool,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            form: GrantForm::Auto,
            source_conditions: true,
            source_arn: false,
            acl_condition: AclCondition::Required,
            list_bucket: false,
            deny_insecure_transport: false,
        }
    }
}

/// How the bucket policy writes down who may deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantForm {
    /// The tightest documented form that fits.
    #[default]
    Auto,
    /// One `Resource` per account.
    Prefixes,
    /// `AWSLogs/*`, and a list of accounts in the condition.
    Accounts,
    /// `AWSLogs/*`, and the organization in the condition.
    Organization,
    /// As `accounts`, with each account bound to its own prefix by `${aws:SourceAccount}`.
    BoundAccounts,
    /// As `bound-accounts`, with the account list once, in a statement that denies all others.
    BoundDeny,
    /// As `organization`, with each account bound to its own prefix by `${aws:SourceAccount}`.
    BoundOrganization,
}

impl GrantForm {
    /// All forms, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::Prefixes,
        Self::Accounts,
        Self::Organization,
        Self::BoundAccounts,
        Self::BoundDeny,
        Self::BoundOrganization,
    ];

    /// The word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Prefixes => "prefixes",
            Self::Accounts => "accounts",
            Self::Organization => "organization",
            Self::BoundAccounts => "bound-accounts",
            Self::BoundDeny => "bound-deny",
            Self::BoundOrganization => "bound-organization",
        }
    }
}

/// Whether the write must come with the ACL `bucket-owner-full-control`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AclCondition {
    /// It must, as AWS documents.
    #[default]
    Required,
    /// It must where an ACL is sent at all.
    IfExists,
    /// It need not.
    None,
}

impl AclCondition {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Required, Self::IfExists, Self::None];

    /// The word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::IfExists => "if-exists",
            Self::None => "none",
        }
    }
}

/// The organization that the accounts belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// The organizational units that may deliver; none stands for the whole organization.
    pub units: BTreeSet<OrganizationalUnitId>,
}
