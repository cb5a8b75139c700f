//! `flowagg permissions`: the IAM policies that flowagg needs.

use std::path::Path;

use flowagg_core::fleet::FleetFile;

use super::error::CommandError;
use super::start;
use crate::export::{
    ManagedPolicy, POLICIES_OF_ROLE, Permissions, PolicyPart, permissions, permissions_with_query,
};
use crate::{Exit, Screen, args, show};

pub(super) fn run(
    fleet_file: &Path,
    options: &args::PermissionsArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let file = start::read(fleet_file, screen)?;
    let permissions = if options.query { permissions_with_query(&file) } else { permissions(&file) };
    if options.json {
        show::document(&permissions, screen.out)?;
        return Ok(Exit::Done);
    }
    for part in parts(&permissions) {
        for (n, policy) in part.iter().enumerate() {
            let mut heading = heading(policy.part, &file);
            if part.len() > 1 {
                heading += &format!(", {} of {}: `{}`", n + 1, part.len(), policy.name);
            }
            show::heading(&heading, screen.out)?;
            show::json(&policy.document, screen.out)?;
            writeln!(screen.out)?;
        }
    }
    let trust = match file.hub.role {
        None => "Trust policy of every role",
        Some(_) => {
            "Trust policy of every role (replace CALLER with the account of the role or user that runs flowagg)"
        }
    };
    show::heading(trust, screen.out)?;
    show::json(&permissions.trust, screen.out)?;
    if file.hub.role.is_some() {
        screen.note(
            "if the caller's account is a member, the caller also needs the member policy: flowagg does not assume a role in the \
             caller's account",
        )?;
    }
    for part in parts(&permissions).filter(|part| part.len() > POLICIES_OF_ROLE) {
        screen.note(&format!(
            "{}: {} policies exceed the IAM quota of {POLICIES_OF_ROLE} per role; raise the quota, or set `organization.regions` to look up the accounts, which needs only one policy",
            heading(part[0].part, &file),
            part.len()
        ))?;
    }
    Ok(Exit::Done)
}

/// The documents of each policy: a large policy has several.
fn parts(permissions: &Permissions) -> impl Iterator<Item = &[ManagedPolicy]> {
    permissions.policies.chunk_by(|one, next| one.part == next.part)
}

fn heading(part: PolicyPart, file: &FleetFile) -> String {
    let hub = file.hub.account;
    match part {
        PolicyPart::Caller => "Caller".to_owned(),
        PolicyPart::Lookup => "Lookup role (lists the organization's accounts)".to_owned(),
        PolicyPart::Hub => format!("Hub account {hub} (role or user)"),
        PolicyPart::Member => "Member role (in every member account)".to_owned(),
        PolicyPart::ReadCaller => "Caller of `plan`, `verify` and `report` only".to_owned(),
        PolicyPart::ReadHub => format!("Read role in hub account {hub}"),
        PolicyPart::ReadMember => "Read role in every member account".to_owned(),
    }
}
