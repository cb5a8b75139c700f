use flowagg_core::fleet::Part;
use flowagg_core::flow_log::{FileFormat, Files};
use flowagg_core::id::FlowLogId;
use flowagg_core::observed::FlowLog;
use serde_json::Value;

use super::remark;
use super::scope::{flag, number, text};
use crate::found::FoundFleet;
use crate::import::statements::bucket_arn;
use crate::import::{ImportError, folder};

/// The properties that are read.
///
/// Source: "AWS::EC2::FlowLog" (AWS CloudFormation Template Reference).
const READ: [&str; 9] = [
    "DestinationOptions",
    "LogDestination",
    "LogDestinationType",
    "LogFormat",
    "MaxAggregationInterval",
    "ResourceId",
    "ResourceType",
    "Tags",
    "TrafficType",
];
/// The properties that have a default if their value is unknown.
const WITH_DEFAULT: [&str; 5] =
    ["DestinationOptions", "LogFormat", "MaxAggregationInterval", "Tags", "TrafficType"];

/// Reads a flow log of a template whose functions are resolved as far as possible. `None` if it does not deliver to the bucket, which is
/// reported.
pub(super) fn read(
    file: &str,
    id: &str,
    log: &Value,
    found: &mut FoundFleet,
) -> Result<Option<FlowLog>, ImportError> {
    let hub = &found.hub;
    let bucket = bucket_arn(hub.region.partition(), hub);
    let mut remarks = Vec::new();
    let read = to_bucket(&bucket, log, &mut remarks, || folder::prefix(hub, &[]));
    if let Ok(Some(_)) = &read {
        let keys = log.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        remarks.extend(
            keys.filter(|key| !READ.contains(key)).map(|key| format!("has `{key}`, which is ignored")),
        );
        let open = WITH_DEFAULT.into_iter().filter(|key| is_open(&log[key]));
        remarks.extend(open.map(|key| {
            format!("has a `{key}` that is known only when the template is deployed: the default is used")
        }));
    }
    let remarks = remarks.into_iter().map(|what| remark(Part::FlowLogs, format!("{file}: `{id}` {what}")));
    found.remarks.extend(remarks);
    Ok(read?.map(|destination| flow_log(destination, log)))
}

/// The destination, if it is the bucket or unknown.
fn to_bucket(
    bucket: &str,
    log: &Value,
    remarks: &mut Vec<String>,
    granted: impl FnOnce() -> Result<Option<flowagg_core::id::Prefix>, ImportError>,
) -> Result<Option<String>, ImportError> {
    let kind = &log["LogDestinationType"];
    if kind.is_object() {
        remarks.push(
            "has a `LogDestinationType` that is known only when the template is deployed: `s3` is assumed"
                .to_owned(),
        );
    } else if kind != "s3" {
        remarks.push("does not deliver to S3 and is not imported".to_owned());
        return Ok(None);
    }
    let Some(destination) = log["LogDestination"].as_str() else {
        let folder = granted()?.map(|prefix| format!("/{prefix}/")).unwrap_or_default();
        let taken = format!("{bucket}{folder}");
        remarks.push(format!(
            "delivers to a destination that is known only when the template is deployed: assuming `{taken}`"
        ));
        return Ok(Some(taken));
    };
    if destination != bucket && !destination.starts_with(&format!("{bucket}/")) {
        remarks.push(format!("delivers to `{destination}` and is not imported"));
        return Ok(None);
    }
    Ok(Some(destination.to_owned()))
}

/// Whether a value contains an unresolved function.
fn is_open(value: &Value) -> bool {
    match value {
        Value::Object(entries) => {
            let is_function = |name: &String| name == "Ref" || name.starts_with("Fn::");
            (entries.len() == 1 && entries.keys().all(is_function)) || entries.values().any(is_open)
        }
        Value::Array(items) => items.iter().any(is_open),
        _ => false,
    }
}

fn flow_log(destination: String, log: &Value) -> FlowLog {
    let options = &log["DestinationOptions"];
    let mut files =
        Files::new(options["FileFormat"].as_str().unwrap_or(FileFormat::default().as_str()).to_owned());
    files.hive_compatible_partitions = flag(&options["HiveCompatiblePartitions"]);
    files.per_hour_partition = flag(&options["PerHourPartition"]);
    let tags = log["Tags"].as_array().into_iter().flatten();
    let mut flow_log =
        FlowLog::new(FlowLogId::example(), log["ResourceId"].as_str().unwrap_or_default(), destination);
    flow_log.traffic = log["TrafficType"].as_str().map(str::to_owned);
    flow_log.format = log["LogFormat"].as_str().map(str::to_owned);
    flow_log.interval = number(&log["MaxAggregationInterval"]).and_then(|seconds| seconds.try_into().ok());
    flow_log.files = Some(files);
    flow_log.tags = tags.filter_map(|tag| Some((text(&tag["Key"])?, text(&tag["Value"])?))).collect();
    flow_log
}
