//! Virtual environments: created once from hash-locked requirements, and kept in the user's cache.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::emulator::{EmulatorError, tail};

/// The Python versions that the locked packages support.
const PYTHONS: std::ops::RangeInclusive<(u32, u32)> = (3, 11)..=(3, 13);

/// Packages from PyPI that are installed together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packages {
    /// What they are for, in one word.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Every package with its version and hashes.
    pub(crate) lock: &'static str,
}

impl Packages {
    /// Whether the environment exists or could be created.
    pub(super) fn check(self) -> Result<(), EmulatorError> {
        let folder = folder(self)?;
        if interpreter(&folder).exists() || uv_is_there() { Ok(()) } else { find_python(self).map(drop) }
    }

    /// The interpreter of the environment, which is created if missing.
    pub(crate) fn python(self) -> Result<PathBuf, EmulatorError> {
        let folder = folder(self)?;
        let python = interpreter(&folder);
        if !python.exists() {
            make(&folder, self).map_err(|error| {
                let (name, version) = (self.name, self.version);
                EmulatorError::Python(format!(
                    "cannot create the Python environment for {name} {version}: {error}"
                ))
            })?;
        }
        Ok(python)
    }
}

/// The environment's folder in the user's cache; each lock has its own.
fn folder(packages: Packages) -> Result<PathBuf, EmulatorError> {
    let variable = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = |under: &str| variable("HOME").map(|home| home.join(under));
    let cache = variable("XDG_CACHE_HOME").or_else(|| {
        if cfg!(target_os = "macos") {
            home("Library/Caches")
        } else if cfg!(windows) {
            variable("LOCALAPPDATA")
        } else {
            home(".cache")
        }
    });
    let cache =
        cache.ok_or_else(|| EmulatorError::Python("no cache folder: set HOME or XDG_CACHE_HOME".into()))?;
    let lock: String =
        Sha256::digest(packages.lock).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let name = packages.name.to_lowercase();
    Ok(cache.join("flowagg").join(format!("{name}-{}-{lock}", packages.version)))
}

fn interpreter(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

/// Creates the environment next to its final folder and moves it there when complete. Concurrent callers wait for it.
fn make(folder: &Path, packages: Packages) -> Result<(), String> {
    let io = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder.parent().unwrap_or(folder)).map_err(io)?;
    let beside = |what: &str| PathBuf::from(format!("{}.{what}", folder.display()));
    let lock = File::create(beside("lock")).map_err(io)?;
    lock.lock().map_err(io)?;
    if interpreter(folder).exists() {
        return Ok(());
    }
    let partial = beside("partial");
    // Left by a killed process, or an environment whose Python no longer exists.
    for leftover in [partial.as_path(), folder] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(io)?;
        }
    }
    fs::create_dir(&partial).map_err(io)?;
    let requirements = partial.join("requirements.txt");
    fs::write(&requirements, packages.lock).map_err(io)?;
    let venv = partial.join("venv");
    if uv_is_there() {
        install_with_uv(&venv, &requirements)?
    } else {
        install_with_pip(&venv, &requirements, packages)?
    }
    fs::rename(&venv, folder).and_then(|()| fs::remove_dir_all(&partial)).map_err(io)
}

fn install_with_uv(venv: &Path, requirements: &Path) -> Result<(), String> {
    let ((major, low), (_, high)) = (PYTHONS.start(), PYTHONS.end());
    let versions = format!(">={major}.{low},<{major}.{}", high + 1);
    run(Command::new("uv").args(["venv", "--no-project", "--python", &versions]).arg(venv))?;
    let install = [
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        "--compile-bytecode",
        "--link-mode",
        "copy",
        "--python",
    ];
    run(Command::new("uv").args(install).arg(interpreter(venv)).arg("-r").arg(requirements))
}

fn install_with_pip(venv: &Path, requirements: &Path, packages: Packages) -> Result<(), String> {
    let python = find_python(packages).map_err(|error| error.to_string())?;
    run(Command::new(python).args(["-m", "venv"]).arg(venv)).map_err(|error| {
        format!("{error}\n(on Debian and Ubuntu, install the module with `apt install python3-venv`)")
    })?;
    let install =
        ["-m", "pip", "install", "--no-deps", "--require-hashes", "--disable-pip-version-check", "-r"];
    run(Command::new(interpreter(venv)).args(install).arg(requirements))
}

/// The first Python on the path with a supported version.
fn find_python(packages: Packages) -> Result<String, EmulatorError> {
    let ((major, low), (_, high)) = (*PYTHONS.start(), *PYTHONS.end());
    let numbered = (low..=high).rev().map(|minor| format!("python{major}.{minor}"));
    let mut found = Vec::new();
    for name in ["python3".to_owned(), "python".to_owned()].into_iter().chain(numbered) {
        let Some(version) = version(&name) else { continue };
        if PYTHONS.contains(&version) {
            return Ok(name);
        }
        found.push(format!("`{name}` is {}.{}", version.0, version.1));
    }
    let found = if found.is_empty() { "no Python on the path".to_owned() } else { found.join(", ") };
    Err(EmulatorError::Python(format!(
        "{} needs Python {major}.{low} to {major}.{high}, or `uv`: {found}",
        packages.name
    )))
}

fn version(python: &str) -> Option<(u32, u32)> {
    const ASK: &str = "import sys; print(sys.version_info[0], sys.version_info[1])";
    let output = Command::new(python).args(["-c", ASK]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn uv_is_there() -> bool {
    Command::new("uv").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs a command. Its output is part of the error if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let written = [output.stdout, output.stderr].concat();
    Err(format!("{shown} ended with {}:\n{}", output.status, tail(&String::from_utf8_lossy(&written))))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    /// No packages: this environment is created in a second and without a network.
    const BARE: Packages = Packages { name: "bare", version: "0", lock: "# nothing\n" };

    #[test]
    fn concurrent_callers_create_one_environment() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("bare");
        let all = Barrier::new(4);
        // Each thread opens its own lock file, so the lock works between threads as it does between processes.
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (folder, all) = (&folder, &all);
                scope.spawn(move || {
                    all.wait();
                    make(folder, BARE).unwrap();
                    assert!(version(&interpreter(folder).display().to_string()).is_some());
                    fs::write(folder.join(format!("seen-by-{number}")), "").unwrap();
                });
            }
        });
        let seen = (0..4).filter(|number| folder.join(format!("seen-by-{number}")).exists());
        assert_eq!(seen.count(), 4, "the environment was created once");
    }

    #[test]
    fn leftovers_of_a_killed_process_are_removed() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("bare");
        let partial = cache.path().join("bare.partial");
        for half_made in [&folder, &partial] {
            fs::create_dir_all(half_made.join("leftover")).unwrap();
        }
        make(&folder, BARE).unwrap();
        assert!(interpreter(&folder).exists());
        assert!(!folder.join("leftover").exists() && !partial.exists());
    }

    #[test]
    fn failed_install_reports_the_installers_output_and_leaves_no_environment() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("bare");
        let lock = "no-such-package @ file:///no/such/no-such-package\n";
        let error = make(&folder, Packages { lock, ..BARE }).unwrap_err();
        assert!(error.contains("no-such-package") && !folder.exists(), "{error}");
    }
}
