use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::id::{AccountId, OrganizationalUnitId, Region, ResourceId, ResourceKind, RoleName};
use crate::observed::Resource;

/// An account whose traffic is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// Its name for people; nothing depends on it.
    pub name: Option<String>,
    /// The regions that are logged.
    pub regions: Regions,
    /// The role to assume in the account if the caller is in another.
    pub role: RoleName,
    /// What is logged there.
    pub resources: Selection,
    /// Whether it was found in the organization that the fleet file names.
    pub in_organization: bool,
    /// Whether the units that the fleet file chooses hold it, or the organization if it chooses none. Only then does a
    /// statement that names the organization or its units let it deliver.
    pub in_units: bool,
    /// The units of [exceptions](super::Exception) that hold it.
    #[serde(skip)]
    pub units: BTreeSet<OrganizationalUnitId>,
}

impl Member {
    /// A member without a name, which was not found in an organization.
    pub fn new(account: AccountId, regions: Regions, role: RoleName, resources: Selection) -> Self {
        Self {
            account,
            name: None,
            regions,
            role,
            resources,
            in_organization: false,
            in_units: false,
            units: BTreeSet::new(),
        }
    }
}

/// Whether a resource gets a flow log of its own, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It has a flow log of its own.
    Logged,
    /// It is not chosen.
    Unchosen,
    /// Another account shares it, and only that one can log it.
    Shared(AccountId),
    /// It is a part of something that is logged: one of its own would deliver, and cost, the same traffic twice.
    Covered(&'a ResourceId),
}

impl Member {
    /// Which resources of a region get a flow log of their own, ordered by their ids, which put the whole before its parts.
    pub fn standings<'a>(&self, resources: &'a [Resource]) -> Vec<(&'a Resource, Standing<'a>)> {
        let mut resources: Vec<&Resource> = resources.iter().collect();
        resources.sort_by(|a, b| a.id.cmp(&b.id));
        let mut logged: BTreeSet<&ResourceId> = BTreeSet::new();
        let standing = |resource: &'a Resource| {
            let standing = if !self.resources.chooses(resource) {
                Standing::Unchosen
            } else if let Some(owner) = resource.owner.filter(|owner| *owner != self.account) {
                Standing::Shared(owner)
            } else if let Some(whole) = resource.part_of.iter().find(|whole| logged.contains(whole)) {
                Standing::Covered(whole)
            } else {
                logged.insert(&resource.id);
                Standing::Logged
            };
            (resource, standing)
        };
        resources.into_iter().map(standing).collect()
    }
}

/// The regions of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regions {
    /// These regions.
    These(BTreeSet<Region>),
    /// All that are enabled in the account.
    All {
        /// The enabled regions; `None` if they have not been looked up.
        enabled: Option<BTreeSet<Region>>,
    },
}

impl Regions {
    /// All enabled regions, not looked up yet.
    pub const ALL: Self = Self::All { enabled: None };

    /// The regions that are known, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        let known = match self {
            Self::These(regions) => Some(regions),
            Self::All { enabled } => enabled.as_ref(),
        };
        known.into_iter().flatten()
    }
}

/// Which resources of an account are logged, by kind. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Selection(BTreeMap<ResourceKind, Choice>);

/// A selection of no kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a selection has at least one kind of resource")]
#[non_exhaustive]
pub struct NothingSelected;

impl TryFrom<BTreeMap<ResourceKind, Choice>> for Selection {
    type Error = NothingSelected;

    fn try_from(choices: BTreeMap<ResourceKind, Choice>) -> Result<Self, NothingSelected> {
        if choices.is_empty() { Err(NothingSelected) } else { Ok(Self(choices)) }
    }
}

impl Selection {
    /// The kinds of resources of which some are logged.
    pub fn kinds(&self) -> impl Iterator<Item = ResourceKind> {
        self.0.keys().copied()
    }

    /// Which resources of a kind are logged; `None` where none are.
    pub fn choice(&self, kind: ResourceKind) -> Option<&Choice> {
        self.0.get(&kind)
    }

    /// What is chosen of each kind.
    pub fn choices(&self) -> impl Iterator<Item = (ResourceKind, &Choice)> {
        self.0.iter().map(|(kind, choice)| (*kind, choice))
    }

    /// The resources that are chosen by their id.
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
    /// The resources with these ids.
    Ids(BTreeSet<ResourceId>),
    /// All that the account owns and that pass the filter.
    All(Filter),
}

/// Which resources pass: those that meet all of this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Filter {
    /// Tags that the resource must have, all of them.
    pub tags: BTreeMap<String, String>,
    /// Resources that do not pass.
    pub except: BTreeSet<ResourceId>,
    /// Whether the default VPC that AWS creates in every region passes.
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
