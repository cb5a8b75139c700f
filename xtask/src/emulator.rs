//! One emulator for all test programs of a run. Each program is a separate process, and would otherwise start its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::cargo;

/// The variable with the URL of the emulator, for the tests.
pub(crate) const BACKEND_VARIABLE: &str = "FLOWAGG_BACKEND";
/// The variable with the URL of its log, whose end a failed test prints.
const LOG_VARIABLE: &str = "FLOWAGG_EMULATOR_LOG";
/// The variable with the backend that tests of the emulators start themselves.
pub(crate) const OWN_BACKEND_VARIABLE: &str = "FLOWAGG_OWN_BACKEND";

/// Sets the folder for temporary files of a command.
pub(crate) fn within<'a>(folder: &Path, command: &'a mut Command) -> &'a mut Command {
    command.envs(["TMPDIR", "TMP", "TEMP"].map(|name| (name, folder)))
}

/// A running emulator. It stops when this value is dropped and when this process ends.
pub(crate) struct Running {
    pub(crate) url: String,
    log: String,
    program: Child,
}

impl Running {
    /// Starts an emulator, with its temporary files in the given folder.
    pub(crate) fn start(backend: Option<&str>, folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = Command::new(cargo::program("flowagg-emulator"));
        command.args(backend).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(folder) = folder {
            within(folder, &mut command);
        }
        let mut program = command.spawn().context("could not start the emulator")?;
        let mut lines = program.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines);
        let (Some(url), Some(log)) = (lines.next().transpose()?, lines.next().transpose()?) else {
            bail!("could not start the emulator: {}", program.wait()?);
        };
        Ok(Self { url, log, program })
    }

    /// The environment variables for a program that uses this emulator.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 2] {
        [(BACKEND_VARIABLE, &self.url), (LOG_VARIABLE, &self.log)]
    }

    /// The ID of the emulator process.
    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It stops at the end of its standard input. An error here has no receiver.
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}
