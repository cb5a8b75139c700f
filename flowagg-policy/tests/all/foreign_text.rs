//! Policies whose IDs, names and values are arbitrary text: they are kept as written.

use flowagg_core::id::Region;
use flowagg_policy::size::{compact, compact_len};
use flowagg_policy::{Policy, Request, Unnamed, diff, granted_by, lint, merge, remove};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::merging::grant;
use crate::support::{DELIVERY, cases, stranger};

/// Random characters, strings that programs often mishandle, and repetitions of one of them.
fn foreign() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "a",
        "7",
        " ",
        "/",
        ":",
        ",",
        "'",
        "\"",
        "\\",
        "`",
        "*",
        "?",
        "$",
        "${",
        "}",
        "${*}",
        "${aws:é, 'ö'}",
        "arn:",
        "AWSLogs/",
        "111122223333",
        "2024-01-01T00:00:00",
        "Z",
        "+",
        "-",
        ".",
        "10.0.0.0/8",
        "é",
        "e\u{301}",
        "界",
        "🦀",
        "\u{5d0}\u{5d1}",
        "\u{202e}",
        "\u{feff}",
        "\u{130}",
        "\u{df}",
        "\0",
        "\n",
        "\t",
        "\u{1b}[31m",
        "\u{10ffff}",
    ]);
    prop_oneof![
        2 => any::<String>(),
        4 => vec(odd.clone(), 0..12).prop_map(|words| words.concat()),
        1 => (odd, 1..300_usize).prop_map(|(odd, times)| odd.repeat(times)),
    ]
}

/// A word of the grammar, or arbitrary text in its place.
fn or_foreign(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![3 => select(words).prop_map(str::to_owned), 2 => foreign()]
}

fn statement() -> impl Strategy<Value = Value> {
    const OPERATORS: &[&str] = &[
        "StringEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "ArnLike",
        "ArnEquals",
        "DateLessThan",
        "NumericEquals",
        "Bool",
        "IpAddress",
        "BinaryEquals",
        "Null",
        "ForAnyValue:StringLike",
    ];
    let sid = or_foreign(&[
        "AWSLogDeliveryWrite",
        "AWSLogDeliveryWriteFlowaggAcmeLogs",
        "AWSLogDeliveryAclCheckFlowaggOther",
        "Readers",
    ]);
    let effect = or_foreign(&["Allow", "Deny"]);
    let principal =
        (or_foreign(&["Service", "AWS"]), or_foreign(&[DELIVERY, "*", "arn:aws:iam::111122223333:root"]));
    let action = or_foreign(&["s3:PutObject", "s3:*", "s3:GetBucketAcl"]);
    let resource = prop_oneof![
        1 => Just("arn:aws:s3:::acme-logs".to_owned()),
        2 => foreign().prop_map(|key| format!("arn:aws:s3:::acme-logs/{key}")),
        1 => foreign(),
    ];
    let key = or_foreign(&[
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:CurrentTime",
        "aws:SourceIp",
        "s3:x-amz-acl",
    ]);
    let condition = (or_foreign(OPERATORS), key, vec(foreign(), 1..3));
    (sid, effect, principal, action, resource, condition).prop_map(
        |(sid, effect, (kind, principal), action, resource, (operator, key, values))| {
            json!({
                "Sid": sid, "Effect": effect, "Principal": {kind: principal}, "Action": action, "Resource": resource,
                "Condition": {operator: {key: values}},
            })
        },
    )
}

/// The texts of the statements, and a policy that contains them.
fn policy() -> impl Strategy<Value = (Vec<String>, String)> {
    (foreign(), vec(statement(), 1..4)).prop_map(|(id, statements)| {
        let statements: Vec<String> = statements.iter().map(Value::to_string).collect();
        let text = format!(
            r#"{{"Version":"2012-10-17","Id":{},"Statement":[{}]}}"#,
            Value::from(id),
            statements.join(",")
        );
        (statements, text)
    })
}

proptest! {
    #![proptest_config(Config { cases: cases().cases / 4, ..cases() })]

    #[test]
    fn statements_with_arbitrary_text_stay_byte_for_byte((statements, live) in policy()) {
        let grant = grant(&["111122223333"]);
        if let Ok(merged) = merge(Some(&live), &grant, Unnamed::Keep) {
            for statement in statements.iter().filter(|statement| !statement.contains("FlowaggAcmeLogs")) {
                prop_assert!(merged.text.contains(statement), "{} in {}", statement, merged.text);
            }
            prop_assert!(!merge(Some(&merged.text), &grant, Unnamed::Keep).unwrap().changed);
            let _ = diff(&live, &merged.text);
        }
        let _ = (remove(&live, &grant), granted_by(&live, &grant));
    }

    #[test]
    fn policy_with_arbitrary_text_does_not_differ_from_itself((_, text) in policy(), (_, other) in policy()) {
        prop_assert!(diff(&text, &text).unwrap().is_empty());
        let _ = diff(&text, &other);
        let compact = compact(&text);
        prop_assert_eq!(compact_len(&text), compact.len());
        prop_assert_eq!(&compact, &text, "there is no whitespace between tokens");
    }

    #[test]
    fn finding_locations_are_within_the_text((_, text) in policy()) {
        let grant = grant(&["111122223333"]);
        for finding in lint(&text, Some(&grant.bucket)) {
            let line = text.split('\n').nth(finding.place.line - 1).unwrap_or_default();
            prop_assert!((1..=line.chars().count() + 1).contains(&finding.place.column), "{:?} in {}", finding, text);
        }
    }

    #[test]
    fn requests_with_arbitrary_text_are_decided((_, text) in policy(), asked in [foreign(), foreign(), foreign(), foreign()]) {
        let Ok(policy) = Policy::compile(&text) else { return Ok(()) };
        let [principal, action, key, value] = asked;
        let grant = grant(&["111122223333"]);
        let put = Request::put_object(&grant.bucket, stranger(), &Region::parse("eu-west-1").unwrap(), &key);
        let _ = policy.decide(&put.with("aws:SourceArn", &value).with("aws:CurrentTime", &value));
        let _ = policy.decide(&Request::new(&principal, &action, &key).with(&key, &value));
    }
}
