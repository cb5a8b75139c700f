//! The rows of the answer about unused security group rules.

use std::sync::{Arc, LazyLock};

use flowagg_core::question::UnusedRule;
use flowagg_query::datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use flowagg_query::datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use flowagg_query::datafusion::arrow::error::ArrowError;
use jiff::Timestamp;

/// The columns, in order.
static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let texts = [
        "account",
        "region",
        "group_id",
        "group_name",
        "rule_id",
        "direction",
        "protocol",
        "ports",
        "peer",
        "description",
        "reason",
    ];
    let mut fields: Vec<Field> = texts.into_iter().map(text).collect();
    fields.push(Field::new("interfaces", DataType::Int64, true));
    fields.push(text("first_record"));
    Arc::new(Schema::new(fields))
});

/// Returns the columns of the answer.
pub(crate) fn unused_rule_columns() -> SchemaRef {
    Arc::clone(&COLUMNS)
}

/// Converts the rules to rows.
pub(crate) fn unused_rule_rows(rules: &[UnusedRule]) -> Result<RecordBatch, ArrowError> {
    let text = |value: &dyn Fn(&UnusedRule) -> Option<String>| -> ArrayRef {
        Arc::new(rules.iter().map(value).collect::<StringArray>())
    };
    let time = |seconds: i64| Some(Timestamp::from_second(seconds).ok()?.to_string());
    let interfaces = rules.iter().map(|rule| i64::try_from(rule.interfaces).ok());
    let columns = vec![
        text(&|rule| Some(rule.place.account.to_string())),
        text(&|rule| Some(rule.place.region.to_string())),
        text(&|rule| Some(rule.group.clone())),
        text(&|rule| Some(rule.group_name.clone())),
        text(&|rule| Some(rule.id.clone())),
        text(&|rule| Some(rule.rule.direction.as_str().to_owned())),
        text(&|rule| Some(rule.rule.protocol.to_string())),
        text(&|rule| Some(rule.rule.ports())),
        text(&|rule| Some(rule.rule.peer.to_string())),
        text(&|rule| rule.rule.description.clone()),
        text(&|rule| Some(rule.why.as_str().to_owned())),
        Arc::new(interfaces.collect::<Int64Array>()),
        text(&|rule| rule.since.and_then(time)),
    ];
    RecordBatch::try_new(unused_rule_columns(), columns)
}
