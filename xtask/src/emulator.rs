//! One emulator for all test programs of a run: each is a process of its own, and would start its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::cargo;

/// The variable by which the tests find it.
pub(crate) const BACKEND_VARIABLE: &str = "FLOWAGG_BACKEND";
/// The variable by which they find its log, to show the end of it where one fails.
const LOG_VARIABLE: &str = "FLOWAGG_EMULATOR_LOG";
/// The variable by which the tests of the emulators know which one to start themselves.
pub(crate) const OWN_BACKEND_VARIABLE: &str = "FLOWAGG_OWN_BACKEND";

/// Has a command put its temporary files into a folder.
pub(crate) fn within<'a>(folder: &Path, command: &'a mut Command) -> &'a mut Command {
    command.envs(["TMPDIR", "TMP", "TEMP"].map(|name| (name, folder)))
}

/// A running emulator; it ends with this value, and with this process.
pub(crate) struct Running {
    pub(crate) url: String,
    log: String,
    program: Child,
}

impl Running {
    /// Starts one; with a folder, its files are there.
    pub(crate) fn start(backend: Option<&str>, folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = Command::new(cargo::program("flowagg-emulator"));
        command.args(backend).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(folder) = folder {
            within(folder, &mut command);
        }
        let mut program = command.spawn().context("the emulator could not be started")?;
        let mut told = program.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines);
        let (Some(url), Some(log)) = (told.next().transpose()?, told.next().transpose()?) else {
            bail!("the emulator could not be started: {}", program.wait()?);
        };
        Ok(Self { url, log, program })
    }

    /// The environment of a program that is to use it.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 2] {
        [(BACKEND_VARIABLE, &self.url), (LOG_VARIABLE, &self.log)]
    }

    /// The id of the process that holds it.
    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It ends when its standard input ends; there is nobody left to tell where it does not.
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}
