//! What must hold for every grant, every live policy and every request.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{AclCondition, GrantForm};
use flowagg_core::id::{AccountId, OrganizationId};
use flowagg_core::layout;
use flowagg_policy::size::compact_len;
use flowagg_policy::{
    DecisionKind, Grant, MergeError, Merged, Policy, Request, Severity, Unnamed, Who, diff, lint, merge,
    remove,
};
use proptest::prelude::*;
use serde_json::value::RawValue;

use crate::support::{DELIVERY, Live, ORGANIZATION, UNIT, ask, cases, grant, live, region, stranger};

/// The statements of a policy, as they stand in it.
fn statements(policy: &str) -> Vec<String> {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(policy).unwrap();
    let list = members["Statement"].get();
    let several = serde_json::from_str::<Vec<Box<RawValue>>>(list);
    several
        .map_or_else(|_| vec![list.to_owned()], |list| list.iter().map(|raw| raw.get().to_owned()).collect())
}

/// The folder that the account's flow logs go to under this grant.
fn folder(grant: &Grant, account: AccountId) -> String {
    let hive = if grant.hive { "aws-account-id=" } else { "" };
    format!("{}{hive}{account}/", layout::root(grant.prefix.as_ref()))
}

/// The account puts a log under its own folder, and before that the service reads the ACL.
fn deliveries(grant: &Grant, account: AccountId, belongs: bool) -> [Request; 2] {
    let key = format!("{}vpcflowlogs/x.log.gz", folder(grant, account));
    let requests = [
        Request::put_object(&grant.bucket, account, &region(), &key),
        Request::acl_check(&grant.bucket, account, &region()),
    ];
    let id = OrganizationId::parse(ORGANIZATION).unwrap();
    requests.map(|request| {
        if belongs { request.in_organization(&id, &format!("{id}/r-ab12/{UNIT}/")) } else { request }
    })
}

/// Merges; `None` where this grant cannot be merged into this policy, for a reason that is not a fault.
fn merged(live: Option<&str>, grant: &Grant) -> Option<Merged> {
    match merge(live, grant, Unnamed::Keep) {
        Ok(merged) => Some(merged),
        Err(MergeError::Version { .. } | MergeError::Shared { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// A live policy that has statements of ours already, for the same folder.
fn lived_in(live: &Live, earlier: &Grant, grant: &Grant) -> String {
    let earlier = Grant { prefix: grant.prefix.clone(), hive: grant.hive, ..earlier.clone() };
    merged(Some(&live.text), &earlier).map_or_else(|| live.text.clone(), |merged| merged.text)
}

/// Whether the grant lets in the organization, or the units, that the members of the tests are under.
fn lets_in_by_organization(grant: &Grant, form: GrantForm) -> Option<bool> {
    let units = match &grant.who {
        Who::Organization { units, .. } => units,
        Who::Accounts(_) => &grant.organization.as_ref().unwrap().units,
    };
    let by_organization = matches!(form, GrantForm::Organization | GrantForm::BoundOrganization);
    by_organization.then(|| units.is_empty() || units.iter().any(|unit| unit.as_str() == UNIT))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn merging_twice_changes_nothing(live in live(), earlier in grant(), grant in grant(), prune in any::<bool>()) {
        let before = lived_in(&live, &earlier, &grant);
        let absent = if prune { Unnamed::Prune } else { Unnamed::Keep };
        if let Ok(first) = merge(Some(&before), &grant, absent) {
            let second = merge(Some(&first.text), &grant, absent).unwrap();
            prop_assert!(!second.changed, "{}\n{}", first.text, second.text);
            prop_assert_eq!(&second.text, &first.text);
            prop_assert!(second.granted.is_empty() && second.revoked.is_empty());
            prop_assert_eq!(second.form, first.form);
            prop_assert!(diff(&first.text, &second.text).unwrap().is_empty());
        }
    }

    #[test]
    fn foreign_statements_stay_as_they_are_and_in_their_order(live in live(), earlier in grant(), grant in grant()) {
        let before = lived_in(&live, &earlier, &grant);
        if let Some(after) = merged(Some(&before), &grant) {
            let after = statements(&after.text);
            let kept: Vec<&String> = after.iter().filter(|text| live.statements.contains(text)).collect();
            prop_assert_eq!(kept, live.statements.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_not_log_delivery_is_decided_as_before(
        live in live(), earlier in grant(), grant in grant(), asks in proptest::collection::vec(ask(), 6),
    ) {
        let before = lived_in(&live, &earlier, &grant);
        if let Some(after) = merged(Some(&before), &grant) {
            let (before, after) = (Policy::compile(&before).unwrap(), Policy::compile(&after.text).unwrap());
            for mut ask in asks.into_iter().filter(|ask| ask.principal != DELIVERY) {
                ask.context.insert("aws:SecureTransport".into(), vec!["true".into()]);
                let request = ask.request();
                prop_assert_eq!(before.decide(&request).kind, after.decide(&request).kind, "{:?}", ask);
            }
        }
    }

    #[test]
    fn members_may_deliver_unless_a_foreign_deny_says_otherwise(live in live(), earlier in grant(), grant in grant()) {
        let before = lived_in(&live, &earlier, &grant);
        if let Some(after) = merged(Some(&before), &grant) {
            let (foreign, policy) = (Policy::compile(&live.text).unwrap(), Policy::compile(&after.text).unwrap());
            let named = grant.who.accounts().union(&after.kept);
            for account in named {
                let by_organization = lets_in_by_organization(&grant, after.form);
                if by_organization == Some(false) && matches!(grant.who, Who::Accounts(_)) {
                    continue;
                }
                for request in deliveries(&grant, *account, by_organization.is_some()) {
                    match policy.decide(&request).kind {
                        DecisionKind::Allow => {}
                        DecisionKind::ExplicitDeny => prop_assert_eq!(foreign.decide(&request).kind, DecisionKind::ExplicitDeny),
                        DecisionKind::ImplicitDeny => prop_assert!(false, "{}: {:?}", after.text, policy.decide(&request)),
                    }
                }
            }
        }
    }

    #[test]
    fn strangers_are_treated_as_before(live in live(), grant in grant()) {
        if let Some(after) = merged(Some(&live.text), &grant) {
            let (before, policy) = (Policy::compile(&live.text).unwrap(), Policy::compile(&after.text).unwrap());
            let [own, check] = deliveries(&grant, stranger(), false);
            let member = *grant.who.accounts().first().unwrap();
            let key = format!("{}x", folder(&grant, member));
            let others = Request::put_object(&grant.bucket, stranger(), &region(), &key);
            // Without source conditions, the folder of a member and the ACL are open to all: so AWS had it until 2022.
            let requests = if grant.settings.source_conditions || grant.settings.source_arn { vec![own, check, others] } else { vec![own] };
            for request in requests {
                let (was, is) = (before.decide(&request).kind, policy.decide(&request).kind);
                let denied = after.form == GrantForm::BoundDeny && is == DecisionKind::ExplicitDeny;
                prop_assert!(was == is || denied, "{:?} {:?} {}", was, is, after.text);
            }
        }
    }

    #[test]
    fn adding_and_removing_gives_the_first_text_back(live in live(), grant in grant()) {
        if let Some(after) = merged(Some(&live.text), &grant) {
            prop_assert!(after.changed);
            let back = remove(&after.text, &grant).unwrap().unwrap();
            prop_assert!(diff(&live.text, &back).unwrap().is_empty());
            prop_assert_eq!(statements(&back), statements(&live.text));
            if live.is_list {
                prop_assert_eq!(&back, &live.text);
            }
        }
        let alone = merged(None, &grant).unwrap();
        prop_assert_eq!(remove(&alone.text, &grant).unwrap(), None);
    }

    #[test]
    fn a_grant_is_read_back_as_it_was_written(grant in grant()) {
        let written = merged(None, &grant).unwrap();
        let read = grant.granted_by(&written.text).unwrap().unwrap();
        prop_assert_eq!(&merged(None, &read).unwrap().text, &written.text);
        prop_assert_eq!(read.settings.form, written.form);
        let by_name = if lets_in_by_organization(&grant, written.form).is_some() && matches!(grant.who, Who::Accounts(_)) {
            BTreeSet::new()
        } else {
            grant.who.accounts().clone()
        };
        prop_assert_eq!(read.who.accounts(), &by_name);
    }

    #[test]
    fn the_difference_names_whom_the_merge_lets_in_and_out(earlier in grant(), grant in grant()) {
        let none = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
        let none = Live { text: none.to_owned(), statements: Vec::new(), is_list: true };
        let before = lived_in(&none, &earlier, &grant);
        let after = merge(Some(&before), &grant, Unnamed::Prune).unwrap();
        let difference = diff(&before, &after.text).unwrap();
        prop_assert_eq!(difference.is_empty(), !after.changed);
        // An organization lets accounts in that no statement names.
        if before == none.text && lets_in_by_organization(&grant, after.form).is_none() {
            prop_assert_eq!(&difference.granted, &after.granted);
        }
        let organizations = [before.as_str(), after.text.as_str()].iter().any(|text| text.contains("aws:SourceOrg"));
        if !organizations {
            prop_assert_eq!((&difference.granted, &difference.revoked), (&after.granted, &after.revoked));
        }
    }

    #[test]
    fn what_we_write_has_no_fault(grant in grant()) {
        let written = merged(None, &grant).unwrap();
        let excused = ["no-confused-deputy-condition", "no-acl-condition"];
        let careful = grant.settings.source_conditions && grant.settings.acl_condition != AclCondition::None;
        for finding in lint(&written.text, Some(&grant.bucket)) {
            let excused = !careful && excused.contains(&finding.id);
            prop_assert!(finding.severity == Severity::Note || excused, "{:?} {}", finding, written.text);
        }
        let statements = statements(&written.text);
        prop_assert_eq!(grant.statements().unwrap(), statements);
    }

    #[test]
    fn the_size_is_that_of_the_text_without_whitespace(live in live(), grant in grant()) {
        let alone = merged(None, &grant).unwrap();
        prop_assert_eq!(alone.bytes, alone.text.len());
        if let Some(after) = merged(Some(&live.text), &grant) {
            prop_assert_eq!(after.bytes, compact_len(&after.text));
            // Nothing but the single statement's missing brackets is added to what was there.
            let ours: usize = statements(&after.text).iter().filter(|text| !live.statements.contains(text)).map(|text| text.len() + 1).sum();
            let brackets = if live.is_list { 0 } else { 2 };
            prop_assert_eq!(after.bytes, compact_len(&live.text) + ours + brackets);
        }
    }

    #[test]
    fn fleets_in_different_folders_do_not_touch_each_other(live in live(), one in grant(), other in grant()) {
        prop_assume!(one.prefix != other.prefix || one.hive != other.hive);
        if let Some(first) = merged(Some(&live.text), &one)
            && let Ok(both) = merge(Some(&first.text), &other, Unnamed::Prune)
        {
            prop_assert!(both.revoked.is_empty());
            match merge(Some(&both.text), &one, Unnamed::Prune) {
                Ok(again) => prop_assert!(!again.changed),
                Err(error) => prop_assert!(first.form == GrantForm::BoundDeny, "{}", error),
            }
            let back = remove(&both.text, &other).unwrap().unwrap();
            prop_assert_eq!(back, first.text);
        }
    }

    #[test]
    fn any_text_in_and_no_panic(text in hostile(), grant in grant()) {
        let _ = merge(Some(&text), &grant, Unnamed::Prune);
        let _ = remove(&text, &grant);
        let _ = grant.granted_by(&text);
        let _ = diff(&text, &text);
        let _ = lint(&text, Some(&grant.bucket));
        if let Ok(policy) = Policy::compile(&text) {
            let _ = policy.decide(&Request::put_object(&grant.bucket, stranger(), &region(), "x"));
        }
    }

    #[test]
    fn what_is_json_is_what_serde_json_takes_for_it(text in hostile()) {
        let ours = !lint(&text, None).iter().any(|finding| finding.id == "invalid-json");
        let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        prop_assert_eq!(ours, theirs, "{}", text);
    }
}

/// Any characters at all, JSON with holes in it, and policies with bytes taken out, put in or doubled.
fn hostile() -> impl Strategy<Value = String> {
    let damaged = (live(), grant(), any::<[prop::sample::Index; 2]>(), "\\PC{0,3}").prop_map(
        |(live, grant, at, put)| {
            let text = merged(Some(&live.text), &grant).map_or(live.text, |merged| merged.text);
            let characters: Vec<char> = text.chars().collect();
            let (a, b) = (at[0].index(characters.len()), at[1].index(characters.len()));
            let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 40));
            characters[..from]
                .iter()
                .copied()
                .chain(put.chars())
                .chain(characters[to..].iter().copied())
                .collect()
        },
    );
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"Statement\"",
        "\"Sid\"",
        "\"\"",
        "null",
        "true",
        "-0.5e+3",
        "1",
        "\"${\"",
        "\"arn:::*\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\u00\"",
        " ",
        "\n",
        "\"Condition\"",
        "\"Principal\"",
        "\"Version\":\"2012-10-17\"",
        "01",
    ]);
    prop_oneof![
        3 => damaged,
        1 => any::<String>(),
        2 => prop::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat()),
    ]
}

#[test]
fn great_depth_and_great_size_are_refused() {
    let grant = crate::merging::grant(&["111122223333"]);
    for text in [
        "[".repeat(2_000_000),
        "{\"Statement\":".repeat(100_000),
        format!("{{\"Statement\":[{}{{}}]}}", "{},".repeat(600_000)),
    ] {
        assert!(merge(Some(&text), &grant, Unnamed::Keep).is_err());
        assert!(Policy::compile(&text).is_err() && diff(&text, &text).is_err());
        assert!(!lint(&text, None).is_empty());
    }
}
