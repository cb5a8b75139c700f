//! Builders for the JSON Schemas of values.

use serde_json::{Map, Value, json};

use crate::id::RoleName;

/// A table of the fleet file, with its keys in the order of the reference.
pub(super) struct Keys {
    pub(super) description: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) keys: Vec<(&'static str, Value)>,
}

impl Keys {
    pub(super) fn schema(self) -> Value {
        let Self { description, required, keys } = self;
        let properties: Map<String, Value> =
            keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let mut table = json!({
            "description": description,
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            table["required"] = required.into();
        }
        table
    }
}

pub(super) fn table(
    description: &'static str,
    required: &'static [&'static str],
    keys: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    Keys { description, required, keys: Vec::from_iter(keys) }.schema()
}

pub(super) fn described(description: &str, value: &Value) -> Value {
    let mut value = value.clone();
    value["description"] = description.into();
    value
}

pub(super) fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1 })
}

pub(super) fn pattern(description: &str, pattern: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": pattern })
}

pub(super) fn days(description: &str, fewest: u32, default: Option<u32>) -> Value {
    let mut value = json!({ "description": description, "type": "integer", "minimum": fewest });
    if let Some(days) = default {
        value["default"] = days.into();
    }
    value
}

pub(super) fn words<const N: usize>(description: &str, words: [&str; N], default: Option<&str>) -> Value {
    let mut value = json!({ "description": description, "enum": words.as_slice() });
    if let Some(word) = default {
        value["default"] = word.into();
    }
    value
}

pub(super) fn flag(description: &str, default: bool) -> Value {
    json!({ "description": description, "type": "boolean", "default": default })
}

pub(super) fn tags(description: &str) -> Value {
    json!({ "description": description, "type": "object", "additionalProperties": { "type": "string" } })
}

pub(super) fn list(description: &str, of: &Value) -> Value {
    json!({ "description": description, "type": "array", "items": of, "minItems": 1, "uniqueItems": true })
}

pub(super) fn account_id() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{12}$" })
}

pub(super) fn account(description: &str) -> Value {
    described(description, &account_id())
}

pub(super) fn unit() -> Value {
    json!({ "type": "string", "pattern": "^ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}$" })
}

pub(super) fn region() -> Value {
    json!({ "type": "string", "pattern": "^[a-z]+(-[a-z]+)+-[0-9]{1,2}$" })
}

pub(super) fn regions(description: &str) -> Value {
    let one = json!({ "anyOf": [{ "const": "all" }, region()] });
    list(description, &one)
}

pub(super) fn role(description: &str, has_default: bool) -> Value {
    let mut value = pattern(description, "^([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$");
    if has_default {
        value["default"] = RoleName::ORGANIZATION_ACCOUNT_ACCESS.into();
    }
    value
}
