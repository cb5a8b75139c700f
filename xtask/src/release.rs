//! `cargo xtask release`: the program as it is given to others, its size and start, and whether anybody can build the same.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use tempfile::TempDir;

use crate::cargo::{self, cargo, root, run};
use crate::step::step;

/// How often each program is started.
const STARTS: usize = 50;
/// A program that does nothing but start, on every Unix.
const REFERENCE: &str = "true";

/// The options of the task.
#[derive(Args)]
pub(crate) struct Release {
    /// Build it once more, from a copy of the sources in another folder: it must be the same, byte for byte
    #[arg(long)]
    twice: bool,
}

impl Release {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let program = step("build", || build(root(), &cargo::target()))?;
        let size = fs::metadata(&program)?.len();
        let (ours, reference) =
            (start(Command::new(&program).arg("--version"))?, start(&mut Command::new(REFERENCE))?);
        eprintln!("\n{}", program.display());
        eprintln!("size: {:.1} MB", mega(size));
        eprintln!(
            "start: {:.1} ms, median of {STARTS} `flowagg --version`; {:.1} ms more than `{REFERENCE}`",
            millis(ours),
            millis(ours.saturating_sub(reference)),
        );
        if self.twice {
            step("build in another folder", || again(&program))?;
        }
        Ok(())
    }
}

/// Builds the program from the sources in a folder, with no path of this machine in it.
fn build(sources: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo"))).context("there is no home folder")?;
    let places = [(target, "target"), (sources, "flowagg"), (&*home, "cargo")];
    // The last that fits counts for rustc, so the inner ones come last; for C the first does not hide them either.
    let rust = places.iter().rev().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    let c = places.iter().rev().map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display()));
    let mut build = cargo("build --release --locked --package flowagg-cli --bin flowagg");
    build.current_dir(sources).env("CARGO_TARGET_DIR", target);
    build.env("CARGO_ENCODED_RUSTFLAGS", rust.collect::<Vec<_>>().join("\u{1f}"));
    // C code that writes down when it was compiled gets this moment instead.
    build.env("SOURCE_DATE_EPOCH", moment(sources)?);
    run(build.env("CFLAGS", c.collect::<Vec<_>>().join(" ")))?;
    Ok(target.join("release").join(format!("flowagg{}", env::consts::EXE_SUFFIX)))
}

/// When the commit at hand was made, in seconds since 1970.
///
/// Source: "SOURCE_DATE_EPOCH specification" (reproducible-builds.org).
fn moment(sources: &Path) -> anyhow::Result<String> {
    let asked = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(sources).output();
    let asked = asked.context("`git` could not be started")?;
    ensure!(asked.status.success(), "{} is no clone of the repository", sources.display());
    Ok(String::from_utf8(asked.stdout)?.trim().to_owned())
}

/// The median of the times from start to end.
fn start(command: &mut Command) -> anyhow::Result<Duration> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let start = Instant::now();
        let ended = command.stdout(Stdio::null()).status().context("the program could not be started")?;
        times.push(start.elapsed());
        ensure!(ended.success(), "the program ended with {ended}");
    }
    times.sort();
    Ok(times[STARTS / 2])
}

/// Builds the commit at hand in a folder of another name and length, and compares.
fn again(program: &Path) -> anyhow::Result<()> {
    let folder = TempDir::with_prefix("flowagg-from-another-folder-")?;
    let sources = folder.path().join("sources");
    let clone =
        Command::new("git").arg("clone").args(["--quiet", "--shared"]).arg(root()).arg(&sources).status();
    ensure!(clone.context("`git` could not be started")?.success(), "the sources could not be copied");
    let other = build(&sources, &folder.path().join("target"))?;
    if fs::read(program)? != fs::read(&other)? {
        let kept = folder.keep();
        bail!("{} and {} differ; {} is kept", program.display(), other.display(), kept.display());
    }
    eprintln!("the same, byte for byte");
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "for a screen")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
