//! The command line of `flowagg policy`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};
use flowagg_policy::{Severity, StatementRef};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Print the policy for a bucket that has none
    #[command(after_help = "\
Examples:
  flowagg policy build
  flowagg policy build --json      include its size, form and accounts")]
    Build(BuildArgs),
    /// Merge the fleet's grant into a policy
    ///
    /// Prints the new policy to standard output and the difference to standard error.
    #[command(after_help = "\
Examples:
  flowagg policy merge --policy live.json > merged.json
  aws s3api get-bucket-policy --bucket NAME --query Policy --output text |
    flowagg policy merge")]
    Merge(MergeArgs),
    /// Compare two policies by meaning
    #[command(after_help = "\
Examples:
  flowagg policy diff before.json after.json
  flowagg policy diff live.json - --exit-code < wanted.json")]
    Diff(DiffArgs),
    /// Check a policy for errors and risks
    ///
    /// Exits with 3 if there are findings.
    #[command(after_help = "\
Examples:
  flowagg policy check --policy live.json --bucket acme-flow-logs
  flowagg policy check --policy live.json --severity warning   omit notes
  flowagg policy check --policy live.json --sarif > findings.sarif")]
    Check(CheckArgs),
    /// Simulate log delivery, or any requests, against a policy
    #[command(after_help = "\
Examples:
  flowagg policy simulate --policy live.json --account 222222222222
  flowagg policy simulate --policy live.json --account 222222222222 \\
    --region eu-west-1 --key AWSLogs/333333333333/x
  flowagg policy simulate --policy live.json --requests requests.jsonl --json")]
    Simulate(SimulateArgs),
    /// Show the policy's size and how many accounts fit in each form
    #[command(after_help = "\
Examples:
  flowagg policy size              for a bucket without a policy
  flowagg policy size --policy live.json")]
    Size(SizeArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BuildArgs {
    /// Print the policy, its size, form and accounts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MergeArgs {
    /// Read the existing policy from this file; `-` is standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) policy: PathBuf,
    /// Also revoke accounts that are not in the fleet file
    #[arg(long)]
    pub(crate) prune: bool,
    /// Replace a foreign statement with the fleet's grant
    ///
    /// Name the statement by its Sid, or by its number as in `#3`. Deliveries that depend on the statement are not checked.
    #[arg(long, value_name = "STATEMENT")]
    pub(crate) adopt: Vec<StatementRef>,
    /// Print the policy, its size, form and accounts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DiffArgs {
    /// The first policy; `-` is standard input
    pub(crate) before: PathBuf,
    /// The second policy; `-` is standard input
    pub(crate) after: PathBuf,
    /// Print the difference as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 3 if the policies differ
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    /// Read the policy from this file; `-` is standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) policy: PathBuf,
    /// Bucket of the policy [default: the most frequent in its resources]
    #[arg(long, value_name = "NAME", value_parser = BucketName::parse_in_policy)]
    pub(crate) bucket: Option<BucketName>,
    /// Minimum severity to report: note, warning or error
    #[arg(long, value_name = "LEVEL", value_parser = severity, default_value = "note")]
    pub(crate) severity: Severity,
    /// Print the findings as JSON
    #[arg(long, conflicts_with = "sarif")]
    pub(crate) json: bool,
    /// Print the findings as SARIF 2.1.0, for code scanning tools
    #[arg(long)]
    pub(crate) sarif: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    /// Read the policy from this file; `-` is standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) policy: PathBuf,
    /// Account whose logs are delivered [default: the members]
    ///
    /// Without members in the fleet file, the default is the accounts in the policy's statements for log delivery.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,
    /// Region of the flow log [default: the member's regions]
    ///
    /// Without regions in the fleet file, the default is the regions in the policy, else the first region of the partition.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<Region>,
    /// Object key [default: a flow log file from today]
    #[arg(long, value_name = "KEY", requires = "account")]
    pub(crate) key: Option<String>,
    /// Bucket [default: the policy's bucket, else the fleet file's]
    #[arg(long, value_name = "NAME", value_parser = BucketName::parse_in_policy)]
    pub(crate) bucket: Option<BucketName>,
    /// Organization of the accounts [default: the fleet file's]
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,
    /// Evaluate the requests in this file; `-` is standard input
    ///
    /// The file has one JSON object per line, with the keys `principal`, `action`, `resource`, `context` and `unknown`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["account", "region", "key", "bucket", "organization"])]
    pub(crate) requests: Option<PathBuf>,
    /// Print the decisions as JSON, one per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SizeArgs {
    /// Include the other statements of this policy; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Print the sizes as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Parses `note`, `warning` or `error`.
fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "note" => Ok(Severity::Note),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("expected note, warning or error".to_owned()),
    }
}
