//! Text files that a command writes.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::error::{CommandError, Problem};
use crate::Screen;
use crate::export::ExportFile;

/// Writes a text file. An existing file with other contents is kept and is an error, unless `force` is set.
pub(super) fn write_text(
    path: &Path,
    text: String,
    force: bool,
    screen: &mut Screen<'_>,
) -> Result<(), CommandError> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        let what = format!("`{}` is no name of a file", path.display());
        return Err(CommandError::usage(what, "name a file, as in `flowagg.toml`"));
    };
    into_folder(&[ExportFile { name: name.to_owned(), text }], &folder, force, screen)
}

/// All files or none. One that is there and says something else is kept, unless it is to go.
pub(super) fn into_folder(
    files: &[ExportFile],
    folder: &Path,
    force: bool,
    screen: &mut Screen<'_>,
) -> Result<(), CommandError> {
    let mut new = Vec::new();
    let mut wrong = Vec::new();
    for file in files {
        let path = folder.join(&file.name);
        match fs::read(&path) {
            Ok(found) if found == file.text.as_bytes() => {}
            Ok(_) if !force => wrong.push(Problem::new(
                format!("`{}` is there and says something else; nothing was written", path.display()),
                "look at it, and give `--force` to overwrite it",
            )),
            Err(error) if error.kind() != io::ErrorKind::NotFound => wrong.push(Problem::new(
                format!("`{}` cannot be read: {error}; nothing was written", path.display()),
                "name a folder in which files can be read and written",
            )),
            _ => new.push((path, &file.text)),
        }
    }
    if !wrong.is_empty() {
        return Err(CommandError::Files(wrong));
    }
    let written = fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error)).and_then(|()| {
        new.iter().try_for_each(|(path, text)| fs::write(path, text).map_err(|error| (path.clone(), error)))
    });
    written.map_err(|(path, error)| {
        let what = format!("`{}` cannot be written: {error}", path.display());
        CommandError::file(what, "name a folder in which files can be written")
    })?;
    for file in files {
        let path = folder.join(&file.name);
        let what = if new.iter().any(|(written, _)| *written == path) { "written" } else { "unchanged" };
        writeln!(screen.out, "{what}: {}", path.display())?;
    }
    Ok(())
}
