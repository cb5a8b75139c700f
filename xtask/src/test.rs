//! `cargo xtask test`: all that must pass before a change goes in. It ends at the first failure.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Context as _;

use crate::cargo::{self, cargo, run as succeed};
use crate::e2e::{rehearsal, wait_together};
use crate::emulator::{OWN_BACKEND_VARIABLE, Running};
use crate::step::Steps;
use crate::workflows::workflows;
use crate::{Emulator, exports, package, questions, report};

pub(crate) fn run(which: &Emulator) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    steps.step("format", || succeed(&mut cargo("fmt --all --check")))?;
    steps.step("clippy", || succeed(&mut cargo("clippy --workspace --all-targets -- -D warnings")))?;
    // With the features that they have in the step before, the dependencies are not compiled again.
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
        eprintln!("The first time its Python environment or its image is fetched.");
        Running::start(which.backend.as_deref(), None)
    })?;
    steps.step("tests", || {
        let mut tests = cargo("test --workspace");
        wait_together(&mut tests);
        // The tests of the emulators themselves start their own.
        tests.envs(emulator.environment()).envs(which.backend.iter().map(|own| (OWN_BACKEND_VARIABLE, own)));
        succeed(&mut tests)?;
        // The tests of the documentation run what they can without these.
        for missing in ["jq", "terraform"].into_iter().filter(|program| !cargo::is_there(program)) {
            eprintln!(
                "NOT run: the lines of the documentation that call `{missing}`, which cannot be started"
            );
        }
        Ok(())
    })?;
    steps.step("examples", || examples(&emulator))?;
    // The scenarios are among the tests.
    steps.step("rehearsal", || succeed(rehearsal("story", Some(&emulator.url)).arg("--query")))?;
    steps.step("readers", || succeed(&mut rehearsal("readers", Some(&emulator.url))))?;
    steps.step("queries", || succeed(&mut rehearsal("queries", Some(&emulator.url))))?;
    steps.step("questions in Athena's SQL", questions::in_athena)?;
    steps.step("exports", || exports::exports(&Emulator { backend: Some(emulator.url.clone()) }))?;
    steps.step("workflows", workflows)?;
    steps.step("report", report::where_possible)?;
    eprintln!("\n{steps}\nok: everything passes");
    Ok(())
}

/// Runs every example of the testkit, each of which checks what it claims; the tests have built them.
fn examples(emulator: &Running) -> anyhow::Result<()> {
    let folder = cargo::root().join("flowagg-testkit").join("examples");
    let files = folder.read_dir().with_context(|| format!("{} cannot be read", folder.display()))?;
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<_> = files.iter().map(|file| file.path().with_extension("")).collect();
    for name in names.iter().filter_map(|path| path.file_name()) {
        let program = cargo::program(&format!("examples/{}", name.display()));
        succeed(Command::new(program).envs(emulator.environment()))?;
    }
    Ok(())
}
