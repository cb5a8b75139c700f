//! Files that a command writes. Each is written next to its place and renamed, so that a run that fails or is killed leaves the
//! old contents.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::{CommandError, Problem};
use crate::Screen;
use crate::args::{FLEET_FILE, GlobalArgs};
use crate::export::ExportFile;

/// Writes a text file. An existing file with other contents is kept and is an error, unless `force` is set.
pub(super) fn write_text(
    path: &Path,
    text: String,
    force: bool,
    screen: &mut Screen<'_>,
) -> Result<(), CommandError> {
    can_be_file(path, FLEET_FILE)?;
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        let what = format!("`{}` is not a valid file name", path.display());
        return Err(CommandError::usage(what, "name a file, as in `flowagg.toml`"));
    };
    into_folder(&[ExportFile { name: name.to_owned(), text }], &folder, force, screen)
}

/// Checks that a file can have this path: no folder has it. The example is the name of a file.
pub(super) fn can_be_file(path: &Path, example: &str) -> Result<(), CommandError> {
    if !path.is_dir() {
        return Ok(());
    }
    let what = format!("`{}` is a folder; nothing was written", path.display());
    let file = path.join(example);
    Err(CommandError::usage(what, format!("name a file, as in `{}`", file.display())))
}

/// Checks what is known of a file before any call: it is not the fleet file, and its folder exists.
pub(super) fn can_be_written(global: &GlobalArgs, path: &Path, example: &str) -> Result<(), CommandError> {
    can_be_file(path, example)?;
    let is_fleet_file = fs::canonicalize(path)
        .is_ok_and(|found| fs::canonicalize(&global.config).is_ok_and(|it| it == found));
    if is_fleet_file {
        let what = format!("`{}` is the fleet file; nothing was written", path.display());
        return Err(CommandError::usage(what, format!("name another file, as in `{example}`")));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    let what = format!("`{}` cannot be written: `{}` is not a folder", path.display(), folder.display());
    Err(CommandError::usage(what, "create the folder, or name a file in another one"))
}

/// Writes all files or none. An existing file with other contents is kept and is an error, unless `force` is set.
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
            Ok(_) if !force => wrong.push(exists(&path)),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => wrong.push(Problem::new(
                format!("`{}` is a folder; nothing was written", path.display()),
                "remove it, or write to another folder",
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
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    write_all(new.iter().map(|(path, text)| (path.as_path(), text.as_bytes())))?;
    for file in files {
        let path = folder.join(&file.name);
        let what = if new.iter().any(|(written, _)| *written == path) { "written" } else { "unchanged" };
        writeln!(screen.out, "{what}: {}", path.display())?;
    }
    Ok(())
}

/// A file that exists with other contents, and is kept.
fn exists(path: &Path) -> Problem {
    Problem::new(
        format!("`{}` already exists with different contents; nothing was written", path.display()),
        "compare it, then give `--force` to overwrite it",
    )
}

/// Writes these files. All of them are written before the first is put in its place.
pub(super) fn write_all<'f>(
    files: impl IntoIterator<Item = (&'f Path, &'f [u8])>,
) -> Result<(), CommandError> {
    let stage = |(path, contents): (&'f Path, &'f [u8])| {
        Staged::new(path, contents).map(|staged| (path, staged)).map_err(|error| unwritten(path, &error))
    };
    let staged = files.into_iter().map(stage).collect::<Result<Vec<_>, _>>()?;
    staged.into_iter().try_for_each(|(path, staged)| staged.put().map_err(|error| unwritten(path, &error)))
}

pub(super) fn unwritten(path: &Path, error: &io::Error) -> CommandError {
    let what = format!("`{}` cannot be written: {error}", path.display());
    CommandError::file(what, "name a file in a folder in which files can be written")
}

/// A file that is being written, and not in its place yet. If it is dropped before, the old contents stay.
#[cfg(feature = "query")]
pub(super) struct NewFile {
    path: PathBuf,
    written: Written,
}

#[cfg(feature = "query")]
enum Written {
    Temporary(Box<Temporary>),
    /// A pipe or a device is written where it is.
    InPlace(fs::File),
}

#[cfg(feature = "query")]
impl NewFile {
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        can_be_file(path, "rows.txt")?;
        let create = || match Temporary::create(path)? {
            Ok(temporary) => Ok(Written::Temporary(Box::new(temporary))),
            Err(target) => OpenOptions::new().write(true).open(target).map(Written::InPlace),
        };
        let written = create().map_err(|error| unwritten(path, &error))?;
        Ok(Self { path: path.to_owned(), written })
    }

    /// The file, to be written.
    pub(super) fn file(&self) -> Result<fs::File, CommandError> {
        let file = match &self.written {
            Written::Temporary(temporary) => temporary.file.as_file(),
            Written::InPlace(file) => file,
        };
        file.try_clone().map_err(|error| unwritten(&self.path, &error))
    }

    /// Puts the file in its place.
    pub(super) fn put(self) -> Result<(), CommandError> {
        let Written::Temporary(mut temporary) = self.written else { return Ok(()) };
        let put = temporary.written().and_then(|()| temporary.put());
        put.map_err(|error| unwritten(&self.path, &error))
    }

    /// The error of a write.
    pub(super) fn unwritten(&self, error: &io::Error) -> CommandError {
        unwritten(&self.path, error)
    }
}

/// A file next to the place of another, which it replaces. An existing file keeps its permissions. If it is a symbolic link, the
/// file that it leads to is replaced.
struct Temporary {
    file: NamedTempFile,
    target: PathBuf,
    permissions: Option<Permissions>,
}

impl Temporary {
    /// A file that can replace the one at a path; or, if it is a pipe, a device or a descriptor of the process, the path.
    fn create(path: &Path) -> io::Result<Result<Self, PathBuf>> {
        if ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder)) {
            return Ok(Err(path.to_owned()));
        }
        let target = followed(path)?;
        let permissions = match fs::metadata(&target) {
            Ok(existing) if !existing.is_file() => return Ok(Err(target)),
            Ok(existing) => {
                // Renaming would replace a file that may not be written.
                OpenOptions::new().write(true).open(&target)?;
                Some(existing.permissions())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".flowagg-");
        if let Some(permissions) = of_new_files() {
            builder.permissions(permissions);
        }
        // Its own name is no help in an error.
        let made = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
        let file = made.map_err(|error| io::Error::from(error.kind()))?;
        Ok(Ok(Self { file, target, permissions }))
    }

    /// Brings what was written to the disk.
    fn written(&mut self) -> io::Result<()> {
        if let Some(permissions) = self.permissions.take() {
            self.file.as_file().set_permissions(permissions)?;
        }
        self.file.as_file().sync_all()
    }

    fn put(self) -> io::Result<()> {
        self.file.persist(self.target).map(drop).map_err(|failed| failed.error)
    }
}

/// A file that is written, and not in its place yet.
enum Staged<'c> {
    File(Box<Temporary>),
    /// A pipe or a device is written where it is.
    InPlace(&'c [u8], PathBuf),
}

impl<'c> Staged<'c> {
    fn new(path: &Path, contents: &'c [u8]) -> io::Result<Self> {
        match Temporary::create(path)? {
            Ok(mut temporary) => {
                temporary.file.as_file_mut().write_all(contents)?;
                temporary.written()?;
                Ok(Self::File(Box::new(temporary)))
            }
            Err(target) => Ok(Self::InPlace(contents, target)),
        }
    }

    fn put(self) -> io::Result<()> {
        match self {
            Self::File(temporary) => temporary.put(),
            Self::InPlace(contents, target) => fs::write(target, contents),
        }
    }
}

/// The file that a path leads to through symbolic links; it need not exist.
fn followed(path: &Path) -> io::Result<PathBuf> {
    /// As Linux ("path_resolution", Linux manual pages).
    const MOST_LINKS: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else { return Ok(target) };
        // A relative link starts in its own folder.
        target = target.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Those of any new file, from which the process's mask is taken. Temporary files are private by default.
#[cfg(unix)]
fn of_new_files() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn of_new_files() -> Option<Permissions> {
    None
}
