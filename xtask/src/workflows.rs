//! `cargo xtask workflows`: checks the workflows, the example workflow, the action and every shell script with GitHub's schemas,
//! zizmor and shellcheck.

use std::process::Command;

use crate::cargo::{root, run};
use crate::python;

const WORKFLOWS: [&str; 4] = [
    ".github/workflows/ci.yml",
    ".github/workflows/properties.yml",
    ".github/workflows/release.yml",
    "docs/github-actions.yml",
];
const ACTION: &str = ".github/actions/flowagg/action.yml";
const DEPENDABOT: &str = ".github/dependabot.yml";
const SCRIPTS: [&str; 5] = [
    ".ci/run",
    ".github/actions/flowagg/install.sh",
    ".github/actions/flowagg/run.sh",
    ".github/actions/flowagg/comment.sh",
    "xtask/release/install.sh",
];

/// Fails if a key is unknown to GitHub's schemas, if zizmor finds an unpinned action, an excessive permission or untrusted text in a
/// script, or if shellcheck finds an error in a script file or in the script of a step.
pub(crate) fn workflows() -> anyhow::Result<()> {
    let schemas = python::program("check-jsonschema")?;
    for (schema, files) in [
        ("vendor.github-workflows", &WORKFLOWS[..]),
        ("vendor.github-actions", &[ACTION]),
        ("vendor.dependabot", &[DEPENDABOT]),
    ] {
        run(Command::new(&schemas).args(["--builtin-schema", schema]).args(files).current_dir(root()))?;
    }
    let mut safety = Command::new(python::program("zizmor")?);
    safety.args(["--offline", "--no-progress", "--quiet"]).args(WORKFLOWS).args([ACTION, DEPENDABOT]);
    run(safety.current_dir(root()))?;
    let shellcheck = python::program("shellcheck")?;
    run(Command::new(&shellcheck).args(SCRIPTS).current_dir(root()))?;
    let mut steps = Command::new(python::program("python")?);
    steps.arg("xtask/release/runs.py").arg(&shellcheck).args(WORKFLOWS).arg(ACTION);
    run(steps.current_dir(root()))
}
