//! `cargo xtask e2e`: the main job, from the build to the last count.

use std::process::Command;

use clap::Args;

use crate::{Emulator, cargo};

/// The options of the task.
#[derive(Args)]
pub(crate) struct E2e {
    #[command(flatten)]
    pub(crate) emulator: Emulator,
    /// Leave the emulator running, and print how to play with it and how to end it
    #[arg(long)]
    pub(crate) keep: bool,
}

impl E2e {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        cargo::build()?;
        let mut rehearse = Command::new(cargo::program("flowagg-rehearse"));
        if let Some(backend) = &self.emulator.backend {
            rehearse.args(["--backend", backend]);
        }
        if self.keep {
            rehearse.arg("--keep");
        }
        cargo::run(&mut rehearse)
    }
}
