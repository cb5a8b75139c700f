//! Finds unquoted account IDs. YAML and JSON parse them as numbers, YAML sometimes as octal numbers. Leading zeros are lost, and
//! CloudFormation itself uses another account or fails.

use serde_json::Value;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};

/// An account ID that is parsed as a number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unquoted {
    /// The line, if it is known.
    pub line: Option<usize>,
    /// The text of the value.
    pub value: String,
}

impl std::fmt::Display for Unquoted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.value)?;
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

/// The number of digits in an account ID. No other number in a template is that long.
const DIGITS: usize = 12;

fn is_account_id(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The unquoted account IDs in YAML. Keys are skipped, because CloudFormation treats them as strings.
pub(super) fn in_yaml(text: &str) -> Vec<Unquoted> {
    /// An open list, or an open mapping and whether its next node is a key.
    enum Open {
        List,
        Mapping { key: bool },
    }
    let (mut open, mut found): (Vec<Open>, Vec<Unquoted>) = Default::default();
    // Invalid YAML has already been rejected.
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        let starts_node = matches!(
            event,
            Event::Scalar(..) | Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..)
        );
        let mut is_key = false;
        if starts_node && let Some(Open::Mapping { key }) = open.last_mut() {
            is_key = *key;
            *key = !*key;
        }
        match event {
            Event::SequenceStart(..) => open.push(Open::List),
            Event::MappingStart(..) => open.push(Open::Mapping { key: true }),
            Event::SequenceEnd | Event::MappingEnd => drop(open.pop()),
            Event::Scalar(value, ScalarStyle::Plain, _, None) if !is_key && is_account_id(&value) => {
                found.push(Unquoted { line: Some(span.start.line()), value: value.into_owned() });
            }
            _ => {}
        }
    }
    found
}

/// The unquoted account IDs in JSON, where numbers cannot start with a zero.
pub(super) fn in_json(value: &Value) -> Vec<Unquoted> {
    match value {
        Value::Number(number) => {
            let value = number.to_string();
            is_account_id(&value).then_some(Unquoted { line: None, value }).into_iter().collect()
        }
        Value::Array(items) => items.iter().flat_map(in_json).collect(),
        Value::Object(entries) => entries.values().flat_map(in_json).collect(),
        Value::Null | Value::Bool(_) | Value::String(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_account_id_is_found_with_its_line_in_yaml_values() {
        for (text, line, value) in [
            ("a: 222222222222", 1, "222222222222"),
            ("a:\n  - x\n  - 012345670123\n", 3, "012345670123"),
            ("a: {b: [!Ref X, 098765432109]}", 1, "098765432109"),
            ("? [a, 222222222222]\n: b", 1, "222222222222"),
        ] {
            let expected = Unquoted { line: Some(line), value: value.to_owned() };
            assert_eq!(in_yaml(text), [expected], "{text}");
        }
        assert_eq!(in_yaml("a: [222222222222, 333333333333]").len(), 2);
    }

    #[test]
    fn quoted_ids_keys_and_other_numbers_are_not_found() {
        for text in [
            "a: '012345670123'\nb: \"222222222222\"",
            "222222222222: {name: x}\na: {333333333333: x}",
            "a: 22222222222\nb: 2222222222222\nc: arn:aws:iam::222222222222:root\nd: 12345678901.",
            "a: !!str 222222222222",
            "a: >\n  222222222222\n",
        ] {
            assert_eq!(in_yaml(text), [], "{text}");
        }
    }

    #[test]
    fn unquoted_account_id_is_found_in_json() {
        let value = serde_json::json!({ "a": ["222222222222", { "b": 222_222_222_222_u64 }] });
        assert_eq!(in_json(&value), [Unquoted { line: None, value: "222222222222".to_owned() }]);
        assert_eq!(in_json(&serde_json::json!({ "a": "222222222222", "b": 365, "c": 1.5 })), []);
    }
}
