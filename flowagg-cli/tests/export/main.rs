//! Tests of the `flowagg export` command and the library functions behind it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test helpers may panic")]

#[path = "../support/foreign.rs"]
mod foreign;
mod refusals;
mod roles;
mod round_trips;
mod snapshots;
mod specs;
mod terraform;
mod writing;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flowagg_core::fleet::Fleet;

/// The fleets of the matrix. `cargo xtask exports` uses the same ones.
const FLEETS: [&str; 11] = [
    "plain",
    "kms",
    "named",
    "organization",
    "whole",
    "china",
    "gov",
    "many",
    "rules",
    "reading",
    "elsewhere",
];

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export")
}

fn fleet_file(fleet: &str) -> PathBuf {
    here().join("fleets").join(fleet).with_extension("toml")
}

/// A fleet whose accounts are all in its file.
fn fleet(name: &str) -> Fleet {
    Fleet::parse(&std::fs::read_to_string(fleet_file(name)).unwrap()).unwrap()
}

/// Runs `flowagg export` on a fleet of the matrix, offline and without the machine's AWS settings.
fn export(fleet: &str, args: &[&str], out: Option<&Path>) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowagg"));
    command.arg("--config").arg(fleet_file(fleet)).arg("export").args(args).env_clear();
    if let Some(folder) = out {
        command.arg("--out").arg(folder);
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    Said {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        // Commands in messages contain the fleet file.
        err: String::from_utf8(stderr).unwrap().replace(&format!(" -c {}", fleet_file(fleet).display()), ""),
    }
}
