//! `cargo xtask workflows`: ours and the one to copy, before the schemas of GitHub's files and a linter of their safety.

use std::process::Command;

use crate::cargo::{root, run};
use crate::python;

const WORKFLOWS: [&str; 2] = [".github/workflows/ci.yml", "docs/github-actions.yml"];
const DEPENDABOT: &str = ".github/dependabot.yml";

/// Every key is one that GitHub knows; and zizmor finds no unpinned action, no right too many, no text of others in a script.
pub(crate) fn workflows() -> anyhow::Result<()> {
    let schemas = python::program("check-jsonschema")?;
    for (schema, files) in [("vendor.github-workflows", &WORKFLOWS[..]), ("vendor.dependabot", &[DEPENDABOT])]
    {
        run(Command::new(&schemas).args(["--builtin-schema", schema]).args(files).current_dir(root()))?;
    }
    let mut safety = Command::new(python::program("zizmor")?);
    safety.args(["--offline", "--no-progress", "--quiet"]).args(WORKFLOWS).arg(DEPENDABOT);
    run(safety.current_dir(root()))
}
