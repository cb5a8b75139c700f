//! `flowagg report`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{MetricsArgs, Target, time};

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg report                     in the terminal
  flowagg report --html report.html  one page, for a browser
  flowagg report --json --days 14    the same for machines, over two weeks
  flowagg report --html s3://acme-reports/flowagg/report.html  into a bucket
  flowagg report --markdown          for the summary of a workflow run
  flowagg report --compare reports/*.json  what changed since earlier reports

Exit codes:
  0  all was read, and every flow log that should deliver does; idle ones need not
  1  something could not be read
  3  a flow log is silent, missing, failing, or still waiting";

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Write it as one HTML page that needs nothing else, into a file or an object (`s3://BUCKET/KEY`)
    #[arg(long, value_name = "FILE|S3-URL")]
    pub(crate) html: Option<Target>,
    /// Print it as JSON, or write the JSON into a file or an object
    #[arg(long, value_name = "FILE|S3-URL", num_args = 0..=1)]
    pub(crate) json: Option<Option<Target>>,
    /// Write what each account costs in a month, about, as CSV into a file or an object
    #[arg(long, value_name = "FILE|S3-URL")]
    pub(crate) chargeback: Option<Target>,
    /// List every account, also the healthy ones of a large fleet, and every place of a finding
    #[arg(long, conflicts_with_all = ["html", "json", "markdown"])]
    pub(crate) all: bool,
    /// Print its numbers and findings as Markdown, for the summary of a workflow run
    #[arg(long, conflicts_with_all = ["json", "html"])]
    pub(crate) markdown: bool,
    /// Compare it with earlier reports of the same bucket, as `--json` wrote them, in any order
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) compare: Vec<PathBuf>,
    /// Count what came on so many days (UTC), today among them
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u8).range(2..=31))]
    pub(crate) days: u8,
    /// How long a new flow log may have delivered nothing (it is then `waiting`)
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "30m")]
    pub(crate) grace: Duration,
    /// How old the newest object of a flow log that delivers may be
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1h")]
    pub(crate) fresh: Duration,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
}
