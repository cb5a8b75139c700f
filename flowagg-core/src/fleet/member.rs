use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::id::{AccountId, OrganizationalUnitId, Region, ResourceId, ResourceKind, RoleName};
use crate::observed::Resource;

/// An account whose traffic is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Member {
    pub account: AccountId,
    /// The display name, which has no effect.
    pub name: Option<String>,
    /// The regions that are logged.
    pub regions: Regions,
    /// The role to assume in the account if the caller is in another account.
    pub role: RoleName,
    /// The resources to log.
    pub resources: Selection,
    /// Whether it was found in the organization of the fleet file.
    pub in_organization: bool,
    /// Whether it is under a unit that the fleet file selects, or, if none is selected, in the organization. Only then does a
    /// statement that names the organization or its units allow it to deliver.
    pub in_units: bool,
    /// The units of [exceptions](super::Exception) that contain it.
    #[serde(skip)]
    pub units: BTreeSet<OrganizationalUnitId>,
}

impl Member {
    /// A member without a name and outside any organization.
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

/// Whether a resource gets its own flow log, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It gets its own flow log.
    Logged,
    /// It is not selected.
    Unchosen,
    /// It is shared by another account, and only the owner can log it.
    Shared(AccountId),
    /// It is part of a resource that is logged. Its own flow log would deliver, and charge, the same traffic twice.
    Covered(&'a ResourceId),
}

impl Member {
    /// Which resources of a region get their own flow log, ordered by ID, which puts each whole before its parts.
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

    /// The VPCs of a region that the fleet does not log, by ID, if the fleet file selects VPCs of the account at all.
    pub fn excluded_vpcs<'a>(&self, resources: &'a [Resource]) -> Vec<(&'a Resource, Exclusion)> {
        let Some(choice) = self.resources.choice(ResourceKind::Vpc) else { return Vec::new() };
        let vpcs = resources.iter().filter(|resource| resource.id.kind() == ResourceKind::Vpc);
        let excluded = vpcs.filter_map(|vpc| {
            let owner = vpc.owner.filter(|owner| *owner != self.account);
            let shared = owner.map(|owner| Exclusion::Shared { owner });
            Some((vpc, shared.or_else(|| choice.exclusion(vpc))?))
        });
        let mut excluded: Vec<_> = excluded.collect();
        excluded.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        excluded
    }
}

/// The regions of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regions {
    /// The listed regions.
    These(BTreeSet<Region>),
    /// All regions that are enabled in the account.
    All {
        /// The enabled regions; `None` if they have not been looked up.
        enabled: Option<BTreeSet<Region>>,
    },
}

impl Regions {
    /// All enabled regions, before the lookup.
    pub const ALL: Self = Self::All { enabled: None };

    /// The known regions, in order.
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

/// The error for a selection without any kind of resource.
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
    /// The kinds of resources that are logged.
    pub fn kinds(&self) -> impl Iterator<Item = ResourceKind> {
        self.0.keys().copied()
    }

    /// Which resources of a kind are logged; `None` if none are.
    pub fn choice(&self, kind: ResourceKind) -> Option<&Choice> {
        self.0.get(&kind)
    }

    /// The choice for each kind.
    pub fn choices(&self) -> impl Iterator<Item = (ResourceKind, &Choice)> {
        self.0.iter().map(|(kind, choice)| (*kind, choice))
    }

    /// The resources that are selected by ID.
    pub fn named(&self) -> impl Iterator<Item = &ResourceId> {
        self.0.values().flat_map(|choice| match choice {
            Choice::Ids(ids) => ids.iter().collect(),
            Choice::All(_) => Vec::new(),
        })
    }

    /// Whether a resource is selected.
    pub fn chooses(&self, resource: &Resource) -> bool {
        self.0.get(&resource.id.kind()).is_some_and(|choice| choice.exclusion(resource).is_none())
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
    /// The resources with these IDs.
    Ids(BTreeSet<ResourceId>),
    /// All resources that the account owns and that pass the filter.
    All(Filter),
}

/// A filter for resources. A resource passes if it meets all conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Filter {
    /// Tags that the resource must have.
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
    /// Why a resource of this kind is not selected; `None` if it is.
    fn exclusion(&self, resource: &Resource) -> Option<Exclusion> {
        match self {
            Self::Ids(ids) => (!ids.contains(&resource.id)).then_some(Exclusion::NotListed),
            Self::All(Filter { except, .. }) if except.contains(&resource.id) => Some(Exclusion::Excepted),
            Self::All(Filter { default_vpcs: false, .. }) if resource.is_default => {
                Some(Exclusion::DefaultVpc)
            }
            Self::All(Filter { tags, .. }) => {
                let has_all = tags.iter().all(|(key, value)| resource.tags.get(key) == Some(value));
                (!has_all).then_some(Exclusion::OtherTags)
            }
        }
    }
}

/// Why a VPC is not part of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Exclusion {
    /// The fleet file lists IDs, and this ID is not among them.
    NotListed,
    /// The fleet file lists it under `except`.
    Excepted,
    /// It is a default VPC, and the fleet file excludes those.
    DefaultVpc,
    /// It lacks a tag that the fleet file requires.
    OtherTags,
    /// Another account owns it, and only the owner can log it.
    Shared {
        /// The owner.
        owner: AccountId,
    },
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListed => f.write_str("not listed in `vpcs`"),
            Self::Excepted => f.write_str("listed in `vpcs.except`"),
            Self::DefaultVpc => f.write_str("default VPC, excluded by `vpcs.default-vpcs`"),
            Self::OtherTags => f.write_str("without the tags in `vpcs.tags`"),
            Self::Shared { owner } => write!(f, "shared by {owner}, which owns it"),
        }
    }
}
