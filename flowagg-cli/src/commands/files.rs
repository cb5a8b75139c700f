//! Writes files atomically: each is written to a temporary file and renamed, so that a run that fails or is killed keeps the old
//! contents.

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
        return Err(CommandError::usage(what, "use a file such as `flowagg.toml`"));
    };
    into_folder(&[ExportFile { name: name.to_owned(), text }], &folder, force, screen)
}

/// Checks that a path is not a folder. `example` is a file name for the error message.
pub(super) fn can_be_file(path: &Path, example: &str) -> Result<(), CommandError> {
    if !path.is_dir() {
        return Ok(());
    }
    let what = format!("`{}` is a folder; nothing was written", path.display());
    let file = path.join(example);
    Err(CommandError::usage(what, format!("use a file such as `{}`", file.display())))
}

/// Checks a file before any AWS call: it must not be the fleet file, and its folder must exist.
pub(super) fn can_be_written(global: &GlobalArgs, path: &Path, example: &str) -> Result<(), CommandError> {
    can_be_file(path, example)?;
    let is_fleet_file = fs::canonicalize(path)
        .is_ok_and(|found| fs::canonicalize(&global.config).is_ok_and(|it| it == found));
    if is_fleet_file {
        let what = format!("`{}` is the fleet file; nothing was written", path.display());
        return Err(CommandError::usage(what, format!("use another file, such as `{example}`")));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    let what = format!("`{}` cannot be written: `{}` is not a folder", path.display(), folder.display());
    Err(CommandError::usage(what, "create the folder, or choose a file in an existing folder"))
}

/// Writes all files or none, and reports each. An existing file with other contents is kept and is an error, unless `force` is set.
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
                "choose a folder with read and write access",
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

/// The error for an existing file with other contents, which is kept.
fn exists(path: &Path) -> Problem {
    Problem::new(
        format!("`{}` already exists with different contents; nothing was written", path.display()),
        "compare the file, then use `--force` to overwrite it",
    )
}

/// Writes files. All temporary files are written before the first one is renamed.
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
    CommandError::file(what, "choose a file in a writable folder")
}

/// A file that is being written. If it is dropped before [`put`](Self::put), the old contents are kept.
#[cfg(feature = "query")]
pub(super) struct NewFile {
    path: PathBuf,
    written: Written,
}

#[cfg(feature = "query")]
enum Written {
    Temporary(Box<Temporary>),
    /// A pipe or a device, which is written directly.
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

    /// A handle to write the file with.
    pub(super) fn file(&self) -> Result<fs::File, CommandError> {
        let file = match &self.written {
            Written::Temporary(temporary) => temporary.file.as_file(),
            Written::InPlace(file) => file,
        };
        file.try_clone().map_err(|error| unwritten(&self.path, &error))
    }

    /// Moves the file to its path.
    pub(super) fn put(self) -> Result<(), CommandError> {
        let Written::Temporary(mut temporary) = self.written else { return Ok(()) };
        let put = temporary.written().and_then(|()| temporary.put());
        put.map_err(|error| unwritten(&self.path, &error))
    }

    /// The error of a failed write.
    pub(super) fn unwritten(&self, error: &io::Error) -> CommandError {
        unwritten(&self.path, error)
    }
}

/// A temporary file in the folder of the file that it replaces. An existing file keeps its permissions. If it is a symbolic link, the
/// link's target is replaced.
struct Temporary {
    file: NamedTempFile,
    target: PathBuf,
    permissions: Option<Permissions>,
}

impl Temporary {
    /// Creates a temporary file for a path. Returns the path itself if it is a pipe, a device or a descriptor of the process.
    fn create(path: &Path) -> io::Result<Result<Self, PathBuf>> {
        if ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder)) {
            return Ok(Err(path.to_owned()));
        }
        let target = followed(path)?;
        let permissions = match fs::metadata(&target) {
            Ok(existing) if !existing.is_file() => return Ok(Err(target)),
            Ok(existing) => {
                // Renaming would replace even a read-only file.
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
        // The error must not contain the temporary name.
        let made = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
        let file = made.map_err(|error| io::Error::from(error.kind()))?;
        Ok(Ok(Self { file, target, permissions }))
    }

    /// Sets the permissions and flushes the file to disk.
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

/// A file that is written but not yet at its path.
enum Staged<'c> {
    File(Box<Temporary>),
    /// A pipe or a device, which is written directly.
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

/// Resolves symbolic links. The target need not exist.
fn followed(path: &Path) -> io::Result<PathBuf> {
    /// The limit of Linux ("path_resolution", Linux manual pages).
    const MOST_LINKS: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else { return Ok(target) };
        // A relative target is relative to the folder of the link.
        target = target.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The permissions of a new file before the umask. Without them, temporary files are private.
#[cfg(unix)]
fn of_new_files() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn of_new_files() -> Option<Permissions> {
    None
}
