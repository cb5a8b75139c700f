//! Access that the fleet's statements grant otherwise than to an account by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::id::{AccountId, OrganizationId, OrganizationalUnitId, Region, text_in_json};
use crate::names::Names;

/// Access that a statement of the fleet grants, other than to an account by name. [`Display`](fmt::Display) gives the words
/// for it, which are also its JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// An account that the fleet file names may deliver from a region that the fleet file does not name for it.
    Region {
        /// The account.
        account: AccountId,
        /// The region; `None` for every region.
        region: Option<Region>,
    },
    /// Members of an organization, or of its units, may deliver, whether the fleet file lists them or not.
    Organization {
        /// The organization.
        id: OrganizationId,
        /// Only the accounts under these units; none stands for the whole organization.
        units: BTreeSet<OrganizationalUnitId>,
    },
    /// Every AWS account may deliver.
    Everyone,
    /// A statement with the fleet's mark is for another folder or was changed by someone else: what it allows was not read.
    Statement {
        /// The statement: its Sid in backticks, or its place in the list, from 1.
        name: String,
        /// The statement itself. Two of one name do not allow the same.
        text: String,
    },
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region { account, region: Some(region) } => write!(f, "{account} in {region}"),
            Self::Region { account, region: None } => write!(f, "{account} in {OTHER_REGIONS}"),
            Self::Organization { id, units } => {
                f.write_str("members of ")?;
                if !units.is_empty() {
                    let units: Vec<&str> = units.iter().map(|unit| unit.as_str()).collect();
                    write!(f, "{} in ", units.join(", "))?;
                }
                write!(f, "organization {id} that the fleet file does not list")
            }
            Self::Everyone => f.write_str("every AWS account that the fleet file does not list"),
            Self::Statement { name, .. } => write!(
                f,
                "those that statement {name} allows, which is for another folder or was changed by someone else"
            ),
        }
    }
}

/// What `aws:SourceArn` allows with `*` for a region, besides the regions that the fleet file names.
const OTHER_REGIONS: &str = "all other regions";

/// The words for each access; accounts with the same regions are put together.
pub fn access(all: &BTreeSet<Access>, names: &Names) -> Vec<String> {
    let by_region = regions(all).into_iter();
    let by_region = by_region.map(|(regions, of)| format!("{} in {regions}", names.accounts(&of)));
    let others = all.iter().filter(|access| !matches!(access, Access::Region { .. }));
    by_region.chain(others.map(ToString::to_string)).collect()
}

/// What a write revokes, in words: delivery from accounts that may no longer deliver, and the grant for other access, which foreign
/// statements may still allow.
pub fn revoked(from: &BTreeSet<AccountId>, more: &BTreeSet<Access>, names: &Names) -> Vec<String> {
    let by_name = (!from.is_empty()).then(|| format!("delivery from {}", names.accounts(from)));
    by_name
        .into_iter()
        .chain(access(more, names).into_iter().map(|access| format!("the grant for {access}")))
        .collect()
}

/// Regions in words, with the accounts that may deliver from them.
fn regions(all: &BTreeSet<Access>) -> BTreeMap<String, BTreeSet<AccountId>> {
    let mut by_account: BTreeMap<AccountId, Vec<&str>> = BTreeMap::new();
    for access in all {
        let Access::Region { account, region } = access else { continue };
        let region = region.as_ref().map_or(OTHER_REGIONS, |region| region.as_str());
        by_account.entry(*account).or_default().push(region);
    }
    let mut by_regions: BTreeMap<String, BTreeSet<AccountId>> = BTreeMap::new();
    for (account, regions) in by_account {
        by_regions.entry(regions.join(", ")).or_default().insert(account);
    }
    by_regions
}

text_in_json!(Access);
