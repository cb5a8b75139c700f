//! Checks that the program in the image uses the image's certificates: a TLS call must reach a server with one of these certificates,
//! and no other server. An image without certificates would build and start, but every call would fail.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::cargo::{root, run};
use crate::python;

/// An HTTPS server on this machine, with a self-signed certificate.
struct Server {
    program: Child,
    folder: TempDir,
    port: String,
    lines: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("flowagg-tls-")?;
        let path = |name: &str| folder.path().join(name);
        let mut certify = Command::new("openssl");
        certify.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        certify.args([
            "-days",
            "2",
            "-subj",
            "/CN=flowagg-release",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ]);
        certify.args(["-addext", "basicConstraints=critical,CA:FALSE"]).stderr(Stdio::null());
        run(certify.arg("-keyout").arg(path("key.pem")).arg("-out").arg(path("certificate.pem")))?;
        let mut serve = Command::new(python::program("python")?);
        serve.arg(root().join("xtask/release/tls.py")).arg(path("certificate.pem")).arg(path("key.pem"));
        let mut program = serve.stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(program.stdout.take().context("the server has no output")?);
        let mut port = String::new();
        lines.read_line(&mut port)?;
        let port = port.trim().to_owned();
        Ok(Self { program, folder, port, lines })
    }

    /// Stops the server. Returns the number of requests that arrived.
    fn requests(mut self) -> anyhow::Result<usize> {
        self.program.kill()?;
        self.program.wait()?;
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest)?;
        Ok(rest.lines().count())
    }
}

/// Runs `flowagg plan` in the image with and without the server's certificate. `runnable` returns the path that starts the program, with
/// a file instead of the image's certificates.
pub(super) fn uses_certificates_of_the_image(
    runnable: impl Fn(Option<&Path>) -> anyhow::Result<PathBuf>,
) -> anyhow::Result<()> {
    for trusted in [false, true] {
        let server = Server::start()?;
        let certificate = server.folder.path().join("certificate.pem");
        let program = runnable(trusted.then_some(&*certificate))?;
        let place = TempDir::with_prefix("flowagg-fleet-")?;
        fs::write(place.path().join("flowagg.toml"), super::smoke::FLEET)?;
        let mut plan = Command::new(program);
        plan.arg("plan").current_dir(place.path()).stdin(Stdio::null());
        plan.env("AWS_ENDPOINT_URL", format!("https://127.0.0.1:{}", server.port));
        plan.env("AWS_ACCESS_KEY_ID", "111122223333").env("AWS_SECRET_ACCESS_KEY", "test");
        plan.env("AWS_REGION", "eu-west-1").env("AWS_EC2_METADATA_DISABLED", "true");
        let ended = plan.output()?;
        let stderr = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.code() == Some(1), "`flowagg plan` ended with {}: {stderr}", ended.status);
        let requests = server.requests()?;
        ensure!(
            (requests > 0) == trusted,
            "{requests} requests reached a server whose certificate is {} image: {stderr}",
            if trusted { "in the" } else { "not in the" }
        );
    }
    Ok(())
}
