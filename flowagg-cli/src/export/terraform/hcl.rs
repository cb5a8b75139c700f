//! Writes the configuration in HCL, formatted like `terraform fmt`.
//!
//! Sources: "Syntax", "Style Guide" (Terraform Language Documentation); "HCL Native Syntax Specification" (HCL).

use super::block::{Block, Body, Item, Value, escaped};

/// Keywords that must be quoted as object keys.
const WORDS: [&str; 4] = ["for", "true", "false", "null"];

/// The text of a file: a comment and the blocks.
pub(super) fn write(comment: &str, blocks: &[Block]) -> String {
    let mut lines = vec![format!("# {comment}")];
    for block in blocks {
        lines.push(String::new());
        let labels: String = block.labels.iter().map(|label| format!(" {}", quoted(label))).collect();
        braced(&mut lines, &format!("{}{labels}", block.kind), body(&block.body));
    }
    lines.join("\n") + "\n"
}

/// Adds a block: a header line, the contents and a closing line.
fn braced(lines: &mut Vec<String>, header: &str, inner: Vec<String>) {
    lines.push(format!("{header} {{"));
    lines.extend(indented(inner));
    lines.push("}".to_owned());
}

fn indented(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| if line.is_empty() { line } else { format!("  {line}") })
}

/// The lines of a body. Nested blocks are surrounded by blank lines.
fn body(body: &Body) -> Vec<String> {
    let mut lines = Vec::new();
    let mut arguments = Vec::new();
    for item in &body.items {
        match item {
            Item::Argument(name, value) => {
                if arguments.is_empty() && lines.last().is_some_and(|line| line == "}") {
                    lines.push(String::new());
                }
                arguments.push(((*name).to_owned(), written(value)));
            }
            Item::Block(name, content) => {
                aligned(&mut lines, std::mem::take(&mut arguments));
                if lines.last().is_some_and(|line| !line.is_empty()) {
                    lines.push(String::new());
                }
                braced(&mut lines, name, self::body(content));
            }
            Item::Gap => {
                aligned(&mut lines, std::mem::take(&mut arguments));
                lines.push(String::new());
            }
        }
    }
    aligned(&mut lines, arguments);
    lines
}

/// Adds arguments with their values. The equals signs of consecutive single-line arguments are aligned. A multi-line value ends a group.
fn aligned(lines: &mut Vec<String>, arguments: Vec<(String, Vec<String>)>) {
    for neighbours in arguments.chunk_by(|(_, a), (_, b)| (a.len() == 1) == (b.len() == 1)) {
        let width = neighbours
            .iter()
            .filter(|(_, value)| value.len() == 1)
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or_default();
        for (name, value) in neighbours {
            let mut value = value.iter();
            let first = value.next().map(String::as_str).unwrap_or_default();
            lines.push(format!("{name:width$} = {first}"));
            lines.extend(value.cloned());
        }
    }
}

/// The lines of a value.
fn written(value: &Value) -> Vec<String> {
    let one = |line: String| vec![line];
    match value {
        Value::Text(text) => one(quoted(text)),
        Value::Plain(plain) => one(plain.to_string()),
        Value::Expression(text) | Value::Address(text) => one(text.clone()),
        Value::Joined { expression, rest } => {
            let rest = quoted(rest);
            one(format!("\"${{{expression}}}{}", rest.strip_prefix('"').unwrap_or_default()))
        }
        Value::Call(function, arguments) => call(function, arguments),
        Value::List(all) if all.is_empty() => one("[]".to_owned()),
        Value::List(all) => match all.as_slice() {
            [single] if written(single).len() == 1 => one(format!("[{}]", written(single).concat())),
            _ => {
                let mut inner = Vec::new();
                for each in all {
                    inner.extend(written(each));
                    if let Some(last) = inner.last_mut() {
                        last.push(',');
                    }
                }
                enclosed("[", inner, "]")
            }
        },
        Value::Map(entries) if entries.is_empty() => one("{}".to_owned()),
        Value::Map(entries) => {
            let mut inner = Vec::new();
            let entries = entries.iter().map(|(name, value)| (key(name), written(value)));
            aligned(&mut inner, entries.collect());
            enclosed("{", inner, "}")
        }
    }
}

/// The lines of a call, whose last argument may have several lines.
fn call(function: &str, arguments: &[Value]) -> Vec<String> {
    let mut lines = vec![format!("{function}(")];
    for (n, argument) in arguments.iter().enumerate() {
        let mut written = written(argument).into_iter();
        if let Some(last) = lines.last_mut() {
            last.push_str(if n == 0 { "" } else { ", " });
            last.push_str(&written.next().unwrap_or_default());
        }
        lines.extend(written);
    }
    if let Some(last) = lines.last_mut() {
        last.push(')');
    }
    lines
}

fn enclosed(open: &str, inner: Vec<String>, close: &str) -> Vec<String> {
    std::iter::once(open.to_owned()).chain(indented(inner)).chain([close.to_owned()]).collect()
}

/// The key of an object. Characters that may not be one column wide are escaped, so that the equals signs stay aligned.
fn key(name: &str) -> String {
    let is_identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        && !WORDS.contains(&name);
    if is_identifier {
        name.to_owned()
    } else {
        literal(name, |c| c.is_ascii() || ('\u{c0}'..='\u{24f}').contains(&c))
    }
}

/// A value in an expression, in one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::List(all) => format!("[{}]", all.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Call(function, arguments) => {
            format!("{function}({})", arguments.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        other => written(other).join(" "),
    }
}

fn quoted(text: &str) -> String {
    literal(text, |c| !c.is_control())
}

/// A quoted string, with escapes for characters that are not printable.
fn literal(text: &str, shows: impl Fn(char) -> bool) -> String {
    let mut out = String::from("\"");
    for c in escaped(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if shows(c) && !c.is_control() => out.push(c),
            c if u32::from(c) <= 0xffff => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out + "\""
}
