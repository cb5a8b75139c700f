//! Where flow logs that exist deliver to. The fleet's own go to S3; others need not.
//!
//! Source: "FlowLog", LogDestinationType (Amazon EC2 API Reference).

use std::fmt;

use serde::Serialize;

use crate::id::AccountId;

/// Where a flow log delivers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "to", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum LogDestination {
    /// A bucket, or a folder of it.
    S3 {
        /// The ARN of the bucket or the folder.
        arn: String,
    },
    /// CloudWatch Logs.
    CloudWatchLogs {
        /// The log group, by name.
        log_group: String,
    },
    /// A stream of Amazon Data Firehose.
    Firehose {
        /// The ARN.
        arn: String,
    },
    /// A destination that flowagg does not know, or that EC2 did not name.
    Other {
        /// EC2's word for its type, if EC2 returned one.
        kind: Option<String>,
        /// Its name, if EC2 returned one.
        name: Option<String>,
    },
}

impl LogDestination {
    /// The ARN, if it is in S3.
    pub fn s3_arn(&self) -> Option<&str> {
        match self {
            Self::S3 { arn } => Some(arn),
            Self::CloudWatchLogs { .. } | Self::Firehose { .. } | Self::Other { .. } => None,
        }
    }

    /// The account that its ARN names. The ARN of a bucket names none.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Firehose { arn } => AccountId::parse(arn.split(':').nth(4)?).ok(),
            Self::S3 { .. } | Self::CloudWatchLogs { .. } | Self::Other { .. } => None,
        }
    }
}

/// The text is an ARN of S3, such as that of the fleet's [`Destination`](super::Destination).
impl From<String> for LogDestination {
    fn from(arn: String) -> Self {
        Self::S3 { arn }
    }
}

/// The text is an ARN of S3.
impl From<&str> for LogDestination {
    fn from(arn: &str) -> Self {
        Self::S3 { arn: arn.to_owned() }
    }
}

/// Whatever follows the last of these characters.
fn last(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}

/// A bucket by its ARN. Other destinations by what they are and their name in backticks.
impl fmt::Display for LogDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { arn } => f.write_str(arn),
            Self::CloudWatchLogs { log_group } => write!(f, "log group `{}`", log_group.escape_debug()),
            Self::Firehose { arn } => {
                write!(f, "Firehose stream `{}`", last(arn, '/').escape_debug())?;
                self.account().map_or(Ok(()), |account| write!(f, " of {account}"))
            }
            Self::Other { kind, name } => {
                write!(f, "{}", kind.as_deref().unwrap_or("an unnamed destination").escape_debug())?;
                name.as_ref().map_or(Ok(()), |name| write!(f, " `{}`", name.escape_debug()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;

    #[test]
    fn every_destination_is_named_and_only_one_in_s3_has_its_arn() {
        let stream = "arn:aws:firehose:eu-west-1:444455556666:deliverystream/siem";
        let all = [
            LogDestination::from("arn:aws:s3:::acme-logs/net/"),
            LogDestination::CloudWatchLogs { log_group: "/vpc/flow".to_owned() },
            LogDestination::Firehose { arn: stream.to_owned() },
            LogDestination::Firehose { arn: "siem".to_owned() },
            LogDestination::Other { kind: Some("kafka".to_owned()), name: Some("topic".to_owned()) },
            LogDestination::Other { kind: None, name: None },
        ];
        let in_s3: Vec<bool> = all.iter().map(|it| it.s3_arn().is_some()).collect();
        assert_eq!(in_s3, [true, false, false, false, false, false]);
        assert_data_eq!(
            all.map(|it| format!("{it}\n")).concat(),
            str![[r#"
arn:aws:s3:::acme-logs/net/
log group `/vpc/flow`
Firehose stream `siem` of 444455556666
Firehose stream `siem`
kafka `topic`
an unnamed destination

"#]]
        );
    }
}
