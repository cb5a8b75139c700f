//! Parses the text of a template into a value in which every function has its long name.

mod unquoted;

use flowagg_core::text::one_line;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use serde_saphyr::Tagged;

pub use self::unquoted::Unquoted;

/// Why a text is not a template.
pub(super) enum TextError {
    /// It is neither JSON nor YAML.
    Syntax(String),
    /// It contains unquoted account IDs.
    Unquoted(Vec<Unquoted>),
}

/// Parses JSON, or YAML with the short forms of functions, such as `!Sub` for `Fn::Sub`.
///
/// Source: "Intrinsic function reference" (AWS CloudFormation Template Reference).
pub(super) fn parse(text: &str) -> Result<Value, TextError> {
    let syntax = |error: String| TextError::Syntax(one_line(&error));
    let (value, unquoted) = if text.trim_start().starts_with('{') {
        let value = serde_json::from_str(text).map_err(|error| syntax(error.to_string()))?;
        let unquoted = unquoted::in_json(&value);
        (value, unquoted)
    } else {
        // CloudFormation uses YAML 1.1, in which `yes` is true.
        let Node(value) = serde_saphyr::from_str(text).map_err(|error| syntax(error.to_string()))?;
        (value, unquoted::in_yaml(text))
    };
    if unquoted.is_empty() { Ok(value) } else { Err(TextError::Unquoted(unquoted)) }
}

/// A value of a YAML document, in which a tag is the short form of a function.
struct Node(Value);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(Untagged(value), tag) = Tagged::deserialize(deserializer)?;
        let short = tag.as_deref().and_then(|tag| tag.strip_prefix('!')).filter(|name| !name.is_empty());
        Ok(Self(match (short, value) {
            (None, value) => value,
            (Some("GetAtt"), Value::String(path)) => {
                let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
                json!({ "Fn::GetAtt": [resource, attribute] })
            }
            (Some(name @ ("Ref" | "Condition")), value) => json!({ name: value }),
            (Some(name), value) => json!({ (format!("Fn::{name}")): value }),
        }))
    }
}

/// A value without its own tag.
struct Untagged(Value);

impl<'de> Deserialize<'de> for Untagged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value of a template")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Node::deserialize(deserializer).map(|Node(value)| value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Node(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Node(value))) = entries.next_entry::<String, Node>()? {
            map.insert(key, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_function_forms_are_parsed_as_long_forms() {
        let short = "a: !Ref Name\nb: !Sub '${Name}/*'\nc:\n  - !GetAtt Bucket.Arn\n  - !Join ['', [!GetAtt [Bucket, Arn], '/*']]\n\
                     d: !Sub\n  - '${X}'\n  - X: !Ref Name\ne: !If [HasKey, 1, yes]\nf: 2012-10-17\ng: plain\n";
        let long = json!({
            "a": { "Ref": "Name" },
            "b": { "Fn::Sub": "${Name}/*" },
            "c": [
                { "Fn::GetAtt": ["Bucket", "Arn"] },
                { "Fn::Join": ["", [{ "Fn::GetAtt": ["Bucket", "Arn"] }, "/*"]] },
            ],
            "d": { "Fn::Sub": ["${X}", { "X": { "Ref": "Name" } }] },
            "e": { "Fn::If": ["HasKey", 1, true] },
            "f": "2012-10-17",
            "g": "plain",
        });
        assert_eq!(parse(short).ok(), Some(long.clone()));
        assert_eq!(parse(&long.to_string()).ok(), Some(long));
        assert!(parse("a: [").is_err() && parse("{").is_err());
    }
}
