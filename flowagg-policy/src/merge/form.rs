//! The choice of the form of a grant's statements.

use flowagg_core::fleet::GrantForm;
use serde::Serialize;

use super::{MergeError, Unnamed};
use crate::grant::{Extent, Grant};

/// Why a grant has its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FormReason {
    /// The fleet file asks for it.
    Asked,
    /// The statements in the live policy have it, and it still fits.
    Live,
    /// The statements in the live policy name the organization, and delivery would be revoked from members that a list does not
    /// name.
    Unlisted,
    /// All accounts of the organization, now and later, belong to the fleet.
    Whole,
    /// It is the most specific of the documented forms that fits.
    Fits,
}

/// Chooses the form of a grant, which `write` writes if it can and if the policy then fits.
///
/// `live` is the form of the fleet's statements in the live policy. Form `auto` keeps it while it fits: a change of form can grant or
/// revoke delivery, and nobody asked for it. Only with [`Unnamed::Prune`] a statement for an organization makes room for a
/// list, if it lets in accounts that the fleet file does not list: to revoke that is what was asked for.
pub(super) fn choose<T>(
    grant: &Grant,
    live: Option<GrantForm>,
    absent: Unnamed,
    write: impl Fn(GrantForm) -> Result<T, MergeError>,
) -> Result<(FormReason, T), MergeError> {
    let asked = grant.settings.form;
    if asked != GrantForm::Auto {
        return Ok((FormReason::Asked, write(asked)?));
    }
    // Without source conditions, a statement for an organization would let every account in.
    let organization = grant.organization.as_ref().filter(|_| grant.settings.source_conditions);
    let extent = organization.map(|organization| organization.extent);
    let lists = || first(&[GrantForm::Prefixes, GrantForm::Accounts], &write);
    let lets_others_in = !matches!(extent, Some(Extent::Whole | Extent::Units));
    if let Some(form) = live {
        if form.is_by_organization() && lets_others_in {
            if absent == Unnamed::Keep {
                let written = write(form)?;
                let reason = if lists().is_ok() { FormReason::Unlisted } else { FormReason::Live };
                return Ok((reason, written));
            }
        } else if (form.is_by_organization() || names_members(grant))
            && let Ok(written) = write(form)
        {
            return Ok((FormReason::Live, written));
        }
    }
    match extent {
        Some(Extent::Whole) => Ok((FormReason::Whole, write(GrantForm::Organization)?)),
        Some(Extent::Units | Extent::Unlisted) => {
            let all = [GrantForm::Prefixes, GrantForm::Accounts, GrantForm::Organization];
            Ok((FormReason::Fits, first(&all, &write)?))
        }
        Some(Extent::LeftOut) | None => Ok((FormReason::Fits, lists()?)),
    }
}

/// Whether the accounts of an organization, all of which belong to the fleet, are known, so that a list can name them.
fn names_members(grant: &Grant) -> bool {
    grant.organization.as_ref().is_none_or(|organization| {
        organization.extent != Extent::Whole || !grant.accounts.is_subset(&organization.outside)
    })
}

/// The first form that can be written; else the error of the one that comes closest.
fn first<T>(
    forms: &[GrantForm],
    write: impl Fn(GrantForm) -> Result<T, MergeError>,
) -> Result<T, MergeError> {
    let mut closest: Option<MergeError> = None;
    for &form in forms {
        match (write(form), &closest) {
            (Ok(written), _) => return Ok(written),
            (Err(error), None) => closest = Some(error),
            (
                Err(error @ MergeError::TooLarge { bytes, .. }),
                Some(MergeError::TooLarge { bytes: least, .. }),
            ) if bytes < *least => closest = Some(error),
            (Err(_), Some(_)) => {}
        }
    }
    Err(closest.unwrap_or(MergeError::Empty))
}
