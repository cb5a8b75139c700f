//! `flowagg export`: the fleet written down for other tools. Offline, but for accounts that have to be
//! looked up, and for what is to be imported.

use std::fs;
use std::io;
use std::path::Path;

use flowagg_core::fleet::{Declared, Fleet};
use flowagg_core::plan::Unnamed;

use super::plan::assemble;
use crate::args::{Cloudformation, Export, Global, Terraform, To};
use crate::export::athena::athena;
use crate::export::cloudformation;
use crate::export::terraform::{self, Live};
use crate::export::{ExportError, File, Files};
use crate::{Exit, Screen};

pub(super) async fn run(global: &Global, verb: &Export, screen: &mut Screen<'_>) -> io::Result<Exit> {
    let (files, to) = match verb {
        Export::Cloudformation(options) => {
            // Only the bucket policy names accounts that have to be looked up.
            let fleet = if options.hub {
                super::fleet(global, screen).await?
            } else {
                let declared = super::declared(&global.config, screen)?;
                declared.map(Declared::into_fleet).ok_or(Exit::Usage)
            };
            match fleet {
                Ok(fleet) => (templates(&fleet, options), &options.to),
                Err(exit) => return Ok(exit),
            }
        }
        Export::Terraform(options) => match configuration(global, options, screen).await? {
            Ok(files) => (files, &options.to),
            Err(exit) => return Ok(exit),
        },
        Export::Iam(options) => {
            let Some(fleet) = super::declared(&global.config, screen)? else { return Ok(Exit::Usage) };
            (cloudformation::roles(&fleet, options.format), &options.to)
        }
        Export::Athena(options) => {
            // The table is of the whole fleet, whatever part its queries read.
            let whole = Global { only: Vec::new(), ..global.clone() };
            match super::fleet(&whole, screen).await? {
                Ok(fleet) => {
                    (athena(&fleet, &options.names.names(), &global.only, options.format), &options.to)
                }
                Err(exit) => return Ok(exit),
            }
        }
    };
    match files {
        Ok(files) => write(&files, to, screen),
        Err(error) => {
            screen.error(&error.to_string(), &error.help())?;
            Ok(Exit::Usage)
        }
    }
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

/// The configuration, or why there is none; or how the run ends.
async fn configuration(
    global: &Global,
    options: &Terraform,
    screen: &mut Screen<'_>,
) -> io::Result<Result<Result<Files, ExportError>, Exit>> {
    if !global.only.is_empty() {
        let help = "leave `--only` out: what is not in a configuration Terraform deletes";
        screen.error("a part of a fleet is no Terraform configuration", help)?;
        return Ok(Err(Exit::Usage));
    }
    let Some(declared) = super::declared(&global.config, screen)? else { return Ok(Err(Exit::Usage)) };
    if declared.is_named() && !options.live {
        return Ok(Ok(terraform::configuration(&declared.into_fleet(), None, options.format)));
    }
    let (fleet, accounts, observed) = match super::look(global, screen).await? {
        Ok(looked) => looked,
        Err(exit) => return Ok(Err(exit)),
    };
    screen.calls("reading", &accounts.take_calls())?;
    let plan = assemble(&fleet, &observed, Unnamed::Keep);
    if !plan.failures.is_empty() {
        screen.failures(&plan.failures)?;
        return Ok(Err(Exit::Failed));
    }
    let bucket = observed.bucket.as_ref().ok().and_then(Option::as_ref);
    let live = Live { bucket, regions: &observed.regions, plan: &plan };
    Ok(Ok(terraform::configuration(&fleet, Some(&live), options.format)))
}

fn write(Files { files, notes }: &Files, to: &To, screen: &mut Screen<'_>) -> io::Result<Exit> {
    let exit = match &to.out {
        Some(folder) => into_folder(files, folder, to.force, screen)?,
        None => to_screen(files, screen)?,
    };
    if exit == Exit::Done {
        for note in notes {
            screen.note(note)?;
        }
    }
    Ok(exit)
}

/// One file as it is; several as one text of their kind, each under its name.
fn to_screen(files: &[File], screen: &mut Screen<'_>) -> io::Result<Exit> {
    if let [file] = files {
        write!(screen.out, "{}", file.text)?;
        return Ok(Exit::Done);
    }
    let are = |ending: &str| files.iter().any(|file| file.name.ends_with(ending));
    if are(".json") {
        let what = format!("{} JSON files do not fit on one standard output", files.len());
        screen.error(&what, "name a folder for them with `--out DIR`")?;
        return Ok(Exit::Usage);
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
    Ok(Exit::Done)
}

/// All files or none. One that is there and says something else is kept, unless it is to go.
pub(super) fn into_folder(
    files: &[File],
    folder: &Path,
    force: bool,
    screen: &mut Screen<'_>,
) -> io::Result<Exit> {
    let mut new = Vec::new();
    let mut wrong = Vec::new();
    for file in files {
        let path = folder.join(&file.name);
        match fs::read(&path) {
            Ok(found) if found == file.text.as_bytes() => {}
            Ok(_) if !force => wrong.push((
                format!("`{}` is there and says something else; nothing was written", path.display()),
                "look at it, and give `--force` to overwrite it",
            )),
            Err(error) if error.kind() != io::ErrorKind::NotFound => wrong.push((
                format!("`{}` cannot be read: {error}; nothing was written", path.display()),
                "name a folder in which files can be read and written",
            )),
            _ => new.push((path, &file.text)),
        }
    }
    for (what, help) in &wrong {
        screen.error(what, help)?;
    }
    if !wrong.is_empty() {
        return Ok(Exit::Failed);
    }
    let written = fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error)).and_then(|()| {
        new.iter().try_for_each(|(path, text)| fs::write(path, text).map_err(|error| (path.clone(), error)))
    });
    if let Err((path, error)) = written {
        let what = format!("`{}` cannot be written: {error}", path.display());
        screen.error(&what, "name a folder in which files can be written")?;
        return Ok(Exit::Failed);
    }
    for file in files {
        let path = folder.join(&file.name);
        let what = if new.iter().any(|(written, _)| *written == path) { "written" } else { "unchanged" };
        writeln!(screen.out, "{what}: {}", path.display())?;
    }
    Ok(Exit::Done)
}
