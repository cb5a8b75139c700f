//! CloudWatch embedded metric format: one JSON line for the fleet, from which CloudWatch Logs extracts metrics.
//!
//! Source: "Specification: Embedded metric format" (Amazon CloudWatch User Guide). CloudWatch charges for each metric of each combination of
//! dimensions, so the lines of account-regions contain no metrics and are only for searching.

use flowagg_core::arrival::State;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Metrics, PlaceMetrics};

const NAMESPACE: &str = "flowagg";

/// A metric with its CloudWatch unit.
struct Metric {
    name: &'static str,
    unit: &'static str,
    value: Value,
}

impl Metric {
    fn new(name: &'static str, unit: &'static str, value: impl Into<Value>) -> Self {
        Self { name, unit, value: value.into() }
    }
}

impl Metrics {
    /// Returns lines for CloudWatch Logs: one with the fleet's metrics, and one for each account-region that needs attention.
    pub fn emf(&self, now: Timestamp) -> String {
        let metrics = self.of_fleet();
        let names: Vec<Value> =
            metrics.iter().map(|it| json!({ "Name": it.name, "Unit": it.unit })).collect();
        let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [["Fleet"]], "Metrics": names });
        let mut of_fleet = Map::new();
        of_fleet.insert(
            "_aws".to_owned(),
            json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] }),
        );
        of_fleet.insert("Fleet".to_owned(), self.fleet.to_string().into());
        of_fleet.extend(metrics.into_iter().map(|it| (it.name.to_owned(), it.value)));
        let mut lines = format!("{}\n", Value::Object(of_fleet));
        for (place, metrics) in &self.places {
            let mut line = Map::new();
            line.insert("Fleet".to_owned(), self.fleet.to_string().into());
            line.insert("Account".to_owned(), place.account.to_string().into());
            line.insert("Region".to_owned(), place.region.to_string().into());
            match metrics {
                PlaceMetrics::Unread => {
                    line.insert("Unread".to_owned(), 1.into());
                }
                PlaceMetrics::Accepted => continue,
                PlaceMetrics::Read { flow_logs, is_complete, .. } => {
                    if *is_complete && flow_logs.iter().all(|(state, _)| state.is_healthy()) {
                        continue;
                    }
                    if !is_complete {
                        line.insert("Unread".to_owned(), 1.into());
                    }
                    line.extend(
                        flow_logs.iter().map(|(state, count)| (name(state).to_owned(), count.into())),
                    );
                }
            }
            lines.push_str(&format!("{}\n", Value::Object(line)));
        }
        lines
    }

    fn of_fleet(&self) -> Vec<Metric> {
        let count = |name, number: usize| Metric::new(name, "Count", number);
        let total = |state: State| self.read().map(|read| read.flow_logs.of(state)).sum();
        let mut metrics = vec![
            count("Success", usize::from(self.is_read)),
            count("Unread", self.places.values().filter(|it| Self::is_read(it) == Some(false)).count()),
            count("Resources", self.read().map(|read| read.resources.of).sum()),
            count("ResourcesLogged", self.read().map(|read| read.resources.count).sum()),
            count("Accepted", self.read().map(|read| read.accepted).sum()),
        ];
        metrics.extend(State::ALL.map(|state| count(name(state), total(state))));
        let newest = self.read().filter_map(|read| read.newest_age_seconds).min();
        metrics.extend(newest.map(|age| Metric::new("NewestObjectAge", "Seconds", age)));
        if let Some(policy) = &self.policy {
            metrics.push(Metric::new("PolicyBytes", "Bytes", policy.bytes));
            metrics.push(Metric::new("PolicyLimitBytes", "Bytes", policy.limit));
            metrics.extend(policy.accounts_fit.map(|number| count("PolicyAccountsFit", number)));
        }
        metrics
    }
}

fn name(state: State) -> &'static str {
    match state {
        State::Delivering => "Delivering",
        State::Waiting => "Waiting",
        State::Idle => "Idle",
        State::Silent => "Silent",
        State::Failing => "Failing",
        State::Missing => "Missing",
        State::Unknown => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use snapbox::{assert_data_eq, str};

    use super::super::fixture::metrics;
    use super::*;

    #[test]
    fn fleet_has_metrics_and_account_regions_that_need_attention_have_lines() {
        let now = "2026-12-01T12:00:00Z".parse().unwrap();
        let text = metrics().emf(now);
        assert_data_eq!(
            text.as_str(),
            str![[r#"
{"_aws":{"Timestamp":1796126400000,"CloudWatchMetrics":[{"Namespace":"flowagg","Dimensions":[["Fleet"]],"Metrics":[{"Name":"Success","Unit":"Count"},{"Name":"Unread","Unit":"Count"},{"Name":"Resources","Unit":"Count"},{"Name":"ResourcesLogged","Unit":"Count"},{"Name":"Accepted","Unit":"Count"},{"Name":"Delivering","Unit":"Count"},{"Name":"Waiting","Unit":"Count"},{"Name":"Idle","Unit":"Count"},{"Name":"Silent","Unit":"Count"},{"Name":"Failing","Unit":"Count"},{"Name":"Missing","Unit":"Count"},{"Name":"Unknown","Unit":"Count"},{"Name":"NewestObjectAge","Unit":"Seconds"},{"Name":"PolicyBytes","Unit":"Bytes"},{"Name":"PolicyLimitBytes","Unit":"Bytes"},{"Name":"PolicyAccountsFit","Unit":"Count"}]}]},"Fleet":"acme-flow-logs","Success":0,"Unread":2,"Resources":4,"ResourcesLogged":3,"Accepted":1,"Delivering":2,"Waiting":0,"Idle":0,"Silent":0,"Failing":0,"Missing":1,"Unknown":0,"NewestObjectAge":240,"PolicyBytes":900,"PolicyLimitBytes":20480,"PolicyAccountsFit":431}
{"Fleet":"acme-flow-logs","Account":"222222222222","Region":"eu-west-1","Delivering":2,"Missing":1}
{"Fleet":"acme-flow-logs","Account":"222222222222","Region":"us-east-1","Unread":1}
{"Fleet":"acme-flow-logs","Account":"333333333333","Region":"eu-west-1","Unread":1}

"#]]
        );
        // Every metric in the directive is a number in the document, and every dimension a string.
        let document: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let directive = &document["_aws"]["CloudWatchMetrics"][0];
        let names: BTreeSet<&str> =
            directive["Metrics"].as_array().unwrap().iter().map(|it| it["Name"].as_str().unwrap()).collect();
        assert!(names.iter().all(|name| document[name].is_number()), "{document}");
        assert!(document[directive["Dimensions"][0][0].as_str().unwrap()].is_string());
        let numbers = document.as_object().unwrap().values().filter(|value| value.is_number());
        assert_eq!(numbers.count(), names.len());
    }
}
