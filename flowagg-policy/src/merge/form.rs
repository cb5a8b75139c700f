//! The choice of the form for a grant's statements.

use flowagg_core::fleet::GrantForm;
use serde::Serialize;

use super::{MergeError, Unnamed};
use crate::grant::{Extent, Grant};

/// The reason for the form of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FormReason {
    /// The fleet file sets it.
    Asked,
    /// The statements in the live policy use it, and it still fits.
    Live,
    /// The statements in the live policy name the organization, and a list would revoke delivery from members that it
    /// does not name.
    Unlisted,
    /// All current and future accounts of the organization belong to the fleet.
    Whole,
    /// It is the most specific documented form that fits.
    Fits,
}

/// Chooses the form of a grant and writes it with `write`, which fails if the form cannot be written or does not fit.
///
/// `live` is the form of the fleet's statements in the live policy. Form `auto` keeps it while it fits, because a
/// change of form can grant or revoke delivery without a request. Only with [`Unnamed::Prune`], a statement for an
/// organization is replaced with a list if it allows accounts that the fleet file does not list, because pruning
/// requests that revocation.
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
    // Without source conditions, a statement for an organization would allow every account.
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

/// Whether a list can name the accounts of an organization that belongs to the fleet as a whole, because they are
/// known.
fn names_members(grant: &Grant) -> bool {
    grant.organization.as_ref().is_none_or(|organization| {
        organization.extent != Extent::Whole || !grant.accounts.is_subset(&organization.outside)
    })
}

/// Returns the first form that can be written, or else the error of the form that comes closest.
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
