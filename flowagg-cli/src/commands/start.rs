//! The start of a command: reads the fleet file and the part of the current state that the command needs.

use std::io;
use std::path::Path;

use flowagg_core::fleet::{Exception, Fleet, FleetFile, Only};
use flowagg_policy::{Grant, Unnamed, merge};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::error::CommandError;
use crate::Screen;
use crate::args::{FLEET_FILE, GlobalArgs};
use crate::aws::Session;
use crate::aws::observe::{Detail, Observation, Survey, log_folders, observe_in, survey};

/// Reads the fleet file. The error contains all its faults.
pub(super) fn file(path: &Path) -> Result<FleetFile, CommandError> {
    if path.is_dir() {
        let what = format!("the fleet file `{}` is a folder", path.display());
        let file = path.join(FLEET_FILE);
        return Err(CommandError::usage(what, format!("use a file such as `-c {}`", file.display())));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        let help = "create one with `flowagg init`, or choose another with `--config FILE`";
        CommandError::usage(format!("the fleet file `{}` cannot be read: {error}", path.display()), help)
    })?;
    let file = FleetFile::parse(&text).map_err(|error| CommandError::FleetFile(path.to_owned(), error))?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    if let Some(exception) = file.exceptions.iter().find(|exception| exception.is_too_long(today)) {
        let (path, most) = (path.display(), Exception::MOST_DAYS);
        let what = format!(
            "`{path}`: the exception for {exception} ends on {}, more than {most} days ahead",
            exception.until
        );
        let latest = today.saturating_add(most.days());
        return Err(CommandError::usage(
            what,
            format!("set `until` to {latest} or earlier, and extend it when it expires"),
        ));
    }
    // A grant that does not fit an empty policy fits no policy: report it before any AWS call.
    if let Ok(fleet) = file.named()
        && let Err(error) = merge(None, &Grant::from(&fleet), Unnamed::Keep)
    {
        return Err(CommandError::usage(format!("`{}`: {error}", path.display()), error.help()));
    }
    Ok(file)
}

/// Reads the fleet file, and prints a warning for each region that flowagg does not know.
pub(super) fn read(path: &Path, screen: &mut Screen<'_>) -> Result<FleetFile, CommandError> {
    let file = file(path)?;
    warn(&file, path, screen)?;
    Ok(file)
}

/// Prints a warning for each region that flowagg does not know.
pub(super) fn warn(file: &FleetFile, path: &Path, screen: &mut Screen<'_>) -> io::Result<()> {
    for region in file.unknown_regions() {
        let what = format!("`{}`: unknown region `{region}`", path.display());
        let meant =
            region.nearest_known().map(|known| format!("did you mean `{known}`? ")).unwrap_or_default();
        let help = format!("{meant}`{region}` is only read in accounts that have it enabled");
        screen.warning(&what, &help)?;
    }
    Ok(())
}

/// The access that a command needs in the accounts. It determines which roles are assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Read access, with `fleet.read-role` if it is set.
    Read,
    /// Write access, or the export of the roles that have it.
    Write,
}

/// Reads the fleet file, prints its warnings, and opens a session in the hub account.
pub(super) async fn open(
    global: &GlobalArgs,
    access: Access,
    screen: &mut Screen<'_>,
) -> Result<(FleetFile, Session), CommandError> {
    warn(&file(&global.config)?, &global.config, screen)?;
    enter(global, access).await
}

/// Reads the fleet file and opens a session in the hub account.
pub(super) async fn enter(global: &GlobalArgs, access: Access) -> Result<(FleetFile, Session), CommandError> {
    let file = match access {
        Access::Read => file(&global.config)?.for_reading(),
        Access::Write => file(&global.config)?,
    };
    // If the fleet file names everything, `--only` can be checked before any AWS call.
    if let Ok(fleet) = file.named() {
        selected(global, &fleet)?;
    }
    let session = Session::open(&file, &global.connection()).await?;
    Ok((file, session))
}

/// Reads the fleet and the current state.
pub(super) async fn look(
    global: &GlobalArgs,
    access: Access,
    screen: &mut Screen<'_>,
) -> Result<Observation, CommandError> {
    look_in(Detail::Whole, global, access, screen).await
}

async fn look_in(
    detail: Detail,
    global: &GlobalArgs,
    access: Access,
    screen: &mut Screen<'_>,
) -> Result<Observation, CommandError> {
    let (file, session) = open(global, access, screen).await?;
    let only = &global.only;
    let looked = screen.reading(async |progress| observe_in(detail, file, &session, only, progress).await);
    let observation = looked.await?;
    selected(global, &observation.fleet)?;
    Ok(observation)
}

/// Reads the fleet and the part of the current state that a plan needs. To adopt a statement, a plan needs the whole state and every
/// folder of logs in the bucket: they show which deliveries depend on the statement.
pub(super) async fn look_to_plan(
    global: &GlobalArgs,
    access: Access,
    adopts: bool,
    screen: &mut Screen<'_>,
) -> Result<Observation, CommandError> {
    let detail = if adopts { Detail::Whole } else { Detail::ToPlan };
    let mut observation = look_in(detail, global, access, screen).await?;
    let Observation { fleet, accounts, observed } = &mut observation;
    if let (true, Ok(Some(bucket))) = (adopts, &mut observed.bucket) {
        bucket.log_folders = screen.reading(async |_| log_folders(&fleet.hub, accounts.hub()).await).await;
    }
    Ok(observation)
}

/// Reads the fleet. Accounts and regions are looked up only if the fleet file does not name them.
pub(super) async fn fleet(global: &GlobalArgs, screen: &mut Screen<'_>) -> Result<Fleet, CommandError> {
    let file = read(&global.config, screen)?;
    if let Ok(fleet) = file.named() {
        selected(global, &fleet)?;
        return Ok(fleet);
    }
    let session = Session::open(&file, &global.connection()).await?;
    let found = screen.reading(async |progress| survey(file, &session, &global.only, progress).await);
    let Survey { fleet, .. } = found.await?;
    selected(global, &fleet)?;
    Ok(fleet)
}

/// Checks that `--only` selects a part of the fleet.
pub(super) fn selected(global: &GlobalArgs, fleet: &Fleet) -> Result<(), CommandError> {
    Only::check(&global.only, fleet)
        .map_err(|nothing| CommandError::usage(format!("`--only`: {nothing}"), nothing.help()))
}
