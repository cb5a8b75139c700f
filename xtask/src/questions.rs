//! The questions of `flowagg query` on generated networks, in Athena SQL.

use std::process::{Command, Stdio};

use anyhow::bail;

use crate::cargo::{self, cargo, run};

/// Runs the tests of flowagg-query that need Python with sqlglot and DuckDB.
pub(crate) fn in_athena() -> anyhow::Result<()> {
    let found =
        Command::new(cargo::program("flowagg-rehearse")).arg("python").stderr(Stdio::inherit()).output()?;
    if !found.status.success() {
        bail!("no Python with sqlglot and DuckDB: {}", found.status);
    }
    let python = String::from_utf8(found.stdout)?;
    run(cargo("test --workspace --test all -- questions::athena --ignored")
        .env("FLOWAGG_PYTHON", python.trim()))
}
