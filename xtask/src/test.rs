//! `cargo xtask test`: all that must pass before a change goes in. It ends at the first failure.

use std::time::Instant;

use anyhow::Context as _;

use crate::Emulator;
use crate::cargo::{self, cargo, run as succeed};
use crate::e2e::E2e;
use crate::emulator::{BACKEND_VARIABLE, OWN_BACKEND_VARIABLE, Running};

pub(crate) fn run(which: &Emulator) -> anyhow::Result<()> {
    let start = Instant::now();
    step("format", || succeed(&mut cargo("fmt --all --check")))?;
    step("clippy", || succeed(&mut cargo("clippy --workspace --all-targets -- -D warnings")))?;
    step("documentation", || succeed(cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings")))?;
    step("build", cargo::build)?;
    step("tests", || {
        eprintln!("Starting the emulator; the first time its Python environment or its image is fetched.");
        let emulator = Running::start(which.backend.as_deref())?;
        let mut tests = cargo("test --workspace");
        // The tests of the emulators themselves start their own.
        tests
            .env(BACKEND_VARIABLE, &emulator.url)
            .envs(which.backend.iter().map(|own| (OWN_BACKEND_VARIABLE, own)));
        succeed(&mut tests)
    })?;
    step("end to end", || E2e { emulator: which.clone(), keep: false }.run())?;
    eprintln!("\nok: everything passes, in {}", told(start));
    Ok(())
}

fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let start = Instant::now();
    eprintln!("\n== {name}");
    work().with_context(|| format!("{name} failed after {}", told(start)))?;
    eprintln!("== {name}: {}", told(start));
    Ok(())
}

fn told(since: Instant) -> String {
    let seconds = since.elapsed().as_secs();
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}
