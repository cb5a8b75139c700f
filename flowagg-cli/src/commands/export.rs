//! `flowagg export`: the fleet written down for other tools. Offline, but for accounts that have to be
//! looked up, and for what is to be imported.

use flowagg_core::fleet::Fleet;
use flowagg_core::plan::Unnamed;
use flowagg_policy::plan::plan;

use super::error::CommandError;
use super::files::into_folder;
use super::start;
use crate::args::{Cloudformation, Export, Global, Terraform, To};
use crate::aws::observe::Observation;
use crate::export::athena::athena;
use crate::export::cloudformation;
use crate::export::terraform::{self, Live};
use crate::export::{ExportError, File, Files};
use crate::{Exit, Screen};

pub(super) async fn run(
    global: &Global,
    verb: &Export,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let (files, to) = match verb {
        Export::Cloudformation(options) => {
            // Only the bucket policy names accounts that have to be looked up.
            let fleet = if options.hub {
                start::fleet(global, screen).await?
            } else {
                start::file(&global.config)?.without_lookup()
            };
            (templates(&fleet, options)?, &options.to)
        }
        Export::Terraform(options) => (configuration(global, options, screen).await?, &options.to),
        Export::Iam(options) => {
            let file = start::file(&global.config)?;
            (cloudformation::roles(&file, options.format)?, &options.to)
        }
        Export::Athena(options) => {
            // The table is of the whole fleet, whatever part its queries read.
            let whole = Global { only: Vec::new(), ..global.clone() };
            let fleet = start::fleet(&whole, screen).await?;
            (athena(&fleet, &options.names.names(), &global.only, options.format)?, &options.to)
        }
    };
    write(&files, to, screen)?;
    Ok(Exit::Done)
}

fn templates(fleet: &Fleet, options: &Cloudformation) -> Result<Files, ExportError> {
    let format = options.format;
    match (&options.account, &options.region) {
        (Some(account), Some(region)) => cloudformation::place(fleet, *account, region, format),
        _ if options.hub => cloudformation::hub(fleet, format),
        _ if options.stackset => cloudformation::stack_set(fleet, format),
        _ => cloudformation::member(fleet, options.vpc_from, format),
    }
}

/// The configuration of Terraform, with the current state if it is needed or asked for.
async fn configuration(
    global: &Global,
    options: &Terraform,
    screen: &mut Screen<'_>,
) -> Result<Files, CommandError> {
    if !global.only.is_empty() {
        let help = "leave `--only` out: what is not in a configuration Terraform deletes";
        return Err(CommandError::usage("a part of a fleet is no Terraform configuration", help));
    }
    let file = start::file(&global.config)?;
    if let (Ok(fleet), false) = (file.named(), options.live) {
        return Ok(terraform::configuration(&fleet, None, options.format)?);
    }
    let Observation { fleet, accounts, observed } = start::look(global, screen).await?;
    screen.calls("reading", &accounts.take_calls())?;
    let plan = plan(&fleet, &observed, Unnamed::Keep);
    if !plan.is_complete() {
        return Err(CommandError::Unplanned(Box::new(plan)));
    }
    let bucket = observed.bucket.as_ref().ok().and_then(Option::as_ref);
    let live = Live { bucket, regions: &observed.regions, plan: &plan };
    Ok(terraform::configuration(&fleet, Some(&live), options.format)?)
}

fn write(Files { files, notes }: &Files, to: &To, screen: &mut Screen<'_>) -> Result<(), CommandError> {
    match &to.out {
        Some(folder) => into_folder(files, folder, to.force, screen)?,
        None => to_screen(files, screen)?,
    }
    for note in notes {
        screen.note(note)?;
    }
    Ok(())
}

/// One file as it is; several as one text of their kind, each under its name.
fn to_screen(files: &[File], screen: &mut Screen<'_>) -> Result<(), CommandError> {
    if let [file] = files {
        write!(screen.out, "{}", file.text)?;
        return Ok(());
    }
    let are = |ending: &str| files.iter().any(|file| file.name.ends_with(ending));
    if are(".json") {
        let what = format!("{} JSON files do not fit on one standard output", files.len());
        return Err(CommandError::usage(what, "name a folder for them with `--out DIR`"));
    }
    for (n, File { name, text }) in files.iter().enumerate() {
        if are(".sql") {
            write!(screen.out, "-- {name}\n{};\n\n", text.trim_end())?;
        } else if are(".tf") {
            write!(screen.out, "{}# {name}\n{text}", if n == 0 { "" } else { "\n" })?;
        } else {
            write!(screen.out, "---\n# {name}\n{text}")?;
        }
    }
    Ok(())
}
