//! The ratio between the duration of the first `flowagg apply --yes` in a large fleet and the least time that AWS
//! allows. Run by `cargo xtask bench fleet`.
//!
//! The real client calls an endpoint in this process over HTTP, which answers each call after 50 ms and enforces AWS's
//! token buckets. [`bound`] describes the least time. It does not depend on flowagg's implementation or on the speed of
//! this machine.
//!
//! With `--floor`, it then makes the same calls with the SDK alone: [`floor`]. `--window` runs another benchmark:
//! [`window`].

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its results")]

mod aws;
mod bound;
mod buckets;
mod endpoint;
mod fleet;
mod floor;
mod report;
mod stamps;
mod usage;
mod window;

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use flowagg::show::Sheet;
use flowagg::{Exit, Screen};
use flowagg_testkit::simulation;

use crate::endpoint::Endpoint;
use crate::fleet::Size;
use crate::usage::Cost;

/// The same allocator as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Duration of each call at the endpoint.
pub(crate) const LATENCY: Duration = Duration::from_millis(50);
/// Number of bytes of flowagg's output that are printed after a failure.
const TAIL: usize = 2_000;

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    size: Size,
    /// Then make the EC2 calls with the SDK alone, and print the ratio of the CPU time per call
    #[arg(long, conflicts_with = "window")]
    floor: bool,
    /// Measure the time between the last read and the write of a document, in this many runs of `apply`
    #[arg(long, value_name = "RUNS", value_parser = clap::value_parser!(u32).range(1..))]
    window: Option<u32>,
    /// Run `apply` against this endpoint with this fleet file
    #[arg(long, num_args = 2, value_names = ["URL", "FILE"], hide = true)]
    apply: Option<Vec<OsString>>,
    /// Passed by Cargo to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some([url, file]) = options.apply.as_deref() {
        return applied(url, file);
    }
    let measured = match options.window {
        Some(runs) => caller().and_then(|()| window::measure(runs as usize)),
        None => caller().and_then(|()| measured(&options)),
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Checks that the caller is the hub account that the endpoint expects.
fn caller() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var("AWS_ACCESS_KEY_ID").as_deref() != Ok(simulation::HUB) {
        return Err("AWS_ACCESS_KEY_ID is not the bench's hub account: run `cargo xtask bench`".into());
    }
    Ok(())
}

/// The command line of `flowagg apply`.
fn command(url: &OsStr, file: &OsStr) -> [OsString; 8] {
    let words = ["flowagg", "--endpoint-url", "", "--config", "", "apply", "--yes", "--allow-expiry"];
    let mut words = words.map(OsString::from);
    words[2] = url.to_owned();
    words[4] = file.to_owned();
    words
}

/// Runs `flowagg apply` like the program does.
fn applied(url: &OsStr, file: &OsStr) -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let (mut to_out, mut to_err) = (Sheet::new(&mut out, None), Sheet::new(&mut err, None));
    let mut screen = Screen::new(&mut to_out, &mut to_err);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let exit = runtime.block_on(flowagg::run(command(url, file), &mut screen));
    if exit == Exit::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measured(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("flowagg.toml");
    std::fs::write(&file, options.size.shape().fleet_file())?;
    let endpoint = Endpoint::start(&options.size)?;
    let args = command(endpoint.url().as_ref(), file.as_os_str());

    let runtime = tokio::runtime::Runtime::new()?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut to_out, mut to_err) = (Sheet::new(&mut out, None), Sheet::new(&mut err, None));
    let mut screen = Screen::new(&mut to_out, &mut to_err);
    let cpu = usage::of_process();
    let start = Instant::now();
    let exit = runtime.block_on(flowagg::run(args, &mut screen));
    let wall = start.elapsed();
    let cpu = cpu.and_then(|before| usage::of_process()?.checked_sub(before));

    let calls = endpoint.calls();
    print!("{}", report::calls(&options.size, &calls, start));
    let bound = bound::least_time(&calls);
    let cost = Cost { calls: calls.len(), all: cpu, endpoint: endpoint.cpu() };
    print!("{}", report::times(&bound, wall, cost));
    if exit != Exit::Done {
        for written in [&out, &err] {
            eprintln!("{}", String::from_utf8_lossy(&written[written.len().saturating_sub(TAIL)..]));
        }
        return Err(format!("flowagg exited with {exit:?}").into());
    }
    println!("ratio {:.2}", wall.as_secs_f64() / bound.total().as_secs_f64());
    if options.floor {
        print!("{}", report::floor(&floor::measure(&options.size)?, cost));
    }
    Ok(())
}
