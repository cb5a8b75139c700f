//! `cargo xtask demo`: a rollout on an emulator, and the HTML page of its report.

use std::process::Command;

use clap::Args;

use crate::cargo::{self, cargo, is_there, target};
use crate::e2e;

/// Python versions that run the emulator's packages, and `uv`, which installs one.
const PYTHONS: [&str; 4] = ["uv", "python3.13", "python3.12", "python3.11"];
/// Exits with 0 if `python3` is one of these versions.
const IS_ONE: &str = "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))";

/// The options of the task.
#[derive(Args)]
pub(crate) struct Demo {
    /// `docker`, `python`, or the URL of a running emulator [default: Python if Python 3.11 to 3.13 or `uv` is installed, else Docker]
    #[arg(long)]
    backend: Option<String>,
    /// Leave the emulator running, and print the commands to use and stop it
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let backend = self.backend.as_deref();
        let backend = backend.or_else(|| has_python().then_some("python"));
        match backend {
            None | Some("docker") => cargo::build()?,
            Some(_) => cargo::run(&mut build())?,
        }
        let mut story = e2e::rehearsal("story", backend);
        story.arg("--report").arg(target().join("demo/report.html"));
        if self.keep {
            story.arg("--keep");
        }
        cargo::run(&mut story)
    }
}

/// Builds only the programs of the demo without a container: no Docker client, Athena or test-only dependencies. Their dependencies have
/// other features, so this compiles another SDK than the workspace build.
pub(crate) fn build() -> Command {
    cargo(
        "build --package flowagg-cli --package flowagg-testkit --bin flowagg --bin flowagg-rehearse --no-default-features \
         --features flowagg-cli/cli",
    )
}

fn has_python() -> bool {
    let fits = |python: &str| Command::new(python).args(["-c", IS_ONE]).status().is_ok_and(|it| it.success());
    PYTHONS.into_iter().any(is_there) || fits("python3")
}
