//! Runs the compiled program.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod athena;
mod credentials;
mod events;
mod files;
mod init;
mod json_page;
mod messages;
mod named;
mod policy;
mod proxies;
#[cfg(feature = "query")]
mod query;
#[cfg(feature = "query")]
mod questions;
#[cfg(feature = "query")]
mod saved;
mod schemas;
mod settings;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const FLEET: &str = r#"
[hub]
account = "111122223333"
region = "eu-west-1"
bucket = "acme-flow-logs"

[[members]]
account = "111122223333"
regions = ["eu-west-1"]
"#;

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the program offline with this fleet file and standard input.
fn offline(args: &[&str], fleet: &str, stdin: &str) -> Said {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flowagg.toml"), fleet).unwrap();
    offline_in(folder.path(), args, stdin)
}

/// Runs the program in this folder, with or without a fleet file.
fn offline_in(folder: &Path, args: &[&str], stdin: &str) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowagg"));
    command.args(args).current_dir(folder).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Fails if the program exits without reading its input.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    Said::of(child.wait_with_output().unwrap())
}

/// Runs the program with this fleet file and endpoint, without the machine's AWS settings.
fn flowagg(args: &[&str], fleet: &str, endpoint: &str, keys: bool) -> Said {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flowagg.toml"), fleet).unwrap();
    let nowhere = folder.path().join("nowhere");
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowagg"));
    command.args(args).current_dir(folder.path()).env_clear();
    command.env("AWS_CONFIG_FILE", &nowhere).env("AWS_SHARED_CREDENTIALS_FILE", &nowhere);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", endpoint);
    if keys {
        command
            .env("AWS_ACCESS_KEY_ID", "111122223333")
            .env("AWS_SECRET_ACCESS_KEY", "secret-not-to-be-shown");
    }
    let said = Said::of(command.output().unwrap());
    assert!(!said.err.contains("secret-not-to-be-shown") && !said.out.contains("secret-not-to-be-shown"));
    assert!(
        args.contains(&"--json") || said.err.lines().count() + said.out.lines().count() <= 24,
        "more than a screen:\n{}{}",
        said.out,
        said.err
    );
    said
}
