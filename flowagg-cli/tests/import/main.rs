//! Tests of the `flowagg import --template` command and the library functions behind it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic as tests do")]

mod by_hand;
mod folders;
#[path = "../support/foreign.rs"]
mod foreign;
mod foreign_text;
mod in_the_wild;
mod organizations;
mod refusals;
mod round_trips;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import")
}

/// A handwritten template.
fn template(name: &str) -> String {
    here().join("templates").join(name).display().to_string()
}

/// Runs `flowagg import` offline and without the machine's AWS settings.
fn import(args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowagg"));
    let Output { status, stdout, stderr } = command.arg("import").args(args).env_clear().output().unwrap();
    Said {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}
