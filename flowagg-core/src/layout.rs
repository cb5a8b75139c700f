//! The layout of flow log objects in the bucket: folders and keys, formatted and parsed.
//!
//! Source: "Flow log files" (Amazon VPC User Guide).

use std::fmt::{self, Write as _};
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

use crate::flow_log::{FileFormat, Files};
use crate::id::{AccountId, FlowLogId, IdError, Place, Prefix, Region};

/// The folder that log delivery creates in the bucket or under the prefix.
pub const AWS_LOGS: &str = Prefix::RESERVED;
/// The folder of flow logs in an account's folder.
pub const VPC_FLOW_LOGS: &str = "vpcflowlogs";

/// The text before the account ID in a Hive-compatible folder name.
pub const HIVE_ACCOUNT: &str = "aws-account-id=";
const HIVE_SERVICE: &str = "aws-service=";
const HIVE_REGION: &str = "aws-region=";
const HIVE_HOUR: &str = "hour=";
/// The text before the region, year, month and day in Hive-compatible folder names.
const HIVE_DAY: [&str; 4] = [HIVE_REGION, "year=", "month=", "day="];

/// The folder under which log delivery writes: `[prefix/]AWSLogs/`.
pub fn root(prefix: Option<&Prefix>) -> String {
    match prefix {
        Some(prefix) => format!("{prefix}/{AWS_LOGS}/"),
        None => format!("{AWS_LOGS}/"),
    }
}

/// The account of a folder name under `AWSLogs/`, plain or Hive-compatible.
pub fn account_of(folder: &str) -> Option<AccountId> {
    AccountId::parse(account_in(folder)).ok()
}

/// The part of such a folder name that should be the account ID, valid or not.
pub fn account_in(folder: &str) -> &str {
    folder.strip_prefix(HIVE_ACCOUNT).unwrap_or(folder)
}

/// Whether a folder name in an account's folder is that of flow logs, plain or Hive-compatible.
pub fn is_of_flow_logs(folder: &str) -> bool {
    folder.strip_prefix(HIVE_SERVICE).unwrap_or(folder) == VPC_FLOW_LOGS
}

/// The region of a folder name in the folder of flow logs, plain or Hive-compatible.
pub fn region_of(folder: &str) -> Option<Region> {
    Region::parse(folder.strip_prefix(HIVE_REGION).unwrap_or(folder)).ok()
}

/// The year, month, day or hour of a folder name, plain or Hive-compatible.
pub fn number_of(folder: &str) -> Option<i16> {
    let [_, of_day @ ..] = HIVE_DAY;
    let hive = of_day.iter().chain([&HIVE_HOUR]).find_map(|name| folder.strip_prefix(name));
    let digits = hive.unwrap_or(folder);
    let is_number = digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// The layout of the folders in one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// The prefix in the bucket.
    pub prefix: Option<Prefix>,
    /// The file settings of the flow logs.
    pub files: Files,
}

impl Layout {
    /// The layout for a prefix and file settings.
    pub fn new(prefix: Option<Prefix>, files: Files) -> Self {
        Self { prefix, files }
    }

    /// The folder under which log delivery writes: `[prefix/]AWSLogs/`.
    pub fn root(&self) -> String {
        root(self.prefix.as_ref())
    }

    /// An account's folder: `[prefix/]AWSLogs/<account>/`.
    pub fn account_folder(&self, account: impl fmt::Display) -> String {
        let hive = if self.files.hive_compatible_partitions { HIVE_ACCOUNT } else { "" };
        format!("{}{hive}{account}/", self.root())
    }

    /// The folder of an account's flow logs in all regions.
    pub fn flow_logs_folder(&self, account: impl fmt::Display) -> String {
        let hive = if self.files.hive_compatible_partitions { HIVE_SERVICE } else { "" };
        format!("{}{hive}{VPC_FLOW_LOGS}/", self.account_folder(account))
    }

    /// The folder of an account's flow logs in one region.
    pub fn region_folder(&self, account: impl fmt::Display, region: impl fmt::Display) -> String {
        let hive = if self.files.hive_compatible_partitions { HIVE_REGION } else { "" };
        format!("{}{hive}{region}/", self.flow_logs_folder(account))
    }

    /// The folder of an account-region and a day (UTC).
    pub fn day_folder(&self, place: &Place, day: Date) -> String {
        let day = [format!("{:04}", day.year()), format!("{:02}", day.month()), format!("{:02}", day.day())];
        self.day_template(place.account, &place.region, &day)
    }

    /// The key of a file.
    pub fn key(&self, name: &FileName) -> String {
        let folder = self.day_folder(&name.place, name.time.date());
        format!("{folder}{}{name}", self.hour_template(format_args!("{:02}", name.time.hour())))
    }

    /// The folder of a day, with arbitrary text for the account, the region, and the year, month and day: values, or placeholders of
    /// a template. In a plain layout, a single text may represent the whole date.
    pub fn day_template(
        &self,
        account: impl fmt::Display,
        region: impl fmt::Display,
        day: &[impl fmt::Display],
    ) -> String {
        let hive = self.files.hive_compatible_partitions;
        let [of_region, of_day @ ..] = if hive { HIVE_DAY } else { [""; 4] };
        let mut folder = format!("{}{of_region}{region}/", self.flow_logs_folder(account));
        for (name, word) in of_day.iter().zip(day) {
            // Writing to a String does not fail.
            let _ = write!(folder, "{name}{word}/");
        }
        folder
    }

    /// The folder of an hour (UTC) in the folder of a day, with arbitrary text for the hour; empty if the layout has no hour folders.
    pub fn hour_template(&self, hour: impl fmt::Display) -> String {
        let hive = if self.files.hive_compatible_partitions { HIVE_HOUR } else { "" };
        if self.files.per_hour_partition { format!("{hive}{hour}/") } else { String::new() }
    }
}

/// The parsed name of a flow log file:
/// `<account>_vpcflowlogs_<region>_<flow log>_<YYYYMMDD>T<HHmm>Z_<hash>.log.gz`.
///
/// The time is in UTC with minute precision. The file contains records that ended within the five minutes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct FileName {
    /// The account of the flow log and the region of the VPC.
    pub place: Place,
    pub flow_log: FlowLogId,
    /// The time in the name, UTC.
    pub time: DateTime,
    /// The hash that distinguishes the files of one interval.
    pub hash: String,
    /// The file format.
    pub format: FileFormat,
}

impl FileName {
    /// The interval in which the records ended, starting at the time in the name.
    ///
    /// Source: "Flow log files" (Amazon VPC User Guide).
    pub const INTERVAL: SignedDuration = SignedDuration::from_mins(5);
    /// The maximum delay of the time in a file name after the end of its records. A search for records must include files of this
    /// much more time.
    pub const LATE: SignedDuration = SignedDuration::from_hours(1);

    /// The name of a plain text file. `time` is in UTC and is truncated to the minute.
    pub fn new(place: Place, flow_log: FlowLogId, time: DateTime, hash: impl Into<String>) -> Self {
        Self { place, flow_log, time, hash: hash.into(), format: FileFormat::PlainText }
    }

    /// A file with a fixed flow log and time, for policy evaluation: policies depend only on the account, the region and the folder.
    pub fn example(account: AccountId, region: &Region) -> Self {
        let time = jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0);
        Self::new(Place::new(account, region), FlowLogId::example(), time, "00000000")
    }

    /// Parses the last segment of an object key.
    pub fn parse(name: &str) -> Result<Self, IdError> {
        const HELP: &str = "use a name such as `123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz`";
        let why = "a part is missing or invalid";
        Self::read(name).ok_or_else(|| IdError::new(name, "flow log file name", why, HELP))
    }

    fn read(name: &str) -> Option<Self> {
        let of_format = |format: FileFormat| Some((name.strip_suffix(format.suffix())?, format));
        let (stem, format) = FileFormat::ALL.into_iter().find_map(of_format)?;
        let mut parts = stem.split('_');
        let (account, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (flow_log, time, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if service != VPC_FLOW_LOGS || parts.next().is_some() {
            return None;
        }
        Some(Self {
            place: Place::new(AccountId::parse(account).ok()?, &Region::parse(region).ok()?),
            flow_log: FlowLogId::parse(flow_log).ok()?,
            time: DateTime::strptime("%Y%m%dT%H%MZ", time).ok()?,
            hash: hash.to_owned(),
            format,
        })
    }
}

impl FromStr for FileName {
    type Err = IdError;

    fn from_str(name: &str) -> Result<Self, IdError> {
        Self::parse(name)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place: Place { account, region }, flow_log, time, hash, format } = self;
        let (time, suffix) = (time.strftime("%Y%m%dT%H%MZ"), format.suffix());
        write!(f, "{account}_{VPC_FLOW_LOGS}_{region}_{flow_log}_{time}_{hash}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz";

    #[test]
    fn documented_file_name_round_trips() {
        let name = FileName::parse(DOCUMENTED).unwrap();
        assert_eq!(name.place.account.to_string(), "123456789012");
        assert_eq!(name.place.region.as_str(), "us-east-1");
        assert_eq!(name.flow_log.as_str(), "fl-1234abcd");
        assert_eq!(name.time, jiff::civil::date(2018, 6, 20).at(16, 20, 0, 0));
        assert_eq!(name.to_string(), DOCUMENTED);
    }

    #[test]
    fn parquet_files_are_recognized_by_their_suffix() {
        let parquet = DOCUMENTED.replace(".log.gz", ".log.parquet");
        let name = FileName::parse(&parquet).unwrap();
        assert_eq!(name.format, FileFormat::Parquet);
        assert_eq!(name.to_string(), parquet);
    }

    #[test]
    fn keys_contain_account_region_day_and_optional_hour() {
        let name = FileName::parse(DOCUMENTED).unwrap();
        let hour = Files { per_hour_partition: true, ..Files::default() };
        let hive = Files { hive_compatible_partitions: true, ..Files::default() };
        let both = Files { per_hour_partition: true, ..hive };
        let plain = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/";
        let in_hive = "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2018/month=06/day=20/";
        for (files, folder) in [
            (Files::default(), plain.to_owned()),
            (hour, format!("{plain}16/")),
            (hive, in_hive.to_owned()),
            (both, format!("{in_hive}hour=16/")),
        ] {
            let top = Layout { prefix: None, files };
            assert_eq!(top.key(&name), format!("{folder}{DOCUMENTED}"));
            let below = Layout { prefix: Some(Prefix::parse("network/").unwrap()), files };
            assert_eq!(below.key(&name), format!("network/{folder}{DOCUMENTED}"));
        }
    }

    #[test]
    fn templates_contain_placeholders() {
        let files = Files { per_hour_partition: true, ..Files::default() };
        let plain = Layout { prefix: None, files };
        let template = plain.day_template("${a}", "${r}", &["${d}"]) + &plain.hour_template("${h}");
        assert_eq!(template, "AWSLogs/${a}/vpcflowlogs/${r}/${d}/${h}/");
        let hive = Layout { files: Files { hive_compatible_partitions: true, ..files }, ..plain };
        let template =
            hive.day_template("${a}", "${r}", &["${y}", "${m}", "${d}"]) + &hive.hour_template("${h}");
        let expected = "AWSLogs/aws-account-id=${a}/aws-service=vpcflowlogs/aws-region=${r}/year=${y}/month=${m}/day=${d}/hour=${h}/";
        assert_eq!(template, expected);
    }

    #[test]
    fn plain_and_hive_folders_round_trip() {
        let account = AccountId::parse("123456789012").unwrap();
        let region = Region::parse("us-east-1").unwrap();
        for hive_compatible_partitions in [false, true] {
            let layout = Layout {
                files: Files { hive_compatible_partitions, ..Files::default() },
                ..Layout::default()
            };
            let folder = layout.day_folder(&Place::new(account, &region), jiff::civil::date(2018, 6, 20));
            let mut segments = folder.split('/').skip(1);
            assert_eq!(segments.next().and_then(account_of), Some(account));
            assert!(segments.next().is_some_and(is_of_flow_logs));
            assert_eq!(segments.next().and_then(region_of), Some(region.clone()));
            let numbers: Vec<Option<i16>> = segments.map(number_of).collect();
            assert_eq!(numbers, [Some(2018), Some(6), Some(20), None]);
            assert!(folder.starts_with(&layout.region_folder(account, &region)));
        }
        assert!(!is_of_flow_logs("CloudTrail") && account_of("not-an-account").is_none());
    }

    #[test]
    fn other_files_are_rejected() {
        for other in [
            "",
            "AWSLogs",
            "123456789012_CloudTrail_us-east-1_20180620T1620Z_fe123456.json.gz",
            "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log",
            "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20181320T1620Z_fe123456.log.gz",
            "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe_1.log.gz",
        ] {
            assert!(FileName::parse(other).is_err(), "{other}");
        }
    }
}
