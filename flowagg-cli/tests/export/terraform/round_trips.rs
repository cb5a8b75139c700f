//! Reading a configuration back yields the fleet's settings.

use std::collections::BTreeMap;

use flowagg::export::terraform::{TerraformFormat, configuration};
use flowagg_core::flow_log::{
    AggregationInterval, Field, FileFormat, Files, FlowLogSpec, RecordFormat, TrafficType,
};
use flowagg_policy::{Grant, Unnamed, merge};
use hcl::Structure;
use hcl::expr::{Expression, ObjectKey};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{json as in_json, plain, text};
use crate::fleet;
use crate::specs::specs;

/// Reads a flow log resource back.
fn read(log: &Value) -> FlowLogSpec {
    let text_of = |name: &str| plain(log[name].as_str().unwrap_or_else(|| panic!("no {name}: {log}")));
    let field =
        |word: &str| Field::parse(word.strip_prefix("${").unwrap().strip_suffix('}').unwrap()).unwrap();
    let options = &log["destination_options"];
    let tags = log["tags"].as_object().unwrap().iter();
    let mut spec = FlowLogSpec::default();
    spec.traffic = *TrafficType::ALL.iter().find(|it| it.as_api() == text_of("traffic_type")).unwrap();
    spec.aggregation_interval = *AggregationInterval::ALL
        .iter()
        .find(|it| log["max_aggregation_interval"].as_i64() == Some(it.seconds().into()))
        .unwrap();
    spec.format =
        RecordFormat::try_from(text_of("log_format").split(' ').map(field).collect::<Vec<_>>()).unwrap();
    let mut files =
        Files::new(*FileFormat::ALL.iter().find(|it| it.as_str() == options["file_format"]).unwrap());
    files.hive_compatible_partitions = options["hive_compatible_partitions"].as_bool().unwrap();
    files.per_hour_partition = options["per_hour_partition"].as_bool().unwrap();
    spec.files = files;
    spec.tags =
        tags.map(|(key, value)| (plain(key), plain(value.as_str().unwrap()))).collect::<BTreeMap<_, _>>();
    spec
}

/// Converts an HCL file to the JSON syntax with an independent parser. Distinguishes literal strings from expressions.
fn of_hcl(text: &str) -> Value {
    let body = hcl::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Value::Object(members(&body))
}

fn members(body: &hcl::Body) -> Map<String, Value> {
    let mut members = Map::new();
    for structure in body.iter() {
        match structure {
            Structure::Attribute(attribute) => {
                members.insert(attribute.key().to_owned(), value(attribute.expr()));
            }
            Structure::Block(block) => {
                let mut place = members.entry(block.identifier()).or_insert(Value::Null);
                for label in block.labels() {
                    place = &mut place[label.as_str()];
                }
                let body = Value::Object(self::members(block.body()));
                match place {
                    Value::Null => *place = body,
                    Value::Array(all) => all.push(body),
                    one => *one = json!([one.take(), body]),
                }
            }
        }
    }
    members
}

fn value(expression: &Expression) -> Value {
    match expression {
        Expression::Null => Value::Null,
        Expression::Bool(flag) => json!(flag),
        Expression::Number(number) => json!(number),
        Expression::String(text) => json!(doubled(text)),
        Expression::TemplateExpr(template) => json!(template.to_string()),
        Expression::Array(all) => all.iter().map(value).collect(),
        Expression::Object(entries) => entries.iter().map(|(key, entry)| (name(key), value(entry))).collect(),
        other => json!(format!("${{{}}}", hcl::format::to_string(other).unwrap())),
    }
}

fn name(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Identifier(name) => name.to_string(),
        ObjectKey::Expression(Expression::String(text)) => doubled(text),
        other => panic!("unexpected key: {other}"),
    }
}

fn doubled(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// Normalizes forms that are equivalent in the JSON syntax: a single block and a list of one, an address and an expression.
fn alike(value: &Value) -> Value {
    match value {
        Value::Array(all) if all.len() == 1 => alike(&all[0]),
        Value::Array(all) => all.iter().map(alike).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(key, _)| *key != "//")
            .map(|(key, value)| (key.clone(), alike(value)))
            .collect(),
        Value::String(text) => {
            let inner = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
            inner.filter(|inner| !inner.contains("${")).unwrap_or(text).into()
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn flow_log_resource_round_trips_in_json_and_hcl(spec in specs()) {
        let mut fleet = fleet("china");
        fleet.flow_logs = spec;
        let file = in_json(&fleet, None, "flow-logs");
        let said = read(&file["resource"]["aws_flow_log"]["vpcs_222222222222_cn_north_1"]);
        let mut spec = fleet.flow_logs.clone();
        spec.tags = fleet.tags();
        prop_assert_eq!(said, spec);
        let in_hcl = text(&fleet, None, TerraformFormat::Hcl, "flow-logs.tf");
        prop_assert_eq!(alike(&of_hcl(&in_hcl)), alike(&file), "{}", in_hcl);
    }
}

#[test]
fn json_and_hcl_files_are_equivalent() {
    for name in ["plain", "kms", "named", "china", "gov", "many", "rules"] {
        let [json, hcl] = [TerraformFormat::Json, TerraformFormat::Hcl]
            .map(|format| configuration(&fleet(name), None, format).unwrap());
        assert_eq!(json.notes, hcl.notes);
        for (json, hcl) in json.files.iter().zip(&hcl.files) {
            assert_eq!(json.name.strip_suffix(".json"), Some(hcl.name.as_str()));
            let value: Value = serde_json::from_str(&json.text).unwrap();
            assert_eq!(alike(&of_hcl(&hcl.text)), alike(&value), "{name} {}", hcl.name);
        }
    }
}

/// Evaluates every string as Terraform does.
fn evaluated(value: &Value) -> Value {
    match value {
        Value::Array(all) => all.iter().map(evaluated).collect(),
        Value::Object(members) => members.iter().map(|(key, value)| (plain(key), evaluated(value))).collect(),
        Value::String(text) => plain(text).into(),
        other => other.clone(),
    }
}

#[test]
fn policy_is_the_one_that_apply_writes() {
    for name in ["plain", "kms", "named", "china", "gov", "many", "rules"] {
        let fleet = fleet(name);
        let file = in_json(&fleet, None, "policy");
        assert_eq!(
            file["resource"]["aws_s3_bucket_policy"]["flow_logs"]["policy"],
            "${jsonencode(local.bucket_policy)}"
        );
        let written = merge(None, &Grant::from(&fleet), Unnamed::Keep).unwrap().text;
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(evaluated(&file["locals"]["bucket_policy"]), written, "{name}");
    }
}
