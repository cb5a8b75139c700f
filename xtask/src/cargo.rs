//! Runs cargo at the root of the workspace. Always build the whole workspace: another set of packages has other features, and cargo
//! then compiles the AWS SDK again.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The path of a workspace binary that cargo has built.
pub(crate) fn program(name: &str) -> PathBuf {
    target().join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// The target folder of cargo.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |set| root().join(set))
}

/// `cargo` with arguments, separated by spaces.
pub(crate) fn cargo(args: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(args.split_whitespace()).current_dir(root());
    cargo
}

/// Whether a program is installed and runs.
pub(crate) fn is_there(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Runs a command, which must succeed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy();
    let shown = format!("{program} {}", args.join(" "));
    let status = command.status().with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown.trim_end());
    }
    Ok(())
}

/// Builds every binary of the workspace.
pub(crate) fn build() -> anyhow::Result<()> {
    run(&mut cargo("build --workspace --bins"))
}
