//! What exists before flowagg manages it, as plain values: a bucket, its policy and rules, and the accounts that may belong to
//! the fleet. [`aws`](crate::aws) and [`import::template`](crate::import::template) fill them, and
//! [`import`](crate::import::import()) makes a fleet of them.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Organization, Remark};
use flowagg_core::id::{AccountId, BucketName, Prefix, Region, RoleName};
use flowagg_core::lifecycle::Rule;
use flowagg_core::observed::{BucketEncryption, FlowLog, RegionState};

/// What was found, wherever: in AWS, or in templates.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundFleet {
    /// The hub.
    pub hub: FoundHub,
    /// The accounts that may belong to the fleet.
    pub members: BTreeMap<AccountId, FoundMember>,
    /// The role that was taken in each, or is to be.
    pub role: RoleName,
    /// Flow logs of nobody knows which account: they say how flow logs are to be.
    pub elsewhere: Vec<FlowLog>,
    /// The organization that is to be looked up, where it is. Its regions and resources are those that are found.
    pub organization: Option<Organization>,
    /// What could not be understood where it was found.
    pub remarks: Vec<Remark>,
}

impl FoundFleet {
    /// A hub without accounts, and the default role.
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

/// The hub bucket, as it was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundHub {
    /// Its account.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// Its name.
    pub bucket: BucketName,
    /// The folder that the caller asks for; `None` leaves it to the flow logs, their files and the policy.
    pub folder: Option<Folder>,
    /// What its folders show of deliveries; `None` if they were not listed.
    pub objects: Option<Objects>,
    /// Its default encryption.
    pub encryption: Option<BucketEncryption>,
    /// Its lifecycle rules; `None` where nobody could look.
    pub rules: Option<Vec<Rule>>,
    /// Its policy.
    pub policy: Option<String>,
}

impl FoundHub {
    /// A bucket of which nothing else is known.
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

/// What the folders of the bucket show of deliveries, without listing a single file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Objects {
    /// The accounts and regions that have flow log files, by the folder that contains their `AWSLogs/`.
    pub delivered: BTreeMap<Folder, BTreeMap<AccountId, BTreeSet<Region>>>,
    /// Folders of logs that no fleet is for: of other services, such as `AWSLogs/222222222222/elasticloadbalancing/`, or under a
    /// name that `hub.prefix` cannot be.
    pub other: BTreeSet<String>,
    /// Why not every folder of the bucket was listed.
    pub unlisted: Option<String>,
}

impl FoundHub {
    /// The accounts and regions that have flow log files, by folder.
    pub(crate) fn delivered(
        &self,
    ) -> impl Iterator<Item = (&Folder, &BTreeMap<AccountId, BTreeSet<Region>>)> {
        self.objects.iter().flat_map(|objects| &objects.delivered)
    }

    /// The regions that an account has flow log files of, under this folder.
    pub(crate) fn regions_of(&self, account: AccountId, folder: &Folder) -> BTreeSet<Region> {
        let here = self.delivered().filter(|(it, _)| *it == folder);
        here.filter_map(|(_, accounts)| accounts.get(&account)).flatten().cloned().collect()
    }
}

/// An account, as it was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundMember {
    /// Whether the organization that is looked up holds it.
    pub in_organization: bool,
    /// What its regions have.
    pub states: BTreeMap<Region, RegionState>,
    /// Regions that could not be read, with the reason.
    pub unread: BTreeMap<Region, String>,
    /// How much of the account `states` shows.
    pub view: View,
}

impl FoundMember {
    /// An account outside the organization, of which nothing was found yet.
    pub fn new(view: View) -> Self {
        Self { in_organization: false, states: BTreeMap::new(), unread: BTreeMap::new(), view }
    }
}

/// How much of an account was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// All resources and flow logs of every region that it has enabled.
    Account,
    /// The same of some regions.
    Regions,
    /// Flow logs only.
    FlowLogs,
    /// Nothing, for this reason.
    Nothing(String),
}

/// A sub-folder of the bucket, or its top.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folder(Option<Prefix>);

impl Folder {
    /// The top of the bucket.
    pub const TOP: Self = Self(None);

    /// The sub-folder; `None` is the top of the bucket.
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
