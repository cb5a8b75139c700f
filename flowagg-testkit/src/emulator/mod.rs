//! A small AWS on this machine: LocalStack in a container, LocalStack from PyPI, or an endpoint that is there already; and
//! moto from PyPI, for AWS Organizations.
//!
//! What is started here ends with the process that started it, even when that one is killed. A test that fails shows what
//! the shared emulator wrote last.

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

/// The version of LocalStack: the last line that starts without an account token.
pub const LOCALSTACK_VERSION: &str = "4.13.1";

/// What LocalStack is told on both ways: no telemetry, no download of a certificate, no DNS server, services on demand.
const SETTINGS: [(&str, &str); 4] = [
    ("DISABLE_EVENTS", "1"),
    ("SKIP_SSL_CERT_DOWNLOAD", "1"),
    ("DNS_ADDRESS", "0"),
    ("EAGER_SERVICE_LOADING", "0"),
];

/// A running emulator. Dropped, it ends and its files are removed; an endpoint that was there stays.
///
/// No state can be reset in it: whoever shares one takes fresh account ids and bucket names, as
/// [`World`](crate::world::World) does.
#[derive(Debug)]
pub struct Emulator {
    url: String,
    backend: Backend,
    run: Run,
}

/// What has to end when the emulator is dropped.
#[derive(Debug)]
enum Run {
    #[cfg(feature = "docker")]
    Container(container::Container),
    Process(python::Process),
    NotOurs,
}

/// The Python interpreter that has the [AWS CLI](https://pypi.org/project/awscli/), for `python -m awscli`: that of
/// LocalStack's environment, which is made where it is not there, whatever emulator is used.
pub fn aws_cli() -> Result<std::path::PathBuf, EmulatorError> {
    python::aws_cli()
}

impl Emulator {
    /// Starts an emulator, on a port of its own, and waits until it is ready.
    ///
    /// Blocks for seconds; for a minute or more where the image or the Python environment is not there yet.
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

    /// The one emulator of this process, of the backend that the environment names. Blocks like [`start`](Self::start).
    ///
    /// It ends with the process. From then on, a panic in this process shows the end of its [`log`](Self::log).
    pub fn shared() -> Result<&'static Self, &'static EmulatorError> {
        static SHARED: OnceLock<Result<Emulator, EmulatorError>> = OnceLock::new();
        let start = || {
            let emulator = Self::start(&Backend::from_environment()?)?;
            log::show_on_panic("the emulator", || Some(SHARED.get()?.as_ref().ok()?.log()));
            Ok(emulator)
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// The URL to give as `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How it was started.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// What it has written so far. Of an endpoint that was there, what can be read at the URL in [`LOG_VARIABLE`], where
    /// [`BACKEND_VARIABLE`] names that endpoint; else nothing.
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

    /// Lets it run after this process has ended. Returns the command that stops it, where it is ours to stop.
    pub fn leave_running(self) -> Option<String> {
        match self.run {
            #[cfg(feature = "docker")]
            Run::Container(container) => Some(container.leave_running()),
            Run::Process(process) => Some(process.leave_running()),
            Run::NotOurs => None,
        }
    }
}

/// Why there is no emulator.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Neither way is open on this machine.
    #[error(
        "neither Docker nor Python can run LocalStack {LOCALSTACK_VERSION} here\n  docker: {docker}\n  python: {python}\n\
         start a Docker engine, or install Python 3.11 to 3.13 with pip (or `uv`), \
         or name a running endpoint: {BACKEND_VARIABLE}=http://127.0.0.1:4566"
    )]
    NothingThere {
        /// Why not with Docker.
        docker: String,
        /// Why not with Python.
        python: String,
    },
    /// A backend that does not exist.
    #[error("`{0}` is no backend: `docker`, `python` or a URL such as `http://127.0.0.1:4566`")]
    Backend(String),
    /// The Docker engine does not answer, has not the image, or cannot run it.
    #[error("{0}")]
    Docker(String),
    /// There is no Python that fits, or its environment could not be made.
    #[error("{0}")]
    Python(String),
    /// A server was started and did not become ready.
    #[error("{name} did not become ready: {why}\nwhat it wrote last:\n{log}")]
    NotReady {
        /// LocalStack or moto.
        name: &'static str,
        /// What happened instead.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// Nothing answers at the endpoint.
    #[error("nothing answers at {url}: {why}")]
    NoAnswer {
        /// The endpoint.
        url: String,
        /// What happened instead.
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
    health::body(&url).unwrap_or_else(|error| format!("its log cannot be read at {url}: {error}"))
}

/// The last lines of a log, as a message may carry them.
pub(crate) fn tail(log: &str) -> String {
    const LINES: usize = 30;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
