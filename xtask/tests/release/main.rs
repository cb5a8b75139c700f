//! Tests of the scripts of a release: the installer, with a release on a local HTTP server, and the steps of the action, with
//! substitutes for `gh` and `flowagg` that record their arguments.

#![cfg(unix)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "test helpers may panic")]

mod action;
mod installer;
mod served;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A temporary folder with substitutes for programs.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Adds a shell script that takes precedence over a program of the same name.
    fn program(&self, name: &str, script: &str) {
        let path = self.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// A PATH with only these programs of the machine, and those of this place.
    fn only(&self, programs: &[&str]) -> String {
        let path = std::env::var_os("PATH").unwrap();
        for program in programs {
            let mut found = std::env::split_paths(&path).map(|folder| folder.join(program));
            let found = found.find(|program| program.is_file());
            let found = found.unwrap_or_else(|| panic!("`{program}` is not on the PATH"));
            symlink(found, self.path("bin").join(program)).unwrap();
        }
        self.path("bin").display().to_string()
    }

    /// A PATH with the programs of this place, followed by those of the machine.
    fn search_path(&self) -> String {
        format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap())
    }

    /// The names in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).map_or_else(|_| Vec::new(), Iterator::collect);
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.into_iter().map(name).collect();
        names.sort();
        names
    }
}

/// The result of a script.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs a script with a shell, with only these environment variables.
fn run<V: AsRef<OsStr>>(
    shell: &str,
    script: &Path,
    args: &[&str],
    variables: impl IntoIterator<Item = (&'static str, V)>,
) -> Ran {
    let mut command = Command::new(shell);
    command.arg(script).args(args).env_clear().envs(variables);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}
