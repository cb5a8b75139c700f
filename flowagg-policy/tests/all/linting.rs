//! Bucket policies with one fault each, and some that have none.

use std::collections::BTreeMap;

use flowagg_policy::{Severity, lint};
use serde_json::value::RawValue;

fn cases() -> BTreeMap<String, String> {
    let cases: BTreeMap<String, Box<RawValue>> = serde_json::from_str(include_str!("../data/lint-cases.json")).unwrap();
    cases.into_iter().map(|(name, policy)| (name, policy.get().to_owned())).collect()
}

#[test]
fn every_fault_is_found_by_a_check_that_is_named_for_it() {
    let mut wrong = Vec::new();
    for (name, policy) in cases() {
        let expected = match name.as_str() {
            "good" => continue,
            "principal-star-allow" => "public-principal",
            "account-11-digits" => "account-id-not-12-digits",
            "wildcard-in-StringEquals-arn" => "wildcard-under-string-equals",
            "putobject-on-bucket" => "object-action-on-bucket",
            "sid-with-dash-space" => "sid-with-odd-characters",
            "bool-typo" => "bool-not-true-or-false",
            "resource-missing" => "missing-resource",
            same => same,
        };
        let found: Vec<&str> = lint(&policy, None).iter().map(|finding| finding.id).collect();
        if !found.contains(&expected) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "a listing for people: `cargo test -p flowagg-policy -- --ignored --nocapture what_is_found`"]
fn what_is_found() {
    for (name, policy) in cases() {
        let lines: Vec<String> = lint(&policy, None).iter().map(|f| format!("  {} {:?} {:?} {}", f.id, f.severity, f.statement, f.message)).collect();
        eprintln!("{name}\n{}", lines.join("\n"));
    }
}
