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
/// LocalStack has not. Dropped, it ends; its state is in memory and goes with it.
///
/// The account of a call follows from its credentials, and not as in LocalStack from the access key id as a text:
/// * those that `AssumeRole` gave are the role's account. Any role of any account can be taken, whether it exists or not,
///   by anyone.
/// * access keys of an IAM user made in moto are the user's account.
/// * all others, of whatever form, are the account `123456789012`.
///
/// The header `x-moto-account-id` names an account, too; no standard client sends it. Policies are not asked. There is one
/// organization for each management account, so worlds that share a server take fresh ones, as
/// [`MotoOrganization`](crate::organization::MotoOrganization) does. Buckets are open to every account.
#[derive(Debug)]
pub struct Moto {
    url: String,
    process: Process,
}

impl Moto {
    /// Starts a server, on a port of its own, and waits until it is ready.
    ///
    /// Needs Python 3.11 to 3.13, or `uv`: there is no container for it. Blocks for a second or two; for longer where the
    /// Python environment is not there yet.
    pub fn start() -> Result<Self, EmulatorError> {
        let (process, url) = Process::start(&MOTO, |command, address, _| {
            // `MOTO_ACCOUNT_ID` would make all accounts one, and others change what it does.
            for (name, _) in std::env::vars_os() {
                if name.to_string_lossy().starts_with("MOTO_") {
                    command.env_remove(name);
                }
            }
            command.args(["-H", &address.ip().to_string(), "-p", &address.port().to_string()]);
        })?;
        Ok(Self { url, process })
    }

    /// The one server of this process. It ends with the process. Blocks like [`start`](Self::start). From then on, a panic
    /// in this process shows the end of its [`log`](Self::log).
    pub fn shared() -> Result<&'static Self, &'static EmulatorError> {
        static SHARED: OnceLock<Result<Moto, EmulatorError>> = OnceLock::new();
        let start = || {
            let moto = Self::start()?;
            log::show_on_panic("moto", || Some(SHARED.get()?.as_ref().ok()?.log()));
            Ok(moto)
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// The URL to give as `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
