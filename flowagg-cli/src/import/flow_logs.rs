//! The common settings of the flow logs to the bucket, and the differences of individual flow logs.

use std::collections::BTreeMap;

use flowagg_core::fleet::Part;
use flowagg_core::flow_log::{
    AggregationInterval, FLEET_TAG, Field, FileFormat, Files, FlowLogSpec, MARK, RecordFormat, TrafficType,
};
use flowagg_core::id::FleetName;
use flowagg_core::observed::FlowLog;

use super::Remarks;

/// The settings of one flow log for a fleet file. The error is a setting that a fleet file cannot express.
fn settings(log: &FlowLog) -> Result<FlowLogSpec, String> {
    let traffic = match &log.traffic {
        Some(word) => TrafficType::ALL
            .into_iter()
            .find(|it| it.as_api() == word)
            .ok_or_else(|| format!("its traffic type is `{word}`"))?,
        None => TrafficType::default(),
    };
    let aggregation_interval = match log.interval {
        Some(seconds) => AggregationInterval::ALL
            .into_iter()
            .find(|it| it.seconds() == seconds)
            .ok_or_else(|| format!("its aggregation interval is {seconds} s"))?,
        None => AggregationInterval::default(),
    };
    let files = match &log.files {
        Some(files) => {
            let format = FileFormat::ALL.into_iter().find(|it| it.as_str() == files.format);
            let mut written =
                Files::new(format.ok_or_else(|| format!("its file format is `{}`", files.format))?);
            written.hive_compatible_partitions = files.hive_compatible_partitions;
            written.per_hour_partition = files.per_hour_partition;
            written
        }
        None => Files::default(),
    };
    let format = match &log.format {
        Some(text) if is_of_packets(log) => record(text)?,
        _ => RecordFormat::default(),
    };
    let mut spec = FlowLogSpec::default();
    spec.traffic = traffic;
    spec.aggregation_interval = aggregation_interval;
    spec.format = format;
    spec.files = files;
    spec.tags = log.tags.clone();
    Ok(spec)
}

fn record(text: &str) -> Result<RecordFormat, String> {
    let field = |word: &str| {
        let name = word.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(word);
        Field::parse(name).map_err(|error| error.to_string())
    };
    let fields = text.split_whitespace().map(field).collect::<Result<Vec<_>, _>>()?;
    RecordFormat::try_from(fields).map_err(|_| "its records have no fields".to_owned())
}

/// Flow logs of transit gateways have different fields, a fixed interval and no traffic type.
fn is_of_packets(log: &FlowLog) -> bool {
    !log.resource.is_of_transit_gateway()
}

/// The most frequent settings of the managed flow logs, or, without managed flow logs, of all flow logs.
pub(super) fn common(logs: &[&FlowLog], fleet: &FleetName, remarks: &mut Remarks) -> FlowLogSpec {
    let ours: Vec<&FlowLog> = logs.iter().copied().filter(|log| log.is_managed_by(fleet)).collect();
    let voters = if ours.is_empty() { logs } else { &ours };
    let mut votes: Vec<(FlowLogSpec, usize)> = Vec::new();
    let mut files: Vec<(Files, usize)> = Vec::new();
    for log in voters {
        let Ok(mut settings) = settings(log) else { continue };
        settings.tags = BTreeMap::new();
        vote(&mut files, settings.files);
        if is_of_packets(log) {
            vote(&mut votes, settings);
        }
    }
    let mut spec = most(votes).unwrap_or_else(|| {
        let mut settings = FlowLogSpec::default();
        settings.files = most(files).unwrap_or_default();
        settings
    });
    spec.tags = tags(voters, remarks);
    spec
}

fn vote<T: PartialEq>(votes: &mut Vec<(T, usize)>, one: T) {
    match votes.iter_mut().find(|(it, _)| *it == one) {
        Some((_, count)) => *count += 1,
        None => votes.push((one, 1)),
    }
}

/// The value with the most votes. On a tie, the first.
pub(super) fn most<T>(votes: Vec<(T, usize)>) -> Option<T> {
    votes.into_iter().rev().max_by_key(|(_, count)| *count).map(|(it, _)| it)
}

/// The number of votes for each value.
pub(super) fn votes<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<(T, usize)> {
    let mut votes = Vec::new();
    all.into_iter().for_each(|one| vote(&mut votes, one));
    votes
}

/// The tags that all flow logs have, without those that mark a fleet.
fn tags(logs: &[&FlowLog], remarks: &mut Remarks) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<(&String, &String), usize> = BTreeMap::new();
    for tag in logs.iter().flat_map(|log| &log.tags) {
        *counts.entry(tag).or_default() += 1;
    }
    let mut tags = BTreeMap::new();
    for ((key, value), count) in counts {
        if key == MARK.0 || key == FLEET_TAG || key.to_ascii_lowercase().starts_with("aws:") {
            continue;
        } else if count == logs.len() {
            tags.insert(key.clone(), value.clone());
        } else {
            let text = format!(
                "the tag `{key} = {value}` is on only {count} of {} flow logs and is not imported",
                logs.len()
            );
            remarks.add(Part::FlowLogs, text);
        }
    }
    tags
}

/// The settings in which a flow log differs from the fleet file; empty if it matches.
pub(super) fn differences(log: &FlowLog, spec: &FlowLogSpec) -> Vec<String> {
    let is = match settings(log) {
        Ok(is) => is,
        Err(what) => return vec![what],
    };
    let mut differences = Vec::new();
    let mut compare = |key: &str, is: &str, wanted: &str| {
        if is != wanted {
            differences.push(format!("`{key}` is `{is}`"));
        }
    };
    if is_of_packets(log) {
        compare("traffic", is.traffic.as_str(), spec.traffic.as_str());
        compare("fields", &is.format.to_string(), &spec.format.to_string());
        compare("aggregation-interval", is.aggregation_interval.as_str(), spec.aggregation_interval.as_str());
    }
    compare("file-format", is.files.format.as_str(), spec.files.format.as_str());
    let flag = |yes: bool| if yes { "true" } else { "false" };
    let (hive, wanted) = (is.files.hive_compatible_partitions, spec.files.hive_compatible_partitions);
    compare("hive-compatible-partitions", flag(hive), flag(wanted));
    let (hourly, wanted) = (is.files.per_hour_partition, spec.files.per_hour_partition);
    compare("per-hour-partition", flag(hourly), flag(wanted));
    differences
}
