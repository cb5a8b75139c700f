//! Compares the output of `flowagg schema` with the files in `docs/schemas`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snapbox::{Data, assert_data_eq, str};

use crate::{FLEET, offline};

pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The names of every document for `flowagg schema`, except the fleet file.
pub(crate) fn documents() -> Vec<String> {
    let asked = offline(&["schema", "no-such"], FLEET, "");
    let (_, names) = asked.err.split_once("possible values: ").unwrap();
    let names = names.split_once(']').unwrap().0.split(", ").map(str::to_owned);
    names.filter(|name| name != "fleet-file").collect()
}

pub(crate) fn schema(name: &str) -> (String, Value) {
    let said = offline(&["schema", name], FLEET, "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let value = serde_json::from_str(&said.out).unwrap();
    (said.out, value)
}

#[test]
fn fleet_file_schema_is_the_default_and_unknown_name_suggests_the_closest() {
    let said = offline(&["schema"], FLEET, "");
    assert_eq!((said.code, said.out), (Some(0), schema("fleet-file").0));
    let wrong = offline(&["schema", "plam"], FLEET, "");
    assert_eq!(wrong.code, Some(2));
    assert_data_eq!(
        wrong.err,
        str![[r#"
error: invalid value 'plam' for '[DOCUMENT]'
  [possible values: fleet-file, plan, apply, destroy, verify, doctor, report, permissions, policy-build, policy-merge, policy-diff, policy-check, policy-simulate, policy-size, events]

  tip: a similar value exists: 'plan'

For more information, try '--help'.

"#]]
    );
}

/// The name of a document's schema. Documents of the same form share a schema.
pub(crate) fn schema_name(schema: &Value) -> &str {
    let path = schema["$id"].as_str().unwrap();
    path.rsplit('/').next().unwrap().strip_suffix(".json").unwrap()
}

#[test]
fn commands_with_the_same_output_share_a_schema() {
    let shared: Vec<(String, String)> = documents()
        .into_iter()
        .map(|name| (schema_name(&schema(&name).1).to_owned(), name))
        .filter(|(of, name)| of != name)
        .collect();
    let expected = [("apply", "destroy"), ("policy-build", "policy-merge")];
    assert_eq!(shared, expected.map(|(of, name)| (of.to_owned(), name.to_owned())));
}

#[test]
fn schemas_match_the_files_and_name_the_document_and_version() {
    let folder = docs().join("schemas/1");
    let mut names = BTreeSet::new();
    for document in documents() {
        let (text, value) = schema(&document);
        let name = schema_name(&value).to_owned();
        let file = folder.join(&name).with_extension("json");
        assert_data_eq!(&text, Data::read_from(&file, None).raw());
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
