use std::collections::BTreeMap;

use crate::fleet::table::{Table, Value};
use crate::flow_log::{
    AggregationInterval, FLEET_TAG, Field, FieldSet, FileFormat, Files, FlowLogSpec, ForeignFlowLogs, MARK,
    RecordFormat, TrafficType,
};

/// Source: "Tag your Amazon EC2 resources", tag restrictions (Amazon EC2 User Guide).
const MOST_TAGS: usize = 50;
/// [`MARK`] and [`FLEET_TAG`].
const OWN_TAGS: usize = 2;
const LONGEST_TAG_KEY: usize = 128;
const LONGEST_TAG_VALUE: usize = 256;

pub(super) fn read(table: Table<'_, '_>) -> FlowLogSpec {
    let traffic = table.get("traffic").and_then(|v| v.one_of(&TrafficType::ALL, TrafficType::as_str));
    let interval = table.get("aggregation-interval");
    let interval = interval.and_then(|v| v.one_of(&AggregationInterval::ALL, AggregationInterval::as_str));
    let format = table.get("fields").and_then(|value| fields(&value));
    let file_format = table.get("file-format").and_then(|v| v.one_of(&FileFormat::ALL, FileFormat::as_str));
    let flag = |key| table.get(key).and_then(|v| v.boolean()).unwrap_or(false);
    let files = Files {
        format: file_format.unwrap_or_default(),
        hive_compatible_partitions: flag("hive-compatible-partitions"),
        per_hour_partition: flag("per-hour-partition"),
    };
    let tags = table.get("tags").map(tags).unwrap_or_default();
    let foreign = table.get("foreign").and_then(|v| v.one_of(&ForeignFlowLogs::ALL, ForeignFlowLogs::as_str));
    table.refuse_unknown();
    FlowLogSpec {
        traffic: traffic.unwrap_or_default(),
        aggregation_interval: interval.unwrap_or_default(),
        format: format.unwrap_or_default(),
        files,
        tags,
        foreign: foreign.unwrap_or_default(),
    }
}

/// The fields of a record: the name of a set, or a list, whose order is kept.
fn fields(value: &Value<'_, '_>) -> Option<RecordFormat> {
    if value.is_string() {
        let text = value.text()?;
        let set = FieldSet::ALL.into_iter().find(|set| set.as_str() == text);
        if set.is_none() {
            let help = "use `default`, `cost`, `security` or `all`, or a list of fields, e.g. `[\"version\", \"srcaddr\"]`";
            value.fault(format!("`flow-logs.fields`: invalid value `{}`", text.escape_debug()), help);
        }
        return set.map(FieldSet::format);
    }
    let mut fields: Vec<Field> = Vec::new();
    for value in value.list()? {
        if let Some(field) = value.name() {
            if fields.contains(&field) {
                value.fault(format!("duplicate field `{field}`"), "remove the duplicate");
            }
            fields.push(field);
        }
    }
    let format = RecordFormat::try_from(fields).ok();
    if format.is_none() {
        let help = "list at least one field, or remove `fields` to use AWS's default format";
        value.fault("`flow-logs.fields` is empty", help);
    }
    format
}

/// The tags of flow logs, within AWS's limits and without the tags that mark a flow log as managed.
fn tags(value: Value<'_, '_>) -> BTreeMap<String, String> {
    let span = value.span();
    let reader = value.reader();
    let Some(table) = value.table() else { return BTreeMap::new() };
    let mut tags = BTreeMap::new();
    for (key, (text, place)) in table.texts() {
        let long = |text: &str, most: usize| text.chars().count() > most;
        if key.is_empty() || long(&key, LONGEST_TAG_KEY) || long(&text, LONGEST_TAG_VALUE) {
            reader.fault(
                place,
                format!("the key or value of tag `{key}` has an invalid length"),
                format!(
                    "use 1 to {LONGEST_TAG_KEY} characters for the key and up to {LONGEST_TAG_VALUE} for the value"
                ),
            );
        } else if key.to_ascii_lowercase().starts_with("aws:") {
            reader.fault(
                place,
                format!("the tag `{key}` is reserved by AWS"),
                "remove it: tags that start with `aws:` cannot be set",
            );
        } else if key == MARK.0 || key == FLEET_TAG {
            reader.fault(
                place,
                format!("the tag `{key}` is reserved by flowagg"),
                format!(
                    "remove it: flowagg sets `{} = {}` and `{FLEET_TAG}` on every flow log",
                    MARK.0, MARK.1
                ),
            );
        } else {
            tags.insert(key, text);
        }
    }
    if tags.len() + OWN_TAGS > MOST_TAGS {
        let what = format!("too many tags: {}, plus {OWN_TAGS} that flowagg adds", tags.len());
        reader.fault(span, what, format!("use up to {} tags", MOST_TAGS - OWN_TAGS));
    }
    tags
}
