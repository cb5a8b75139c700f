//! Existing resources that flowagg does not manage yet, as plain values: a bucket, its policy and rules, and the accounts that may
//! belong to the fleet. [`aws`](crate::aws) and [`import::template`](crate::import::template) create them, and
//! [`import`](crate::import::import()) turns them into a fleet.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Organization, Remark};
use flowagg_core::id::{AccountId, BucketName, Prefix, Region, RoleName};
use flowagg_core::lifecycle::Rule;
use flowagg_core::observed::{BucketEncryption, FlowLog, RegionState};

/// The existing hub and accounts, found in AWS or in templates.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct FoundFleet {
    pub hub: FoundHub,
    /// The accounts that may belong to the fleet.
    pub members: BTreeMap<AccountId, FoundMember>,
    /// The role to assume in each account.
    pub role: RoleName,
    /// Flow logs whose account is unknown. Only their settings are used.
    pub elsewhere: Vec<FlowLog>,
    /// The organization to look up, if any. Its regions and resources are the ones that were found.
    pub organization: Option<Organization>,
    /// Remarks about input that could not be interpreted.
    pub remarks: Vec<Remark>,
}

impl FoundFleet {
    /// Creates a fleet with this hub, no accounts and the default role.
    pub fn new(hub: FoundHub) -> Self {
        Self {
            hub,
            members: BTreeMap::new(),
            role: RoleName::default(),
            elsewhere: Vec::new(),
            organization: None,
            remarks: Vec::new(),
        }
    }
}

/// The existing hub bucket.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct FoundHub {
    pub account: AccountId,
    pub region: Region,
    /// Its name.
    pub bucket: BucketName,
    /// The requested folder; `None` to infer it from the flow logs, their objects and the policy.
    pub folder: Option<Folder>,
    /// Deliveries inferred from its folders; `None` if they were not listed.
    pub objects: Option<Objects>,
    /// Its default encryption.
    pub encryption: Option<BucketEncryption>,
    /// Its lifecycle rules; `None` if they could not be read.
    pub rules: Option<Vec<Rule>>,
    pub policy: Option<String>,
}

impl FoundHub {
    /// Creates a bucket about which nothing else is known.
    pub fn new(account: AccountId, region: Region, bucket: BucketName) -> Self {
        Self {
            account,
            region,
            bucket,
            folder: None,
            objects: None,
            encryption: None,
            rules: None,
            policy: None,
        }
    }
}

/// Deliveries inferred from the bucket's folders, without listing any object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Objects {
    /// The accounts and regions with flow log objects, by the folder that contains their `AWSLogs/`.
    pub delivered: BTreeMap<Folder, BTreeMap<AccountId, BTreeSet<Region>>>,
    /// Log folders that a fleet cannot use: those of other services, such as `AWSLogs/222222222222/elasticloadbalancing/`, and those
    /// under a name that `hub.prefix` does not allow.
    pub other: BTreeSet<String>,
    /// Why some folders were not listed.
    pub unlisted: Option<String>,
}

impl FoundHub {
    /// The accounts and regions with flow log objects, by folder.
    pub(crate) fn delivered(
        &self,
    ) -> impl Iterator<Item = (&Folder, &BTreeMap<AccountId, BTreeSet<Region>>)> {
        self.objects.iter().flat_map(|objects| &objects.delivered)
    }

    /// The regions in which an account has flow log objects under this folder.
    pub(crate) fn regions_of(&self, account: AccountId, folder: &Folder) -> BTreeSet<Region> {
        let here = self.delivered().filter(|(it, _)| *it == folder);
        here.filter_map(|(_, accounts)| accounts.get(&account)).flatten().cloned().collect()
    }
}

/// An existing account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundMember {
    /// Whether it belongs to the organization that is looked up.
    pub in_organization: bool,
    /// The state of each region that was read.
    pub states: BTreeMap<Region, RegionState>,
    /// Regions that could not be read, each with the reason.
    pub unread: BTreeMap<Region, String>,
    /// How much of the account `states` covers.
    pub view: View,
}

impl FoundMember {
    /// Creates an account outside the organization, with no regions yet.
    pub fn new(view: View) -> Self {
        Self { in_organization: false, states: BTreeMap::new(), unread: BTreeMap::new(), view }
    }
}

/// How much of an account was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// All resources and flow logs in every enabled region.
    Account,
    /// All resources and flow logs in some regions.
    Regions,
    /// Flow logs only.
    FlowLogs,
    /// Nothing, with the reason.
    Nothing(String),
}

/// A folder of the bucket, or its root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folder(Option<Prefix>);

impl Folder {
    /// The root of the bucket.
    pub const TOP: Self = Self(None);

    /// The prefix of the folder; `None` for the root of the bucket.
    pub fn prefix(&self) -> Option<&Prefix> {
        self.0.as_ref()
    }
}

impl From<Option<Prefix>> for Folder {
    fn from(prefix: Option<Prefix>) -> Self {
        Self(prefix)
    }
}

impl std::str::FromStr for Folder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::TOP);
        }
        Prefix::parse(text).map(|prefix| Self(Some(prefix))).map_err(|error| error.to_string())
    }
}
