//! `cargo xtask demo`: the story of a roll-out on an emulator, and the page of its report.

use clap::Args;

use crate::cargo::{self, target};
use crate::{Emulator, e2e};

/// The options of the task.
#[derive(Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    emulator: Emulator,
    /// Leave the emulator running, and print the commands to play with it and to stop it
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        cargo::build()?;
        let mut story = e2e::rehearsal("story", self.emulator.backend.as_deref());
        story.arg("--report").arg(target().join("demo/report.html"));
        if self.keep {
            story.arg("--keep");
        }
        cargo::run(&mut story)
    }
}
