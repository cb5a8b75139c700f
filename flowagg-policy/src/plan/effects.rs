//! Who may deliver after a write to the bucket policy and could not before, or the other way round. The evaluator decides: a
//! foreign statement may allow a delivery as well, or deny it.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::Fleet;
use flowagg_core::id::{AccountId, Region};

use super::adoption::unnamed_region;
use crate::assure::deliveries;
use crate::document::DocumentError;
use crate::grant::{Grant, Who};
use crate::merge::{MergeError, NOTHING, granted_by, remove};

/// What a write does to these accounts.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Those that may deliver from a region from which they could not.
    pub(super) granted: BTreeSet<AccountId>,
    /// Those that foreign statements let deliver before and after.
    pub(super) allowed_anyway: BTreeSet<AccountId>,
    /// Those that may no longer deliver from a region from which they could.
    pub(super) revoked: BTreeSet<AccountId>,
}

/// Compares the policies, `None` for none, for these accounts.
pub(super) fn effects(
    fleet: &Fleet,
    grant: &Grant,
    before: Option<&str>,
    after: Option<&str>,
    accounts: &BTreeSet<AccountId>,
) -> Result<Effects, MergeError> {
    let regions = regions(fleet, grant, before, accounts)?;
    let covered = match &grant.who {
        Who::Accounts(members) => members - &grant.outside,
        Who::Organization { within, .. } => within.clone(),
    };
    let ask = |policy: Option<&str>| deliveries(policy.unwrap_or(NOTHING), grant, &covered, &regions);
    let (before, foreign) = (ask(before)?, after.map(|after| remove(after, grant)).transpose()?.flatten());
    let (after, foreign) = (ask(after)?, ask(foreign.as_deref())?);
    let of =
        |all: &BTreeMap<AccountId, BTreeSet<Region>>, account| all.get(account).cloned().unwrap_or_default();
    let mut effects = Effects::default();
    for account in accounts {
        let (was, is) = (of(&before, account), of(&after, account));
        if !is.is_subset(&was) {
            effects.granted.insert(*account);
        } else if !is.is_empty() && of(&foreign, account) == is {
            effects.allowed_anyway.insert(*account);
        }
        if !was.is_subset(&is) {
            effects.revoked.insert(*account);
        }
    }
    Ok(effects)
}

/// The regions to ask about: those of a member; of another account those that the fleet's statements give it, the hub's, and one
/// that no fleet file names.
fn regions(
    fleet: &Fleet,
    grant: &Grant,
    before: Option<&str>,
    accounts: &BTreeSet<AccountId>,
) -> Result<BTreeMap<AccountId, BTreeSet<Region>>, DocumentError> {
    let granted = before.map(|before| granted_by(before, grant)).transpose()?.flatten();
    let granted = granted.and_then(|granted| granted.regions).unwrap_or_default();
    let of = |account: &AccountId| {
        let own = fleet.members.get(account).into_iter().flat_map(|member| member.regions.iter());
        let own: BTreeSet<Region> = own.cloned().collect();
        if !own.is_empty() {
            return own;
        }
        let live = granted.get(account).into_iter().flatten();
        live.chain([&fleet.hub.region]).cloned().chain(unnamed_region(fleet.partition())).collect()
    };
    Ok(accounts.iter().map(|account| (*account, of(account))).collect())
}
