//! `flowagg export`: exports the fleet for other tools. It makes AWS calls only to look up accounts and regions, or to read the live
//! state for `terraform --live`.

use flowagg_core::fleet::Fleet;
use flowagg_core::plan::Unnamed;
use flowagg_policy::plan::plan;

use super::error::CommandError;
use super::files::into_folder;
use super::start;
use crate::args::{CloudformationArgs, ExportVerb, GlobalArgs, OutputArgs, TerraformArgs};
use crate::aws::observe::Observation;
use crate::export::athena::athena;
use crate::export::cloudformation;
use crate::export::terraform::{self, LiveState};
use crate::export::{ExportError, ExportFile, ExportFiles, permissions, permissions_with_query};
use crate::{Exit, Screen};

pub(super) async fn run(
    global: &GlobalArgs,
    verb: &ExportVerb,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let (files, to) = match verb {
        ExportVerb::Cloudformation(options) => {
            // Only the bucket policy contains accounts that may have to be looked up.
            let fleet = if options.hub {
                start::fleet(global, screen).await?
            } else {
                start::read(&global.config, screen)?.without_lookup()
            };
            (templates(&fleet, options)?, &options.to)
        }
        ExportVerb::Terraform(options) => (configuration(global, options, screen).await?, &options.to),
        ExportVerb::Iam(options) => {
            let file = start::read(&global.config, screen)?;
            let permissions = if options.query { permissions_with_query(&file) } else { permissions(&file) };
            (cloudformation::roles_with(&file, &permissions, options.format)?, &options.to)
        }
        ExportVerb::Athena(options) => {
            // The table covers the whole fleet, even if its queries read a part.
            let whole = GlobalArgs { only: Vec::new(), ..global.clone() };
            let fleet = start::fleet(&whole, screen).await?;
            (athena(&fleet, &options.names.names(), &global.only, options.format)?, &options.to)
        }
    };
    write(&files, to, screen)?;
    Ok(Exit::Done)
}

fn templates(fleet: &Fleet, options: &CloudformationArgs) -> Result<ExportFiles, ExportError> {
    let format = options.format;
    match (&options.account, &options.region) {
        (Some(account), Some(region)) => cloudformation::place(fleet, *account, region, format),
        _ if options.hub => cloudformation::hub(fleet, format),
        _ if options.stackset => cloudformation::stack_set(fleet, format),
        _ => cloudformation::member(fleet, options.vpc_from, format),
    }
}

/// The Terraform configuration. The live state is read for `--live`, or if accounts or regions have to be looked up.
async fn configuration(
    global: &GlobalArgs,
    options: &TerraformArgs,
    screen: &mut Screen<'_>,
) -> Result<ExportFiles, CommandError> {
    if !global.only.is_empty() {
        let help = "remove `--only`: Terraform deletes resources that are not in its configuration";
        return Err(CommandError::usage("a Terraform configuration must contain the whole fleet", help));
    }
    let file = start::file(&global.config)?;
    if let (Ok(fleet), false) = (file.named(), options.live) {
        start::warn(&file, &global.config, screen)?;
        return Ok(terraform::configuration(&fleet, None, options.format)?);
    }
    let Observation { fleet, accounts, observed } = start::look(global, start::Access::Write, screen).await?;
    screen.calls("reading", &accounts.take_calls())?;
    let plan = plan(&fleet, &observed, Unnamed::Keep);
    if !plan.is_complete() {
        return Err(CommandError::Unplanned(Box::new(plan)));
    }
    let live = LiveState::new(&observed, &plan);
    Ok(terraform::configuration(&fleet, Some(&live), options.format)?)
}

fn write(
    ExportFiles { files, notes }: &ExportFiles,
    to: &OutputArgs,
    screen: &mut Screen<'_>,
) -> Result<(), CommandError> {
    match &to.out {
        Some(folder) => into_folder(files, folder, to.force, screen)?,
        None => to_screen(files, screen)?,
    }
    for note in notes {
        screen.note(note)?;
    }
    Ok(())
}

/// Prints one file unchanged, or several as one text in which a comment names each file.
fn to_screen(files: &[ExportFile], screen: &mut Screen<'_>) -> Result<(), CommandError> {
    if let [file] = files {
        write!(screen.out, "{}", file.text)?;
        return Ok(());
    }
    let are = |ending: &str| files.iter().any(|file| file.name.ends_with(ending));
    if are(".json") {
        let what = format!("{} JSON files cannot be printed to standard output", files.len());
        return Err(CommandError::usage(what, "write them to a folder with `--out DIR`"));
    }
    for (n, ExportFile { name, text }) in files.iter().enumerate() {
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
