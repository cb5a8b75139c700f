//! What `flowagg schema` prints: kept as files that a change shows in, and said in words by `docs/json.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{FLEET, offline};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Every document, by the name that `flowagg schema` knows it by, without the fleet file.
pub(crate) fn documents() -> Vec<String> {
    let asked = offline(&["schema", "no-such"], FLEET, "");
    let (_, names) = asked.err.split_once("possible values: ").unwrap();
    let names = names.split_once(']').unwrap().0.split(", ").map(str::to_owned);
    names.filter(|name| name != "fleet-file").collect()
}

fn schema(name: &str) -> (String, Value) {
    let said = offline(&["schema", name], FLEET, "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let value = serde_json::from_str(&said.out).unwrap();
    (said.out, value)
}

#[test]
fn without_a_name_the_schema_of_the_fleet_file_is_printed_and_a_wrong_name_is_answered_with_the_nearest() {
    let said = offline(&["schema"], FLEET, "");
    assert_eq!((said.code, said.out), (Some(0), schema("fleet-file").0));
    let wrong = offline(&["schema", "plam"], FLEET, "");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("a similar value exists: 'plan'"), "{}", wrong.err);
}

/// The name of the schema of a document: two documents of one form have one schema.
fn schema_name(schema: &Value) -> &str {
    let path = schema["$id"].as_str().unwrap();
    path.rsplit('/').next().unwrap().strip_suffix(".json").unwrap()
}

#[test]
fn commands_that_print_one_form_have_one_schema() {
    let shared: Vec<(String, String)> = documents()
        .into_iter()
        .map(|name| (schema_name(&schema(&name).1).to_owned(), name))
        .filter(|(of, name)| of != name)
        .collect();
    let expected = [("apply", "destroy"), ("policy-build", "policy-merge")];
    assert_eq!(shared, expected.map(|(of, name)| (of.to_owned(), name.to_owned())));
}

/// With `FLOWAGG_RENEW_SNAPSHOTS=1` they are written, to be read before they are committed.
#[test]
fn every_schema_is_the_kept_one_and_names_the_document_and_its_version() {
    let folder = docs().join("schemas/1");
    let mut names = BTreeSet::new();
    for document in documents() {
        let (text, value) = schema(&document);
        let name = schema_name(&value).to_owned();
        let file = folder.join(&name).with_extension("json");
        if std::env::var_os("FLOWAGG_RENEW_SNAPSHOTS").is_some() {
            fs::write(&file, &text).unwrap();
        }
        assert_eq!(
            text,
            fs::read_to_string(&file).unwrap(),
            "{document} differs from its file in docs/schemas"
        );
        assert!(value["$id"].as_str().unwrap().ends_with(&format!("/docs/schemas/1/{name}.json")), "{text}");
        assert_eq!(value["title"], format!("flowagg {name}, version 1"));
        assert_eq!(value["properties"]["schema"]["const"], 1);
        let of_rust = ["`None`", "::", "additionalProperties\": false", "uint", "[`"];
        assert!(of_rust.iter().all(|word| !text.contains(word)), "{text}");
        names.insert(format!("{name}.json"));
    }
    let kept = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(kept.collect::<BTreeSet<_>>(), names);
}

/// The fields of an object, each with its type in the words of `docs/json.md`.
type Shape = BTreeMap<String, String>;

/// A schema, and the definitions that it refers to.
struct Schema {
    root: Value,
}

impl Schema {
    /// What a schema stands for: itself, or what it refers to.
    fn meant<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.root.pointer(reference.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// The choices of a schema, or itself.
    fn choices(schema: &Value) -> Vec<&Value> {
        let choices = schema.get("oneOf").or(schema.get("anyOf")).and_then(Value::as_array);
        choices.map_or(vec![schema], |choices| choices.iter().collect())
    }

    /// The types that a value may have, in words.
    fn types(&self, schema: &Value) -> BTreeSet<String> {
        let mut types = BTreeSet::new();
        for choice in Self::choices(self.meant(schema)) {
            let choice = self.meant(choice);
            if choice.get("oneOf").is_some() {
                types.extend(self.types(choice));
                continue;
            }
            let names = match &choice["type"] {
                Value::Array(names) => names.iter().collect(),
                name => vec![name],
            };
            types.extend(names.into_iter().map(|name| match name.as_str().unwrap() {
                "integer" => "number".to_owned(),
                "array" => format!("list of {}s", Vec::from_iter(self.types(&choice["items"])).join(" or ")),
                name => name.to_owned(),
            }));
        }
        types
    }

    /// A schema and its choices, and what they stand for.
    fn parts<'a>(&'a self, schema: &'a Value) -> impl Iterator<Item = &'a Value> {
        let meant = self.meant(schema);
        let parts = Self::choices(meant).into_iter().chain([meant]);
        parts.flat_map(|part| [part, self.meant(part)])
    }

    /// The fields of a schema: of all its choices together, where it has some.
    fn shape(&self, schema: &Value) -> Shape {
        let mut fields: BTreeMap<&String, (BTreeSet<String>, bool)> = BTreeMap::new();
        for part in self.parts(schema) {
            let required = part["required"].as_array().into_iter().flatten();
            let required: Vec<&str> = required.filter_map(Value::as_str).collect();
            for (name, field) in part["properties"].as_object().into_iter().flatten() {
                let (types, always) = fields.entry(name).or_default();
                types.extend(self.types(field));
                *always |= required.contains(&name.as_str());
            }
        }
        let in_words = |(types, always): (BTreeSet<String>, bool)| {
            let mut words: Vec<String> = types.into_iter().collect();
            words.sort_by_key(|word| (word == "null", word == "object"));
            words.extend((!always).then(|| "absent".to_owned()));
            words.join(" or ")
        };
        fields.into_iter().map(|(name, field)| (name.clone(), in_words(field))).collect()
    }

    /// The shape of every object in a schema; and every word that a field may be.
    fn gather(&self, schema: &Value, shapes: &mut BTreeSet<Shape>, words: &mut BTreeSet<String>) {
        let mut shape = self.shape(schema);
        // Every document begins with it, and the page says so once.
        shape.remove("schema");
        if !shape.is_empty() {
            shapes.insert(shape);
        }
        for part in self.parts(schema) {
            let listed = part["enum"].as_array().into_iter().flatten().chain(part.get("const"));
            words.extend(listed.filter_map(Value::as_str).map(str::to_owned));
            let fields = part["properties"].as_object().into_iter().flatten().map(|(_, field)| field);
            for below in fields.chain(part.get("items")) {
                self.gather(below, shapes, words);
            }
            if part != self.meant(schema) && part.get("oneOf").is_some() {
                self.gather(part, shapes, words);
            }
        }
    }
}

/// A section of `docs/json.md`.
struct Section {
    heading: String,
    text: String,
    tables: BTreeSet<Shape>,
}

fn sections() -> Vec<Section> {
    let page = fs::read_to_string(docs().join("json.md")).unwrap();
    let sections = page.split("\n## ").skip(1).map(|section| {
        let (heading, text) = section.split_once('\n').unwrap();
        let tables = text.split("\n\n").filter_map(|block| block.trim().strip_prefix("| field | type | |\n"));
        let tables = tables.map(table).collect();
        Section { heading: heading.to_owned(), text: text.to_owned(), tables }
    });
    sections.collect()
}

/// A table of fields: their names in back-ticks, their type, and what they are.
fn table(text: &str) -> Shape {
    let mut shape = Shape::new();
    for row in text.lines().skip(1) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for name in cells[1].split(", ") {
            let name = name.trim_matches('`').to_owned();
            assert_eq!(shape.insert(name, cells[2].to_owned()), None, "twice: {row}");
        }
    }
    shape
}

#[test]
fn the_page_on_json_has_a_table_for_every_object_of_every_schema_and_no_other_and_names_every_word() {
    let sections = sections();
    let shared = sections.iter().find(|section| section.heading == "Words that are used everywhere").unwrap();
    let mut all_shapes = BTreeSet::new();
    let mut described = BTreeSet::new();
    for name in documents() {
        let heading = match name.as_str() {
            "events" => "Events".to_owned(),
            name => format!("flowagg {} --", name.replace('-', " ")),
        };
        let own = |section: &&Section| section.heading.contains(&heading) || (section.heading == heading);
        let section = sections.iter().find(own).unwrap_or_else(|| panic!("{name} has no section"));
        described.insert(&section.heading);
        let root = schema(&name).1;
        let (mut shapes, mut words) = (BTreeSet::new(), BTreeSet::new());
        Schema { root: root.clone() }.gather(&root, &mut shapes, &mut words);
        for table in &section.tables {
            assert!(shapes.contains(table), "{name} has no such object: {table:?}\nbut {shapes:?}");
        }
        // What stands in the section of another document too stands there once.
        let told = |section: &&Section| {
            section.heading.contains(&heading) || section.tables.iter().any(|table| shapes.contains(table))
        };
        let told: Vec<&Section> = sections.iter().filter(told).chain([shared]).collect();
        for shape in &shapes {
            assert!(
                told.iter().any(|section| section.tables.contains(shape)),
                "{name}: no table of {shape:?}"
            );
        }
        let named = |word: &String| told.iter().any(|section| section.text.contains(&format!("`{word}`")));
        let unnamed: Vec<&String> = words.iter().filter(|word| !named(word)).collect();
        assert!(unnamed.is_empty(), "{name}: the page does not name {unnamed:?}");
        all_shapes.extend(shapes);
    }
    for section in sections.iter().filter(|section| !described.contains(&section.heading)) {
        for table in &section.tables {
            assert!(all_shapes.contains(table), "{}: nothing has {table:?}", section.heading);
        }
    }
}
