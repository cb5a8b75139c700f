//! Builds the program for a platform. The result is the same in every folder, byte for byte.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::target::Target;
use crate::cargo::{cargo, root, run};

/// The compile time, in seconds since 1970, for C code that embeds it. It is the same for every commit: if it changes, cargo compiles the
/// C code again, and all dependents, which include the AWS SDK.
///
/// Source: "SOURCE_DATE_EPOCH specification" (reproducible-builds.org).
const MOMENT_OF_C: &str = "1796056490";

/// Builds the program from the sources in a folder, without paths of this machine in it.
pub(super) fn build(target: Target, sources: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    // Embeds the list of all crates in the program, where scanners find it.
    is_installed("auditable")?;
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| Some(env::home_dir()?.join(".cargo"))).context("no home folder; set `CARGO_HOME`")?;
    let places = [(folder, "target"), (sources, "flowagg"), (&*home, "cargo")];
    // rustc uses the last mapping that matches, so inner folders come last. For C compilers this order works as well.
    let mut rust: Vec<_> = places
        .iter()
        .rev()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect();
    let mut build = cargo("auditable build --release --locked --package flowagg-cli --bin flowagg --target");
    build.arg(target.triple()).current_dir(sources).env("CARGO_TARGET_DIR", folder);
    if target == Target::WindowsX86 {
        // Static C runtime, so that users need no Visual C++ runtime. aws-lc contains prebuilt NASM objects.
        rust.push("-Ctarget-feature=+crt-static".to_owned());
        build.env("AWS_LC_SYS_PREBUILT_NASM", "1");
    } else {
        let c = places.iter().rev().map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display()));
        build.env("CFLAGS", c.collect::<Vec<_>>().join(" "));
    }
    build.env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"));
    run(build.env("SOURCE_DATE_EPOCH", MOMENT_OF_C))?;
    let program = target.built(folder);
    ensure!(program.is_file(), "`cargo build` did not write {}", program.display());
    Ok(program)
}

/// Fails unless this cargo command is installed.
pub(super) fn is_installed(command: &str) -> anyhow::Result<()> {
    let mut version = cargo(command);
    let version = version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        bail!("`cargo {command}` is not installed; run `cargo install cargo-{command} --locked`");
    }
    Ok(())
}

/// The time of the current commit, in seconds since 1970, which is also that of files in archives and images.
pub(super) fn moment(sources: &Path) -> anyhow::Result<u64> {
    let log = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(sources).output();
    let log = log.context("could not start `git`")?;
    ensure!(log.status.success(), "{} is not a clone of the repository", sources.display());
    Ok(String::from_utf8(log.stdout)?.trim().parse()?)
}

/// Clones the current commit into a folder.
pub(super) fn clone(sources: &Path) -> anyhow::Result<()> {
    run(Command::new("git").args(["clone", "--quiet", "--shared"]).arg(root()).arg(sources))
}

/// Builds the current commit in a folder with another path, and compares the programs.
pub(super) fn again(target: Target, program: &Path) -> anyhow::Result<()> {
    let folder = TempDir::with_prefix("flowagg-from-another-folder-")?;
    let sources = folder.path().join("sources");
    clone(&sources)?;
    let other = build(target, &sources, &folder.path().join("target"))?;
    if fs::read(program)? != fs::read(&other)? {
        let kept = folder.keep();
        bail!("{} and {} differ; keeping {}", program.display(), other.display(), kept.display());
    }
    eprintln!("identical, byte for byte");
    Ok(())
}
