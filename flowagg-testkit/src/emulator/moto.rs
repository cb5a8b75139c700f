use std::sync::OnceLock;

use super::health::Probe;
use super::python::{Process, Program};
use super::{EmulatorError, log};

/// The version of moto.
pub const MOTO_VERSION: &str = "5.2.5";

const MOTO: Program = Program {
    probe: Probe { name: "moto", path: "/moto-api/" },
    version: MOTO_VERSION,
    lock: include_str!("../../moto/requirements.txt"),
    module: "moto.server",
};

/// A running [moto](https://github.com/getmoto/moto) server from PyPI: EC2, S3, STS, KMS, and AWS Organizations, which
/// LocalStack does not have. Dropping it stops it and loses its state, which is only in memory.
///
/// The account of a call depends on the credentials, not on the text of the access key ID as in LocalStack:
/// * Credentials from `AssumeRole` belong to the role's account. Anyone can assume any role of any account, whether it
///   exists or not.
/// * Access keys of an IAM user created in moto belong to the user's account.
/// * All others, whatever their form, belong to the account `123456789012`.
///
/// The header `x-moto-account-id` also selects an account, but no standard client sends it. Policies are not enforced.
/// Each management account has one organization, so worlds that share a server use fresh ones, as
/// [`MotoOrganization`](crate::organization::MotoOrganization) does. Every account can access every bucket.
#[derive(Debug)]
pub struct Moto {
    url: String,
    process: Process,
}

impl Moto {
    /// Starts a server on a free port and waits until it is ready.
    ///
    /// Requires Python 3.11 to 3.13, or `uv`; it does not run in a container. Blocks for a second or two, or longer if
    /// the Python environment is missing.
    pub fn start() -> Result<Self, EmulatorError> {
        let (process, url) = Process::start(&MOTO, |command, address, _| {
            // `MOTO_ACCOUNT_ID` would merge all accounts into one; other variables change moto's behavior too.
            for (name, _) in std::env::vars_os() {
                if name.to_string_lossy().starts_with("MOTO_") {
                    command.env_remove(name);
                }
            }
            command.args(["-H", &address.ip().to_string(), "-p", &address.port().to_string()]);
        })?;
        Ok(Self { url, process })
    }

    /// The server shared by this process, which ends with it. Blocks like [`start`](Self::start). From now on, every
    /// panic in this process prints the end of its [`log`](Self::log).
    pub fn shared() -> Result<&'static Self, &'static EmulatorError> {
        static SHARED: OnceLock<Result<Moto, EmulatorError>> = OnceLock::new();
        let start = || {
            let moto = Self::start()?;
            log::show_on_panic("moto", || Some(SHARED.get()?.as_ref().ok()?.log()));
            Ok(moto)
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// URL to set as `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
