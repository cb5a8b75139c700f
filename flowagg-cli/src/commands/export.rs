//! `flowagg export`: the fleet written down for other tools. Offline, but for a hub whose accounts have to be looked up.

use std::fs;
use std::io;
use std::path::Path;

use crate::args::{Cloudformation, Export, Global};
use crate::export::athena::athena;
use crate::export::cloudformation;
use crate::export::{ExportError, File, Files};
use crate::{Exit, Screen, show};

pub(super) async fn run(global: &Global, verb: &Export, screen: &mut Screen<'_>) -> io::Result<Exit> {
    let (files, (folder, force)) = match verb {
        Export::Cloudformation(options) => match templates(global, options, screen).await? {
            Ok(files) => (files, (&options.output.out, options.output.force)),
            Err(exit) => return Ok(exit),
        },
        Export::Iam(options) => {
            let Some(fleet) = super::declared(&global.config, screen)? else { return Ok(Exit::Usage) };
            (
                cloudformation::roles(&fleet, options.output.format),
                (&options.output.out, options.output.force),
            )
        }
        Export::Athena(options) => {
            // The table is of the whole fleet, whatever part its queries read.
            let whole = Global { only: Vec::new(), ..global.clone() };
            let fleet = match super::fleet(&whole, screen).await? {
                Ok(fleet) => fleet,
                Err(exit) => return Ok(exit),
            };
            let files = athena(&fleet, &options.names.names(), &global.only, options.format);
            (files, (&options.out, options.force))
        }
    };
    match files {
        Ok(files) => write(&files, folder.as_deref(), force, screen),
        Err(error) => {
            show::error(&error.to_string(), &error.help(), screen.err)?;
            Ok(Exit::Usage)
        }
    }
}

/// The templates that are asked for, or why there are none; or how the run ends.
async fn templates(
    global: &Global,
    options: &Cloudformation,
    screen: &mut Screen<'_>,
) -> io::Result<Result<Result<Files, ExportError>, Exit>> {
    let format = options.output.format;
    // Only the bucket policy names accounts that have to be looked up.
    let fleet = if options.hub {
        match super::fleet(global, screen).await? {
            Ok(fleet) => fleet,
            Err(exit) => return Ok(Err(exit)),
        }
    } else {
        let Some(declared) = super::declared(&global.config, screen)? else { return Ok(Err(Exit::Usage)) };
        declared.into_fleet()
    };
    Ok(Ok(match (&options.account, &options.region) {
        (Some(account), Some(region)) => cloudformation::place(&fleet, *account, region, format),
        _ if options.hub => cloudformation::hub(&fleet, format),
        _ if options.stackset => cloudformation::stack_set(&fleet, format),
        _ => cloudformation::member(&fleet, options.vpc_from, format),
    }))
}

fn write(
    Files { files, notes }: &Files,
    folder: Option<&Path>,
    force: bool,
    screen: &mut Screen<'_>,
) -> io::Result<Exit> {
    let exit = match folder {
        Some(folder) => into_folder(files, folder, force, screen)?,
        None => to_screen(files, screen)?,
    };
    if exit == Exit::Done {
        for note in notes {
            writeln!(screen.err, "note: {note}")?;
        }
    }
    Ok(exit)
}

/// One file as it is; several as the documents of one YAML stream, or as the statements of one SQL text, each under its name.
fn to_screen(files: &[File], screen: &mut Screen<'_>) -> io::Result<Exit> {
    if let [file] = files {
        write!(screen.out, "{}", file.text)?;
        return Ok(Exit::Done);
    }
    let ends = |ending: &str| files.iter().any(|file| file.name.ends_with(ending));
    if ends(".json") {
        let what = format!("{} JSON files do not fit on one standard output", files.len());
        show::error(&what, "name a folder for them with `--out DIR`", screen.err)?;
        return Ok(Exit::Usage);
    }
    let statements = ends(".sql");
    for File { name, text } in files {
        if statements {
            write!(screen.out, "-- {name}\n{};\n\n", text.trim_end())?;
        } else {
            write!(screen.out, "---\n# {name}\n{text}")?;
        }
    }
    Ok(Exit::Done)
}

/// All files or none. One that is there and says something else is kept, unless it is to go.
fn into_folder(files: &[File], folder: &Path, force: bool, screen: &mut Screen<'_>) -> io::Result<Exit> {
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
        show::error(what, help, screen.err)?;
    }
    if !wrong.is_empty() {
        return Ok(Exit::Failed);
    }
    let written = fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error)).and_then(|()| {
        new.iter().try_for_each(|(path, text)| fs::write(path, text).map_err(|error| (path.clone(), error)))
    });
    if let Err((path, error)) = written {
        let what = format!("`{}` cannot be written: {error}", path.display());
        show::error(&what, "name a folder in which files can be written", screen.err)?;
        return Ok(Exit::Failed);
    }
    for file in files {
        let path = folder.join(&file.name);
        let what = if new.iter().any(|(written, _)| *written == path) { "written" } else { "unchanged" };
        writeln!(screen.out, "{what}: {}", path.display())?;
    }
    Ok(Exit::Done)
}
