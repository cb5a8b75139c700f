//! `cargo xtask e2e`: the main job, from the build to the last count, then every scenario; and nothing stays behind.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::bail;
use clap::Args;

use crate::Emulator;
use crate::cargo::{self, cargo};
use crate::emulator::{Running, within};
use crate::leftovers::Leftovers;
use crate::step::{step, told};

/// The options of the task.
#[derive(Args)]
pub(crate) struct E2e {
    #[command(flatten)]
    emulator: Emulator,
    /// Run the scenarios so many times in a row, on the one emulator, and tell how many runs were green
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// The rehearsal only; leave its emulator running, and print how to play with it and how to end it
    #[arg(long, conflicts_with = "times")]
    keep: bool,
}

impl E2e {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let backend = self.emulator.backend.as_deref();
        if self.keep {
            cargo::build()?;
            return cargo::run(rehearsal(backend).arg("--keep"));
        }
        step("build", || {
            cargo::build()?;
            cargo::run(scenarios().arg("--no-run"))
        })?;
        let start = Instant::now();
        // All that is written to the disk is written here, and all processes have this folder in their environment.
        let folder = tempfile::Builder::new().prefix("flowagg-e2e-").tempdir()?;
        let emulator = step("emulator", || Running::start(backend, Some(folder.path())))?;
        let leftovers = Leftovers::of(folder.path(), &emulator, backend);
        let green = step("rehearsal", || rehearse(&emulator, folder.path()))
            .map(|()| self.repeat(&emulator, folder.path()));
        drop(emulator);
        let left = step("what is left behind", || leftovers.look());
        let (green, times) = (green?, self.times);
        eprintln!("\n{green} of {times} runs of the scenarios were green");
        if let Err(error) = left {
            return Err(error.context(format!("{} stays, for a look", folder.keep().display())));
        }
        if green < times {
            bail!("{} runs of the scenarios failed", times - green);
        }
        eprintln!("ok: end to end in {} after the build, and nothing is left behind", told(start));
        Ok(())
    }

    /// Runs the scenarios as often as asked for. Returns how many runs were green.
    fn repeat(&self, emulator: &Running, folder: &Path) -> u32 {
        let run = |number| {
            let name = format!("scenarios, run {number} of {}", self.times);
            let mut scenarios = scenarios();
            within(folder, &mut scenarios).envs(emulator.environment());
            let ran = step(&name, || cargo::run(&mut scenarios));
            if let Err(error) = &ran {
                eprintln!("== {error:#}");
            }
            u32::from(ran.is_ok())
        };
        (1..=self.times).map(run).sum()
    }
}

/// The rehearsal, on an emulator that runs.
fn rehearse(emulator: &Running, folder: &Path) -> anyhow::Result<()> {
    cargo::run(within(folder, &mut rehearsal(Some(&emulator.url))))
}

pub(crate) fn rehearsal(backend: Option<&str>) -> Command {
    let mut rehearse = Command::new(cargo::program("flowagg-rehearse"));
    if let Some(backend) = backend {
        rehearse.args(["--backend", backend]);
    }
    rehearse
}

fn scenarios() -> Command {
    cargo("test --workspace --test scenarios")
}
