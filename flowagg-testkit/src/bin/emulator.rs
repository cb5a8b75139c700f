//! `flowagg-emulator [docker|python|<url>]`: starts the emulator, prints its URL and the URL of its log, one per line,
//! and stops it at the end of standard input.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program prints its result and its errors")]

use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use flowagg_testkit::emulator::{Backend, Emulator};

fn main() -> ExitCode {
    match start() {
        Ok((emulator, log)) => {
            println!("{}\n{log}", emulator.url());
            // An unreadable standard input counts as closed.
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(Arc<Emulator>, String), Box<dyn Error>> {
    let backend = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => Backend::from_environment()?,
    };
    let emulator = Arc::new(Emulator::start(&backend)?);
    let log = emulator.serve_log()?;
    Ok((emulator, log))
}
