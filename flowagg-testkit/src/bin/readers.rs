//! `flowagg-readers`: readers of flow logs that others wrote, set on what the delivery service delivers.

#![allow(clippy::print_stderr, reason = "a program says on standard error why it ends")]

use std::io;
use std::process::ExitCode;

use clap::Parser;
use flowagg_testkit::emulator::Backend;
use flowagg_testkit::rehearsal::readers::read_by_others;

/// Deliver text and Parquet, in plain and Hive-compatible folders, and count what readers from PyPI find there.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// `docker`, `python`, or the URL of an emulator that runs already [default: Docker where it can, else Python]
    #[arg(long, env = flowagg_testkit::emulator::BACKEND_VARIABLE)]
    backend: Option<Backend>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let backend = Args::parse().backend.map_or_else(Backend::automatic, Ok);
    let read = match backend {
        Ok(backend) => read_by_others(&backend, &mut io::stdout().lock()).await,
        Err(error) => Err(error.into()),
    };
    match read {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
