//! The tasks of this workspace, run by `cargo xtask`: the same at home and in CI.

#![allow(clippy::print_stderr, reason = "a task tells how far it has come, and why it ends")]

mod bench;
mod build_time;
mod cargo;
mod demo;
mod e2e;
mod emulator;
mod exports;
mod leftovers;
mod package;
mod python;
mod questions;
mod release;
mod report;
mod step;
mod test;
mod workflows;

use std::process::ExitCode;

use clap::{Args, Parser};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The tasks of this workspace")]
enum Task {
    /// A roll-out on an emulator, told step by step: plan, apply, deliver, verify, report; every claim is checked
    Demo(demo::Demo),
    /// The demo and every scenario on an emulator, and a check that nothing stays behind
    E2e(e2e::E2e),
    /// What takes long, measured
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Check that flowlogs-reader, DuckDB and `flowagg query` find every record that the testkit delivers, and that the questions of
    /// `flowagg query` have the same answers in Athena's SQL, which DuckDB runs
    Readers(Emulator),
    /// What `flowagg export` writes: every template passes cfn-lint, and the hub's stack is the bucket that `apply` makes
    Exports(Emulator),
    /// The page of `flowagg report` for 3, 60 and 1,000 accounts in a headless Chromium: its numbers, its parts by keyboard,
    /// its weight and load time, no word in the console, and what axe-core finds
    Report(report::Report),
    /// The crates as crates.io would take them: each is built from its package, without a warning; and whether their public
    /// API breaks a caller of an earlier commit
    Package(package::Package),
    /// The files of a release, tried out as a user gets them: archive, checksum, SBOM, installer, formula, container image; with
    /// sizes, start time and smoke tests. Nothing is published
    Release(release::Release),
    /// The workflows, ours and the one to copy, and the action: GitHub's schemas admit them, zizmor finds nothing unsafe, and
    /// shellcheck finds no fault in a shell script
    Workflows,
    /// All that must pass before a change goes in: format, clippy, every kind of test, documentation, readers, exports,
    /// the page of the report
    Test(Emulator),
}

/// Which emulator.
#[derive(Args, Clone)]
struct Emulator {
    /// `docker`, `python`, or the URL of an emulator that runs already [default: Docker where it can, else Python]
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
