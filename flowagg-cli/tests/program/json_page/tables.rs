//! Converts a schema to tables of fields and enum values, with a heading for each type.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// The types that the page has described so far.
#[derive(Default)]
pub(super) struct Tables {
    /// Headings by the identity of the type. A type that two documents share is described once.
    described: BTreeMap<String, String>,
}

/// The anchor of a heading on GitHub.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// `FlowLogChange` as `Flow log change`.
fn spaced(name: &str) -> String {
    let mut spaced = String::new();
    for (n, c) in name.char_indices() {
        if n > 0 && c.is_uppercase() {
            spaced.push(' ');
            spaced.push(c.to_ascii_lowercase());
        } else {
            spaced.push(c);
        }
    }
    spaced
}

/// The first paragraph of a description, on one line.
fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split("\n\n").next().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

fn choices(schema: &Value) -> Vec<&Value> {
    let choices = schema.get("oneOf").or(schema.get("anyOf")).and_then(Value::as_array);
    choices.map(|choices| choices.iter().collect()).unwrap_or_default()
}

/// Identifies a type: its fields except the schema version, which only documents have, and its enum values.
fn identity(schema: &Value) -> String {
    let fields = schema["properties"].as_object().into_iter().flatten().filter(|(name, _)| *name != "schema");
    let fields: BTreeMap<&String, &Value> = fields.collect();
    let words = ["oneOf", "anyOf", "enum"].map(|keyword| &schema[keyword]);
    format!("{fields:?} {words:?}")
}

/// A field of one form of a type.
struct Field {
    name: String,
    kind: String,
    description: String,
    /// The form, if the type has several.
    of: Option<String>,
}

impl Tables {
    /// Describes a document under this heading, followed by its types.
    pub(super) fn of(&mut self, heading: &str, root: Value) -> String {
        self.described.insert(identity(&root), heading.to_owned());
        let mut document = Document { heading, root, below: Vec::new(), tables: self };
        let root = document.root.clone();
        let mut text = document.described(&root);
        let mut next = 0;
        while let Some((name, definition)) = document.below.get(next).cloned() {
            next += 1;
            let title = document.tables.described[&identity(&definition)].clone();
            let whole = document.described(&definition);
            let _ = write!(text, "\n### {title}\n\n{}\n{whole}", description(&definition));
            assert!(!whole.is_empty(), "{name} has neither fields nor words");
        }
        text
    }
}

struct Document<'p> {
    heading: &'p str,
    root: Value,
    /// Types left to describe, in order of first use.
    below: Vec<(String, Value)>,
    tables: &'p mut Tables,
}

impl Document<'_> {
    fn definition(&self, reference: &str) -> Value {
        self.root.pointer(reference.trim_start_matches('#')).unwrap().clone()
    }

    /// A link to a type. Queues the type to be described once.
    fn link(&mut self, reference: &str) -> String {
        let definition = self.definition(reference);
        let name = reference.rsplit('/').next().unwrap_or_default();
        let known = self.tables.described.get(&identity(&definition)).cloned();
        let title = known.unwrap_or_else(|| {
            let plain = spaced(name);
            let is_taken = self.tables.described.values().any(|title| *title == plain);
            let title = if is_taken { format!("{plain} of {}", self.heading) } else { plain };
            self.tables.described.insert(identity(&definition), title.clone());
            self.below.push((name.to_owned(), definition));
            title
        });
        format!("[{}](#{})", title.trim_end_matches(" --json"), anchor(&title))
    }

    /// The type of a field.
    fn kind(&mut self, schema: &Value) -> String {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.link(reference);
        }
        if let choices @ [_, ..] = &choices(schema)[..] {
            let mut kinds: Vec<String> = choices.iter().map(|choice| self.kind(choice)).collect();
            kinds.dedup();
            return kinds.join(" or ");
        }
        let names = match &schema["type"] {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            name => Vec::from_iter(name.as_str()),
        };
        let kinds = names.into_iter().map(|name| match name {
            "integer" => "number".to_owned(),
            "array" => format!("list: {}", self.kind(&schema["items"])),
            "object" if schema["additionalProperties"].is_object() => {
                format!("object: {} by name", self.kind(&schema["additionalProperties"]))
            }
            name => name.to_owned(),
        });
        Vec::from_iter(kinds).join(" or ")
    }

    /// The enum values of a type, then its fields, then the fields of unnamed objects.
    fn described(&mut self, schema: &Value) -> String {
        let mut words: BTreeMap<Option<String>, Vec<(String, String)>> = BTreeMap::new();
        let mut fields = Vec::new();
        let mut unnamed = Vec::new();
        self.fields(schema, None, &mut fields, &mut unnamed);
        for choice in choices(schema) {
            let properties = choice["properties"].as_object().into_iter().flatten();
            let tag =
                properties.clone().find_map(|(name, field)| Some((name.clone(), field["const"].as_str()?)));
            match (tag, choice["const"].as_str()) {
                (Some((tag, word)), _) => {
                    words.entry(Some(tag)).or_default().push((word.to_owned(), description(choice)));
                    self.fields(choice, Some(word), &mut fields, &mut unnamed);
                }
                (None, Some(word)) => {
                    words.entry(None).or_default().push((word.to_owned(), description(choice)))
                }
                (None, None) => self.fields(choice, None, &mut fields, &mut unnamed),
            }
        }
        let mut text = String::new();
        for (tag, words) in &words {
            let head = tag.as_ref().map_or("word".to_owned(), |tag| format!("`{tag}`"));
            let _ = write!(text, "\n| {head} | |\n|---|---|\n");
            for (word, description) in words {
                let _ = writeln!(text, "| `{word}` | {description} |");
            }
        }
        text.push_str(&table(&fields));
        for (name, schema) in unnamed {
            let _ = write!(text, "\nThe fields of `{name}`:\n{}", self.described(&schema));
        }
        text
    }

    /// The fields of one form of a type, including flattened ones.
    fn fields(
        &mut self,
        schema: &Value,
        form: Option<&str>,
        fields: &mut Vec<Field>,
        unnamed: &mut Vec<(String, Value)>,
    ) {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, field) in
            schema["properties"].as_object().into_iter().flatten().filter(|(name, _)| *name != "schema")
        {
            let is_tag = field.get("const").is_some();
            let mut kind = self.kind(field);
            if !required.contains(&name.as_str()) {
                kind.push_str(" or absent");
            }
            let own = description(field);
            let words = field["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
            let mut text = match (own.is_empty(), is_tag) {
                (true, true) => "One of the values above.".to_owned(),
                (true, false) => description(schema),
                (false, _) => own,
            };
            if !words.is_empty() {
                text = format!("{text} One of {}.", words.join(", "));
            }
            if field.get("properties").is_some() {
                unnamed.push((name.clone(), field.clone()));
            }
            let of = form.filter(|_| !is_tag).map(str::to_owned);
            fields.push(Field { name: name.clone(), kind, description: text, of });
        }
        if let (Some(reference), true) = (schema["$ref"].as_str(), form.is_some()) {
            let flattened = self.definition(reference);
            self.fields(&flattened, form, fields, unnamed);
        }
    }
}

/// One row for each field. A field that several forms share has one row.
fn table(fields: &[Field]) -> String {
    let mut rows: Vec<(&Field, Vec<&str>)> = Vec::new();
    for field in fields {
        let same = rows.iter_mut().find(|(row, _)| {
            (&row.name, &row.kind, &row.description) == (&field.name, &field.kind, &field.description)
        });
        match same {
            Some((_, of)) => of.extend(field.of.as_deref()),
            None => rows.push((field, Vec::from_iter(field.of.as_deref()))),
        }
    }
    let mut text =
        if rows.is_empty() { String::new() } else { "\n| field | type | |\n|---|---|---|\n".to_owned() };
    for (Field { name, kind, description, .. }, of) in rows {
        let of: Vec<String> = of.iter().map(|word| format!("`{word}`")).collect();
        let of = match &of[..] {
            [] => String::new(),
            [one] => format!("Only with {one}. "),
            [first @ .., last] => format!("Only with {} and {last}. ", first.join(", ")),
        };
        let cell = format!("{of}{description}");
        let _ = writeln!(text, "| `{name}` | {kind} | {} |", cell.trim());
    }
    text
}
