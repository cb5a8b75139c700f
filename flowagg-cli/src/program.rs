//! The program as a function.

use std::ffi::OsString;

use tracing_subscriber::prelude::*;

use crate::args::Args;
use crate::exit::Exit;
use crate::show::Screen;
use crate::{commands, show};

/// Logs to standard error: with `-v` each AWS call, with `-vv` also waits. Only flowagg's own traces are printed, because those of the SDK
/// may contain credentials.
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
    // A program that calls `run` may already have set a subscriber.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
}

/// Runs the program with these arguments, of which the first is the program name, and writes to `screen`.
pub async fn run(args: impl IntoIterator<Item = OsString>, screen: &mut Screen<'_>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    // Set before parsing: with `--json`, invalid arguments are also reported as events.
    let events = screen.events;
    screen.events |= args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let parsed = match Args::read(&args) {
        Ok(parsed) => parsed,
        Err(error) => return show::usage(&error, screen),
    };
    // If JSON is written to a file, standard output and standard error contain text.
    if parsed.writes_json_into_file() {
        screen.events = events;
    }
    trace(parsed.global.verbose, screen.events);
    match commands::run(parsed, screen).await {
        Ok(exit) => exit,
        Err(error) => error.report(screen),
    }
}
