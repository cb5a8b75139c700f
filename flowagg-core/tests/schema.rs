//! The JSON Schema of the fleet file matches the reader: the same keys and values.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeSet;

use flowagg_core::fleet::{FleetFile, schema};
use regex_lite::Regex;
use serde_json::Value;

/// A file with every key. The two forms of a selection are in different tables.
const WHOLE: &str = r#"
[fleet]
name = "acme-network"

[hub]
account = "111122223333"
region = "eu-west-1"
bucket = "acme-flow-logs"
prefix = "network/flow-logs"
retention-days = 120
transition = { days = 30, storage-class = "GLACIER" }
noncurrent-days = 30
abort-uploads-days = 3
encryption = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
bucket-key = false
object-ownership = "keep"
profile = "hub"
role = "teams/network/flowagg"

[flow-logs]
traffic = "reject"
aggregation-interval = "1m"
fields = ["version", "vpc-id", "srcaddr"]
file-format = "parquet"
hive-compatible-partitions = true
per-hour-partition = true
tags = { team = "network" }
foreign = "differs"

[policy]
form = "organization"
source-conditions = true
source-arn = true
acl-condition = "if-exists"
list-bucket = true
deny-insecure-transport = true

[organization]
id = "o-a1b2c3d4e5"
regions = ["all"]
units = ["ou-a1b2-c3d4e5f6"]
except-units = ["ou-a1b2-c3d4e5f7"]
accounts = ["222222222222"]
except-accounts = ["333333333333"]
role = "flowagg"
lookup = { account = "444455556666", role = "reader" }
vpcs = { tags = { logged = "yes" }, except = ["vpc-0a1b2c3d"], default-vpcs = false }
subnets = { tags = { logged = "yes" }, except = ["subnet-0a1b2c3d"] }
network-interfaces = { tags = { logged = "yes" }, except = ["eni-0a1b2c3d"] }
transit-gateways = { tags = { logged = "yes" }, except = ["tgw-0a1b2c3d"] }

[[members]]
account = "555566667777"
name = "payments"
regions = ["eu-west-1", "us-east-1"]
role = "flowagg"
vpcs = ["vpc-0a1b2c3d4e5f67890"]
subnets = "all"
network-interfaces = ["eni-0a1b2c3d4e5f67890"]
transit-gateways = "none"
"#;

/// Whether a value is valid, for the keywords that our schema uses. An unknown keyword fails the test.
///
/// Source: "JSON Schema Validation" (draft 2020-12). `cargo xtask exports` uses an independent validator.
fn admits(schema: &Value, value: &Value) -> bool {
    schema.as_object().unwrap().iter().all(|(keyword, rule)| match (keyword.as_str(), value) {
        ("$schema" | "title" | "description" | "default", _) => true,
        ("type", _) => {
            let kind = match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "integer",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
            };
            rule == kind
        }
        ("const", _) => rule == value,
        ("enum", _) => rule.as_array().unwrap().contains(value),
        ("anyOf", _) => rule.as_array().unwrap().iter().any(|form| admits(form, value)),
        ("pattern", Value::String(text)) => Regex::new(rule.as_str().unwrap()).unwrap().is_match(text),
        ("minLength", Value::String(text)) => text.chars().count() as u64 >= rule.as_u64().unwrap(),
        ("minimum", Value::Number(number)) => number.as_i64() >= rule.as_i64(),
        ("items", Value::Array(items)) => items.iter().all(|item| admits(rule, item)),
        ("minItems", Value::Array(items)) => items.len() as u64 >= rule.as_u64().unwrap(),
        ("uniqueItems", Value::Array(items)) => {
            items.iter().enumerate().all(|(n, item)| !items[..n].contains(item))
        }
        ("required", Value::Object(entries)) => {
            rule.as_array().unwrap().iter().all(|key| entries.contains_key(key.as_str().unwrap()))
        }
        ("properties", Value::Object(entries)) => {
            entries.iter().all(|(key, value)| rule.get(key).is_none_or(|schema| admits(schema, value)))
        }
        ("additionalProperties", Value::Object(entries)) => {
            let others = entries.iter().filter(|(key, _)| schema["properties"].get(key).is_none());
            others.into_iter().all(|(_, value)| rule.is_object() && admits(rule, value))
        }
        (
            "pattern"
            | "minLength"
            | "minimum"
            | "items"
            | "minItems"
            | "uniqueItems"
            | "required"
            | "properties"
            | "additionalProperties",
            _,
        ) => true,
        _ => panic!("the test does not know `{keyword}`"),
    })
}

fn whole() -> Value {
    toml::from_str(WHOLE).unwrap()
}

fn text(file: &Value) -> String {
    toml::to_string(file).unwrap()
}

/// Every table of a file, by JSON pointer, with its keys in the schema.
fn tables(schema: &Value, file: &Value, at: &str, found: &mut Vec<(String, BTreeSet<String>)>) {
    match file {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                tables(&schema["items"], item, &format!("{at}/{n}"), found);
            }
        }
        Value::Object(entries) => {
            // A selection is a table or another form.
            let rule = schema["anyOf"].as_array().into_iter().flatten().find(|form| form["type"] == "object");
            let schema = rule.unwrap_or(schema);
            let Some(properties) = schema["properties"].as_object() else { return };
            found.push((at.to_owned(), properties.keys().cloned().collect()));
            for (key, value) in entries {
                tables(&properties[key], value, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// The text in backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn schema_and_reader_have_the_same_keys() {
    let mut found = Vec::new();
    tables(&schema(), &whole(), "", &mut found);
    assert!(found.len() >= 12, "{found:#?}");
    for (at, keys) in found {
        let mut file = whole();
        file.pointer_mut(&at).unwrap()["zzzz"] = true.into();
        let error = FleetFile::parse(&text(&file)).unwrap_err();
        let [fault] = &error.faults[..] else { panic!("{at}: {error}") };
        let listed = fault.help.strip_prefix("valid keys: ").unwrap_or_else(|| panic!("{at}: {error}"));
        assert_eq!(quoted(listed), keys, "{at}: {}", fault.what);
        assert!(!admits(&schema(), &file), "{at}");
    }
}

#[test]
fn file_with_every_key_is_valid() {
    assert!(admits(&schema(), &whole()));
    FleetFile::parse(WHOLE).unwrap();
}

/// Every value of a file, by JSON pointer.
fn values(file: &Value, at: &str, found: &mut Vec<String>) {
    let mut below = |key: &str, value| {
        let at = format!("{at}/{key}");
        values(value, &at, found);
        found.push(at);
    };
    match file {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| below(&n.to_string(), item)),
        _ => {}
    }
}

#[test]
fn reader_rejects_whatever_the_schema_rejects() {
    let schema = schema();
    let mut found = Vec::new();
    values(&whole(), "", &mut found);
    let mut refused = BTreeSet::new();
    for at in &found {
        for wrong in
            [Value::from(true), 7.into(), "".into(), "§".into(), "vpc-1".into(), Value::Array(Vec::new())]
        {
            let mut file = whole();
            *file.pointer_mut(at).unwrap() = wrong.clone();
            if !admits(&schema, &file) {
                refused.insert(at);
                assert!(FleetFile::parse(&text(&file)).is_err(), "the reader takes {wrong} at {at}");
            }
        }
    }
    let taken: Vec<_> = found.iter().filter(|at| !refused.contains(at)).collect();
    assert!(taken.is_empty(), "the schema takes anything at {taken:?}");
}

#[test]
fn schema_rejects_invalid_forms_that_the_reader_rejects() {
    let schema = schema();
    let mut found = Vec::new();
    values(&whole(), "", &mut found);
    for at in &found {
        for wrong in [Value::from("§§"), 0.into(), Value::Array(Vec::new())] {
            let mut file = whole();
            *file.pointer_mut(at).unwrap() = wrong.clone();
            // A tag, a name and a profile can be any text.
            let is_free = at.contains("/tags/") || at.ends_with("/name") || at.ends_with("/profile");
            if FleetFile::parse(&text(&file)).is_err() && !is_free {
                // With an organization, the list of members may be empty.
                assert!(!admits(&schema, &file) || at == "/members", "the schema takes {wrong} at {at}");
            }
        }
    }
}
