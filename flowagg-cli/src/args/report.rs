//! The command line of `flowagg report`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{MetricsArgs, Target, duration};

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg report                     print the report to the terminal
  flowagg report --html report.html  write an HTML page
  flowagg report --json --days 14    print JSON that covers 14 days
  flowagg report --html s3://acme-reports/flowagg/report.html
  flowagg report --markdown          print Markdown for a CI job summary
  flowagg report --compare reports/*.json  show changes since earlier reports

Exit codes:
  0  everything was read, and every flow log delivers or is idle
  1  something could not be read
  3  a flow log is silent, missing, failing or still waiting";

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Write a self-contained HTML page to a file or an S3 object
    ///
    /// The URL of an object has the form `s3://BUCKET/KEY`.
    #[arg(long, value_name = "FILE|S3-URL")]
    pub(crate) html: Option<Target>,
    /// Print the report as JSON, or write it to a file or an S3 object
    #[arg(long, value_name = "FILE|S3-URL", num_args = 0..=1)]
    pub(crate) json: Option<Option<Target>>,
    /// Write the estimated monthly cost per account as CSV
    ///
    /// The target is a file or an S3 object.
    #[arg(long, value_name = "FILE|S3-URL")]
    pub(crate) chargeback: Option<Target>,
    /// List every account, and every account-region of each finding
    ///
    /// Without this option, healthy accounts of a large fleet are not listed.
    #[arg(long, conflicts_with_all = ["html", "json", "markdown"])]
    pub(crate) all: bool,
    /// Print figures and findings as Markdown, e.g. for a CI job summary
    #[arg(long, conflicts_with_all = ["json", "html"])]
    pub(crate) markdown: bool,
    /// Compare with earlier JSON reports of the same bucket
    ///
    /// Files written by `--json` can be given in any order.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) compare: Vec<PathBuf>,
    /// Number of days (UTC) to count, including today (2 to 31)
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u8).range(2..=31))]
    pub(crate) days: u8,
    /// Report a new flow log without objects as `waiting` for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30m")]
    pub(crate) grace: Duration,
    /// Maximum age of the newest object of a delivering flow log
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1h")]
    pub(crate) fresh: Duration,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
}
