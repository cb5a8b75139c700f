//! The command line of `flowagg schema`.

use clap::ValueEnum;

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg schema > flowagg.schema.json
  (then, as the first line of flowagg.toml: #:schema ./flowagg.schema.json)
  flowagg schema plan              the schema of `flowagg plan --json`
  flowagg schema events            the schema of a line on standard error";

/// What there is a JSON Schema of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Described {
    /// The fleet file, `flowagg.toml`
    FleetFile,
    /// What `flowagg plan --json` prints
    Plan,
    /// What `flowagg apply --yes --json` and `flowagg destroy --yes --json` print
    Apply,
    /// The same schema as `apply`
    Destroy,
    /// What `flowagg verify --json` prints
    Verify,
    /// What `flowagg doctor --json` prints
    Doctor,
    /// What `flowagg report --json` prints
    Report,
    /// What `flowagg permissions --json` prints
    Permissions,
    /// What `flowagg policy build --json` and `flowagg policy merge --json` print
    PolicyBuild,
    /// The same schema as `policy-build`
    PolicyMerge,
    /// What `flowagg policy diff --json` prints
    PolicyDiff,
    /// What `flowagg policy check --json` prints
    PolicyCheck,
    /// A line of what `flowagg policy simulate --json` prints
    PolicySimulate,
    /// What `flowagg policy size --json` prints
    PolicySize,
    /// A line on standard error, of any verb with `--json`
    Events,
}
