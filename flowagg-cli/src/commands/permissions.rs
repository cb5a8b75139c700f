//! `flowagg permissions`: the IAM policies that flowagg needs.

use std::path::Path;

use super::error::CommandError;
use super::start;
use crate::export::permissions;
use crate::{Exit, Screen, args, show};

pub(super) fn run(
    fleet_file: &Path,
    options: &args::PermissionsArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let file = start::read(fleet_file, screen)?;
    let permissions = permissions(&file);
    if options.json {
        show::document(&permissions, screen.out)?;
        return Ok(Exit::Done);
    }
    let hub = format!("in the hub account {}, for the role or user that is used there", file.hub.account);
    let read_hub = format!("in the hub account {}, for the read role", file.hub.account);
    let read_only = permissions.read_only.as_ref();
    let parts = [
        ("for the role or user that runs flowagg", permissions.caller.as_ref()),
        ("for the role that lists the organization's accounts", permissions.lookup.as_ref()),
        (hub.as_str(), Some(&permissions.hub)),
        ("in every member's account, for its role", Some(&permissions.member)),
        (
            "for the role or user that runs only `plan`, `verify` and `report`",
            read_only.and_then(|it| it.caller.as_ref()),
        ),
        (read_hub.as_str(), read_only.map(|it| &it.hub)),
        ("in every member's account, for the read role", read_only.map(|it| &it.member)),
        ("the trust policy of every role", Some(&permissions.trust)),
    ];
    let parts = parts.into_iter().filter_map(|(heading, policy)| Some((heading, policy?)));
    for (n, (heading, policy)) in parts.enumerate() {
        if n > 0 {
            writeln!(screen.out)?;
        }
        show::heading(heading, screen.out)?;
        show::json(policy, screen.out)?;
    }
    Ok(Exit::Done)
}
