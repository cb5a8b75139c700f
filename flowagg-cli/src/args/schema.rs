//! The command line of `flowagg schema`.

use clap::ValueEnum;

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg schema > flowagg.schema.json
  flowagg schema plan              the schema of `flowagg plan --json`
  flowagg schema events            the schema of events on standard error";

/// A document that has a JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Described {
    /// The fleet file, `flowagg.toml`
    FleetFile,
    /// Output of `flowagg plan --json`
    Plan,
    /// Output of `flowagg apply --yes --json` and `flowagg destroy --yes --json`
    Apply,
    /// The schema of `apply`
    Destroy,
    /// Output of `flowagg verify --json`
    Verify,
    /// Output of `flowagg doctor --json`
    Doctor,
    /// Output of `flowagg report --json`
    Report,
    /// Output of `flowagg permissions --json`
    Permissions,
    /// Output of `flowagg policy build --json` and `flowagg policy merge --json`
    PolicyBuild,
    /// The schema of `policy-build`
    PolicyMerge,
    /// Output of `flowagg policy diff --json`
    PolicyDiff,
    /// Output of `flowagg policy check --json`
    PolicyCheck,
    /// One line of the output of `flowagg policy simulate --json`
    PolicySimulate,
    /// Output of `flowagg policy size --json`
    PolicySize,
    /// An event: a line on standard error of any command with `--json`
    Events,
}
