//! What users see: the real program in pseudo-terminals of 80 and 200 columns, and piped, compared with the files in
//! `captures`. `SNAPSHOTS=overwrite` updates them; review the difference before you commit it.
//!
//! These tests use Unix pseudo-terminals; Windows terminals are not tested.

#![cfg(unix)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests and their helpers may panic")]

mod escapes;
mod helps;
mod large;
#[path = "../support/paper.rs"]
#[allow(dead_code, reason = "`papers` uses the rest")]
mod paper;
mod picture;
mod prompt;
mod story;
mod terminal;
mod wait;

use std::path::{Path, PathBuf};

use snapbox::{Data, assert_data_eq};
use terminal::Width;

/// A fleet file with as many different errors as fit on one screen.
const FAULTY: &str = include_str!("../../../flowagg-core/tests/data/eight-faults.toml");

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/captures")
}

/// Compares a text with its snapshot file.
#[track_caller]
fn is_kept(file: &Path, text: &str) {
    assert_data_eq!(text, Data::read_from(file, None).raw());
}

/// Compares a screen with its capture. Piped output equals the output in 200 columns, unless a line is longer; then it
/// has its own capture.
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

/// Checks that no line is longer than the terminal is wide.
#[track_caller]
fn fits(name: &str, width: Width, text: &str) {
    if let Some(columns) = width.columns() {
        for line in text.lines() {
            let length = line.chars().count();
            assert!(length <= columns.into(), "{name}: {length} of {columns} columns:\n{line}\nin:\n{text}");
        }
    }
}
