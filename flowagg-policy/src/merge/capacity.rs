//! The number of accounts that fit in a form.

use std::collections::BTreeSet;

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::AccountId;

use serde::Serialize;

use super::{MergeError, Unnamed, merge, remove, reserve};
use crate::document::{Document, NOTHING};
use crate::grant::{Extent, Grant, GrantedOrganization};
use crate::size::LIMIT;

/// The size of a fleet's policy, and the number of accounts that fit in each form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Sizes {
    /// The S3 limit, in bytes of compact JSON.
    pub limit: usize,
    /// The form of the fleet's policy.
    #[cfg_attr(feature = "schema", schemars(with = "GrantForm"))]
    pub form: &'static str,
    /// The size of the fleet's policy in bytes, including the other statements of the live policy.
    pub bytes: usize,
    /// The bytes reserved for the statements that AWS may append for flow logs in the hub account.
    pub reserved: usize,
    /// The number of accounts in the fleet.
    pub accounts: usize,
    /// Every form.
    pub forms: Vec<FormSize>,
}

/// The capacity of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Form"))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FormSize {
    /// The name of the form.
    #[cfg_attr(feature = "schema", schemars(with = "GrantForm"))]
    pub form: &'static str,
    /// The number of accounts that fit; null if unlimited.
    pub accounts: Option<usize>,
    /// The bytes that each account takes.
    pub bytes_per_account: usize,
}

/// Returns the size of a grant's policy after a merge into the live policy, and the number of accounts that fit in each
/// form.
///
/// `accounts` is the number of accounts in the fleet. Forms that the grant cannot use (no organization, an old policy
/// version) are left out.
pub fn sizes(live: Option<&str>, grant: &Grant, accounts: usize) -> Result<Sizes, MergeError> {
    let merged = merge(live, grant, Unnamed::Keep)?;
    let forms = GrantForm::ALL.into_iter().filter(|form| *form != GrantForm::Auto);
    let fitting = forms.filter_map(|form| {
        let fits = capacity(live, grant, form).ok()?;
        let bytes_per_account = fits.bytes_per_account;
        Some(FormSize { form: form.as_str(), accounts: fits.accounts, bytes_per_account })
    });
    Ok(Sizes {
        limit: LIMIT,
        form: merged.form.as_str(),
        bytes: merged.bytes,
        reserved: reserved(live, grant)?,
        accounts,
        forms: fitting.collect(),
    })
}

/// The bytes to reserve in this policy.
fn reserved(policy: Option<&str>, grant: &Grant) -> Result<usize, MergeError> {
    reserve::bytes(&Document::parse(policy.unwrap_or(NOTHING))?, grant)
}

/// The number of accounts that fit in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Capacity {
    pub form: GrantForm,
    /// The maximum number of accounts; `None` if the form lists no accounts, so the number is unlimited.
    pub accounts: Option<usize>,
    /// The size of the policy in bytes with that many accounts.
    pub bytes: usize,
    /// The bytes of each additional account.
    pub bytes_per_account: usize,
}

/// Returns the number of accounts that fit in this form (which must not be `auto`) next to the other statements of the
/// live policy.
///
/// The result depends on the grant's bucket, folder and settings and on the bytes reserved for AWS's own statements,
/// but not on the accounts that it names. If `aws:SourceArn` is tested, each account is counted with one value for all
/// regions.
pub fn capacity(live: Option<&str>, grant: &Grant, form: GrantForm) -> Result<Capacity, MergeError> {
    let others = match live {
        Some(live) => remove(live, grant)?,
        None => None,
    };
    let bytes_of = |count: u64| {
        let numbered = |number: u64| AccountId::parse(&format!("{number:012}")).ok();
        let accounts: BTreeSet<AccountId> = (0..count).filter_map(numbered).collect();
        let organization = grant.organization.clone().map(|organization| GrantedOrganization {
            extent: Extent::Unlisted,
            outside: BTreeSet::new(),
            ..organization
        });
        let mut settings = grant.settings.clone();
        settings.form = form;
        let regions = grant.regions.as_ref().map(|_| std::collections::BTreeMap::new());
        let grant = Grant { accounts, organization, settings, regions, ..grant.clone() };
        merge(others.as_deref(), &grant, Unnamed::Prune).map(|merged| merged.bytes)
    };
    // From the second on, every account takes the same number of bytes: a single account is written without brackets.
    let (two, three) = match (bytes_of(2), bytes_of(3)) {
        (Ok(two), Ok(three)) => (two, three),
        (Err(MergeError::TooLarge { bytes, .. }), _) | (_, Err(MergeError::TooLarge { bytes, .. })) => {
            return Ok(Capacity { form, accounts: Some(0), bytes, bytes_per_account: 0 });
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let bytes_per_account = three - two;
    let room = LIMIT.saturating_sub(two + reserved(others.as_deref(), grant)?);
    let more = room.checked_div(bytes_per_account);
    let bytes = two + more.map_or(0, |more| more * bytes_per_account);
    Ok(Capacity { form, accounts: more.map(|more| more + 2), bytes, bytes_per_account })
}
