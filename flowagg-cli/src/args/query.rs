//! The command line of `flowagg query`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args as ClapArgs;
use flowagg_core::id::BucketName;
use flowagg_core::question::{Gateway, Hours, Network, Size, UtcOffset, Weekdays};
use flowagg_query::Totals;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, ToSpan as _};

#[cfg(feature = "athena")]
use super::athena::{AthenaOptions, Engine};
use crate::found::Folder;
use crate::show::ResultFormat;

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg query --list
  flowagg query who 10.0.0.7 --from 24h
  flowagg query nat --nat eni-0a1b2c3d4e5f67890
  flowagg query top --from 24h --names
  flowagg query \"SELECT count(*) FROM vpc_flow_logs\"
  flowagg query --from 24h --only shop \\
    \"SELECT dstport, sum(bytes) FROM vpc_flow_logs GROUP BY 1\"
  flowagg query --from 2026-11-01 --to 2026-11-02 --explain \\
    \"SELECT * FROM vpc_flow_logs WHERE action = 'REJECT'\"
  flowagg query \"SELECT * FROM vpc_flow_logs\" \\
    --format parquet --out last-hour.parquet
  flowagg query \"SELECT count(*) FROM vpc_flow_logs\" --bucket acme-logs
  flowagg query \"DESCRIBE vpc_flow_logs\" --path ./copy-of-the-bucket
  flowagg query - --format csv < report.sql > report.csv
  flowagg query rejected --from 15m --watch 60s
  flowagg query rejected --only payments --fail-if-rows
  flowagg query top --engine athena --from 30d --output s3://acme-athena/
  flowagg query top --engine athena --print   print the SQL
  flowagg query                    start a prompt

Exit codes:
  0  the query ran, and every object was read
  1  something could not be read or looked up, the query failed, or it was
     not confirmed
  2  the question, statement or an option is invalid, a required field is not
     recorded, or a confirmation is required and there is no terminal
  3  the query ran, and broken objects were skipped, or `--fail-if-rows` found
     rows";

#[derive(Debug, ClapArgs)]
pub(crate) struct QueryArgs {
    /// Name of a question, or a SQL statement; `-` reads it from stdin
    ///
    /// Without this argument, a prompt starts in the terminal. `--list` shows the questions, including those saved as `queries/NAME.sql`
    /// next to the fleet file. A SQL statement is one argument in quotes. It starts with SELECT, WITH, EXPLAIN, DESCRIBE or SHOW. The
    /// table is `vpc_flow_logs`, and `DESCRIBE vpc_flow_logs` lists its columns.
    #[arg(value_name = "QUESTION|SQL")]
    pub(crate) asked: Option<String>,
    /// Argument of the question, such as an address
    ///
    /// Parameters of a saved question have the form `NAME=VALUE`.
    #[arg(value_name = "ARGUMENT", allow_negative_numbers = true)]
    pub(crate) arguments: Vec<String>,
    /// List the questions and their required fields
    ///
    /// With the name of a question, describe the records that it counts.
    #[arg(long, conflicts_with_all = ["arguments", "bucket", "path", "prefix", "from", "to", "limit", "format", "out", "explain"])]
    #[arg(conflicts_with_all = ["ask_above", "yes", "names", "strict", "nat", "own", "hours", "weekdays", "utc_offset"])]
    pub(crate) list: bool,
    /// Engine that runs the query
    #[cfg(feature = "athena")]
    #[arg(long, value_enum, default_value_t)]
    pub(crate) engine: Engine,
    /// Read this bucket instead of the fleet file's bucket
    #[arg(long, value_name = "NAME", conflicts_with = "path")]
    pub(crate) bucket: Option<BucketName>,
    /// Read a local copy of the bucket, a folder that contains `AWSLogs/`
    ///
    /// No AWS calls are made.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// Folder that contains `AWSLogs/`
    ///
    /// The default is the fleet file's prefix, or, if no fleet file is read, the root of the bucket or folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) prefix: Option<Folder>,
    /// Read records that ended at this time or later [default: 1h]
    ///
    /// The value is a time (RFC 3339), a day (UTC), or a duration before now such as 15m, 24h or 7d. For `unused-rules`, the default is
    /// 30 days. With `--path`, the default is all records.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<QueryTime>,
    /// Read records that ended before this time [default: now]
    ///
    /// A day (UTC) is included in full. With `--path`, the default is all records.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<QueryTime>,
    /// Print at most N rows
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Output format of the rows
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: ResultFormat,
    /// Write the rows to this file
    ///
    /// An existing file is replaced after the query has succeeded.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print how much the query would read and what that costs
    ///
    /// Objects are listed, and the query is not run.
    #[arg(long, conflicts_with_all = ["format", "out", "limit"])]
    pub(crate) explain: bool,
    /// Print the SQL of the question without running it
    #[arg(long, conflicts_with_all = ["format", "out", "explain"])]
    pub(crate) print: bool,
    /// Prompt before reading more than this [default: 5GB,100000]
    ///
    /// The value is a number of bytes, a number of objects or both, as in `20GB`, `500000` or `20GB,500000`.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) ask_above: Option<Amount>,
    /// Skip all confirmations
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Add columns with the names of accounts, resources and addresses
    ///
    /// Names of accounts, network interfaces, instances, VPCs, subnets and addresses are added next to their columns. They are the current
    /// names, looked up with EC2 calls in the accounts of the fleet file.
    #[arg(long, conflicts_with = "explain")]
    pub(crate) names: bool,
    /// Stop at the first broken object instead of skipping it
    #[arg(long)]
    pub(crate) strict: bool,
    /// Exit with 3 if there are rows
    ///
    /// For a saved question, exit with 3 if there are more rows than its threshold.
    #[arg(long, conflicts_with = "explain")]
    pub(crate) fail_if_rows: bool,
    /// Repeat the query at this interval
    ///
    /// Each run starts this long after the start of the previous one. The query repeats until Ctrl-C or, with `--fail-if-rows`, until there
    /// are rows.
    #[arg(long, value_name = "DURATION", value_parser = interval, conflicts_with_all = ["explain", "list"])]
    pub(crate) watch: Option<Duration>,
    #[command(flatten)]
    pub(crate) of_question: QuestionOptions,
    #[cfg(feature = "athena")]
    #[command(flatten)]
    pub(crate) of_athena: AthenaOptions,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Question options")]
pub(crate) struct QuestionOptions {
    /// NAT gateways, separated by commas
    ///
    /// Name a zonal gateway by its network interface or private address, and a regional one by its ID. `fleet` looks up all NAT gateways
    /// of the fleet with EC2 calls.
    #[arg(long, value_name = "ID|ADDRESS|fleet", value_delimiter = ',')]
    pub(crate) nat: Vec<Gateway>,
    /// Networks that are not the internet, in addition to private ones
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub(crate) own: Vec<Network>,
    /// Office hours, e.g. `8-18`
    #[arg(long, value_name = "HOURS")]
    pub(crate) hours: Option<Hours>,
    /// Office days, e.g. `mon-fri`
    #[arg(long, value_name = "DAYS")]
    pub(crate) weekdays: Option<Weekdays>,
    /// UTC offset of the office, e.g. `+1` or `-03:30`
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    pub(crate) utc_offset: Option<UtcOffset>,
}

/// A time as a timestamp, a day or a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryTime {
    At(Timestamp),
    /// A day (UTC).
    Day(Date),
    /// A duration before now.
    Ago(SignedDuration),
}

impl QueryTime {
    /// The default of `--from`. Records are delivered about 10 minutes after the traffic.
    pub(crate) const DEFAULT_FROM: Self = Self::Ago(SignedDuration::from_hours(1));

    /// The timestamp as the start of a time window.
    pub(crate) fn start(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Day(day) => midnight(day),
            Self::Ago(span) => now.checked_sub(span).unwrap_or(Timestamp::MIN),
        }
    }

    /// The timestamp as the end of a time window, which includes a day.
    pub(crate) fn end(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(day) => midnight(day.saturating_add(1.day())),
            other => other.start(now),
        }
    }
}

fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

impl FromStr for QueryTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let has_time = text.contains(['T', 't', ' ']) && text.contains(':');
        let read = if has_time {
            let in_utc =
                || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp());
            text.parse().ok().or_else(in_utc).map(Self::At)
        } else {
            text.parse().ok().map(Self::Day).or_else(|| ago(text).map(Self::Ago))
        };
        read.ok_or_else(|| {
            "expected a time such as 2026-11-01T08:00:00Z, a day such as 2026-11-01, or a duration such as 24h"
                .to_owned()
        })
    }
}

/// Parses the interval from one start to the next.
fn interval(text: &str) -> Result<Duration, String> {
    let span = ago(text).and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| *span >= Duration::from_secs(1))
        .ok_or_else(|| "expected a duration of at least 1s such as 60s or 5m".to_owned())
}

/// Parses `24h` or `7d`.
fn ago(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (!span.is_negative()).then_some(span)
}

/// The amount that may be read without confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount(pub(crate) Totals);

impl Default for Amount {
    /// 5 GB or 100,000 objects.
    fn default() -> Self {
        Self(Totals::new(100_000, 5_000_000_000))
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut objects, mut bytes) = (None, None);
        for part in text.split(',') {
            let part = part.trim();
            let (place, amount) = match part.parse() {
                Ok(number) => (&mut objects, number),
                Err(_) => (&mut bytes, Size::read(part).ok_or(AMOUNT)?),
            };
            if place.replace(amount).is_some() {
                return Err(AMOUNT.to_owned());
            }
        }
        // A limit that is not set never requires a confirmation.
        Ok(Self(Totals::new(objects.unwrap_or(u64::MAX), bytes.unwrap_or(u64::MAX))))
    }
}

const AMOUNT: &str =
    "expected bytes such as 20GB, a number of objects such as 500000, or both as in 20GB,500000";

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: &str, to: &str) -> String {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let (from, to): (QueryTime, QueryTime) = (from.parse().unwrap(), to.parse().unwrap());
        format!("{} {}", from.start(now), to.end(now))
    }

    #[test]
    fn times_days_and_durations_are_parsed_in_utc() {
        for (from, to, expected) in [
            ("24h", "15m", "2026-11-29T12:00:00Z 2026-11-30T11:45:00Z"),
            ("7d", "0s", "2026-11-23T12:00:00Z 2026-11-30T12:00:00Z"),
            ("2026-11-01", "2026-11-01", "2026-11-01T00:00:00Z 2026-11-02T00:00:00Z"),
            ("2026-11-01T08:00:00+01:00", "2026-11-01T08:30", "2026-11-01T07:00:00Z 2026-11-01T08:30:00Z"),
        ] {
            assert_eq!(between(from, to), expected);
        }
        for text in ["", "-1h", "soon", "24", "1 month", "2026-13-01", "2026-11-01T25:00:00Z"] {
            assert!(text.parse::<QueryTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn interval_is_at_least_one_second() {
        assert_eq!(interval("5m"), Ok(Duration::from_secs(300)));
        for text in ["", "0s", "500ms", "-1m", "60"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_are_bytes_objects_or_both() {
        let read = |text: &str| text.parse::<Amount>().map(|amount| (amount.0.objects, amount.0.bytes)).ok();
        assert_eq!(read("5GB,100000"), Some((100_000, 5_000_000_000)));
        assert_eq!(read("20 mb"), Some((u64::MAX, 20_000_000)));
        assert_eq!(read("0"), Some((0, u64::MAX)));
        for text in ["", "GB", "5GiB", "1,2", "-1", "1.5GB", "99999999999TB"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
