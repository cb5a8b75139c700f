//! `cargo xtask e2e`: the main job, from the build to the last count, then every scenario; and nothing stays behind.

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
    /// Run it all so many times in a row, each time on a fresh emulator, and tell how many runs were green
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
        eprintln!("\n{green} of {times} runs were green");
        if green < times {
            bail!("{} runs failed", times - green);
        }
        eprintln!(
            "ok: end to end in {} after the build, and nothing is left behind",
            minutes(start.elapsed())
        );
        Ok(())
    }

    /// Runs it all on an emulator of its own, and tells how that went. Returns whether it was green.
    fn run_once(&self, number: u32) -> bool {
        let ran = step(&format!("run {number} of {}", self.times), || {
            let backend = self.emulator.backend.as_deref();
            // All that is written to the disk is written here, and all processes have this folder in their environment.
            let folder = tempfile::Builder::new().prefix("flowagg-e2e-").tempdir()?;
            let emulator = step("emulator", || Running::start(backend, Some(folder.path())))?;
            let leftovers = Leftovers::of(folder.path(), &emulator, backend);
            let ran = rehearse(&emulator, folder.path());
            drop(emulator);
            if let Err(error) = step("what is left behind", || leftovers.look()) {
                return Err(error.context(format!("{} stays, for a look", folder.keep().display())));
            }
            ran
        });
        if let Err(error) = &ran {
            eprintln!("== {error:#}");
        }
        ran.is_ok()
    }
}

/// The rehearsal, then the scenarios, on an emulator that runs.
fn rehearse(emulator: &Running, folder: &Path) -> anyhow::Result<()> {
    step("rehearsal", || cargo::run(within(folder, rehearsal("story", Some(&emulator.url)).arg("--query"))))?;
    step("scenarios", || cargo::run(within(folder, &mut scenarios()).envs(emulator.environment())))
}

/// A rehearsal, by its name.
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

/// Has tests run in more threads than there are cores: those of an emulator wait, most of the time.
pub(crate) fn wait_together(tests: &mut Command) {
    const THREADS: &str = "RUST_TEST_THREADS";
    if env::var_os(THREADS).is_none() {
        tests.env(THREADS, "8");
    }
}
