//! The whole program as a function.

use std::ffi::OsString;

use tracing_subscriber::prelude::*;

use crate::args::Args;
use crate::exit::Exit;
use crate::show::Screen;
use crate::{commands, show};

/// Prints traces on standard error: with `-v` each call, with `-vv` also what it waits for. Only flowagg's own traces are
/// printed: those of the SDK may contain credentials.
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
    // A program that calls `run` may have set a subscriber already.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
}

/// Runs the program with these arguments (the first is its name), writing to this screen.
pub async fn run(args: impl IntoIterator<Item = OsString>, screen: &mut Screen<'_>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    // Before the arguments are parsed: with `--json`, errors in them are events as well.
    let events = screen.events;
    screen.events |= args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let parsed = match Args::read(&args) {
        Ok(parsed) => parsed,
        Err(error) => return show::usage(&error, screen),
    };
    // JSON in a file leaves both streams to people.
    if parsed.writes_json_into_file() {
        screen.events = events;
    }
    trace(parsed.global.verbose, screen.events);
    match commands::run(parsed, screen).await {
        Ok(exit) => exit,
        Err(error) => error.report(screen),
    }
}
