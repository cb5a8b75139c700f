//! Generates the field tables in `docs/json.md` from the schemas. The rest of the page is handwritten.

mod tables;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use snapbox::{Data, assert_data_eq};

use crate::schemas::{docs, documents, schema, schema_name};
use tables::Tables;

/// The markers around a generated part. The first one names the document.
const START: &str = "<!-- generated from the schema of ";
const END: &str = "<!-- end of the generated part -->";

/// The page with its generated parts, and the documents that they describe.
fn generated(page: &str) -> (String, Vec<String>) {
    let (mut text, mut names) = (String::new(), Vec::new());
    let mut tables = Tables::default();
    let mut heading = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        heading = line.strip_prefix("## ").unwrap_or(heading);
        let Some(name) = line.strip_prefix(START).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        lines.find(|line| *line == END).unwrap_or_else(|| panic!("the part of {name} has no end"));
        text.push_str(&tables.of(heading, schema(name).1));
        text.push_str(END);
        text.push('\n');
        names.push(name.to_owned());
    }
    (text, names)
}

#[test]
fn json_page_matches_the_schemas() {
    let file = docs().join("json.md");
    let (text, names) = generated(&fs::read_to_string(&file).unwrap());
    assert_data_eq!(text, Data::read_from(&file, None).raw());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    let schemas = documents().iter().map(|name| schema_name(&schema(name).1).to_owned()).collect();
    assert_eq!(BTreeSet::from_iter(names), schemas);
}

/// Every field name and enum value in a schema.
fn words(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            found.extend(
                entries
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key.clone()),
            );
            let listed = entries.get("enum").and_then(Value::as_array).into_iter().flatten();
            let listed = listed.chain(entries.get("const")).filter_map(Value::as_str);
            found.extend(listed.map(str::to_owned));
            entries.values().for_each(|below| words(below, found));
        }
        Value::Array(items) => items.iter().for_each(|below| words(below, found)),
        _ => {}
    }
}

#[test]
fn json_page_names_every_field_and_enum_value_under_unique_headings() {
    let page = fs::read_to_string(docs().join("json.md")).unwrap();
    for name in documents() {
        let mut found = BTreeSet::new();
        words(&schema(&name).1, &mut found);
        found.retain(|word| !page.contains(&format!("`{word}`")));
        assert!(found.is_empty(), "{name}: the page does not name {found:?}");
    }
    let headings =
        page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchors: Vec<String> = headings.map(tables::anchor).collect();
    assert_eq!(
        anchors.iter().collect::<BTreeSet<_>>().len(),
        anchors.len(),
        "duplicate heading: {anchors:?}"
    );
}
