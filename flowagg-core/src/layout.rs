//! Where an object of a flow log lies in the bucket: prefixes and keys, written and read back.
//!
//! Source: "Flow log files" (Amazon VPC User Guide).

use std::fmt;

use jiff::civil::{Date, DateTime};

use crate::id::{AccountId, FlowLogId, IdError, Region};

/// The folder that log delivery makes under the bucket or its sub-folder.
pub const AWS_LOGS: &str = "AWSLogs";
/// The folder of flow logs under an account's.
pub const VPC_FLOW_LOGS: &str = "vpcflowlogs";

/// A sub-folder of the bucket, without slashes at its ends: `network/flow-logs`.
///
/// Source: "Create a flow log that publishes to Amazon S3" (Amazon VPC User Guide), which reserves the name `AWSLogs`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(String);

impl Prefix {
    /// The longest prefix, in bytes: a key has 1,024, and the folders and file name after the prefix take up to 260.
    pub const LONGEST: usize = 700;

    /// Reads a sub-folder; one slash at its end is taken off.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "words of a-z, A-Z, 0-9 and `!-_.'()` between slashes, none of them `AWSLogs`, as in `network/flow-logs`";
        let wrong = |why: String| Err(IdError::new(text, "a sub-folder", why, HELP));
        let folder = text.strip_suffix('/').unwrap_or(text);
        if folder.is_empty() {
            return wrong("it is empty; leave `prefix` out for the top of the bucket".into());
        }
        if folder.len() > Self::LONGEST {
            return wrong(format!("it has {} bytes, more than {}", folder.len(), Self::LONGEST));
        }
        if let Some(odd) = folder.chars().find(|&c| !c.is_ascii_alphanumeric() && !"!-_.'()/".contains(c)) {
            return wrong(format!("`{}` may not stand in one", odd.escape_debug()));
        }
        for segment in folder.split('/') {
            match segment {
                "" => return wrong("it has a slash at its start or two side by side".into()),
                "." | ".." => return wrong(format!("`{segment}` is no folder in S3")),
                AWS_LOGS => {
                    return wrong(format!("`{AWS_LOGS}` is reserved: log delivery makes that folder itself"));
                }
                _ => {}
            }
        }
        Ok(Self(folder.to_owned()))
    }
}

crate::id::kept_text!(Prefix);

/// The folder under which log delivery writes: `[prefix/]AWSLogs/`.
pub fn root(prefix: Option<&Prefix>) -> String {
    match prefix {
        Some(prefix) => format!("{prefix}/{AWS_LOGS}/"),
        None => format!("{AWS_LOGS}/"),
    }
}

/// An account's folder: `[prefix/]AWSLogs/<account>/`.
pub fn account_folder(prefix: Option<&Prefix>, account: AccountId) -> String {
    format!("{}{account}/", root(prefix))
}

/// The folder of an account's flow logs, over all regions.
pub fn flow_logs_folder(prefix: Option<&Prefix>, account: AccountId) -> String {
    format!("{}{VPC_FLOW_LOGS}/", account_folder(prefix, account))
}

/// The folder of one account, region and day (UTC).
pub fn day_folder(prefix: Option<&Prefix>, account: AccountId, region: &Region, day: Date) -> String {
    let folder = flow_logs_folder(prefix, account);
    format!("{folder}{region}/{:04}/{:02}/{:02}/", day.year(), day.month(), day.day())
}

/// What the name of a flow log file says:
/// `<account>_vpcflowlogs_<region>_<flow log>_<YYYYMMDD>T<HHmm>Z_<hash>.log.gz`.
///
/// The time is in UTC and to the minute; the file holds records that ended within the five minutes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// The account that made the flow log.
    pub account: AccountId,
    /// The region of the VPC.
    pub region: Region,
    /// The flow log.
    pub flow_log: FlowLogId,
    /// The time in the name, UTC.
    pub time: DateTime,
    /// The hash that tells the files of one interval apart.
    pub hash: String,
}

impl FileName {
    /// Reads the last segment of an object key. `None` when it is not the name of a flow log file.
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".log.gz")?;
        let mut parts = stem.split('_');
        let (account, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (flow_log, time, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if service != VPC_FLOW_LOGS || parts.next().is_some() {
            return None;
        }
        Some(Self {
            account: AccountId::parse(account).ok()?,
            region: Region::parse(region).ok()?,
            flow_log: FlowLogId::parse(flow_log).ok()?,
            time: DateTime::strptime("%Y%m%dT%H%MZ", time).ok()?,
            hash: hash.to_owned(),
        })
    }

    /// The object's key under the sub-folder.
    pub fn key(&self, prefix: Option<&Prefix>) -> String {
        format!("{}{self}", day_folder(prefix, self.account, &self.region, self.time.date()))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region, flow_log, time, hash } = self;
        write!(
            f,
            "{account}_{VPC_FLOW_LOGS}_{region}_{flow_log}_{}_{hash}.log.gz",
            time.strftime("%Y%m%dT%H%MZ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz";

    #[test]
    fn the_documented_file_name_is_read_and_written_back() {
        let name = FileName::parse(DOCUMENTED).unwrap();
        assert_eq!(name.account.to_string(), "123456789012");
        assert_eq!(name.region.as_str(), "us-east-1");
        assert_eq!(name.flow_log.as_str(), "fl-1234abcd");
        assert_eq!(name.time, jiff::civil::date(2018, 6, 20).at(16, 20, 0, 0));
        assert_eq!(name.to_string(), DOCUMENTED);
    }

    #[test]
    fn an_object_lies_under_account_region_and_day() {
        let name = FileName::parse(DOCUMENTED).unwrap();
        let plain = format!("AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/{DOCUMENTED}");
        assert_eq!(name.key(None), plain);
        let prefix = Prefix::parse("network/").unwrap();
        assert_eq!(name.key(Some(&prefix)), format!("network/{plain}"));
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
            assert_eq!(FileName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_sub_folder_never_holds_the_reserved_name_or_an_empty_segment() {
        for good in ["logs", "logs/", "network/flow-logs", "AWSLogs2", "a.b(c)'!_"] {
            assert!(Prefix::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/logs",
            "logs//",
            "a//b",
            "AWSLogs",
            "AWSLogs/",
            "logs/AWSLogs",
            "a b",
            "a*",
            "${x}",
            "../x",
        ] {
            assert!(Prefix::parse(bad).is_err(), "{bad}");
        }
    }
}
