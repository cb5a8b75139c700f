//! `flowagg import`: creates a fleet file from an existing bucket or from templates.

use flowagg_core::failure::Failure;
use flowagg_core::fleet::{FleetFile, Part, Regions, Remark};

use super::error::CommandError;
use super::files::write_text;
use crate::args::{GlobalArgs, ImportArgs};
use crate::aws::{self, ImportScope, Session, find_hub};
use crate::found::FoundFleet;
use crate::import::template::{self, TemplateDefaults, TemplateFile};
use crate::import::{Imported, granted, import, named_folders};
use crate::{Exit, Progress, Screen, show};

pub(super) async fn run(
    global: &GlobalArgs,
    options: &ImportArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    if !global.only.is_empty() {
        let help = "remove `--only`; `--regions` limits the regions that are read";
        return Err(CommandError::usage("`import` does not support `--only`", help));
    }
    let regions = options.regions();
    let regions =
        regions.map_err(|what| CommandError::usage(what, "use a region such as `eu-west-1`, or `all`"))?;
    let (found, exit) = if options.template.is_empty() {
        in_aws(global, options, regions, screen).await?
    } else {
        (in_templates(options, regions)?, Exit::Done)
    };
    write(import(&found)?, exit, options, screen)
}

/// Reads AWS. Returns the exit code of the run if everything else succeeds.
async fn in_aws(
    global: &GlobalArgs,
    options: &ImportArgs,
    regions: Regions,
    screen: &mut Screen<'_>,
) -> Result<(FoundFleet, Exit), CommandError> {
    let bucket = options
        .bucket
        .clone()
        .ok_or_else(|| CommandError::usage("missing bucket", "pass `--bucket NAME`, or `--template FILE`"))?;
    let units = options.unit.iter().cloned().collect();
    let scope = ImportScope {
        bucket,
        folder: options.prefix.clone(),
        accounts: options.account.iter().copied().collect(),
        organization: options.organization.clone().map(|id| (id, units)),
        regions,
        role: options.role.clone(),
    };
    let connection = &global.connection();
    let found = screen.reading(async |progress| {
        let session = Session::open_own_account(connection).await?;
        find(&scope, &session, progress).await
    });
    let found = found.await;
    let (found, failures) = found?;
    screen.failures(&failures)?;
    Ok((found, if failures.is_empty() { Exit::Done } else { Exit::Failed }))
}

/// Reads the bucket, then the accounts that it names.
async fn find(
    scope: &ImportScope,
    session: &Session,
    progress: &dyn Progress,
) -> Result<(FoundFleet, Vec<Failure>), CommandError> {
    let hub = find_hub(scope, session, named_folders).await?;
    let granted = granted(&hub);
    Ok(aws::find(scope, session, hub, granted, progress).await?)
}

/// Reads templates, offline.
fn in_templates(options: &ImportArgs, regions: Regions) -> Result<FoundFleet, CommandError> {
    let mut sources = Vec::new();
    for path in &options.template {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let what = format!("the template `{name}` cannot be read: {error}");
            CommandError::usage(what, "choose a readable file")
        })?;
        sources.push(TemplateFile::new(name, text));
    }
    let defaults = TemplateDefaults {
        hub_account: options.hub_account,
        hub_region: options.hub_region.clone(),
        bucket: options.bucket.clone(),
        folder: options.prefix.clone(),
        accounts: options.account.iter().copied().collect(),
        regions,
        role: options.role.clone(),
        organization: options.organization.clone(),
    };
    Ok(template::read(&sources, &defaults)?)
}

/// Writes the file, and prints the remarks as notes. The text is parsed first: errors in it become remarks, and the run fails.
fn write(
    Imported { file, mut remarks }: Imported,
    mut exit: Exit,
    options: &ImportArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let mut text = file.to_toml(&remarks);
    if let Err(error) = FleetFile::parse(&text) {
        let faults = error
            .faults
            .iter()
            .map(|fault| Remark::new(Part::File, format!("correct this: {}; {}", fault.what, fault.help)));
        remarks.splice(0..0, faults);
        text = file.to_toml(&remarks);
        exit = Exit::Failed;
    }
    match &options.out {
        Some(path) => write_text(path, text, options.force, screen)?,
        None => write!(screen.out, "{text}")?,
    }
    for Remark { about, text, .. } in &remarks {
        match about {
            Part::Member(account) => screen.note(&format!("{account}: {text}"))?,
            _ => screen.note(text)?,
        }
    }
    if exit == Exit::Failed {
        screen.say(
            "import: incomplete: not everything could be read, or the fleet file has errors; see above",
        )?;
    } else if let Some(path) = &options.out {
        let path = path.display();
        let plan = match path.to_string().as_str() {
            "flowagg.toml" => "flowagg plan".to_owned(),
            path => format!("flowagg -c {path} plan"),
        };
        show::next(&format!("review `{path}`, then run `{plan}`"), screen.err)?;
    }
    Ok(exit)
}
