//! `flowagg-rehearse`: roll-outs on an emulator: told as a story, read by others, timed beside a script.

#![allow(clippy::print_stderr, reason = "a program says on standard error why it ends")]

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

/// Rehearse roll-outs on an emulator; every claim is checked.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// `docker`, `python`, or the URL of an emulator that runs already [default: Docker where it can, else Python]
    #[arg(long, global = true, env = flowagg_testkit::emulator::BACKEND_VARIABLE)]
    backend: Option<Backend>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The whole of it as a story: plan, apply, deliver, verify
    Story {
        /// Leave the emulator running, and print how to play with it and how to end it
        #[arg(long)]
        keep: bool,
        /// Write the report as an HTML page into this file, whose folder is created
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// End with a query over the objects; the program needs its default feature `query`
        #[arg(long)]
        query: bool,
    },
    /// Deliver text and Parquet, in plain and Hive-compatible folders, and count what flowlogs-reader, DuckDB and `flowagg query` find there
    Readers,
    /// Deliver text and Parquet, and ask the questions of `flowagg query` of both engines; DuckDB from PyPI answers the SQL for Athena
    Queries,
    /// Print the path of the Python with DuckDB and sqlglot from PyPI, which is installed if it is not there
    Python,
    /// Make the flow logs of a fleet with `flowagg apply`, and those of another like it with a plain script
    ///
    /// The script (Python, boto3) does one thing after the other, for each account and region: AssumeRole, DescribeVpcs,
    /// CreateFlowLogs. It looks at no flow log that is there, makes no bucket and no policy, and checks nothing.
    Compare(FleetSize),
    /// Write two days of a small company's flow logs into a folder, as a copy of their bucket; needs no emulator
    Sample {
        /// The folder: `flowagg query --path FOLDER` reads it
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
            writeln!(out, "{objects} objects are in `{}`", folder.display())?;
            Ok(())
        }
    }
}
