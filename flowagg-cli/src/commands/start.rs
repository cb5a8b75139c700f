//! How a command starts: it reads the fleet file, and as much of the current state as it needs.

use std::path::Path;

use flowagg_core::fleet::{Declared, Fleet};
use flowagg_core::observed::Observed;
use flowagg_policy::{Grant, Unnamed, merge};

use super::error::CommandError;
use crate::Screen;
use crate::args::Global;
use crate::aws::observe::{Survey, log_folders, observe, survey};
use crate::aws::{Accounts, Session};

/// Reads the fleet file, and reports all its faults at once.
pub(super) fn declared(path: &Path) -> Result<Declared, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let help = "write one with `flowagg init`, or name another with `--config FILE`";
        CommandError::usage(format!("the fleet file `{}` cannot be read: {error}", path.display()), help)
    })?;
    let declared = Declared::parse(&text).map_err(|error| CommandError::FleetFile(path.to_owned(), error))?;
    // A grant that fits no empty bucket fits no other: that can be told before any call.
    if declared.is_named()
        && let Err(error) = merge(None, &Grant::of(&declared.clone().into_fleet()), Unnamed::Keep)
    {
        return Err(CommandError::usage(format!("`{}`: {error}", path.display()), error.help()));
    }
    Ok(declared)
}

/// The fleet as declared, and the hub account entered.
pub(super) async fn open(global: &Global) -> Result<(Declared, Session), CommandError> {
    let declared = declared(&global.config)?;
    let session = Session::open(&declared, &global.connection()).await?;
    Ok((declared, session))
}

/// The fleet as declared, and the current state.
pub(super) async fn look(
    global: &Global,
    screen: &mut Screen<'_>,
) -> Result<(Fleet, Accounts, Observed), CommandError> {
    let (declared, session) = open(global).await?;
    let looked = screen.reading(async |progress| observe(declared, &session, &global.only, progress).await);
    Ok(looked.await?)
}

/// The same, with every folder of logs in the bucket if a statement is to be adopted: they show which deliveries it serves.
pub(super) async fn look_to_adopt(
    global: &Global,
    adopts: bool,
    screen: &mut Screen<'_>,
) -> Result<(Fleet, Accounts, Observed), CommandError> {
    let (fleet, accounts, mut observed) = look(global, screen).await?;
    if let (true, Ok(Some(bucket))) = (adopts, &mut observed.bucket) {
        bucket.log_folders = screen.reading(async |_| log_folders(&fleet.hub, accounts.hub()).await).await;
    }
    Ok((fleet, accounts, observed))
}

/// The fleet, whose accounts and regions are looked up only where the fleet file does not name them.
pub(super) async fn fleet(global: &Global, screen: &mut Screen<'_>) -> Result<Fleet, CommandError> {
    let declared = declared(&global.config)?;
    if declared.is_named() {
        return Ok(declared.into_fleet());
    }
    let session = Session::open(&declared, &global.connection()).await?;
    let found = screen.reading(async |progress| survey(declared, &session, &global.only, progress).await);
    let Survey { fleet, .. } = found.await?;
    Ok(fleet)
}
