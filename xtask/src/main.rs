//! The tasks of this workspace, run by `cargo xtask`: the same locally and in CI.

#![allow(clippy::print_stderr, reason = "tasks report progress and errors")]

mod bench;
mod build_time;
mod cargo;
mod demo;
mod e2e;
mod emulator;
mod exports;
mod leftovers;
mod links;
mod package;
mod prose;
mod python;
mod questions;
mod release;
mod report;
mod step;
mod test;
mod words;
mod workflows;

use std::process::ExitCode;

use clap::{Args, Parser};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The tasks of this workspace")]
enum Task {
    /// Roll out a fleet on an emulator, step by step: plan, apply, deliver, verify, report
    Demo(demo::Demo),
    /// Run the demo and every scenario on an emulator, and check for leftovers
    E2e(e2e::E2e),
    /// Measure slow operations
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Compare `flowagg query` with other readers
    ///
    /// flowlogs-reader, DuckDB and `flowagg query` must find every record that the testkit delivers. The questions of `flowagg query`
    /// must have the same answers in Athena SQL, which DuckDB runs.
    Readers(Emulator),
    /// Check the output of `flowagg export`
    ///
    /// Every template must pass cfn-lint, and the hub's stack must create the same bucket as `apply`.
    Exports(Emulator),
    /// Test the page of `flowagg report` in headless Chromium
    ///
    /// Checks numbers, keyboard access, layout, size, load time, an empty console and accessibility (axe-core), for fleets of up to
    /// 5,000 accounts.
    Report(report::Report),
    /// Build each crate from its package, and compare public APIs
    ///
    /// A warning fails. With `--baseline`, a breaking change of the public API fails too.
    Package(package::Package),
    /// Build and test the files of a release; publishes nothing
    ///
    /// Builds archive, checksum, SBOM, installer, formula and container image, and prints sizes, start times and smoke tests.
    Release(release::Release),
    /// Check workflows, the action and shell scripts with GitHub's schemas, zizmor and shellcheck
    Workflows,
    /// Find banned phrases in help, messages, docs and test names, and print replacements
    Words,
    /// Follow relative links and anchors in Markdown pages, help and messages
    Links,
    /// Run everything that CI runs; stops at the first failure
    ///
    /// Steps: format, words, links, clippy, library alone, demo alone, documentation, packages, build, emulator, tests, examples,
    /// rehearsal, readers, queries, questions in Athena SQL, exports, workflows, report.
    Test(Emulator),
}

/// The emulator to use.
#[derive(Args, Clone)]
struct Emulator {
    /// `docker`, `python`, or the URL of a running emulator [default: Docker if available, else Python]
    #[arg(long)]
    backend: Option<String>,
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Demo(demo) => demo.run(),
        Task::E2e(e2e) => e2e.run(),
        Task::Bench(bench) => bench.run(),
        Task::Readers(Emulator { backend }) => {
            let rehearse = |what| cargo::run(&mut e2e::rehearsal(what, backend.as_deref()));
            cargo::build()
                .and_then(|()| rehearse("readers"))
                .and_then(|()| rehearse("queries"))
                .and_then(|()| questions::in_athena())
        }
        Task::Exports(emulator) => exports::exports(&emulator),
        Task::Report(report) => report.run(),
        Task::Package(package) => package.run(),
        Task::Release(release) => release.run(),
        Task::Workflows => workflows::workflows(),
        Task::Words => words::run(),
        Task::Links => links::run(),
        Task::Test(emulator) => test::run(&emulator),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
