//! Writes the configuration in JSON.
//!
//! Source: "JSON Configuration Syntax" (Terraform Language Documentation).

use serde_json::{Map, Value as Json, json};

use super::block::{Block, Body, Item, Value, escaped};
use super::hcl::inline;

/// The member that Terraform treats as a comment.
const COMMENT: &str = "//";

/// The text of a file: a comment and the blocks.
pub(super) fn write(comment: &str, blocks: &[Block]) -> Result<String, serde_json::Error> {
    let mut top = Map::new();
    for block in blocks {
        put(&mut top, block.kind, &block.labels, body(&block.body));
    }
    top.insert(COMMENT.to_owned(), json!(comment));
    let mut top = Json::Object(top);
    top.sort_all_objects();
    Ok(serde_json::to_string_pretty(&top)? + "\n")
}

/// Adds a block under its name and labels. Several blocks with the same labels become a list.
fn put(within: &mut Map<String, Json>, name: &str, labels: &[String], content: Json) {
    if let Some((label, labels)) = labels.split_first() {
        let below = within.entry(name).or_insert_with(|| json!({}));
        if let Json::Object(below) = below {
            put(below, label, labels, content);
        }
        return;
    }
    match within.get_mut(name) {
        None => {
            within.insert(name.to_owned(), content);
        }
        Some(Json::Array(all)) => all.push(content),
        Some(one) => *one = json!([one.take(), content]),
    }
}

fn body(body: &Body) -> Json {
    let mut members = Map::new();
    for item in &body.items {
        match item {
            Item::Argument(name, argument) => put(&mut members, name, &[], value(argument)),
            Item::Block(name, content) => put(&mut members, name, &[], self::body(content)),
            Item::Gap => {}
        }
    }
    Json::Object(members)
}

fn value(of: &Value) -> Json {
    match of {
        Value::Text(text) => json!(escaped(text)),
        Value::Plain(plain) => plain.clone(),
        Value::Expression(expression) => json!(format!("${{{expression}}}")),
        Value::Address(address) => json!(address),
        Value::Joined { expression, rest } => json!(format!("${{{expression}}}{}", escaped(rest))),
        Value::Call(..) => json!(format!("${{{}}}", inline(of))),
        Value::List(all) => all.iter().map(value).collect(),
        Value::Map(entries) => entries.iter().map(|(key, entry)| (escaped(key), value(entry))).collect(),
    }
}
