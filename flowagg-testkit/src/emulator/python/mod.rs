//! Programs from PyPI, each in its own virtual environment, as child processes that end with the process that started
//! them.

mod environment;

use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::health::{self, Probe};
use super::{EmulatorError, LOCALSTACK_VERSION, SETTINGS};
pub(crate) use environment::Packages;

/// Runs a module until its standard input closes.
const LEASH: &str = include_str!("leash.py");

/// A server from PyPI.
#[derive(Debug)]
pub(super) struct Program {
    /// Its name, and how to check that it is ready.
    pub(super) probe: Probe,
    pub(super) version: &'static str,
    /// Every package with its version and hashes.
    pub(super) lock: &'static str,
    /// The Python module to run.
    pub(super) module: &'static str,
}

impl Program {
    fn packages(&self) -> Packages {
        Packages { name: self.probe.name, version: self.version, lock: self.lock }
    }
}

const LOCALSTACK: Program = Program {
    probe: health::LOCALSTACK,
    version: LOCALSTACK_VERSION,
    lock: include_str!("../../../localstack/requirements.txt"),
    module: "localstack.runtime.main",
};

/// Whether LocalStack's environment exists or could be created.
pub(super) fn check() -> Result<(), EmulatorError> {
    LOCALSTACK.packages().check()
}

/// The interpreter that has the AWS CLI, which LocalStack depends on.
pub(super) fn aws_cli() -> Result<PathBuf, EmulatorError> {
    LOCALSTACK.packages().python()
}

/// Starts LocalStack, and retries once if it ends immediately: it occasionally reads its certificate while still
/// writing it, and another process may have taken the free port in the meantime.
pub(super) fn localstack() -> Result<(Process, String), EmulatorError> {
    let start = || {
        Process::start(&LOCALSTACK, |command, address, files| {
            command.envs(SETTINGS).env("GATEWAY_LISTEN", address.to_string());
            for variable in ["FILESYSTEM_ROOT", "LOCALSTACK_VOLUME_DIR"] {
                command.env(variable, files);
            }
        })
    };
    match start() {
        Err(EmulatorError::NotReady { .. }) => start(),
        started => started,
    }
}

/// A program as a child process, with its own folder for all the files it writes.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    /// Starts a program. `tell` configures its command with the address to listen on and a folder for its files.
    pub(super) fn start(
        program: &Program,
        tell: impl FnOnce(&mut Command, SocketAddr, &Path),
    ) -> Result<(Self, String), EmulatorError> {
        let python = program.packages().python()?;
        let name = program.probe.name;
        let failed = |error: std::io::Error| EmulatorError::Python(format!("cannot start {name}: {error}"));
        let prefix = format!("flowagg-{}-", name.to_lowercase());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir().map_err(failed)?;
        let files = folder.path().join("files");
        fs::create_dir(&files).map_err(failed)?;
        let log = File::create(folder.path().join("log")).map_err(failed)?;
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(failed)?;

        let mut command = Command::new(&python);
        command.args(["-I", "-c", LEASH, program.module]);
        command.env("FLOWAGG_LEASH_FOLDER", folder.path()).env("TMPDIR", &files);
        // Its persistent cache is in its environment, not in the user's own cache.
        command.envs(python.ancestors().nth(2).map(|venv| ("XDG_CACHE_HOME", venv.join("cache"))));
        // The caller's endpoint and profile must not affect the program's own clients.
        command.env_remove("AWS_ENDPOINT_URL").env_remove("AWS_PROFILE").current_dir(&files);
        tell(&mut command, address, &files);
        command.stdin(Stdio::piped()).stderr(log.try_clone().map_err(failed)?).stdout(log);
        // In its own process group, Ctrl-C in the terminal reaches only the process that started it; the leash then
        // ends it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);

        let mut process = Self { child: command.spawn().map_err(failed)?, folder };
        let url = format!("http://{address}");
        let log = process.folder.path().join("log");
        let running = || match process.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("it ended with {status}")),
            Err(error) => Err(error.to_string()),
        };
        let log = || fs::read_to_string(&log).unwrap_or_default();
        health::wait_until_ready(program.probe, &url, running, log)?;
        Ok((process, url))
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Detaches the process from this one. Returns the command that stops it.
    pub(super) fn leave_running(mut self) -> String {
        if let Some(mut leash) = self.child.stdin.take() {
            // If this fails, the process has already ended.
            let _ = leash.write_all(b"stay\n");
        }
        self.folder.disable_cleanup(true);
        let stop = format!("kill {} && rm -r {}", self.child.id(), self.folder.path().display());
        std::mem::forget(self);
        stop
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
