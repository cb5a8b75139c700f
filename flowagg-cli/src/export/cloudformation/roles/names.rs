//! The names of the roles, and the checks that they can be created.
//!
//! Source: "IAM identifiers" (IAM User Guide): role names are unique in an account, regardless of path and case.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::FleetFile;
use flowagg_core::id::{AccountId, RoleName};

use super::super::stack_set::{account_rule, of_fleet};
use crate::export::ExportError;

/// The maximum length of a role name.
const LONGEST: usize = 64;

/// A name that is unique for the fleet if `fleet.name` is set.
pub(super) fn named(file: &FleetFile, name: &str) -> String {
    of_fleet(file.declared_name.as_ref(), name)
}

/// The name of the hub's role.
pub(super) fn hub_role(file: &FleetFile) -> String {
    file.hub.role.as_ref().map_or_else(
        || named(file, "flowagg-hub").chars().take(LONGEST).collect(),
        |role| role.as_str().to_owned(),
    )
}

/// The roles of members that are not in a stack set.
pub(super) fn member_roles(file: &FleetFile) -> BTreeSet<&RoleName> {
    let listed = file.members.values().filter(|member| member.account != file.hub.account);
    let found = file.discovery().map(|(_, how)| how).filter(|how| account_rule(how).is_some());
    listed.map(|member| &member.role).chain(found.map(|how| &how.role)).collect()
}

/// A file name for each role. Slashes in a role's path are replaced, and names that differ only in case are numbered.
pub(super) fn file_names(roles: &BTreeSet<&RoleName>) -> Vec<String> {
    if roles.len() == 1 {
        return vec!["member-role".to_owned()];
    }
    let mut used = BTreeSet::new();
    let unused = |role: &&RoleName| {
        let name = format!("member-role-{}", role.as_str().replace('/', "-"));
        let numbered = (2..).map(|n| format!("{name}-{n}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        names.find(|name| used.insert(name.to_lowercase())).unwrap_or(name)
    };
    roles.iter().map(unused).collect()
}

/// Rejects roles that AWS creates itself, and two roles with the same name in one account.
pub(super) fn check(file: &FleetFile) -> Result<(), ExportError> {
    let mut accounts: BTreeMap<AccountId, Vec<(&'static str, String)>> = BTreeMap::new();
    let hub = file.hub.account;
    let of_hub = if file.hub.role.is_some() { "hub.role" } else { "fleet.name" };
    accounts.entry(hub).or_default().push((of_hub, hub_role(file)));
    for member in file.members.values().filter(|member| member.account != hub) {
        accounts.entry(member.account).or_default().push(("members[].role", member.role.to_string()));
    }
    let mut anywhere = Vec::new();
    if let Some((organization, how)) = file.discovery() {
        let role = ("organization.role", how.role.to_string());
        let lookup = how.lookup.as_ref().filter(|lookup| lookup.account != hub);
        if let Some(lookup) = lookup {
            let there = accounts.entry(lookup.account).or_default();
            if there.is_empty() && organization.may_choose(lookup.account) {
                there.push(role.clone());
            }
            there.push(("organization.lookup.role", lookup.role.to_string()));
        }
        anywhere.push(role);
    }
    for roles in accounts.values_mut().chain([&mut anywhere]) {
        // The lookup account has a read role only if it is a member.
        let is_lookup_only = matches!(roles[..], [("organization.lookup.role", _)]);
        let read_role = file.read_role.as_ref().filter(|_| !is_lookup_only && !roles.is_empty());
        roles.extend(read_role.map(|role| ("fleet.read-role", role.to_string())));
        for (n, (key, role)) in roles.iter().enumerate() {
            if role == RoleName::ORGANIZATION_ACCOUNT_ACCESS {
                return Err(ExportError::RoleOfOrganizations(key));
            }
            let rest = roles.get(n + 1..).unwrap_or_default();
            if let Some((other, same)) = rest.iter().find(|(_, other)| unique(other) == unique(role)) {
                let roles = [role.clone(), same.clone()];
                return Err(ExportError::SameRole { keys: [key, other], roles });
            }
        }
    }
    Ok(())
}

/// The part of a role's name that is unique in an account.
fn unique(role: &str) -> String {
    role.rsplit('/').next().unwrap_or(role).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_own_file() {
        let roles: Vec<RoleName> =
            ["a-flowagg", "a/flowagg", "a/Flowagg", "b"].map(|role| role.parse().unwrap()).into();
        let roles: BTreeSet<&RoleName> = roles.iter().collect();
        assert_eq!(
            file_names(&roles),
            ["member-role-a-flowagg", "member-role-a-Flowagg-2", "member-role-a-flowagg-3", "member-role-b"]
        );
        let one: RoleName = "a/flowagg".parse().unwrap();
        assert_eq!(file_names(&BTreeSet::from([&one])), ["member-role"]);
    }
}
