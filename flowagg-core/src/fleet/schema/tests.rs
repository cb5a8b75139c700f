//! The table of keys in `docs/reference.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use snapbox::{Data, assert_data_eq};

use super::{EXCEPTIONS, MEMBERS, member, tables};

/// Encloses the table.
const START: &str = "<!-- generated from the schema of the fleet file -->\n";
const END: &str = "<!-- end of the generated part -->\n";
/// Longer lists of values are omitted.
const MOST_WORDS: usize = 10;

/// A row for a key, and one for each key of a table in it.
fn rows(path: &str, schema: &Value, is_required: bool, rows: &mut Vec<String>) {
    let default = match &schema["default"] {
        Value::Null if is_required => "required".to_owned(),
        Value::Null => String::new(),
        value => format!("`{value}`"),
    };
    let words = schema["enum"].as_array().filter(|words| words.len() <= MOST_WORDS);
    let words: Vec<String> = words.into_iter().flatten().map(|word| format!("`{word}`")).collect();
    let words = words.split_last().map(|(last, words)| format!(": {} or {last}", words.join(", ")));
    let description = schema["description"].as_str().unwrap();
    let (first, rest) = description.split_at(description.find(". ").unwrap_or(description.len()));
    rows.push(format!("| `{path}` | {default} | {first}{}{rest} |", words.unwrap_or_default()));
    let forms = schema["anyOf"].as_array().into_iter().flatten().chain([schema]);
    for form in forms {
        let required = form["required"].as_array();
        let keys: BTreeMap<_, _> = form["properties"].as_object().into_iter().flatten().collect();
        for (key, value) in keys {
            let is_required = required.is_some_and(|required| required.iter().any(|name| name == key));
            self::rows(&format!("{path}.{key}"), value, is_required, rows);
        }
    }
}

/// The table of the reference. Keys that an organization shares with a member have one row.
fn reference() -> String {
    let of_members: BTreeMap<_, _> = member().keys.into_iter().collect();
    let mut lines = vec!["| key | default | meaning |".to_owned(), "|---|---|---|".to_owned()];
    for (table, keys) in tables() {
        let path =
            if [MEMBERS, EXCEPTIONS].contains(&table) { format!("{table}[]") } else { table.to_owned() };
        let is_shared = |key: &str, value: &Value| {
            table != MEMBERS && of_members.get(key).is_some_and(|own| own["anyOf"].is_array() && own == value)
        };
        let (shared, own): (Vec<_>, Vec<_>) =
            keys.keys.into_iter().partition(|(key, value)| is_shared(key, value));
        for (key, value) in own {
            rows(&format!("{path}.{key}"), &value, keys.required.contains(&key), &mut lines);
        }
        if !shared.is_empty() {
            let names: Vec<String> = shared.iter().map(|(key, _)| format!("`{path}.{key}`")).collect();
            lines.push(format!("| {} | | Same as for a member |", names.join(", ")));
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn reference_table_matches_the_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference.md");
    let page = fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{START}{}{END}{after}", reference());
    assert_data_eq!(expected, Data::read_from(&file, None).raw());
}
