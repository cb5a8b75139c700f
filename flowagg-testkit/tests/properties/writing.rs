//! The statements of a grant, alone in a policy.

use flowagg_core::fleet::AclCondition;
use flowagg_policy::size::LIMIT;
use flowagg_policy::{Policy, Severity, Unnamed, granted_by, lint, merge, remove};
use flowagg_testkit::arbitrary::policy::{ours, statements};
use flowagg_testkit::arbitrary::{Scene, request};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::decided;
use crate::{cases, merged};

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn written_policy_has_no_lint_findings(live in Scene::each(ours)) {
        let grant = live.grant.unwrap();
        let excused = ["no-confused-deputy-condition", "no-acl-condition"];
        let careful = grant.settings.source_conditions && grant.settings.acl_condition != AclCondition::None;
        for finding in lint(&live.text, Some(&grant.bucket)) {
            let excused = !careful && excused.contains(&finding.id);
            prop_assert!(finding.severity == Severity::Note || excused, "{:?} {}", finding, live.text);
        }
        prop_assert_eq!(flowagg_policy::statements(&grant).unwrap(), statements(&live.text).unwrap());
    }

    #[test]
    fn written_policy_decides_as_the_grant_at_any_size(
        (live, asked) in Scene::each(|scene| (ours(scene), vec(request(scene), 8))),
    ) {
        let grant = live.grant.unwrap();
        let written = merged(None, &grant, Unnamed::Keep).unwrap();
        let policy = Policy::compile(&live.text).unwrap();
        let nothing = Policy::compile(r#"{"Statement":[]}"#).unwrap();
        let accounts: Vec<_> = grant.accounts.iter().collect();
        for (n, mut asked) in asked.into_iter().enumerate() {
            // Every second request is for an account of this grant, however many it has.
            if n % 2 == 0 && !accounts.is_empty() {
                asked.account = *accounts[n * 97 % accounts.len()];
            }
            let (asked, request) = (asked.clone().near(&grant), asked.near(&grant).request());
            let expected = decided(nothing.decide(&request).kind, &grant, written.form, &asked);
            prop_assert_eq!(policy.decide(&request).kind, expected, "{:?}\n{}", asked, live.text);
        }
    }

    #[test]
    fn written_policy_is_compact_and_has_the_stated_size(live in Scene::each(ours)) {
        let grant = live.grant.unwrap();
        let written = merged(None, &grant, Unnamed::Keep).unwrap();
        prop_assert_eq!((written.bytes, &written.text), (written.text.len(), &live.text));
        prop_assert!(written.changed && written.bytes <= LIMIT);
        prop_assert_eq!(remove(&written.text, &grant).unwrap(), None);
    }

    #[test]
    fn grant_is_read_back_as_written(live in Scene::each(ours)) {
        let grant = live.grant.unwrap();
        let written = merged(None, &grant, Unnamed::Keep).unwrap();
        let read = granted_by(&live.text, &grant).unwrap().unwrap();
        prop_assert_eq!(&merge(None, &read, Unnamed::Keep).unwrap().text, &live.text);
        prop_assert_eq!(read.settings.form, written.form);
        prop_assert_eq!(&read.accounts, grant.named(written.form));
    }
}
