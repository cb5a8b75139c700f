//! `cargo xtask e2e`: the rehearsal and every scenario on a fresh emulator, followed by a check for leftovers.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::bail;
use clap::Args;

use crate::Emulator;
use crate::cargo::{self, cargo};
use crate::emulator::{Running, within};
use crate::leftovers::Leftovers;
use crate::step::{minutes, step};

/// The options of the task.
#[derive(Args)]
pub(crate) struct E2e {
    #[command(flatten)]
    emulator: Emulator,
    /// Number of runs, each on a fresh emulator
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
}

impl E2e {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        step("build", || {
            cargo::build()?;
            cargo::run(scenarios().arg("--no-run"))
        })?;
        let start = Instant::now();
        let green: u32 = (1..=self.times).map(|number| u32::from(self.run_once(number))).sum();
        let times = self.times;
        eprintln!("\n{green} of {times} runs passed");
        if green < times {
            bail!("{} runs failed", times - green);
        }
        eprintln!("ok: end to end in {} after the build, without leftovers", minutes(start.elapsed()));
        Ok(())
    }

    /// Runs rehearsal and scenarios on a new emulator, and prints an error if one fails. Returns whether both passed.
    fn run_once(&self, number: u32) -> bool {
        let ran = step(&format!("run {number} of {}", self.times), || {
            let backend = self.emulator.backend.as_deref();
            // All files are written here, and all processes have this folder in their environment.
            let folder = tempfile::Builder::new().prefix("flowagg-e2e-").tempdir()?;
            let emulator = step("emulator", || Running::start(backend, Some(folder.path())))?;
            let leftovers = Leftovers::of(folder.path(), &emulator, backend);
            let ran = rehearse(&emulator, folder.path());
            drop(emulator);
            if let Err(error) = step("leftovers", || leftovers.check()) {
                return Err(error.context(format!("keeping {} for inspection", folder.keep().display())));
            }
            ran
        });
        if let Err(error) = &ran {
            eprintln!("== {error:#}");
        }
        ran.is_ok()
    }
}

/// Runs the rehearsal, then the scenarios, on a running emulator.
fn rehearse(emulator: &Running, folder: &Path) -> anyhow::Result<()> {
    step("rehearsal", || cargo::run(within(folder, rehearsal("story", Some(&emulator.url)).arg("--query"))))?;
    step("scenarios", || cargo::run(within(folder, &mut scenarios()).envs(emulator.environment())))
}

pub(crate) fn rehearsal(name: &str, backend: Option<&str>) -> Command {
    let mut rehearse = Command::new(cargo::program("flowagg-rehearse"));
    rehearse.arg(name);
    if let Some(backend) = backend {
        rehearse.args(["--backend", backend]);
    }
    rehearse
}

fn scenarios() -> Command {
    let mut scenarios = cargo("test --workspace --test scenarios");
    wait_together(&mut scenarios);
    scenarios
}

/// Runs tests in more threads than cores, because tests on an emulator wait most of the time.
pub(crate) fn wait_together(tests: &mut Command) {
    const THREADS: &str = "RUST_TEST_THREADS";
    if env::var_os(THREADS).is_none() {
        tests.env(THREADS, "8");
    }
}
