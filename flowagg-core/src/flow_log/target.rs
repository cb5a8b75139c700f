//! The destinations of existing flow logs. Those of the fleet deliver to S3; foreign ones may deliver elsewhere.
//!
//! Source: "FlowLog", LogDestinationType (Amazon EC2 API Reference).

use std::fmt;

use serde::Serialize;

use crate::id::AccountId;

/// The destination of a flow log.
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
    /// An Amazon Data Firehose stream.
    Firehose {
        /// The ARN.
        arn: String,
    },
    /// A destination of an unknown type, or without a type.
    Other {
        /// The type, if EC2 returned one.
        kind: Option<String>,
        /// The name, if EC2 returned one.
        name: Option<String>,
    },
}

impl LogDestination {
    /// The ARN, if the destination is in S3.
    pub fn s3_arn(&self) -> Option<&str> {
        match self {
            Self::S3 { arn } => Some(arn),
            Self::CloudWatchLogs { .. } | Self::Firehose { .. } | Self::Other { .. } => None,
        }
    }

    /// The account in the ARN. The ARN of a bucket contains none.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Firehose { arn } => AccountId::parse(arn.split(':').nth(4)?).ok(),
            Self::S3 { .. } | Self::CloudWatchLogs { .. } | Self::Other { .. } => None,
        }
    }
}

/// The text must be an ARN of S3, such as that of the fleet's [`Destination`](super::Destination).
impl From<String> for LogDestination {
    fn from(arn: String) -> Self {
        Self::S3 { arn }
    }
}

/// The text must be an ARN of S3.
impl From<&str> for LogDestination {
    fn from(arn: &str) -> Self {
        Self::S3 { arn: arn.to_owned() }
    }
}

/// The text after the last separator.
fn last(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}

/// A bucket as its ARN; other destinations as their type, with the name in backticks.
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
    fn only_s3_destinations_have_an_s3_arn() {
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
