//! Python environments for third-party checks, each installed from a lock file with hashes.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::bail;

use crate::cargo::{is_there, root, run};

/// A Python environment.
#[derive(Clone, Copy)]
pub(crate) enum Environment {
    /// Checks of exports.
    Exports,
    /// Libraries that `cargo xtask bench query` compares flowagg with.
    Query,
}

impl Environment {
    /// The name of the folder in xtask with its lock file, which lists every package with version and hashes.
    fn name(self) -> &'static str {
        match self {
            Self::Exports => "exports",
            Self::Query => "query",
        }
    }
}

/// The path of a program in the exports environment.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    program_of(Environment::Exports, name)
}

/// The path of a program in an environment, which is installed if it is missing or differs from its lock file.
pub(crate) fn program_of(environment: Environment, name: &str) -> anyhow::Result<PathBuf> {
    let environment = environment.name();
    let lock = root().join("xtask").join(environment).join("requirements.txt");
    let folder = root().join(format!("target/{environment}-python"));
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = |name: &str| programs.join(format!("{name}{EXE_SUFFIX}"));
    let installed = folder.join("requirements.txt");
    if fs::read(&installed).ok() == Some(fs::read(&lock)?) {
        return Ok(program(name));
    }
    if !is_there("python3") {
        bail!("`{name}` needs `python3`, which is not on the PATH");
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r"];
    run(Command::new(program("python")).args(install).arg(&lock))?;
    fs::copy(&lock, &installed)?;
    Ok(program(name))
}
