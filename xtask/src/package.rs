//! `cargo xtask package`: builds the crates as crates.io would, and checks their public API for breaking changes.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cargo::{self, cargo, root, run};
use crate::step::step;

/// The published packages, whose public API is checked.
const PUBLISHED: [&str; 5] =
    ["flowagg-core", "flowagg-policy", "flowagg-query", "flowagg-cli", "flowagg-testkit"];

/// The options of the task.
#[derive(Args)]
pub(crate) struct Package {
    /// Compare the public API with this commit; breaking changes need a new version
    #[arg(long, value_name = "REV")]
    baseline: Option<String>,
}

impl Package {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        // In a separate target folder, all packages share one build of the AWS SDK.
        step("packages", || packed(&[], &cargo::target().join("packages")))?;
        match &self.baseline {
            Some(commit) => step("public API", || public_api(commit)),
            None => {
                eprintln!("\npublic API: NOT compared; pass a commit with `--baseline`");
                Ok(())
            }
        }
    }
}

/// Packs every crate, without a build.
pub(crate) fn packed_only() -> anyhow::Result<()> {
    packed(&["--no-verify"], &cargo::target())
}

/// Packs every crate. A warning is an error.
fn packed(options: &[&str], target: &Path) -> anyhow::Result<()> {
    let mut packing = cargo("package --workspace --allow-dirty");
    packing.args(options).env("CARGO_TARGET_DIR", target).stdout(Stdio::null()).stderr(Stdio::piped());
    let packed = packing.output().context("could not start `cargo package`")?;
    let printed = String::from_utf8_lossy(&packed.stderr);
    eprint!("{printed}");
    if !packed.status.success() || printed.contains("warning") {
        bail!("`cargo package` ended with {}; see its output above", packed.status);
    }
    Ok(())
}

fn public_api(commit: &str) -> anyhow::Result<()> {
    if !cargo::is_there("cargo-semver-checks") {
        bail!("`cargo-semver-checks` is not installed; run `cargo install cargo-semver-checks --locked`");
    }
    let mut check = Command::new("cargo-semver-checks");
    check.arg("semver-checks").args(["--baseline-rev", commit]).current_dir(root());
    run(check.args(PUBLISHED.iter().flat_map(|package| ["--package", package])))
}
