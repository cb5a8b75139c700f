//! Invalid and damaged policies: nothing panics, and the JSON parser agrees with serde_json.

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::{OrganizationId, Region};
use flowagg_policy::{
    Extent, Grant, GrantedOrganization, Policy, Request, Unnamed, diff, granted_by, lint, merge, remove,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{ORGANIZATION, cases, live, stranger};

/// A grant in every form.
fn grant() -> impl Strategy<Value = Grant> {
    select(GrantForm::ALL.to_vec()).prop_map(|form| {
        let mut grant = crate::merging::grant(&["111122223333", "222233334444"]);
        let mut organization = GrantedOrganization::whole(OrganizationId::parse(ORGANIZATION).unwrap());
        organization.extent = Extent::Unlisted;
        grant.organization = Some(organization);
        grant.settings.form = form;
        grant.settings.deny_insecure_transport = true;
        grant
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn arbitrary_text_never_panics(text in hostile(), grant in grant()) {
        let _ = merge(Some(&text), &grant, Unnamed::Prune);
        let _ = remove(&text, &grant);
        let _ = granted_by(&text, &grant);
        let _ = diff(&text, &text);
        let _ = lint(&text, Some(&grant.bucket));
        if let Ok(policy) = Policy::compile(&text) {
            let region = Region::parse("eu-west-1").unwrap();
            let _ = policy.decide(&Request::put_object(&grant.bucket, stranger(), &region, "x"));
        }
    }

    #[test]
    fn json_parser_agrees_with_serde_json(text in hostile()) {
        let ours = !lint(&text, None).iter().any(|finding| finding.id == "invalid-json");
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // JSON does not limit numbers, but serde_json does: `numbers_of_any_size_are_kept_as_written`.
        prop_assume!(!theirs.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range")));
        prop_assert_eq!(ours, theirs.is_ok(), "{}", text);
    }
}

/// Random characters, incomplete JSON, and policies with bytes removed, inserted or duplicated.
fn hostile() -> impl Strategy<Value = String> {
    let damaged = (live(), grant(), any::<[prop::sample::Index; 2]>(), "\\PC{0,3}").prop_map(
        |(live, grant, at, put)| {
            let text = merge(Some(&live), &grant, Unnamed::Keep).map_or(live, |merged| merged.text);
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
    let pieces = select(vec![
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
fn numbers_of_any_size_are_kept_as_written() {
    let grant = crate::merging::grant(&["111122223333"]);
    for number in ["-0.5e+30101", "1e400", "123456789012345678901234567890", "0.1000000000000000000000001"] {
        let statement = format!(
            r#"{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{{"NumericLessThan":{{"s3:TlsVersion":{number}}}}}}}"#
        );
        let live = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        assert!(lint(&live, None).iter().all(|finding| finding.id != "invalid-json"), "{live}");
        let merged = merge(Some(&live), &grant, Unnamed::Keep).unwrap();
        assert!(merged.text.contains(&statement), "{}", merged.text);
    }
}

#[test]
fn deeply_nested_and_large_texts_are_rejected() {
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
