//! `flowagg-emulator [docker|python|<url>]`: starts the emulator, prints its URL, and ends it when standard input ends.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program says its answer, and why there is none"
)]

use std::io;
use std::process::ExitCode;

use flowagg_testkit::emulator::{Backend, Emulator, EmulatorError};

fn main() -> ExitCode {
    match start() {
        Ok(emulator) => {
            println!("{}", emulator.url());
            // Where standard input cannot be read it has ended.
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<Emulator, EmulatorError> {
    let backend = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => Backend::from_environment()?,
    };
    Emulator::start(&backend)
}
