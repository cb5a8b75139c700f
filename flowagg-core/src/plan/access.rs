//! Access that the fleet's statements grant other than to individual accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::id::{AccountId, OrganizationId, OrganizationalUnitId, Region, text_in_json};
use crate::names::Names;

/// Access that a statement of the fleet grants other than to an individual account. [`Display`](fmt::Display) is also its JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// An account in the fleet file can deliver from a region that the fleet file does not list for it.
    Region {
        /// The account.
        account: AccountId,
        /// The region; `None` for every region.
        region: Option<Region>,
    },
    /// Accounts of an organization, or of its units, can deliver, whether or not the fleet file lists them.
    Organization {
        /// The organization.
        id: OrganizationId,
        /// Only the accounts under these units; empty for the whole organization.
        units: BTreeSet<OrganizationalUnitId>,
    },
    /// Every AWS account can deliver.
    Everyone,
    /// A statement with the fleet's Sid is for another prefix or was modified outside flowagg, so that its effect is unknown.
    Statement {
        /// The statement: its Sid in backticks, or its position in the policy, starting at 1.
        name: String,
        /// The statement itself. Two statements with the same name may allow different access.
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
                "everyone that statement {name} allows, which is for another prefix or was modified outside flowagg"
            ),
        }
    }
}

/// The regions that `aws:SourceArn` allows with `*`, other than those that the fleet file lists.
const OTHER_REGIONS: &str = "all other regions";

/// The text for each access. Accounts with the same regions are combined.
pub fn access(all: &BTreeSet<Access>, names: &Names) -> Vec<String> {
    let by_region = regions(all).into_iter();
    let by_region = by_region.map(|(regions, of)| format!("{} in {regions}", names.accounts(&of)));
    let others = all.iter().filter(|access| !matches!(access, Access::Region { .. }));
    by_region.chain(others.map(ToString::to_string)).collect()
}

/// The text for what a write revokes: delivery from accounts that can no longer deliver, and the grant for other access, which
/// foreign statements may still allow.
pub fn revoked(from: &BTreeSet<AccountId>, more: &BTreeSet<Access>, names: &Names) -> Vec<String> {
    let by_name = (!from.is_empty()).then(|| format!("delivery from {}", names.accounts(from)));
    by_name
        .into_iter()
        .chain(access(more, names).into_iter().map(|access| format!("the grant for {access}")))
        .collect()
}

/// The text for regions, with the accounts that can deliver from them.
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
