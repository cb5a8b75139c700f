//! How many accounts fit in a form.

use std::collections::BTreeSet;

use flowagg_core::fleet::{GrantForm, PolicySettings};
use flowagg_core::id::AccountId;

use super::{MergeError, Unnamed, merge, remove};
use crate::grant::{Grant, Who};
use crate::size::LIMIT;

/// How many accounts fit in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The form.
    pub form: GrantForm,
    /// The most accounts; `None` where the form lists none, so that any number fits.
    pub accounts: Option<usize>,
    /// The bytes of the policy with that many accounts.
    pub bytes: usize,
    /// The bytes of one account more.
    pub bytes_per_account: usize,
}

/// How many accounts fit in this form (which is not `auto`), beside what else is in the live policy.
///
/// The grant's bucket, folder and settings count, not whom it names. Where `aws:SourceArn` is tested, each account is
/// taken with one value for all regions.
pub fn capacity(live: Option<&str>, grant: &Grant, form: GrantForm) -> Result<Capacity, MergeError> {
    let others = match live {
        Some(live) => remove(live, grant)?,
        None => None,
    };
    let bytes_of = |count: u64| {
        let numbered = |number: u64| AccountId::parse(&format!("{number:012}")).ok();
        let accounts: BTreeSet<AccountId> = (0..count).filter_map(numbered).collect();
        let who = match (form, &grant.who) {
            (GrantForm::Organization | GrantForm::BoundOrganization, Who::Organization { id, units, .. }) => {
                Who::Organization {
                    id: id.clone(),
                    units: units.clone(),
                    also: BTreeSet::new(),
                    within: BTreeSet::new(),
                }
            }
            _ => Who::Accounts(accounts),
        };
        let settings = PolicySettings { form, ..grant.settings.clone() };
        let regions = grant.regions.as_ref().map(|_| std::collections::BTreeMap::new());
        let grant = Grant { who, settings, regions, ..grant.clone() };
        merge(others.as_deref(), &grant, Unnamed::Prune).map(|merged| merged.bytes)
    };
    // From two on, every account costs the same: one alone has no brackets around it.
    let (two, three) = match (bytes_of(2), bytes_of(3)) {
        (Ok(two), Ok(three)) => (two, three),
        (Err(MergeError::TooLarge { bytes, .. }), _) | (_, Err(MergeError::TooLarge { bytes, .. })) => {
            return Ok(Capacity { form, accounts: Some(0), bytes, bytes_per_account: 0 });
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let bytes_per_account = three - two;
    let more = LIMIT.saturating_sub(two).checked_div(bytes_per_account);
    let bytes = two + more.map_or(0, |more| more * bytes_per_account);
    Ok(Capacity { form, accounts: more.map(|more| more + 2), bytes, bytes_per_account })
}
