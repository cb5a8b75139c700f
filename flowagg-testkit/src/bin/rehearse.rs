//! `flowagg-rehearse`: rollouts on an emulator, as a story, with independent readers, or timed against a script.

#![allow(clippy::print_stderr, reason = "a program prints its errors")]

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use flowagg_testkit::emulator::Backend;
use flowagg_testkit::rehearsal::comparison::{FleetSize, compare};
use flowagg_testkit::rehearsal::queries::ask;
use flowagg_testkit::rehearsal::readers::{python, read_by_others};
use flowagg_testkit::rehearsal::{RehearsalError, StoryOptions, rehearse};
use flowagg_testkit::sample;

/// Rehearse rollouts on an emulator and check every claim
#[derive(Parser)]
#[command(version)]
struct Args {
    /// `docker`, `python`, or the URL of a running emulator [default: Docker if available, else Python]
    #[arg(long, global = true, env = flowagg_testkit::emulator::BACKEND_VARIABLE)]
    backend: Option<Backend>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Run a whole rollout step by step: plan, apply, deliver, verify
    Story {
        /// Leave the emulator running, and print how to use it and how to stop it
        #[arg(long)]
        keep: bool,
        /// Write the report as an HTML page to this file, creating its folder
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// End with a query over the objects; needs a `flowagg` built with the feature `query`
        #[arg(long)]
        query: bool,
    },
    /// Compare what flowlogs-reader, DuckDB and `flowagg query` read
    ///
    /// Delivers text and Parquet, in plain and Hive-compatible folders. Each reader must find the records and bytes
    /// that the delivery service wrote.
    Readers,
    /// Compare the answers of both engines of `flowagg query`
    ///
    /// Delivers text and Parquet, and runs every question on both engines. DuckDB from PyPI runs the SQL for Athena.
    Queries,
    /// Print the path of the Python with DuckDB and sqlglot
    ///
    /// Its packages are installed from PyPI if they are missing.
    Python,
    /// Compare `flowagg apply` with a plain script, in time and calls
    ///
    /// Each creates the flow logs of an identical fleet. The script (Python, boto3) runs sequentially, for each account
    /// and region: AssumeRole, DescribeVpcs, CreateFlowLogs. It does not read existing flow logs, does not create a
    /// bucket or a policy, and checks nothing.
    Compare(FleetSize),
    /// Write two days of a small company's flow logs to a folder
    ///
    /// The folder is a copy of their bucket. No emulator is needed.
    Sample {
        /// Output folder; `flowagg query --path FOLDER` reads it
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), RehearsalError> {
    let backend = || args.backend.map_or_else(Backend::automatic, Ok);
    let out = &mut io::stdout().lock();
    match args.what {
        What::Story { keep, report, query } => {
            let mut options = StoryOptions::default();
            options.keep = keep;
            options.report = report;
            options.query = query;
            rehearse(&backend()?, &options, out).await
        }
        What::Readers => read_by_others(&backend()?, out).await,
        What::Queries => ask(&backend()?, out).await,
        What::Python => Ok(writeln!(out, "{}", python()?.display())?),
        What::Compare(size) => compare(&backend()?, size, out).await,
        What::Sample { out: folder } => {
            let objects = sample::write(&folder)?;
            writeln!(out, "wrote {objects} objects to `{}`", folder.display())?;
            Ok(())
        }
    }
}
