//! What people see: the real program in a pseudo-terminal of 80 and of 200 columns, and piped, compared with the texts in
//! `captures`. `SNAPSHOTS=overwrite` writes them; read the difference before you commit it.
//!
//! Pseudo-terminals are Unix's; Windows has others, which nobody looks at here.

#![cfg(unix)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail where it likes, its helpers too")]

mod escapes;
mod helps;
mod large;
#[path = "../support/paper.rs"]
#[allow(dead_code, reason = "`papers` needs more of it")]
mod paper;
mod picture;
mod prompt;
mod story;
mod terminal;
mod wait;

use std::path::{Path, PathBuf};

use snapbox::{Data, assert_data_eq};
use terminal::Width;

/// A fleet file with all faults that there can be on one screen.
const FAULTY: &str = include_str!("../../../flowagg-core/tests/data/eight-faults.toml");

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/captures")
}

/// Compares a text with the file that keeps it.
#[track_caller]
fn is_kept(file: &Path, text: &str) {
    assert_data_eq!(text, Data::read_from(file, None).raw());
}

/// Compares what a screen shows with its capture. Piped it shows the same as in 200 columns, unless a line is longer: then it has a
/// capture of its own.
#[track_caller]
fn is_the_capture(name: &str, width: Width, text: &str) {
    fits(name, width, text);
    let capture = match width.columns() {
        Some(columns) => format!("{name}.{columns}.txt"),
        None if text.lines().any(|line| line.chars().count() > 200) => format!("{name}.piped.txt"),
        None => format!("{name}.200.txt"),
    };
    is_kept(&captures().join(capture), text);
}

/// No line is longer than the terminal is wide.
#[track_caller]
fn fits(name: &str, width: Width, text: &str) {
    if let Some(columns) = width.columns() {
        for line in text.lines() {
            let length = line.chars().count();
            assert!(length <= columns.into(), "{name}: {length} of {columns} columns:\n{line}\nin:\n{text}");
        }
    }
}
