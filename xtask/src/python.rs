//! The Python environment of the checks that others wrote, from a lock file with hashes.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::bail;

use crate::cargo::{is_there, root, run};

/// An environment.
#[derive(Clone, Copy)]
pub(crate) enum Environment {
    /// The checks of exports.
    Exports,
    /// The programs that `cargo xtask bench query` compares with.
    Query,
}

impl Environment {
    /// Its name: that of the folder in xtask with its lock file, which has every package with its version and hashes.
    fn name(self) -> &'static str {
        match self {
            Self::Exports => "exports",
            Self::Query => "query",
        }
    }
}

/// A program of the environment of exports.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    program_of(Environment::Exports, name)
}

/// A program of an environment, which is made where it is not there, or not as the lock file says.
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
        bail!("`{name}` needs `python3`, which is not on the path");
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r"];
    run(Command::new(program("python")).args(install).arg(&lock))?;
    fs::copy(&lock, &installed)?;
    Ok(program(name))
}
