//! `cargo xtask test`: everything that must pass before a merge. It stops at the first failure.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Context as _;

use crate::cargo::{self, cargo, run as succeed};
use crate::e2e::{rehearsal, wait_together};
use crate::emulator::{OWN_BACKEND_VARIABLE, Running};
use crate::step::Steps;
use crate::workflows::workflows;
use crate::{Emulator, exports, links, package, questions, report, words};

pub(crate) fn run(which: &Emulator) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    steps.step("format", || succeed(&mut cargo("fmt --all --check")))?;
    steps.step("words", words::run)?;
    steps.step("links", links::run)?;
    steps.step("clippy", || succeed(&mut cargo("clippy --workspace --all-targets -- -D warnings")))?;
    // The same dependency features as in the previous step, so that the dependencies are not compiled again.
    steps.step("library alone", || {
        succeed(&mut cargo(
            "clippy --workspace --lib --no-default-features --features xtask/same-features -- -D warnings",
        ))
    })?;
    steps.step("demo alone", || {
        succeed(&mut cargo(
            "clippy --workspace --lib --bins --no-default-features --features flowagg-cli/cli,xtask/same-features -- -D warnings",
        ))
    })?;
    steps.step("documentation", || {
        succeed(cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    steps.step("packages", package::packed_only)?;
    steps.step("build", cargo::build)?;
    let emulator = steps.step("emulator", || {
        eprintln!("The first run downloads its Python environment or its image.");
        Running::start(which.backend.as_deref(), None)
    })?;
    steps.step("tests", || {
        let mut tests = cargo("test --workspace");
        wait_together(&mut tests);
        // The tests of the emulators themselves start their own.
        tests.envs(emulator.environment()).envs(which.backend.iter().map(|own| (OWN_BACKEND_VARIABLE, own)));
        succeed(&mut tests)?;
        // Without these programs, the documentation tests run the other lines.
        for missing in ["jq", "terraform"].into_iter().filter(|program| !cargo::is_there(program)) {
            eprintln!("NOT RUN: lines of the documentation that call `{missing}`, which is not installed");
        }
        Ok(())
    })?;
    steps.step("examples", || examples(&emulator))?;
    // Without the scenarios, which the tests have run.
    steps.step("rehearsal", || succeed(rehearsal("story", Some(&emulator.url)).arg("--query")))?;
    steps.step("readers", || succeed(&mut rehearsal("readers", Some(&emulator.url))))?;
    steps.step("queries", || succeed(&mut rehearsal("queries", Some(&emulator.url))))?;
    steps.step("questions in Athena SQL", questions::in_athena)?;
    steps.step("exports", || exports::exports(&Emulator { backend: Some(emulator.url.clone()) }))?;
    steps.step("workflows", workflows)?;
    steps.step("report", report::if_possible)?;
    eprintln!("\n{steps}\nok: all steps passed");
    Ok(())
}

/// Runs every example of the testkit. Each checks its own claims. The tests have built them.
fn examples(emulator: &Running) -> anyhow::Result<()> {
    let folder = cargo::root().join("flowagg-testkit").join("examples");
    let files = folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))?;
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<_> = files.iter().map(|file| file.path().with_extension("")).collect();
    for name in names.iter().filter_map(|path| path.file_name()) {
        let program = cargo::program(&format!("examples/{}", name.display()));
        succeed(Command::new(program).envs(emulator.environment()))?;
    }
    Ok(())
}
