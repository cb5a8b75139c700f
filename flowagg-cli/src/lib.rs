#![doc = include_str!("../README.md")]

mod args;
pub mod aws;
pub mod commands;
pub mod doctor;
mod exit;
pub mod export;
pub mod found;
pub mod import;
mod progress;
pub mod report;
pub mod show;

use std::ffi::OsString;

use clap::Parser;
use tracing_subscriber::prelude::*;

pub use exit::Exit;
pub use progress::Progress;
pub use show::Screen;

/// Traces on standard error: with `-v` each call that is sent, with `-vv` what it waits for, too. Only flowagg's own: what
/// the SDK traces may hold credentials.
fn trace(verbose: u8, events: bool) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let ours = tracing_subscriber::filter::Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer().with_ansi(colour && !events).with_target(false);
    let lines = if events {
        lines.with_writer(|| show::Trace).boxed()
    } else {
        lines.with_writer(std::io::stderr).boxed()
    };
    // Whoever embeds the library may have set one up already.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
}

/// Runs the program with these arguments (the first is its name), writing to this screen.
pub async fn run(args: impl IntoIterator<Item = OsString>, screen: &mut Screen<'_>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    // Whatever the verb, and before anything is read: even a mistake on the command line is told as an event then.
    screen.events |= args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let parsed = match args::Args::try_parse_from(args) {
        Ok(parsed) => parsed,
        Err(error) => return show::usage(&error, screen),
    };
    trace(parsed.global.verbose, screen.events);
    match commands::run(parsed, screen).await {
        Ok(exit) => exit,
        Err(error) => error.report(screen),
    }
}
