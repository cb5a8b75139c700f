//! `cargo xtask package`: the crates as crates.io would take them, and whether their API still keeps its word.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cargo::{self, cargo, root, run};
use crate::step::step;

/// The packages that are published, and whose public API is looked at.
const PUBLISHED: [&str; 5] =
    ["flowagg-core", "flowagg-policy", "flowagg-query", "flowagg-cli", "flowagg-testkit"];

/// The options of the task.
#[derive(Args)]
pub(crate) struct Package {
    /// Compare the public API with this commit; a change that breaks a caller needs a new version
    #[arg(long, value_name = "REV")]
    baseline: Option<String>,
}

impl Package {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        // Without a folder of their own, the packages would each compile the AWS SDK.
        step("packages", || packed(&[], &cargo::target().join("packages")))?;
        match &self.baseline {
            Some(commit) => step("public API", || public_api(commit)),
            None => {
                eprintln!("\npublic API: NOT compared; name a commit with `--baseline`");
                Ok(())
            }
        }
    }
}

/// Packs every crate, without a look at how it builds.
pub(crate) fn packed_only() -> anyhow::Result<()> {
    packed(&["--no-verify"], &cargo::target())
}

/// Packs every crate; a warning fails.
fn packed(options: &[&str], target: &Path) -> anyhow::Result<()> {
    let mut packing = cargo("package --workspace --allow-dirty");
    packing.args(options).env("CARGO_TARGET_DIR", target).stdout(Stdio::null()).stderr(Stdio::piped());
    let packed = packing.output().context("`cargo package` could not be started")?;
    let told = String::from_utf8_lossy(&packed.stderr);
    eprint!("{told}");
    if !packed.status.success() || told.contains("warning") {
        bail!("`cargo package` ended with {} and says what is above", packed.status);
    }
    Ok(())
}

fn public_api(commit: &str) -> anyhow::Result<()> {
    if !cargo::is_there("cargo-semver-checks") {
        bail!("`cargo-semver-checks` is not there: cargo install cargo-semver-checks --locked");
    }
    let mut check = Command::new("cargo-semver-checks");
    check.arg("semver-checks").args(["--baseline-rev", commit]).current_dir(root());
    run(check.args(PUBLISHED.iter().flat_map(|package| ["--package", package])))
}
