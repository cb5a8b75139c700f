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

/// The fields of a record: the name of a set, or a list in the file's order.
fn fields(value: &Value<'_, '_>) -> Option<RecordFormat> {
    if value.is_string() {
        let text = value.text()?;
        let set = FieldSet::ALL.into_iter().find(|set| set.as_str() == text);
        if set.is_none() {
            let help = "one of `default`, `cost`, `security` and `all`, or a list of fields: `[\"version\", \"srcaddr\"]`";
            value.fault(format!("`flow-logs.fields` is `{}`", text.escape_debug()), help);
        }
        return set.map(FieldSet::format);
    }
    let mut fields: Vec<Field> = Vec::new();
    for value in value.list()? {
        if let Some(field) = value.name() {
            if fields.contains(&field) {
                value.fault(format!("the field `{field}` is named twice"), "name it once");
            }
            fields.push(field);
        }
    }
    let format = RecordFormat::try_from(fields).ok();
    if format.is_none() {
        value.fault("a record has no fields", "name at least one, or leave `fields` out for AWS's default");
    }
    format
}

/// Tags to put on flow logs: AWS's limits, and our own mark left free.
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
                format!("the tag `{key}` is too long or has no name"),
                format!("a key has 1 to {LONGEST_TAG_KEY} characters, a value at most {LONGEST_TAG_VALUE}"),
            );
        } else if key.to_ascii_lowercase().starts_with("aws:") {
            reader.fault(
                place,
                format!("the tag `{key}` is AWS's own"),
                "tags that begin with `aws:` cannot be set",
            );
        } else if key == MARK.0 || key == FLEET_TAG {
            reader.fault(
                place,
                format!("the tag `{key}` is flowagg's mark"),
                format!("leave it out: every flow log gets `{} = {}` and `{FLEET_TAG}`", MARK.0, MARK.1),
            );
        } else {
            tags.insert(key, text);
        }
    }
    if tags.len() + OWN_TAGS > MOST_TAGS {
        let what = format!("{} tags, and flowagg adds {OWN_TAGS}", tags.len());
        reader.fault(span, what, format!("a flow log has at most {MOST_TAGS} tags"));
    }
    tags
}
