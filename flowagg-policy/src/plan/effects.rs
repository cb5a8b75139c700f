//! The accounts that gain or lose delivery access through a write to the bucket policy. The evaluator decides, because
//! a foreign statement may also allow or deny a delivery.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::Fleet;
use flowagg_core::id::{AccountId, Region};
use flowagg_core::observed::Scope;

use crate::access::{Answer, Deliveries, change, unnamed_region};
use crate::assure::{DeliveryProblem, assure_some};
use crate::document::DocumentError;
use crate::grant::Grant;
use crate::merge::{MergeError, Merged, granted_by, remove};

/// The effects of a policy write on accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effects {
    /// Accounts that gain delivery from at least one region.
    pub granted: BTreeSet<AccountId>,
    /// Accounts that foreign statements allow to deliver before and after.
    pub allowed_anyway: BTreeSet<AccountId>,
    /// Accounts that lose delivery from at least one region.
    pub revoked: BTreeSet<AccountId>,
}

/// Evaluates a merge before it is written: its effects on the accounts that the fleet file or the fleet's statements
/// name, and the deliveries of the fleet that it does not allow.
pub fn evaluate(
    fleet: &Fleet,
    grant: &Grant,
    live: Option<&str>,
    merged: &Merged,
) -> Result<(Effects, Vec<DeliveryProblem>), MergeError> {
    evaluate_for(fleet, grant, live, merged, &Scope::Whole)
}

/// Like [`evaluate`], but only requires the deliveries of members in the scope.
pub(super) fn evaluate_for(
    fleet: &Fleet,
    grant: &Grant,
    live: Option<&str>,
    merged: &Merged,
    scope: &Scope,
) -> Result<(Effects, Vec<DeliveryProblem>), MergeError> {
    let named = [&merged.granted, &merged.revoked, &merged.kept].into_iter().flatten();
    let accounts = fleet.members.keys().chain(named).copied().collect();
    let Compared { effects, assured } = compare(fleet, grant, live, Some(&merged.text), &accounts)?;
    let mut members = fleet.regions();
    members.retain(|account, _| scope.selects(*account));
    // If the regions of a member are unknown, use the hub's region.
    for regions in members.values_mut().filter(|regions| regions.is_empty()) {
        regions.insert(fleet.hub.region.clone());
    }
    Ok((effects, assure_some(live, merged, grant, &members, &assured)?))
}

/// The result of a comparison of two policies.
pub(super) struct Compared {
    pub(super) effects: Effects,
    /// The deliveries that the second policy certainly allows.
    assured: BTreeMap<AccountId, BTreeSet<Region>>,
}

/// Evaluates two policies for deliveries of these accounts to the fleet's folder. `None` is a bucket without a policy.
pub(super) fn compare(
    fleet: &Fleet,
    grant: &Grant,
    before: Option<&str>,
    after: Option<&str>,
    accounts: &BTreeSet<AccountId>,
) -> Result<Compared, MergeError> {
    let regions = regions(fleet, grant, before, accounts)?;
    let deliveries = Deliveries::of_grant(grant, &regions);
    let foreign = after.map(|after| remove(after, grant)).transpose()?.flatten();
    let [before, after, foreign] = deliveries.answers_of_each([before, after, foreign.as_deref()])?;
    let change = change(&before, &after);
    let anyway = accounts.iter().filter(|account| {
        after.get(account).is_some_and(|answers| answers.contains(&Answer::Allowed))
            && after.get(account) == foreign.get(account)
    });
    let effects = Effects {
        allowed_anyway: anyway
            .copied()
            .collect::<BTreeSet<_>>()
            .difference(&change.granted)
            .copied()
            .collect(),
        granted: change.granted,
        revoked: change.revoked,
    };
    let assured = regions.into_iter().map(|(account, mut regions)| {
        // The answers are in the order of the regions.
        let mut answers = after.get(&account).into_iter().flatten();
        regions.retain(|_| answers.next() == Some(&Answer::Allowed));
        (account, regions)
    });
    Ok(Compared { effects, assured: assured.collect() })
}

/// The members that a policy allows to deliver from at least one region.
pub(super) fn deliverers(
    fleet: &Fleet,
    grant: &Grant,
    policy: Option<&str>,
) -> Result<BTreeSet<AccountId>, DocumentError> {
    let members = fleet.members.keys().copied().collect();
    let answers = Deliveries::of_grant(grant, &regions(fleet, grant, policy, &members)?).answers(policy)?;
    let allowed = answers.into_iter().filter(|(_, answers)| answers.contains(&Answer::Allowed));
    Ok(allowed.map(|(account, _)| account).collect())
}

/// The regions to evaluate: a member's own regions; for other accounts, the regions in the fleet's statements, the
/// hub's region, and one that no fleet file names.
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
