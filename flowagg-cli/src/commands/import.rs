//! `flowagg import`: the fleet file that describes what is there already.

use std::io;

use flowagg_core::fleet::{Declared, Part, Regions, Remark};
use flowagg_core::id::AccountId;
use flowagg_core::observed::Failure;

use crate::args::{Global, Import};
use crate::aws::{self, Ask, Connection, find_hub};
use crate::found::Found;
use crate::import::template::{self, Given, Source};
use crate::import::{ImportError, Imported, folder, granted, import};
use crate::{Exit, Progress, Screen};

pub(super) async fn run(global: &Global, options: &Import, screen: &mut Screen<'_>) -> io::Result<Exit> {
    if !global.only.is_empty() {
        let help = "look at a part with `--regions`; accounts that are granted delivery are all looked at";
        screen.error("a fleet is imported as a whole, without `--only`", help)?;
        return Ok(Exit::Usage);
    }
    let regions = match options.regions() {
        Ok(regions) => regions,
        Err(what) => {
            screen.error(&what, "a region such as `eu-west-1`, or `all`")?;
            return Ok(Exit::Usage);
        }
    };
    let found = if options.template.is_empty() {
        in_aws(global, options, regions, screen).await?
    } else {
        in_templates(options, regions, screen)?
    };
    let (found, exit) = match found {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    match import(&found) {
        Ok(imported) => tell(imported, exit, options, screen),
        Err(error) => {
            screen.error(&error.to_string(), &error.help())?;
            Ok(if matches!(error, ImportError::NoMembers(_)) { Exit::Failed } else { Exit::Usage })
        }
    }
}

/// What AWS has, and how the run ends if all goes well from here; or how it ends now.
async fn in_aws(
    global: &Global,
    options: &Import,
    regions: Regions,
    screen: &mut Screen<'_>,
) -> io::Result<Result<(Found, Exit), Exit>> {
    let Some(bucket) = options.bucket.clone() else { return Ok(Err(Exit::Usage)) };
    let units = options.unit.iter().cloned().collect();
    let ask = Ask {
        bucket,
        folder: options.prefix.clone(),
        accounts: options.account.iter().copied().collect(),
        organization: options.organization.clone().map(|id| (id, units)),
        regions,
        role: options.role.clone(),
    };
    let connection = global.connection();
    match screen.reading(async |progress| find(&ask, &connection, progress).await).await {
        Ok((found, failures)) => {
            screen.failures(&failures)?;
            Ok(Ok((found, if failures.is_empty() { Exit::Done } else { Exit::Failed })))
        }
        // Nobody was asked yet who calls.
        Err(FindError::Failure(failure)) if failure.account == AccountId::UNKNOWN => {
            screen.error(&format!("{}: {}", failure.call, failure.message), &failure.help)?;
            Ok(Err(Exit::Failed))
        }
        Err(FindError::Failure(failure)) => super::failed(failure, screen).map(Err),
        Err(FindError::Import(error)) => {
            screen.error(&error.to_string(), &error.help())?;
            Ok(Err(Exit::Usage))
        }
    }
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
enum FindError {
    /// The bucket, or the members of its organization, could not be read.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The bucket does not determine where to read.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// Reads the bucket, decides from it which accounts to read, and reads those.
async fn find(
    ask: &Ask,
    connection: &Connection,
    progress: &dyn Progress,
) -> Result<(Found, Vec<Failure>), FindError> {
    let (session, hub) = find_hub(ask, connection).await?;
    let (prefix, granted) = (folder(&hub)?, granted(&hub)?);
    Ok(aws::find(ask, &session, hub, prefix.as_ref(), granted, progress).await?)
}

/// What templates say, offline.
fn in_templates(
    options: &Import,
    regions: Regions,
    screen: &mut Screen<'_>,
) -> io::Result<Result<(Found, Exit), Exit>> {
    let mut sources = Vec::new();
    for path in &options.template {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => sources.push(Source { name, text }),
            Err(error) => {
                let what = format!("the template `{name}` cannot be read: {error}");
                screen.error(&what, "name a file that can be read")?;
                return Ok(Err(Exit::Usage));
            }
        }
    }
    let given = Given {
        hub_account: options.hub_account,
        hub_region: options.hub_region.clone(),
        bucket: options.bucket.clone(),
        folder: options.prefix.clone(),
        accounts: options.account.iter().copied().collect(),
        regions,
        role: options.role.clone(),
        organization: options.organization.clone(),
    };
    match template::read(&sources, &given) {
        Ok(found) => Ok(Ok((found, Exit::Done))),
        Err(error) => {
            screen.error(&error.to_string(), &error.help())?;
            Ok(Err(Exit::Usage))
        }
    }
}

/// Writes the file, and the remarks as notes. What was written is read once more: it may say what no fleet file may.
fn tell(
    Imported { fleet, mut remarks }: Imported,
    mut exit: Exit,
    options: &Import,
    screen: &mut Screen<'_>,
) -> io::Result<Exit> {
    let fleet = Declared::from(fleet);
    let mut text = fleet.to_toml(&remarks);
    if let Err(error) = Declared::parse(&text) {
        let faults = error.faults.iter().map(|fault| Remark {
            about: Part::File,
            text: format!("to be corrected: {}; {}", fault.what, fault.help),
        });
        remarks.splice(0..0, faults);
        text = fleet.to_toml(&remarks);
        exit = Exit::Failed;
    }
    match &options.out {
        Some(path) => match super::write_text(path, text, options.force, screen)? {
            Exit::Done => {}
            other => return Ok(other),
        },
        None => write!(screen.out, "{text}")?,
    }
    for Remark { about, text } in &remarks {
        match about {
            Part::Member(account) => screen.note(&format!("{account}: {text}"))?,
            _ => screen.note(text)?,
        }
    }
    Ok(exit)
}
