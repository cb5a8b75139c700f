//! What `flowagg apply --yes` takes over the least time that AWS allows, on its first run in a large fleet: run by
//! `cargo xtask bench fleet`.
//!
//! The real client talks to an endpoint in this process, over HTTP, that answers each call after 50 ms and keeps AWS's
//! token buckets. [`bound`] says what the least time is made of; nothing in it depends on how flowagg is built, nor on
//! how fast this machine is.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]

mod aws;
mod bound;
mod buckets;
mod call;
mod ec2;
mod endpoint;
mod fleet;
mod organizations;
mod report;
mod s3;
mod sts;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use flowagg::show::Sheet;
use flowagg::{Exit, Screen};

use crate::endpoint::Endpoint;
use crate::fleet::Size;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the endpoint takes for a call.
pub(crate) const LATENCY: Duration = Duration::from_millis(50);
/// How much of what flowagg wrote is shown when it failed.
const TAIL: usize = 2_000;

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    size: Size,
    /// Cargo says this to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match measured(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var("AWS_ACCESS_KEY_ID").as_deref() != Ok(fleet::HUB) {
        return Err("AWS_ACCESS_KEY_ID is not the bench's hub account: run `cargo xtask bench fleet`".into());
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("flowagg.toml");
    std::fs::write(&file, fleet::file(&options.size))?;
    let endpoint = Endpoint::start(options.size.clone())?;
    let args: [OsString; 7] = [
        "flowagg".into(),
        "--endpoint-url".into(),
        endpoint.url().into(),
        "--config".into(),
        file.into(),
        "apply".into(),
        "--yes".into(),
    ];

    let runtime = tokio::runtime::Runtime::new()?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut to_out, mut to_err) = (Sheet::new(&mut out, None), Sheet::new(&mut err, None));
    let mut screen = Screen { out: &mut to_out, err: &mut to_err, interactive: false, events: false };
    let cpu = usage::of_process();
    let start = Instant::now();
    let exit = runtime.block_on(flowagg::run(args, &mut screen));
    let wall = start.elapsed();
    let cpu = cpu.and_then(|before| usage::of_process()?.checked_sub(before));

    let calls = endpoint.calls();
    print!("{}", report::calls(&options.size, &calls, start));
    let bound = bound::least_time(&calls);
    print!("{}", report::times(calls.len(), &bound, wall, cpu, endpoint.cpu()));
    if exit != Exit::Done {
        for written in [&out, &err] {
            eprintln!("{}", String::from_utf8_lossy(&written[written.len().saturating_sub(TAIL)..]));
        }
        return Err(format!("flowagg ended with {exit:?}").into());
    }
    println!("ratio {:.2}", wall.as_secs_f64() / bound.total().as_secs_f64());
    Ok(())
}
