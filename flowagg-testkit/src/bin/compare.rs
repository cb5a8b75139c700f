//! `flowagg-compare`: `flowagg apply` and a plain script on the same emulator.

#![allow(clippy::print_stderr, reason = "a program says on standard error why it ends")]

use std::io;
use std::process::ExitCode;

use clap::Parser;
use flowagg_testkit::emulator::Backend;
use flowagg_testkit::rehearsal::comparison::{Size, compare};

/// Make the flow logs of a fleet with `flowagg apply`, and those of another like it with a plain script.
///
/// The script (Python, boto3) does one thing after the other, for each account and region: AssumeRole, DescribeVpcs,
/// CreateFlowLogs. It looks at no flow log that is there, makes no bucket and no policy, and checks nothing.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// `docker`, `python`, or the URL of an emulator that runs already [default: Docker where it can, else Python]
    #[arg(long, env = flowagg_testkit::emulator::BACKEND_VARIABLE)]
    backend: Option<Backend>,
    #[command(flatten)]
    size: Size,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let compared = match args.backend.map_or_else(Backend::automatic, Ok) {
        Ok(backend) => compare(&backend, args.size, &mut io::stdout().lock()).await,
        Err(error) => Err(error.into()),
    };
    match compared {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
