//! Prometheus text format, version 0.0.4.
//!
//! Source: "Exposition formats", text-based format (Prometheus documentation). A file for the textfile collector of node_exporter must not
//! contain sample timestamps: "Textfile collector" (README of node_exporter).

use std::fmt::{self, Write as _};

use flowagg_core::arrival::State;
use flowagg_core::id::{FleetName, Place};
use jiff::Timestamp;

use super::{Metrics, Read};

const LAST_SUCCESS: &str = "flowagg_last_success_timestamp_seconds";

/// Reads the value of a metric from an account-region, if it has one.
type Value = fn(&Read<'_>) -> Option<i64>;

impl Metrics {
    /// Returns the metrics in the Prometheus text format.
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let help = "Whether the account-region was read completely: 1 or 0.";
        gauge(out, "flowagg_account_region_read", help)?;
        for (place, metrics) in &self.places {
            if let Some(is_read) = Self::is_read(metrics) {
                let (labels, value) = (self.labels(place), u8::from(is_read));
                writeln!(out, "flowagg_account_region_read{{{labels}}} {value}")?;
            }
        }
        let of_place: [(&str, &str, Value); 4] = [
            ("flowagg_resources", "Resources that should have a flow log.", |read| number(read.resources.of)),
            ("flowagg_resources_logged", "Resources that should have a flow log and have one.", |read| {
                number(read.resources.count)
            }),
            (
                "flowagg_flow_logs_accepted",
                "Flow logs that are missing or do not deliver, and have an exception.",
                |read| number(read.accepted),
            ),
            (
                "flowagg_newest_object_age_seconds",
                "Age of the newest flow log object. Absent if there is no object from today or yesterday (UTC).",
                |read| read.newest_age_seconds,
            ),
        ];
        for (name, help, value) in of_place {
            gauge(out, name, help)?;
            for read in self.read() {
                if let Some(value) = value(&read) {
                    writeln!(out, "{name}{{{}}} {value}", self.labels(read.place))?;
                }
            }
        }
        let help = "Flow logs by state, excluding those with an exception. A resource without a flow log counts as missing.";
        gauge(out, "flowagg_flow_logs", help)?;
        for Read { place, flow_logs, .. } in self.read() {
            for state in State::ALL {
                let (labels, word) = (self.labels(place), state.as_str());
                writeln!(out, "flowagg_flow_logs{{{labels},state=\"{word}\"}} {}", flow_logs.of(state))?;
            }
        }
        if let Some(policy) = &self.policy {
            let of_fleet = [
                ("flowagg_policy_bytes", "Size of the bucket policy without whitespace.", Some(policy.bytes)),
                ("flowagg_policy_limit_bytes", "Maximum size of a bucket policy in S3.", Some(policy.limit)),
                (
                    "flowagg_policy_accounts_fit",
                    "Number of accounts that fit in the bucket policy. Absent if the policy grants an organization, or if the grant does not fit.",
                    policy.accounts_fit,
                ),
            ];
            for (name, what, value) in of_fleet {
                if let Some(value) = value {
                    gauge(out, name, what)?;
                    writeln!(out, "{name}{{fleet=\"{}\"}} {value}", self.fleet)?;
                }
            }
        }
        if let Some(at) = self.last_success {
            gauge(out, LAST_SUCCESS, "Time of the last run that read everything.")?;
            writeln!(out, "{LAST_SUCCESS}{{fleet=\"{}\"}} {}", self.fleet, at.as_second())?;
        }
        Ok(())
    }

    /// No value contains a character that must be escaped.
    fn labels(&self, Place { account, region }: &Place) -> String {
        format!("fleet=\"{}\",account=\"{account}\",region=\"{region}\"", self.fleet)
    }
}

fn number(count: usize) -> Option<i64> {
    i64::try_from(count).ok()
}

fn gauge(out: &mut String, name: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")
}

/// Reads from the file of an earlier run when a run for this fleet last read everything.
pub fn last_success(text: &str, fleet: &FleetName) -> Option<Timestamp> {
    let of_fleet = format!("{LAST_SUCCESS}{{fleet=\"{fleet}\"}} ");
    let seconds = text.lines().find_map(|line| line.strip_prefix(&of_fleet))?;
    Timestamp::from_second(seconds.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::super::fixture::metrics;
    use super::*;

    #[test]
    fn unread_account_region_has_no_other_metric() {
        let text = metrics().prometheus();
        assert_data_eq!(
            text.as_str(),
            str![[r##"
# HELP flowagg_account_region_read Whether the account-region was read completely: 1 or 0.
# TYPE flowagg_account_region_read gauge
flowagg_account_region_read{fleet="acme-flow-logs",account="222222222222",region="eu-west-1"} 1
flowagg_account_region_read{fleet="acme-flow-logs",account="222222222222",region="us-east-1"} 0
flowagg_account_region_read{fleet="acme-flow-logs",account="333333333333",region="eu-west-1"} 0
# HELP flowagg_resources Resources that should have a flow log.
# TYPE flowagg_resources gauge
flowagg_resources{fleet="acme-flow-logs",account="222222222222",region="eu-west-1"} 4
flowagg_resources{fleet="acme-flow-logs",account="222222222222",region="us-east-1"} 0
# HELP flowagg_resources_logged Resources that should have a flow log and have one.
# TYPE flowagg_resources_logged gauge
flowagg_resources_logged{fleet="acme-flow-logs",account="222222222222",region="eu-west-1"} 3
flowagg_resources_logged{fleet="acme-flow-logs",account="222222222222",region="us-east-1"} 0
# HELP flowagg_flow_logs_accepted Flow logs that are missing or do not deliver, and have an exception.
# TYPE flowagg_flow_logs_accepted gauge
flowagg_flow_logs_accepted{fleet="acme-flow-logs",account="222222222222",region="eu-west-1"} 1
flowagg_flow_logs_accepted{fleet="acme-flow-logs",account="222222222222",region="us-east-1"} 0
# HELP flowagg_newest_object_age_seconds Age of the newest flow log object. Absent if there is no object from today or yesterday (UTC).
# TYPE flowagg_newest_object_age_seconds gauge
flowagg_newest_object_age_seconds{fleet="acme-flow-logs",account="222222222222",region="eu-west-1"} 240
# HELP flowagg_flow_logs Flow logs by state, excluding those with an exception. A resource without a flow log counts as missing.
# TYPE flowagg_flow_logs gauge
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="eu-west-1",state="delivering"} 2
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="eu-west-1",state="waiting"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="eu-west-1",state="idle"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="eu-west-1",state="silent"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="eu-west-1",state="failing"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="eu-west-1",state="missing"} 1
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="eu-west-1",state="unknown"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="us-east-1",state="delivering"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="us-east-1",state="waiting"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="us-east-1",state="idle"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="us-east-1",state="silent"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="us-east-1",state="failing"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="us-east-1",state="missing"} 0
flowagg_flow_logs{fleet="acme-flow-logs",account="222222222222",region="us-east-1",state="unknown"} 0
# HELP flowagg_policy_bytes Size of the bucket policy without whitespace.
# TYPE flowagg_policy_bytes gauge
flowagg_policy_bytes{fleet="acme-flow-logs"} 900
# HELP flowagg_policy_limit_bytes Maximum size of a bucket policy in S3.
# TYPE flowagg_policy_limit_bytes gauge
flowagg_policy_limit_bytes{fleet="acme-flow-logs"} 20480
# HELP flowagg_policy_accounts_fit Number of accounts that fit in the bucket policy. Absent if the policy grants an organization, or if the grant does not fit.
# TYPE flowagg_policy_accounts_fit gauge
flowagg_policy_accounts_fit{fleet="acme-flow-logs"} 431
# HELP flowagg_last_success_timestamp_seconds Time of the last run that read everything.
# TYPE flowagg_last_success_timestamp_seconds gauge
flowagg_last_success_timestamp_seconds{fleet="acme-flow-logs"} 1796122800

"##]]
        );
        let of_unread = text.lines().filter(|line| line.contains("333333333333"));
        assert_eq!(of_unread.count(), 1);
    }

    #[test]
    fn last_success_is_read_from_the_file_of_an_earlier_run() {
        let metrics = metrics();
        let fleet = metrics.fleet.clone();
        assert_eq!(last_success(&metrics.prometheus(), &fleet), metrics.last_success);
        assert_eq!(last_success(&metrics.prometheus(), &FleetName::parse("acme").unwrap()), None);
        assert_eq!(last_success(&metrics.failed(None).prometheus(), &fleet), None);
        assert_eq!(last_success("", &fleet), None);
    }
}
