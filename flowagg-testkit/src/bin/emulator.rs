//! `flowagg-emulator [docker|python|<url>]`: starts the emulator, prints its URL, and ends it when standard input ends.

#![allow(clippy::print_stdout, reason = "a program says its answer on standard output")]

use std::error::Error;
use std::io;

use flowagg_testkit::emulator::{Backend, Emulator};

fn main() -> Result<(), Box<dyn Error>> {
    let backend = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => Backend::from_environment()?,
    };
    let emulator = Emulator::start(&backend)?;
    println!("{}", emulator.url());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
