//! Converts the managed statements of a policy back to a grant.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{GrantForm, PolicySettings};
use flowagg_core::id::{AccountId, Region};

use super::survey::Survey;
use crate::document::{Document, DocumentError};
use crate::grant::{AclActions, Folders, Grant, GrantedOrganization, Statement, Write};

/// Returns the grant of the fleet's statements in a policy for the target's bucket and folder; `None` if there are
/// none.
///
/// Only the target's fleet name, bucket, prefix and Hive setting are used. Merging the returned grant into an empty
/// policy gives the same statements.
pub fn granted_by(policy: &str, target: &Grant) -> Result<Option<Grant>, DocumentError> {
    let document = Document::parse(policy)?;
    Ok(grant_of(&Survey::of(&document, target), target))
}

/// Returns the grant of all statements with the documented structure for the target's bucket and folder, managed or
/// foreign; `None` if there are none. It describes a policy that is not managed yet, without implying ownership of its
/// statements.
pub fn granted_by_anyone(policy: &str, target: &Grant) -> Result<Option<Grant>, DocumentError> {
    let document = Document::parse(policy)?;
    Ok(grant_of(&Survey::of_anyone(&document, target), target))
}

/// The form of the live statements; `None` if there are none, or if they allow every account, which no form does.
pub(super) fn live_form(survey: &Survey) -> Option<GrantForm> {
    form_of(survey).filter(|_| !survey.allows_everyone())
}

/// The form of the managed statements that could be parsed.
fn form_of(survey: &Survey) -> Option<GrantForm> {
    let by_organization = survey.writes().any(|write| write.source.of_organization().is_some());
    let denies = || survey.statements().any(|statement| matches!(statement, Statement::DenyOthers(_)));
    Some(match (&survey.writes().next()?.folders, by_organization) {
        (Folders::Own, true) => GrantForm::BoundOrganization,
        (_, true) => GrantForm::Organization,
        (Folders::Own, false) if denies() => GrantForm::BoundDeny,
        (Folders::Own, false) => GrantForm::BoundAccounts,
        (Folders::Each(_), false) => GrantForm::Prefixes,
        (Folders::Any, false) => GrantForm::Accounts,
    })
}

fn grant_of(survey: &Survey, target: &Grant) -> Option<Grant> {
    let form = form_of(survey)?;
    let writes: Vec<&Write> = survey.writes().collect();
    let first = writes.first()?;
    let accounts = survey.accounts();
    let organization = writes.iter().find_map(|write| write.source.of_organization());
    let organization = organization.map(|(id, units)| GrantedOrganization {
        units,
        outside: accounts.clone(),
        ..GrantedOrganization::whole(id.clone())
    });
    let mut settings = PolicySettings::default();
    settings.form = form;
    settings.source_conditions = form != GrantForm::Prefixes || first.source.accounts.is_some();
    settings.source_arn = writes.iter().any(|write| write.source.arns.is_some());
    settings.acl_condition = first.acl;
    settings.list_bucket = survey
        .statements()
        .any(|statement| matches!(statement, Statement::AclCheck(check) if check.actions != AclActions::Acl));
    settings.deny_insecure_transport =
        survey.statements().any(|statement| *statement == Statement::DenyInsecureTransport);
    Some(Grant { accounts, organization, regions: regions(&writes), settings, ..target.clone() })
}

/// The regions that `aws:SourceArn` tests; an account with `*` as region has an empty set.
fn regions(writes: &[&Write]) -> Option<BTreeMap<AccountId, BTreeSet<Region>>> {
    let tested = writes.iter().filter_map(|write| write.source.arns.as_ref());
    let mut regions: Option<BTreeMap<AccountId, BTreeSet<Region>>> = None;
    for arn in tested.flatten() {
        let of_account = regions.get_or_insert_default().entry(arn.account).or_default();
        of_account.extend(arn.region.clone());
    }
    regions
}
