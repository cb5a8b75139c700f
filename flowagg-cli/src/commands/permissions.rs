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
        None => "the trust policy of every role",
        Some(_) => {
            "the trust policy of every role: replace CALLER by the account of the role or user that runs flowagg"
        }
    };
    show::heading(trust, screen.out)?;
    show::json(&permissions.trust, screen.out)?;
    if file.hub.role.is_some() {
        screen.note(
            "if the account of the role or user that runs flowagg is a member, that role or user also needs the members' policy: flowagg \
             assumes no role in the account that it runs in",
        )?;
    }
    for part in parts(&permissions).filter(|part| part.len() > POLICIES_OF_ROLE) {
        screen.note(&format!(
            "{} policies {}: IAM attaches {POLICIES_OF_ROLE} to a role unless the quota is raised; if the accounts of the organization are looked up (`organization.regions`), one is enough",
            part.len(),
            heading(part[0].part, &file)
        ))?;
    }
    Ok(Exit::Done)
}

/// The documents of each policy.
fn parts(permissions: &Permissions) -> impl Iterator<Item = &[ManagedPolicy]> {
    permissions.policies.chunk_by(|one, next| one.part == next.part)
}

fn heading(part: PolicyPart, file: &FleetFile) -> String {
    let hub = file.hub.account;
    match part {
        PolicyPart::Caller => "for the role or user that runs flowagg".to_owned(),
        PolicyPart::Lookup => "for the role that lists the organization's accounts".to_owned(),
        PolicyPart::Hub => format!("in the hub account {hub}, for the role or user that is used there"),
        PolicyPart::Member => "in every member's account, for its role".to_owned(),
        PolicyPart::ReadCaller => {
            "for the role or user that runs only `plan`, `verify` and `report`".to_owned()
        }
        PolicyPart::ReadHub => format!("in the hub account {hub}, for the read role"),
        PolicyPart::ReadMember => "in every member's account, for the read role".to_owned(),
    }
}
