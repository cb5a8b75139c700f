//! Validates a value against a JSON Schema, for the keywords that `flowagg schema` uses. An unknown keyword fails, so
//! that none is ignored. `cargo xtask exports` repeats these checks with an independent validator.

use jiff::{Timestamp, civil::Date};
use serde_json::Value;

/// The only pattern in the schemas: an account ID.
const ACCOUNT: &str = "^[0-9]{12}$";

/// The violations of this schema by a value, with their locations.
pub(super) fn wrong(schema: &Value, value: &Value) -> Vec<String> {
    let mut check = Check { root: schema, wrong: Vec::new() };
    check.check(schema, value, "");
    check.wrong
}

struct Check<'a> {
    root: &'a Value,
    wrong: Vec<String>,
}

impl Check<'_> {
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        for (keyword, rule) in schema.as_object().unwrap() {
            if let Some(wrong) = self.rule(schema, keyword, rule, value, at) {
                self.wrong.push(format!("{at}: {wrong}: {value}"));
            }
        }
    }

    /// Returns the violation of a rule at this location, and records violations below it.
    fn rule(
        &mut self,
        schema: &Value,
        keyword: &str,
        rule: &Value,
        value: &Value,
        at: &str,
    ) -> Option<String> {
        let no = |holds: bool, what: &str| (!holds).then(|| format!("{what} {rule}"));
        match keyword {
            "$schema" | "$id" | "$defs" | "title" | "description" => None,
            "$ref" => {
                let meant = self.root.pointer(rule.as_str()?.trim_start_matches('#'));
                self.check(meant.unwrap_or_else(|| panic!("{rule} does not exist")), value, at);
                None
            }
            "type" => {
                let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                no(names.iter().any(|name| is(name.as_str().unwrap(), value)), "is not a")
            }
            "const" => no(rule == value, "is not"),
            "enum" => no(rule.as_array()?.contains(value), "is not one of"),
            "minimum" => {
                no(value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()), "is less than")
            }
            "uniqueItems" => {
                let items = value.as_array()?;
                no(
                    items.iter().enumerate().all(|(n, item)| !items[..n].contains(item)),
                    "contains duplicates although uniqueItems is",
                )
            }
            "pattern" => {
                assert_eq!(rule, ACCOUNT, "a pattern that this check does not support");
                let is_account =
                    |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
                no(value.as_str().is_none_or(is_account), "does not match")
            }
            "format" => {
                let text = value.as_str()?;
                match rule.as_str()? {
                    "date-time" => no(text.parse::<Timestamp>().is_ok(), "is not a"),
                    "date" => no(text.parse::<Date>().is_ok(), "is not a"),
                    other => panic!("a format that this check does not support: {other}"),
                }
            }
            "required" => {
                let fields = value.as_object()?;
                let names = rule.as_array()?.iter().filter_map(Value::as_str);
                let missing: Vec<&str> = names.filter(|name| !fields.contains_key(*name)).collect();
                (!missing.is_empty()).then(|| format!("is missing {missing:?}"))
            }
            "properties" => {
                for (name, field) in value.as_object()? {
                    if let Some(rule) = rule.get(name) {
                        self.check(rule, field, &format!("{at}/{name}"));
                    }
                }
                None
            }
            "additionalProperties" => {
                let others =
                    value.as_object()?.iter().filter(|(name, _)| schema["properties"].get(name).is_none());
                others.filter(|_| rule.is_object()).for_each(|(name, field)| {
                    self.check(rule, field, &format!("{at}/{name}"));
                });
                None
            }
            "items" => {
                for (n, item) in value.as_array()?.iter().enumerate() {
                    self.check(rule, item, &format!("{at}/{n}"));
                }
                None
            }
            "oneOf" | "anyOf" => {
                let tried = rule.as_array()?.iter().map(|choice| {
                    let mut check = Check { root: self.root, wrong: Vec::new() };
                    check.check(choice, value, at);
                    check.wrong
                });
                let tried: Vec<Vec<String>> = tried.collect();
                let fits = tried.iter().filter(|wrong| wrong.is_empty()).count();
                let holds = fits == 1 || (fits > 1 && keyword == "anyOf");
                (!holds).then(|| format!("matches {fits} of {keyword}: {tried:?}"))
            }
            other => panic!("a keyword that this check does not support: {other}"),
        }
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a type that this check does not support: {other}"),
    }
}
