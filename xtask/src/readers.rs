//! `cargo xtask readers`: readers that others wrote, on what the testkit's delivery service delivers.

use std::process::Command;

use crate::{Emulator, cargo};

pub(crate) fn run(which: &Emulator) -> anyhow::Result<()> {
    cargo::build()?;
    read(which.backend.as_deref())
}

/// Lets them read, on this backend.
pub(crate) fn read(backend: Option<&str>) -> anyhow::Result<()> {
    let mut readers = Command::new(cargo::program("flowagg-readers"));
    if let Some(backend) = backend {
        readers.args(["--backend", backend]);
    }
    cargo::run(&mut readers)
}
