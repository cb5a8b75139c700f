//! `flowagg-rehearse`: the flow logs of three accounts in one bucket, on an emulator, told as a story.

#![allow(clippy::print_stderr, reason = "a program says on standard error why it ends")]

use std::io;
use std::process::ExitCode;

use clap::Parser;
use flowagg_testkit::emulator::Backend;
use flowagg_testkit::rehearsal::rehearse;

/// Rehearse a roll-out on an emulator: plan, apply, deliver, verify; every claim is checked.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// `docker`, `python`, or the URL of an emulator that runs already [default: Docker where it can, else Python]
    #[arg(long, env = flowagg_testkit::emulator::BACKEND_VARIABLE)]
    backend: Option<Backend>,
    /// Leave the emulator running, and print how to play with it and how to end it
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let backend = args.backend.map_or_else(Backend::automatic, Ok);
    let told = match backend {
        Ok(backend) => rehearse(&backend, args.keep, &mut io::stdout().lock()).await,
        Err(error) => Err(error.into()),
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
