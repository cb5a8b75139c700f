//! Where an object of a flow log lies in the bucket: prefixes and keys, written and read back.
//!
//! Source: "Flow log files" (Amazon VPC User Guide).

use std::fmt::{self, Write as _};
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

use crate::flow_log::{FileFormat, Files};
use crate::id::{AccountId, FlowLogId, IdError, Place, Prefix, Region};

/// The folder that log delivery makes under the bucket or its sub-folder.
pub const AWS_LOGS: &str = Prefix::RESERVED;
/// The folder of flow logs in an account's folder.
pub const VPC_FLOW_LOGS: &str = "vpcflowlogs";

/// What comes before the account id in the name of a Hive-compatible folder.
pub const HIVE_ACCOUNT: &str = "aws-account-id=";
const HIVE_SERVICE: &str = "aws-service=";
const HIVE_REGION: &str = "aws-region=";
const HIVE_HOUR: &str = "hour=";
/// What stands before region, year, month and day.
const HIVE_DAY: [&str; 4] = [HIVE_REGION, "year=", "month=", "day="];

/// The folder under which log delivery writes: `[prefix/]AWSLogs/`.
pub fn root(prefix: Option<&Prefix>) -> String {
    match prefix {
        Some(prefix) => format!("{prefix}/{AWS_LOGS}/"),
        None => format!("{AWS_LOGS}/"),
    }
}

/// The account whose folder under `AWSLogs/` has this name, plain or Hive-compatible.
pub fn account_of(folder: &str) -> Option<AccountId> {
    AccountId::parse(account_in(folder)).ok()
}

/// The part of such a folder's name that should be the account id, valid or not.
pub fn account_in(folder: &str) -> &str {
    folder.strip_prefix(HIVE_ACCOUNT).unwrap_or(folder)
}

/// Whether a folder of this name, under an account's, is that of flow logs, plain or Hive-compatible.
pub fn is_of_flow_logs(folder: &str) -> bool {
    folder.strip_prefix(HIVE_SERVICE).unwrap_or(folder) == VPC_FLOW_LOGS
}

/// The region whose folder under that of flow logs has this name, plain or Hive-compatible.
pub fn region_of(folder: &str) -> Option<Region> {
    Region::parse(folder.strip_prefix(HIVE_REGION).unwrap_or(folder)).ok()
}

/// The number of the year, month, day or hour whose folder has this name, plain or Hive-compatible.
pub fn number_of(folder: &str) -> Option<i16> {
    let [_, of_day @ ..] = HIVE_DAY;
    let hive = of_day.iter().chain([&HIVE_HOUR]).find_map(|name| folder.strip_prefix(name));
    let digits = hive.unwrap_or(folder);
    let is_number = digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// How the folders of one bucket are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// The sub-folder of the bucket.
    pub prefix: Option<Prefix>,
    /// What the flow logs write.
    pub files: Files,
}

impl Layout {
    /// The folders of a bucket with this sub-folder and these files.
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

    /// The folder of an account's flow logs, over all regions.
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

    /// The folder of a day, with any words in the place of account and region, and of year, month and day: values, or the
    /// placeholders of a template. Plain folders just follow one another, so there one word may stand for all of a day.
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

    /// The folder of an hour (UTC) in that of a day, with any word in its place; empty where hours have no folders.
    pub fn hour_template(&self, hour: impl fmt::Display) -> String {
        let hive = if self.files.hive_compatible_partitions { HIVE_HOUR } else { "" };
        if self.files.per_hour_partition { format!("{hive}{hour}/") } else { String::new() }
    }
}

/// The name of a flow log file, in its parts:
/// `<account>_vpcflowlogs_<region>_<flow log>_<YYYYMMDD>T<HHmm>Z_<hash>.log.gz`.
///
/// The time is in UTC and to the minute; the file holds records that ended within the five minutes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileName {
    /// The account that made the flow log, and the region of the VPC.
    pub place: Place,
    /// The flow log.
    pub flow_log: FlowLogId,
    /// The time in the name, UTC.
    pub time: DateTime,
    /// The hash that tells the files of one interval apart.
    pub hash: String,
    /// How its records are written.
    pub format: FileFormat,
}

impl FileName {
    /// The time in the name is the start of this span, in which the records ended.
    ///
    /// Source: "Flow log files" (Amazon VPC User Guide).
    pub const INTERVAL: SignedDuration = SignedDuration::from_mins(5);
    /// How long after the end of its records a file may be named: records of a window of time are looked for in the files of so much
    /// more.
    pub const LATE: SignedDuration = SignedDuration::from_hours(1);

    /// The name of a plain text file. `time` is in UTC; the name contains it to the minute.
    pub fn new(place: Place, flow_log: FlowLogId, time: DateTime, hash: impl Into<String>) -> Self {
        Self { place, flow_log, time, hash: hash.into(), format: FileFormat::PlainText }
    }

    /// A file of a fixed flow log and time, for requests to a policy: policies depend on the account, the region and the folder,
    /// and on no other part of a name.
    pub fn example(account: AccountId, region: &Region) -> Self {
        let time = jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0);
        Self::new(Place::new(account, region), FlowLogId::example(), time, "00000000")
    }

    /// Reads the last segment of an object key.
    pub fn parse(name: &str) -> Result<Self, IdError> {
        const HELP: &str =
            "as in `123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz`";
        let why = "a part of it is missing or has another form";
        Self::read(name).ok_or_else(|| IdError::new(name, "the name of a flow log file", why, HELP))
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
    fn the_documented_file_name_is_read_and_written_back() {
        let name = FileName::parse(DOCUMENTED).unwrap();
        assert_eq!(name.place.account.to_string(), "123456789012");
        assert_eq!(name.place.region.as_str(), "us-east-1");
        assert_eq!(name.flow_log.as_str(), "fl-1234abcd");
        assert_eq!(name.time, jiff::civil::date(2018, 6, 20).at(16, 20, 0, 0));
        assert_eq!(name.to_string(), DOCUMENTED);
    }

    #[test]
    fn a_parquet_file_is_known_by_its_ending() {
        let parquet = DOCUMENTED.replace(".log.gz", ".log.parquet");
        let name = FileName::parse(&parquet).unwrap();
        assert_eq!(name.format, FileFormat::Parquet);
        assert_eq!(name.to_string(), parquet);
    }

    #[test]
    fn an_object_lies_under_account_region_day_and_perhaps_hour() {
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
    fn a_template_is_a_folder_with_placeholders() {
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
    fn a_folder_is_read_back_in_both_ways_of_naming() {
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
    fn other_files_are_not_taken_for_flow_logs() {
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
