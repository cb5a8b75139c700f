//! Emulators of AWS: LocalStack in a container, from PyPI or at the URL of a running endpoint; and moto from PyPI, for
//! AWS Organizations.
//!
//! Servers that are started here end with the process that started them, even if it is killed. A failing test prints
//! the last lines of the shared emulator's log.

mod backend;
#[cfg(feature = "docker")]
mod container;
mod health;
mod log;
mod moto;
mod python;

use std::env;
use std::sync::OnceLock;

pub use backend::{BACKEND_VARIABLE, Backend};
pub(crate) use health::authority;
pub use log::LOG_VARIABLE;
pub use moto::{MOTO_VERSION, Moto};
pub(crate) use python::Packages;

/// The version of LocalStack, from the last release series that starts without an account token.
pub const LOCALSTACK_VERSION: &str = "4.13.1";

/// LocalStack's settings for both backends: no telemetry, no certificate download, no DNS server, services on demand.
const SETTINGS: [(&str, &str); 4] = [
    ("DISABLE_EVENTS", "1"),
    ("SKIP_SSL_CERT_DOWNLOAD", "1"),
    ("DNS_ADDRESS", "0"),
    ("EAGER_SERVICE_LOADING", "0"),
];

/// A running emulator. Dropping it stops it and deletes its files; an existing endpoint keeps running.
///
/// Its state cannot be reset, so tests that share one must use fresh account IDs and bucket names, as
/// [`World`](crate::world::World) does.
#[derive(Debug)]
pub struct Emulator {
    url: String,
    backend: Backend,
    run: Run,
}

/// What to stop when the emulator is dropped.
#[derive(Debug)]
enum Run {
    #[cfg(feature = "docker")]
    Container(container::Container),
    Process(python::Process),
    NotOurs,
}

/// The Python interpreter that has the [AWS CLI](https://pypi.org/project/awscli/), for `python -m awscli`. It belongs
/// to LocalStack's environment, which is created if missing, whatever emulator is used.
pub fn aws_cli() -> Result<std::path::PathBuf, EmulatorError> {
    python::aws_cli()
}

impl Emulator {
    /// Starts an emulator on a free port and waits until it is ready.
    ///
    /// Blocks for seconds, or for a minute or more if the image or the Python environment is missing.
    pub fn start(backend: &Backend) -> Result<Self, EmulatorError> {
        let (url, run) = match backend {
            #[cfg(feature = "docker")]
            Backend::Docker => {
                let (container, url) = container::Container::start()?;
                (url, Run::Container(container))
            }
            #[cfg(not(feature = "docker"))]
            Backend::Docker => return Err(EmulatorError::without_docker()),
            Backend::Python => {
                let (process, url) = python::localstack()?;
                (url, Run::Process(process))
            }
            Backend::Endpoint(url) => {
                health::check_endpoint(url)?;
                (url.clone(), Run::NotOurs)
            }
        };
        Ok(Self { url, backend: backend.clone(), run })
    }

    /// The emulator shared by this process, from the backend in the environment. Blocks like [`start`](Self::start).
    ///
    /// It ends with the process. From now on, every panic in this process prints the end of its [`log`](Self::log).
    pub fn shared() -> Result<&'static Self, &'static EmulatorError> {
        static SHARED: OnceLock<Result<Emulator, EmulatorError>> = OnceLock::new();
        let start = || {
            let emulator = Self::start(&Backend::from_environment()?)?;
            log::show_on_panic("the emulator", || Some(SHARED.get()?.as_ref().ok()?.log()));
            Ok(emulator)
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// URL to set as `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The backend it was started with.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The log so far. For an existing endpoint, the log at the URL in [`LOG_VARIABLE`] if [`BACKEND_VARIABLE`] names
    /// that endpoint; otherwise empty.
    pub fn log(&self) -> String {
        match &self.run {
            #[cfg(feature = "docker")]
            Run::Container(container) => container.log(),
            Run::Process(process) => process.log(),
            Run::NotOurs => match env::var(BACKEND_VARIABLE).map(|named| named.parse()) {
                Ok(Ok(named)) if self.backend == named => log_elsewhere(),
                _ => String::new(),
            },
        }
    }

    /// Keeps the emulator running after this process ends. Returns the command that stops it, unless it is an existing
    /// endpoint.
    pub fn leave_running(self) -> Option<String> {
        match self.run {
            #[cfg(feature = "docker")]
            Run::Container(container) => Some(container.leave_running()),
            Run::Process(process) => Some(process.leave_running()),
            Run::NotOurs => None,
        }
    }
}

/// Why no emulator is available.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Neither Docker nor Python can run it on this machine.
    #[error(
        "neither Docker nor Python can run LocalStack {LOCALSTACK_VERSION} here\n  docker: {docker}\n  python: {python}\n\
         start a Docker engine, or install Python 3.11 to 3.13 with pip (or `uv`), \
         or name a running endpoint: {BACKEND_VARIABLE}=http://127.0.0.1:4566"
    )]
    NothingThere {
        /// Why Docker cannot.
        docker: String,
        /// Why Python cannot.
        python: String,
    },
    /// Not the name of a backend.
    #[error("unknown backend `{0}`: use `docker`, `python` or a URL such as `http://127.0.0.1:4566`")]
    Backend(String),
    /// The Docker engine does not respond, does not have the image, or cannot run it.
    #[error("{0}")]
    Docker(String),
    /// No suitable Python was found, or its environment could not be created.
    #[error("{0}")]
    Python(String),
    /// A server did not become ready.
    #[error("{name} did not become ready: {why}\nlast lines of its log:\n{log}")]
    NotReady {
        /// LocalStack or moto.
        name: &'static str,
        /// The reason.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// The endpoint is unreachable.
    #[error("no response at {url}: {why}")]
    NoAnswer {
        /// The endpoint.
        url: String,
        /// The reason.
        why: String,
    },
}

#[cfg(not(feature = "docker"))]
impl EmulatorError {
    fn without_docker() -> Self {
        Self::Docker("flowagg-testkit was built without its feature `docker`".to_owned())
    }
}

fn log_elsewhere() -> String {
    let Ok(url) = env::var(LOG_VARIABLE) else { return String::new() };
    health::body(&url).unwrap_or_else(|error| format!("cannot read its log at {url}: {error}"))
}

/// The last lines of a log, short enough for a message.
pub(crate) fn tail(log: &str) -> String {
    const LINES: usize = 30;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
