mod environment;

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{EmulatorError, SETTINGS, health};

pub(super) use environment::check;

/// Runs LocalStack until its standard input ends.
const LEASH: &str = include_str!("../../../localstack/leash.py");

/// LocalStack as a child process, with a folder of its own for all that it writes.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    pub(super) fn start() -> Result<(Self, String), EmulatorError> {
        let python = environment::python()?;
        let failed = |error: std::io::Error| {
            EmulatorError::Python(format!("LocalStack could not be started: {error}"))
        };
        let folder = tempfile::Builder::new().prefix("flowagg-localstack-").tempdir().map_err(failed)?;
        let files = folder.path().join("files");
        fs::create_dir(&files).map_err(failed)?;
        let log = File::create(folder.path().join("log")).map_err(failed)?;
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(failed)?;

        let mut command = Command::new(python);
        command.args(["-I", "-c", LEASH]).envs(SETTINGS).env("GATEWAY_LISTEN", address.to_string());
        command.env("FLOWAGG_LEASH_FOLDER", folder.path());
        for variable in ["FILESYSTEM_ROOT", "LOCALSTACK_VOLUME_DIR", "TMPDIR"] {
            command.env(variable, &files);
        }
        // An endpoint or a profile of the caller is not for LocalStack's own clients.
        command.env_remove("AWS_ENDPOINT_URL").env_remove("AWS_PROFILE").current_dir(&files);
        command.stdin(Stdio::piped()).stderr(log.try_clone().map_err(failed)?).stdout(log);
        // A group of its own: Ctrl-C in the terminal is for whoever started us, and the leash does the rest.
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
        health::wait_until_ready(&url, running, || fs::read_to_string(&log).unwrap_or_default())?;
        Ok((process, url))
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Takes the leash off. Returns the command that ends it all the same.
    pub(super) fn leave_running(mut self) -> String {
        if let Some(mut leash) = self.child.stdin.take() {
            // Where the word does not arrive the process has ended, and there is nothing to leave.
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
        // Both fail only where the process has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
