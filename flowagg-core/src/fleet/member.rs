use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::id::{AccountId, Region, ResourceId, ResourceKind, RoleName};
use crate::observed::Resource;

/// An account whose traffic is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// What people call it.
    pub name: Option<String>,
    /// The regions that are logged.
    pub regions: Regions,
    /// The role to take in the account when the caller is in another.
    pub role: RoleName,
    /// What is logged there.
    pub resources: Selection,
    /// Whether it was found in the organization that the fleet file names.
    pub in_organization: bool,
}

/// The regions of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regions {
    /// These.
    These(BTreeSet<Region>),
    /// All that are enabled in the account.
    All {
        /// Which ones that are.
        enabled: BTreeSet<Region>,
    },
}

impl Regions {
    /// All, before anybody has looked which ones that are.
    pub const ALL: Self = Self::All { enabled: BTreeSet::new() };

    /// The regions, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        match self {
            Self::These(regions) | Self::All { enabled: regions } => regions.iter(),
        }
    }
}

/// What of an account is logged. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Selection(BTreeMap<ResourceKind, Choice>);

impl Selection {
    /// These choices; `None` where there is none.
    pub fn of(choices: BTreeMap<ResourceKind, Choice>) -> Option<Self> {
        (!choices.is_empty()).then_some(Self(choices))
    }

    /// The kinds of resources that are looked at.
    pub fn kinds(&self) -> impl Iterator<Item = ResourceKind> {
        self.0.keys().copied()
    }

    /// The resources that are named one by one.
    pub fn named(&self) -> impl Iterator<Item = &ResourceId> {
        self.0.values().flat_map(|choice| match choice {
            Choice::Ids(ids) => ids.iter().collect(),
            Choice::All(_) => Vec::new(),
        })
    }

    /// Whether a resource is chosen.
    pub fn chooses(&self, resource: &Resource) -> bool {
        self.0.get(&resource.id.kind()).is_some_and(|choice| choice.chooses(resource))
    }
}

impl Default for Selection {
    /// Every VPC.
    fn default() -> Self {
        Self(BTreeMap::from([(ResourceKind::Vpc, Choice::All(Filter::default()))]))
    }
}

/// Which resources of one kind are logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// These.
    Ids(BTreeSet<ResourceId>),
    /// All that the account owns and that pass.
    All(Filter),
}

/// What a resource must be to be logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Filter {
    /// The tags that it must bear, all of them.
    pub tags: BTreeMap<String, String>,
    /// The resources that it must not be.
    pub except: BTreeSet<ResourceId>,
    /// Whether it may be the default VPC that AWS makes in every region.
    pub default_vpcs: bool,
}

impl Default for Filter {
    /// Everything passes.
    fn default() -> Self {
        Self { tags: BTreeMap::new(), except: BTreeSet::new(), default_vpcs: true }
    }
}

impl Choice {
    fn chooses(&self, resource: &Resource) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(&resource.id),
            Self::All(Filter { tags, except, default_vpcs }) => {
                tags.iter().all(|(key, value)| resource.tags.get(key) == Some(value))
                    && !except.contains(&resource.id)
                    && (*default_vpcs || !resource.is_default)
            }
        }
    }
}
