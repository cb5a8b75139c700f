//! The strategies themselves: their values are valid and varied.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::Partition;
use flowagg_policy::{Extent, Grant, Policy, Unnamed, granted_by, lint};
use flowagg_testkit::arbitrary::policy::{LivePolicy, foreign, lived_in, mixed, ours, statements};
use flowagg_testkit::arbitrary::{Scene, WrittenFleet, fleet, grant, request};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::{cases, merged};

/// The same number of values, identical in every run.
fn samples<S: Strategy>(count: usize, strategy: S) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// The lint findings for policies that S3 rejects for any bucket.
const REFUSED: &[&str] = &[
    "invalid-json",
    "not-a-policy",
    "unknown-element",
    "unknown-version",
    "empty-list",
    "empty-statement",
    "element-twice",
    "key-twice",
    "wrong-value-type",
    "missing-effect",
    "missing-principal",
    "missing-action",
    "missing-resource",
    "unknown-effect",
    "element-and-its-negation",
    "malformed-principal",
    "malformed-arn",
    "unknown-action",
    "unknown-operator",
    "another-bucket",
    "wrong-partition",
    "object-action-on-bucket",
    "bucket-action-on-objects",
    "unreadable-value",
    "bool-not-true-or-false",
    "null-not-true-or-false",
    "operator-does-not-fit-key",
    "duplicate-sid",
];

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn foreign_policies_are_valid_for_s3(
        (live, bucket) in Scene::each(|scene| (prop_oneof![foreign(scene), mixed(scene)], Just(scene.bucket.clone()))),
    ) {
        prop_assert!(Policy::compile(&live.text).is_ok());
        for finding in lint(&live.text, Some(&bucket)) {
            prop_assert!(!REFUSED.contains(&finding.id), "{:?}\n{}", finding, live.text);
        }
    }

    #[test]
    fn policy_contains_its_listed_statements(
        live in Scene::each(|scene| prop_oneof![foreign(scene), mixed(scene), ours(scene)]),
    ) {
        let all = statements(&live.text).unwrap();
        let foreign: Vec<_> = all.iter().filter(|text| live.foreign.contains(text)).cloned().collect();
        prop_assert_eq!(&foreign, &live.foreign);
        prop_assert!(live.grant.is_some() || all == foreign);
        if let Some(grant) = &live.grant {
            let granted = granted_by(&live.text, grant).unwrap().unwrap();
            prop_assert_eq!(merged(None, &granted, Unnamed::Keep).unwrap().text, merged(None, grant, Unnamed::Keep).unwrap().text);
        }
    }
}

#[test]
fn policies_shrink_to_one_plain_statement() {
    let mut runner = TestRunner::deterministic();
    let mut tree = foreign(&Scene::new(Partition::Aws)).new_tree(&mut runner).unwrap();
    while tree.simplify() {}
    assert_eq!(
        tree.current().text,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs.example/AWSLogs/111122223333/*"}]}"#
    );
}

#[test]
fn grants_cover_every_form_and_condition() {
    let grants = samples(400, grant(&Scene::new(Partition::Aws)));
    let forms: BTreeSet<_> = grants.iter().map(|grant| grant.settings.form).collect();
    assert_eq!(forms.len(), 7);
    let some =
        |what: fn(&Grant) -> bool| (20..380).contains(&grants.iter().filter(|grant| what(grant)).count());
    assert!(some(|grant| grant.hive) && some(|grant| grant.prefix.is_none()));
    let has = |grant: &Grant, extent| grant.organization.as_ref().is_some_and(|it| it.extent == extent);
    for extent in [Extent::Whole, Extent::Units, Extent::Unlisted, Extent::LeftOut] {
        let count = grants.iter().filter(|grant| has(grant, extent)).count();
        assert!((20..380).contains(&count), "{extent:?}: {count}");
    }
    assert!(some(|grant| grant.organization.as_ref().is_some_and(|it| it.units.is_empty())));
    assert!(some(|grant| grant.settings.source_conditions) && some(|grant| grant.regions.is_some()));
    assert!(some(|grant| grant.settings.deny_insecure_transport) && some(|grant| grant.settings.list_bucket));
}

#[test]
fn policies_cover_every_formatting_and_merge_with_grants() {
    let scene = Scene::new(Partition::Aws);
    let policies = samples(400, lived_in(&scene));
    let some = |what: fn(&LivePolicy) -> bool| {
        (10..400).contains(&policies.iter().filter(|(live, _)| what(live)).count())
    };
    assert!(some(|live| live.grant.is_some()) && some(|live| live.is_list));
    assert!(some(|live| live.text.contains('\n')) && some(|live| live.text.contains("\\u00")));
    assert!(
        some(|live| live.text.contains("NotPrincipal")) && some(|live| live.text.contains("NotResource"))
    );
    assert!(some(|live| live.text.contains("2008-10-17")) && some(|live| !live.text.contains("\"Version\"")));
    assert!(some(|live| live.foreign.iter().any(|text| text.contains("AWSLogDeliveryWrite"))));
    let merges =
        policies.iter().filter(|(live, grant)| merged(Some(&live.text), grant, Unnamed::Keep).is_some());
    assert!(merges.count() > 300);
}

#[test]
fn requests_cover_every_decision() {
    let scene = Scene::new(Partition::Aws);
    let asked = samples(1_000, (grant(&scene), request(&scene), foreign(&scene)));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (grant, asked, live) in asked {
        let text = merged(None, &grant, Unnamed::Keep).unwrap().text;
        let request = asked.near(&grant).request();
        let kind = Policy::compile(&text).unwrap().decide(&request).kind;
        *counts.entry(format!("managed: {kind}")).or_default() += 1;
        let kind = Policy::compile(&live.text).unwrap().decide(&request).kind;
        *counts.entry(format!("foreign: {kind}")).or_default() += 1;
    }
    assert_eq!(counts.len(), 6, "{counts:?}");
    assert!(counts.values().all(|count| *count >= 10), "{counts:?}");
}

#[test]
fn fleets_cover_named_discovered_and_skipped_accounts() {
    let fleets = samples(300, fleet(Partition::Aws));
    let some =
        |what: fn(&WrittenFleet) -> bool| (5..295).contains(&fleets.iter().filter(|file| what(file)).count());
    assert!(some(WrittenFleet::is_named) && some(|file| !file.fleet.left_out.is_empty()));
    assert!(some(|file| file.fleet.members.values().any(|member| member.in_organization)));
    assert!(some(|file| file.fleet.organization.as_ref().is_some_and(|it| it.is_whole())));
    assert!(some(|file| file.fleet.hub.bucket.is_account_regional()));
}
