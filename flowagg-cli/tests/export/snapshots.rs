//! Compares the exports of every fleet with the files in `snapshots`.

use std::collections::BTreeSet;
use std::fs;

use snapbox::{Data, assert_data_eq};

use crate::{FLEETS, export, here};

const HUB: &[&str] = &["cloudformation", "--hub"];
const MEMBER: &[&str] = &["cloudformation", "--member"];
const STACK_SET: &[&str] = &["cloudformation", "--stackset"];
const ROLES: &[&str] = &["iam"];
const TERRAFORM: &[&str] = &["terraform"];
const IN_JSON: &[&str] = &["terraform", "--format", "json"];
const ATHENA: &[&str] = &["athena"];

const EXPORTS: [(&str, &[&str]); 43] = [
    ("plain", HUB),
    ("plain", &["cloudformation", "--hub", "--format", "json"]),
    ("plain", MEMBER),
    ("kms", &["cloudformation", "--member", "--account", "012345678901", "--region", "us-west-2"]),
    ("kms", HUB),
    ("kms", MEMBER),
    ("kms", ROLES),
    ("named", HUB),
    ("named", &["cloudformation", "--member", "--vpc-from", "import"]),
    ("named", ROLES),
    ("organization", MEMBER),
    ("organization", STACK_SET),
    ("organization", &["cloudformation", "--stackset", "--format", "json"]),
    ("organization", ROLES),
    ("whole", STACK_SET),
    ("whole", ROLES),
    ("china", HUB),
    ("china", MEMBER),
    ("china", &["cloudformation", "--member", "--account", "222222222222", "--region", "cn-north-1"]),
    ("china", ROLES),
    ("gov", HUB),
    ("gov", &["cloudformation", "--member", "--account", "222222222222", "--region", "us-gov-west-1"]),
    ("gov", ROLES),
    ("plain", &["cloudformation", "--member", "--account", "111122223333", "--region", "eu-west-1"]),
    ("many", HUB),
    ("many", ROLES),
    ("plain", TERRAFORM),
    ("kms", TERRAFORM),
    ("kms", IN_JSON),
    ("named", TERRAFORM),
    ("china", TERRAFORM),
    ("gov", TERRAFORM),
    ("rules", TERRAFORM),
    ("rules", IN_JSON),
    ("rules", ROLES),
    ("reading", ROLES),
    ("elsewhere", ROLES),
    ("elsewhere", STACK_SET),
    ("named", ATHENA),
    ("kms", ATHENA),
    ("many", ATHENA),
    ("china", &["athena", "--format", "yaml"]),
    ("gov", &["athena", "--format", "json"]),
];

#[test]
fn exports_match_their_snapshots() {
    let mut seen = BTreeSet::new();
    for (fleet, args) in EXPORTS {
        let made = tempfile::tempdir().unwrap();
        let said = export(fleet, args, Some(made.path()));
        assert_eq!(said.code, Some(0), "{fleet} {args:?}: {}", said.err);
        let kept = here().join("snapshots").join(fleet);
        for file in fs::read_dir(made.path()).unwrap() {
            let file = file.unwrap();
            let snapshot = kept.join(file.file_name());
            let text = fs::read_to_string(file.path()).unwrap();
            assert_data_eq!(text, Data::read_from(&snapshot, None).raw());
            assert!(seen.insert(snapshot), "{fleet} {args:?} writes the same file as another export");
        }
    }
    for fleet in FLEETS {
        for snapshot in fs::read_dir(here().join("snapshots").join(fleet)).unwrap() {
            let path = snapshot.unwrap().path();
            assert!(seen.contains(&path), "no export writes {}", path.display());
        }
    }
}
