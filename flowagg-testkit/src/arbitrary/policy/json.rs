//! JSON as people and programs write it: with unusual whitespace, unnecessary escapes and members in any order.

use super::super::hand::Hand;

/// A value that is not formatted yet.
#[derive(Clone, Debug)]
pub(super) enum Json {
    Text(String),
    /// A number, `true` or `false`.
    Bare(String),
    /// A list; a single value may be written without brackets.
    Some(Vec<Json>),
    Object(Vec<(String, Json)>),
}

pub(super) fn text(text: impl Into<String>) -> Json {
    Json::Text(text.into())
}

pub(super) fn some(texts: impl IntoIterator<Item = impl Into<String>>) -> Json {
    Json::Some(texts.into_iter().map(text).collect())
}

pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.map(|(key, value)| (key.to_owned(), value)).to_vec())
}

impl Json {
    /// Removes the statement's Sid if another statement has it, because S3 rejects duplicate Sids.
    pub(super) fn with_a_sid_of_its_own(mut self, taken: &mut Vec<String>) -> Self {
        if let Self::Object(members) = &mut self {
            members.retain(|(key, value)| match value {
                Self::Text(sid) if key == "Sid" && taken.contains(sid) => false,
                Self::Text(sid) if key == "Sid" => {
                    taken.push(sid.clone());
                    true
                }
                _ => true,
            });
        }
        self
    }

    /// Formats the value with these habits.
    pub(super) fn written(&self, hand: &mut Hand) -> String {
        let mut out = String::new();
        self.write(&mut out, hand);
        out
    }

    fn write(&self, out: &mut String, hand: &mut Hand) {
        match self {
            Self::Text(text) => string(text, out, hand),
            Self::Bare(word) => out.push_str(word),
            Self::Some(values) if values.len() == 1 && !hand.flourish() => values[0].write(out, hand),
            Self::Some(values) => list('[', ']', values, out, hand, Self::write),
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                let first = hand.pick(members.len().max(1));
                members.rotate_left(first);
                list('{', '}', &members, out, hand, |(key, value), out, hand| {
                    string(key, out, hand);
                    out.push_str(gap(hand));
                    out.push(':');
                    out.push_str(gap(hand));
                    value.write(out, hand);
                });
            }
        }
    }
}

/// Writes elements between brackets, separated by commas.
pub(super) fn list<T>(
    open: char,
    close: char,
    elements: &[T],
    out: &mut String,
    hand: &mut Hand,
    mut write: impl FnMut(&T, &mut String, &mut Hand),
) {
    out.push(open);
    for (n, element) in elements.iter().enumerate() {
        if n > 0 {
            out.push_str(gap(hand));
            out.push(',');
        }
        out.push_str(gap(hand));
        write(element, out, hand);
    }
    out.push_str(gap(hand));
    out.push(close);
}

/// Whitespace between two tokens, usually none.
pub(super) fn gap(hand: &mut Hand) -> &'static str {
    hand.one(["", "", "", " ", "", "\n    ", "", "\t", "\r\n", " \n \n"])
}

fn string(text: &str, out: &mut String, hand: &mut Hand) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '/' if hand.whim() => out.push_str("\\/"),
            _ if c.is_ascii_alphanumeric() && hand.whim() => {
                let (zeros, digits) = ("\\u00", u32::from(c));
                out.push_str(zeros);
                out.push_str(&if hand.flourish() {
                    format!("{digits:02X}")
                } else {
                    format!("{digits:02x}")
                });
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::hand::hand;
    use super::*;

    proptest! {
        #[test]
        fn formatting_does_not_change_the_value(mut hand in hand()) {
            let value = object([
                ("Effect", text("Allow")),
                ("Resource", some(["arn:aws:s3:::a/\"é\\*", "b"])),
                ("Condition", object([("Bool", object([("aws:SecureTransport", Json::Bare("false".into()))]))])),
            ]);
            let plain: serde_json::Value = serde_json::from_str(&value.written(&mut Hand::default())).unwrap();
            let odd: serde_json::Value = serde_json::from_str(&value.written(&mut hand)).unwrap();
            prop_assert_eq!(plain, odd);
        }
    }
}
