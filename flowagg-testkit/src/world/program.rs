use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::{World, WorldError};

/// Environment variable with the path of the `flowagg` program.
pub const PROGRAM_VARIABLE: &str = "FLOWAGG_BIN";

/// The result of a run of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ran {
    /// The command line without the path of the fleet file.
    pub command: String,
    /// The exit code; `None` if the program was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// The result of another program, such as a shell that runs `flowagg`.
    pub fn new(command: impl Into<String>, code: Option<i32>, stdout: String, stderr: String) -> Self {
        Self { command: command.into(), code, stdout, stderr }
    }

    /// Returns this run if it exited with this code.
    ///
    /// # Panics
    ///
    /// If it exited with another code. The message contains its output.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Standard output as JSON; `Null` if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_default()
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        write!(f, "`{}` ended with {code}\n{}\n{}", self.command, self.stdout, self.stderr)
    }
}

impl World {
    /// Writes the fleet file and runs the real program with it as the hub account, with no other environment variables.
    pub async fn flowagg(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Ran, WorldError> {
        self.flowagg_on(&self.fleet_file(), args).await
    }

    /// Like [`flowagg`](Self::flowagg), with another fleet file.
    pub async fn flowagg_on(
        &self,
        fleet_file: &str,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Ran, WorldError> {
        run(self.folder.path(), fleet_file, self.environment(), args).await
    }

    /// Like [`flowagg`](Self::flowagg), with additional environment variables.
    pub async fn flowagg_with(
        &self,
        variables: impl IntoIterator<Item = (&'static str, String)>,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Ran, WorldError> {
        let environment = self.environment().into_iter().chain(variables);
        run(self.folder.path(), &self.fleet_file(), environment, args).await
    }

    /// Path of the fleet file.
    pub fn fleet_path(&self) -> PathBuf {
        fleet_path(self.folder.path())
    }

    /// The environment variables that make a program run as the hub account.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", self.hub.to_string()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", self.hub_region().to_string()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Keeps the folder with the fleet file, and returns its path. From then on the program calls the emulator
    /// directly, because the world's own endpoint ends with the world.
    pub fn keep_folder(&mut self) -> PathBuf {
        self.endpoint.clone_from(&self.emulator);
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }
}

/// Writes a fleet file to a folder and runs the real program with it, with no other environment variables.
pub(crate) async fn run(
    folder: &Path,
    fleet_file: &str,
    environment: impl IntoIterator<Item = (&'static str, String)>,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<Ran, WorldError> {
    let args: Vec<_> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
    let shown: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let shown = format!("flowagg {}", shown.join(" "));
    let io = |error| WorldError::Io(shown.clone(), error);
    std::fs::write(fleet_path(folder), fleet_file).map_err(io)?;
    // The program runs in the folder, so its path must be absolute.
    let program = std::path::absolute(program()?).map_err(io)?;
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).env_clear().envs(environment);
    command.env("AWS_CONFIG_FILE", folder.join("no-config"));
    command.env("AWS_SHARED_CREDENTIALS_FILE", folder.join("no-credentials"));
    command.env("HOME", folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(io)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    Ok(Ran { code: output.status.code(), stdout, stderr, command: shown })
}

fn fleet_path(folder: &Path) -> PathBuf {
    folder.join("flowagg.toml")
}

/// Path of the program: the one in [`PROGRAM_VARIABLE`], otherwise the one that cargo put next to this executable, or
/// in the folder above its `deps`.
pub fn program() -> Result<PathBuf, WorldError> {
    if let Some(named) = env::var_os(PROGRAM_VARIABLE) {
        return Ok(named.into());
    }
    let this = env::current_exe().map_err(|error| WorldError::Io("this executable".into(), error))?;
    let name = format!("flowagg{}", env::consts::EXE_SUFFIX);
    let mut beside = this.ancestors().skip(1).take(2).map(|folder| folder.join(&name));
    beside.find(|program| program.is_file()).ok_or(WorldError::NoProgram)
}
