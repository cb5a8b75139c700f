//! A model of a grant's decisions, computed from its values without writing or evaluating statements.

use std::collections::BTreeSet;

use flowagg_core::fleet::{AclCondition, GrantForm};
use flowagg_core::id::{AccountId, OrganizationalUnitId};
use flowagg_policy::{DELIVERY_ACL, DELIVERY_SERVICE, DecisionKind, Grant};
use flowagg_testkit::arbitrary::{Action, PlainRequest};

/// The decision on a request after merging the grant in this form, given the decision before.
pub(crate) fn decided(
    before: DecisionKind,
    grant: &Grant,
    form: GrantForm,
    asked: &PlainRequest,
) -> DecisionKind {
    if before == DecisionKind::ExplicitDeny || denies(grant, form, asked) {
        DecisionKind::ExplicitDeny
    } else if before == DecisionKind::Allow || allows(grant, form, asked) {
        DecisionKind::Allow
    } else {
        DecisionKind::ImplicitDeny
    }
}

/// The units that the organization is limited to.
pub(crate) fn units(grant: &Grant) -> BTreeSet<OrganizationalUnitId> {
    grant.organization.as_ref().map(|organization| organization.units.clone()).unwrap_or_default()
}

/// The accounts with access, as far as they are known.
pub(crate) fn allowed(grant: &Grant, form: GrantForm) -> BTreeSet<AccountId> {
    let others = grant.organization.as_ref().filter(|_| form.is_by_organization());
    others.map_or_else(|| grant.accounts.clone(), |organization| &grant.accounts | &organization.others)
}

fn denies(grant: &Grant, form: GrantForm, asked: &PlainRequest) -> bool {
    let insecure = grant.settings.deny_insecure_transport && !asked.secure;
    let another = form == GrantForm::BoundDeny
        && asked.caller == DELIVERY_SERVICE
        && !grant.accounts.contains(&asked.account);
    insecure || another
}

fn allows(grant: &Grant, form: GrantForm, asked: &PlainRequest) -> bool {
    asked.caller == DELIVERY_SERVICE
        && (is_let_in_by_name(grant, form, asked) || is_let_in_by_organization(grant, form, asked))
}

fn is_let_in_by_organization(grant: &Grant, form: GrantForm, asked: &PlainRequest) -> bool {
    let (Some((id, unit)), Some(own), true) =
        (&asked.organization, &grant.organization, form.is_by_organization())
    else {
        return false;
    };
    let units = units(grant);
    let folders = if form == GrantForm::BoundOrganization { Folders::Own } else { Folders::All };
    *id == own.id && (units.is_empty() || units.contains(unit)) && does_what_it_may(grant, asked, &folders)
}

fn is_let_in_by_name(grant: &Grant, form: GrantForm, asked: &PlainRequest) -> bool {
    let listed = grant.named(form);
    let is_listed = listed.contains(&asked.account) || !grant.settings.source_conditions;
    let from_there = match &grant.regions {
        None => true,
        Some(_) if !listed.contains(&asked.account) => false,
        Some(regions) => {
            let declared = regions.get(&asked.account);
            declared.is_none_or(|regions| regions.is_empty() || regions.contains(&asked.region))
        }
    };
    let folders = match form {
        GrantForm::Prefixes | GrantForm::Organization => Folders::Listed(listed),
        GrantForm::Accounts => Folders::All,
        _ => Folders::Own,
    };
    !listed.is_empty() && is_listed && from_there && does_what_it_may(grant, asked, &folders)
}

/// The folders into which objects may be put.
enum Folders<'a> {
    All,
    Listed(&'a BTreeSet<AccountId>),
    Own,
}

fn does_what_it_may(grant: &Grant, asked: &PlainRequest, folders: &Folders<'_>) -> bool {
    let acl = match grant.settings.acl_condition {
        AclCondition::Required => asked.acl == Some(DELIVERY_ACL),
        AclCondition::IfExists => asked.acl.is_none_or(|acl| acl == DELIVERY_ACL),
        AclCondition::None => true,
    };
    match asked.action {
        Action::Put => {
            let folder = match folders {
                // The folder of all accounts also contains the Hive-compatible ones.
                Folders::All => asked.hive || !grant.hive,
                Folders::Listed(accounts) => asked.hive == grant.hive && accounts.contains(&asked.folder),
                Folders::Own => asked.hive == grant.hive && asked.folder == asked.account,
            };
            acl && asked.prefix == grant.prefix && folder
        }
        Action::AclCheck => true,
        Action::List => grant.settings.list_bucket,
        Action::Get => false,
    }
}
