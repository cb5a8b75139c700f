//! Merging a grant into a live policy.

use std::collections::BTreeSet;

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::{FleetName, Region};
use flowagg_policy::size::compact_len;
use flowagg_policy::{
    DecisionKind, FormReason, Grant, MergeError, Merged, Policy, Unnamed, diff, merge, remove,
};
use flowagg_testkit::arbitrary::policy::{foreign, lived_in, mixed, statements};
use flowagg_testkit::arbitrary::{PlainRequest, Scene, crowded_grant, grant, grown, request};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;

use crate::model::{allowed, decided, units};
use crate::{cases, merged, without_ours};

fn unnamed() -> impl Strategy<Value = Unnamed> {
    select(vec![Unnamed::Keep, Unnamed::Prune])
}

/// A region from which the account may deliver.
fn region(grant: &Grant, account: flowagg_core::id::AccountId, any: &Region) -> Region {
    let declared = grant.regions.as_ref().and_then(|regions| regions.get(&account)?.first().cloned());
    declared.unwrap_or_else(|| any.clone())
}

/// Whether a fleet that grew and shrank has its policy back, or the same grant in the form that it grew into.
fn is_where_it_was(again: &Merged, small: &Merged, large: &Merged) -> bool {
    if large.form == small.form {
        return again.text == small.text;
    }
    again.form == large.form && again.form_reason == FormReason::Live && again.kept.is_empty()
}

/// The grant combined with what remains of an earlier one in this form: its accounts and their regions.
fn with_kept(grant: &Grant, earlier: &Grant, form: GrantForm, after: &Merged) -> Grant {
    let mut all = grant.clone();
    if let (Some(regions), Some(had)) = (&mut all.regions, &earlier.regions) {
        let any = BTreeSet::new();
        for account in earlier.named(form) {
            let had = had.get(account).unwrap_or(&any);
            // An empty list means every region, and so does none.
            match regions.get_mut(account) {
                _ if after.kept.contains(account) => drop(regions.insert(*account, had.clone())),
                Some(given) if !given.is_empty() && had.is_empty() => given.clear(),
                Some(given) if !given.is_empty() => given.extend(had.iter().cloned()),
                _ => {}
            }
        }
    }
    grown(&all, after.kept.clone())
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn merge_adds_only_the_grants_decisions(
        (live, grant, asked) in Scene::each(|scene| (foreign(scene), grant(scene), vec(request(scene), 12))),
    ) {
        if let Some(after) = merged(Some(&live.text), &grant, Unnamed::Keep) {
            let (before, policy) = (Policy::compile(&live.text).unwrap(), Policy::compile(&after.text).unwrap());
            for (n, asked) in asked.into_iter().enumerate() {
                let asked = if n % 4 == 0 { asked } else { asked.near(&grant) };
                let request = asked.request();
                let expected = decided(before.decide(&request).kind, &grant, after.form, &asked);
                prop_assert_eq!(policy.decide(&request).kind, expected, "{:?}\n{}", asked, after.text);
            }
        }
    }

    #[test]
    fn prune_removes_everything_of_an_earlier_grant(
        ((live, grant), asked) in Scene::each(|scene| (lived_in(scene), vec(request(scene), 12))),
    ) {
        if let Some(after) = merged(Some(&live.text), &grant, Unnamed::Prune) {
            prop_assert!(after.kept.is_empty());
            let before = Policy::compile(&without_ours(&live)).unwrap();
            let policy = Policy::compile(&after.text).unwrap();
            for asked in asked.into_iter().map(|asked| asked.near(&grant)) {
                let request = asked.request();
                let expected = decided(before.decide(&request).kind, &grant, after.form, &asked);
                prop_assert_eq!(policy.decide(&request).kind, expected, "{:?}\n{}", asked, after.text);
            }
        }
    }

    #[test]
    fn unnamed_accounts_keep_their_grant_until_pruned(
        ((live, grant), asked) in Scene::each(|scene| (lived_in(scene), vec(request(scene), 12))),
    ) {
        let Some(earlier) = &live.grant else { return Ok(()) };
        if let Some(after) = merged(Some(&live.text), &grant, Unnamed::Keep) {
            let form = merged(None, earlier, Unnamed::Keep).unwrap().form;
            prop_assert_eq!(&after.kept, &(earlier.named(form) - &allowed(&grant, after.form)), "{}", after.text);
            // An organization that is kept is not part of the merged grant; it has its own tests.
            if after.notes.iter().any(|note| note.contains("is kept so that")) {
                return Ok(());
            }
            let all = with_kept(&grant, earlier, form, &after);
            let before = Policy::compile(&without_ours(&live)).unwrap();
            let policy = Policy::compile(&after.text).unwrap();
            for asked in asked.into_iter().map(|asked| asked.near(&grant)) {
                let request = asked.request();
                let expected = decided(before.decide(&request).kind, &all, after.form, &asked);
                prop_assert_eq!(policy.decide(&request).kind, expected, "{:?}\n{}", asked, after.text);
            }
        }
    }

    #[test]
    fn granted_accounts_may_deliver_unless_a_foreign_statement_denies_it(
        ((live, grant), any, unit) in Scene::each(|scene| {
            (lived_in(scene), select(scene.regions.clone()), select(scene.units.clone()))
        }),
    ) {
        if let Some(after) = merged(Some(&live.text), &grant, Unnamed::Keep) {
            let foreign = Policy::compile(&without_ours(&live)).unwrap();
            let policy = Policy::compile(&after.text).unwrap();
            let organization = grant.organization.as_ref().map(|it| it.id.clone());
            let unit = units(&grant).pop_first().unwrap_or(unit);
            let accounts = &allowed(&grant, after.form) | &after.kept;
            for account in accounts {
                // An account granted by ID must not need the organization.
                let is_named = grant.named(after.form).contains(&account) || after.kept.contains(&account);
                let organization = organization.as_ref().filter(|_| after.form.is_by_organization() && !is_named);
                // For an account that is kept without being named, only the conditions of the live policy apply.
                let grant_of = if after.kept.contains(&account) { live.grant.as_ref().unwrap() } else { &grant };
                for mut asked in PlainRequest::deliveries(&grant, account, &region(grant_of, account, &any)) {
                    asked.organization = organization.map(|id| (id.clone(), unit.clone()));
                    let request = asked.request();
                    match policy.decide(&request).kind {
                        DecisionKind::Allow => {}
                        DecisionKind::ExplicitDeny => {
                            prop_assert_eq!(foreign.decide(&request).kind, DecisionKind::ExplicitDeny, "{:?}\n{}", asked, after.text);
                        }
                        DecisionKind::ImplicitDeny | DecisionKind::Depends => {
                            prop_assert!(false, "{:?}\n{}", asked, after.text)
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn stranger_gains_no_access_from_a_merge(
        ((live, grant), stranger, region) in Scene::each(|scene| {
            (lived_in(scene), select(scene.strangers.clone()), select(scene.regions.clone()))
        }),
    ) {
        // Without source conditions, any account may read the ACL and write to a member's folder, as in AWS's
        // documentation until 2022.
        if !grant.settings.source_conditions {
            return Ok(());
        }
        if let Some(after) = merged(Some(&live.text), &grant, Unnamed::Keep) {
            // An earlier grant in form `bound-deny` denied strangers what foreign statements allow.
            let before = [&without_ours(&live), &live.text].map(|text| Policy::compile(text).unwrap());
            let policy = Policy::compile(&after.text).unwrap();
            let own = PlainRequest::deliveries(&grant, stranger, &region);
            let others = grant.accounts.iter().map(|member| {
                let mut other = own[1].clone();
                other.folder = *member;
                other
            });
            for asked in own.iter().cloned().chain(others) {
                let request = asked.request();
                let could = before.iter().any(|policy| policy.decide(&request).is_allowed());
                let can = policy.decide(&request).is_allowed();
                prop_assert!(could || !can, "{:?}\n{}", asked, after.text);
            }
        }
    }

    #[test]
    fn foreign_statements_are_kept_byte_for_byte_and_in_order(
        ((live, grant), unnamed) in Scene::each(|scene| (lived_in(scene), unnamed())),
    ) {
        if let Some(after) = merged(Some(&live.text), &grant, unnamed) {
            let all = statements(&after.text).unwrap();
            let kept: Vec<_> = all.iter().filter(|text| live.foreign.contains(text)).collect();
            prop_assert_eq!(kept, live.foreign.iter().collect::<Vec<_>>());
            // The text before the list is kept as well.
            let head = |text: &str| text.split("\"Statement\"").next().unwrap_or_default().to_owned();
            prop_assert_eq!(head(&after.text), head(&live.text));
        }
    }

    #[test]
    fn merging_twice_changes_nothing(
        ((live, grant), unnamed) in Scene::each(|scene| (lived_in(scene), unnamed())),
    ) {
        if let Some(first) = merged(Some(&live.text), &grant, unnamed) {
            let second = merge(Some(&first.text), &grant, unnamed).unwrap();
            prop_assert!(!second.changed, "{}\n{}", first.text, second.text);
            prop_assert_eq!(&second.text, &first.text);
            prop_assert!(second.granted.is_empty() && second.revoked.is_empty());
            prop_assert_eq!((second.form, second.bytes), (first.form, first.bytes));
        }
    }

    #[test]
    fn diff_is_empty_exactly_if_the_merge_changed_nothing(
        ((live, grant), unnamed) in Scene::each(|scene| (lived_in(scene), unnamed())),
    ) {
        if let Some(after) = merged(Some(&live.text), &grant, unnamed) {
            prop_assert_eq!(diff(&live.text, &after.text).unwrap().is_empty(), !after.changed, "{}\n{}", live.text, after.text);
            prop_assert_eq!(after.text == live.text, !after.changed);
            prop_assert!(diff(&after.text, &after.text).unwrap().is_empty());
        }
    }

    #[test]
    fn diff_names_granted_and_revoked_accounts(
        (one, other) in Scene::each(|scene| (grant(scene), grant(scene))),
    ) {
        let mut other = other;
        other.prefix = one.prefix.clone();
        other.hive = one.hive;
        let first = merged(None, &one, Unnamed::Keep).unwrap();
        let second = merged(Some(&first.text), &other, Unnamed::Prune).unwrap();
        // An organization grants access to accounts that no statement names.
        if ![&first, &second].iter().any(|merged| merged.text.contains("aws:SourceOrg")) {
            let difference = diff(&first.text, &second.text).unwrap();
            // With regions, an account may also gain or lose some of them.
            if one.regions.is_none() && other.regions.is_none() {
                prop_assert_eq!((&difference.granted, &difference.revoked), (&second.granted, &second.revoked));
            }
            prop_assert_eq!(&second.granted, &(&other.accounts - &one.accounts));
            prop_assert_eq!(&second.revoked, &(&one.accounts - &other.accounts));
        }
    }

    #[test]
    fn merge_and_remove_restore_the_policy_byte_for_byte(
        (live, grant) in Scene::each(|scene| (foreign(scene), grant(scene))),
    ) {
        if let Some(after) = merged(Some(&live.text), &grant, Unnamed::Keep) {
            prop_assert!(after.changed);
            let back = remove(&after.text, &grant).unwrap().unwrap();
            // A single statement is now in brackets.
            let only = &live.foreign[0];
            let before = if live.is_list { live.text.clone() } else { live.text.replacen(only, &format!("[{only}]"), 1) };
            prop_assert_eq!(&back, &before);
            prop_assert!(diff(&live.text, &back).unwrap().is_empty());
        }
    }

    #[test]
    fn stated_size_is_that_of_the_compact_text(
        (live, grant) in Scene::each(|scene| (mixed(scene), grant(scene))),
    ) {
        if let Some(after) = merged(Some(&live.text), &grant, Unnamed::Prune) {
            prop_assert_eq!(after.bytes, compact_len(&after.text));
            let value: serde_json::Value = serde_json::from_str(&after.text).unwrap();
            prop_assert!(after.bytes >= value.to_string().len(), "escapes count, and nothing counts less");
        }
    }

    #[test]
    fn two_fleets_do_not_touch_each_other(
        (live, one, other) in Scene::each(|scene| (foreign(scene), grant(scene), grant(scene))),
    ) {
        let mut other = other;
        other.fleet = FleetName::parse("quite-another").unwrap();
        if let Some(first) = merged(Some(&live.text), &one, Unnamed::Keep)
            && let Ok(both) = merge(Some(&first.text), &other, Unnamed::Prune)
        {
            prop_assert!(both.revoked.is_empty());
            match merge(Some(&both.text), &one, Unnamed::Prune) {
                Ok(again) => prop_assert!(!again.changed),
                Err(MergeError::Shared { .. }) => prop_assert_eq!(first.form, GrantForm::BoundDeny),
                Err(error) => prop_assert!(false, "{}", error),
            }
            prop_assert_eq!(remove(&both.text, &other).unwrap().unwrap(), first.text);
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn growing_and_pruning_restores_the_policy(
        ((live, grant), more) in Scene::each(|scene| {
            let more = btree_set(select(scene.accounts.iter().chain(&scene.strangers).copied().collect::<Vec<_>>()), 1..4);
            (lived_in(scene), more)
        }),
    ) {
        if let Some(small) = merged(Some(&live.text), &grant, Unnamed::Prune) {
            let large = merged(Some(&small.text), &grown(&grant, more), Unnamed::Keep).unwrap();
            let again = merged(Some(&large.text), &grant, Unnamed::Prune).unwrap();
            prop_assert!(is_where_it_was(&again, &small, &large), "via {}", large.text);
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn fleet_of_any_size_fits_or_is_rejected_with_its_size(
        (live, grant, crowd) in Scene::each(|scene| (foreign(scene), grant(scene), crowded_grant(scene, 1..900))),
    ) {
        if let Some(small) = merged(Some(&live.text), &grant, Unnamed::Keep) {
            match merge(Some(&small.text), &grown(&grant, crowd.accounts.clone()), Unnamed::Keep) {
                Ok(large) => {
                    prop_assert!(large.bytes <= flowagg_policy::size::LIMIT && large.revoked.is_empty());
                    let again = merged(Some(&large.text), &grant, Unnamed::Prune).unwrap();
                    prop_assert!(is_where_it_was(&again, &small, &large));
                }
                Err(MergeError::TooLarge { bytes, limit, reserved, .. }) => {
                    prop_assert!(bytes + reserved > limit);
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
    }
}
