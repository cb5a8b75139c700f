//! Building the program for a platform, with the same bytes in every folder.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::target::Target;
use crate::cargo::{cargo, root, run};

/// C code that writes down when it was compiled gets this moment, in seconds since 1970. It is the same for every commit: with
/// another one cargo compiles the C code again, and everything above it, which includes the AWS SDK.
///
/// Source: "SOURCE_DATE_EPOCH specification" (reproducible-builds.org).
const MOMENT_OF_C: &str = "1796056490";

/// Builds the program from the sources in a folder, with no path of this machine in it.
pub(super) fn build(target: Target, sources: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    // It adds the list of all crates to the program, where scanners find it.
    is_installed("auditable")?;
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo"))).context("there is no home folder")?;
    let places = [(folder, "target"), (sources, "flowagg"), (&*home, "cargo")];
    // The last that fits counts for rustc, so the inner ones come last; for C the first does not hide them either.
    let mut rust: Vec<_> = places
        .iter()
        .rev()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect();
    let mut build = cargo("auditable build --release --locked --package flowagg-cli --bin flowagg --target");
    build.arg(target.triple()).current_dir(sources).env("CARGO_TARGET_DIR", folder);
    if target == Target::WindowsX86 {
        // Nothing of Visual C++ has to be installed, and aws-lc brings the objects that NASM would make.
        rust.push("-Ctarget-feature=+crt-static".to_owned());
        build.env("AWS_LC_SYS_PREBUILT_NASM", "1");
    } else {
        let c = places.iter().rev().map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display()));
        build.env("CFLAGS", c.collect::<Vec<_>>().join(" "));
    }
    build.env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"));
    run(build.env("SOURCE_DATE_EPOCH", MOMENT_OF_C))?;
    let program = target.built(folder);
    ensure!(program.is_file(), "`cargo build` has not written {}", program.display());
    Ok(program)
}

/// Fails unless cargo has this command.
pub(super) fn is_installed(command: &str) -> anyhow::Result<()> {
    let mut asked = cargo(command);
    let asked = asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !asked.is_ok_and(|status| status.success()) {
        bail!("`cargo {command}` is not installed: cargo install cargo-{command} --locked");
    }
    Ok(())
}

/// When the commit at hand was made, in seconds since 1970: the time of the files in archives and images.
pub(super) fn moment(sources: &Path) -> anyhow::Result<u64> {
    let asked = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(sources).output();
    let asked = asked.context("`git` could not be started")?;
    ensure!(asked.status.success(), "{} is not a clone of the repository", sources.display());
    Ok(String::from_utf8(asked.stdout)?.trim().parse()?)
}

/// Copies the sources of the commit at hand.
pub(super) fn clone(sources: &Path) -> anyhow::Result<()> {
    run(Command::new("git").args(["clone", "--quiet", "--shared"]).arg(root()).arg(sources))
}

/// Builds the commit at hand in a folder of another name and length, and compares.
pub(super) fn again(target: Target, program: &Path) -> anyhow::Result<()> {
    let folder = TempDir::with_prefix("flowagg-from-another-folder-")?;
    let sources = folder.path().join("sources");
    clone(&sources)?;
    let other = build(target, &sources, &folder.path().join("target"))?;
    if fs::read(program)? != fs::read(&other)? {
        let kept = folder.keep();
        bail!("{} and {} differ; {} is kept", program.display(), other.display(), kept.display());
    }
    eprintln!("the same, byte for byte");
    Ok(())
}
