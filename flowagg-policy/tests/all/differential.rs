//! Compares decisions with iam-rs for the part of the policy language in which iam-rs follows AWS. Excluded
//! differences, with AWS's rule:
//!
//! - Principal maps with two types: iam-rs cannot parse them. "You can specify more than one principal for each of the
//!   principal types" (Principal).
//! - `{"AWS": "*"}` for a service, an account for the roles in it, a role for its sessions, and a `NotPrincipal` that
//!   lists a role without its account: iam-rs compares the strings. "Both delegate permissions to the account"
//!   (Principal); "you must also specify the account ARN of the not-denied principal" (NotPrincipal).
//! - Lowercase operators and `ForAnyValue:…IfExists`: iam-rs cannot parse them. Operator names are case-insensitive.
//! - ARN operators: iam-rs compares `ArnEquals` literally, and its `*` matches across colons. "The ArnEquals and
//!   ArnLike condition operators behave identically"; "each of the six colon-delimited components is checked
//!   separately".
//! - Variables in conditions: iam-rs treats them as text. "You can use a policy variable for Condition values in any
//!   condition that involves the string operators or the ARN operators" (Variables).
//! - Variables without a value: iam-rs substitutes an empty string, so it allows `AWSLogs//x`. In AWS, the value is
//!   null and equals nothing.
//! - Variables with a wildcard in their value, `${*}`, and multiple values: iam-rs treats them as wildcards or joins
//!   them.
//! - `Version` 2008-10-17 or none: iam-rs substitutes variables, or cannot parse the policy. "Variables are treated as
//!   literal strings" (Version).
//! - Multiple values without a set operator: iam-rs matches any of them. "Multivalued keys require a set operator."
//! - `Null` with both values, and invalid Booleans and numbers: iam-rs returns an error or only checks the first value.
//! - Resources that are not ARNs, and `*` and `?` in the first five parts: iam-rs parses ARNs by its own rules.

use flowagg_policy::Policy;
use iam_rs::{
    Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::support::{Ask, DELIVERY, action, cases};

fn statement() -> impl Strategy<Value = Value> {
    let principal = select(vec![
        json!("*"),
        json!({"Service": DELIVERY}),
        json!({"Service": ["cloudtrail.amazonaws.com", DELIVERY]}),
        json!({"AWS": "arn:aws:iam::111122223333:role/App"}),
    ]);
    let resource = vec(
        select(vec![
            "arn:aws:s3:::acme-logs",
            "arn:aws:s3:::acme-logs/*",
            "arn:aws:s3:::acme-logs/AWSLogs/111122223333/*",
            "arn:aws:s3:::acme-logs/AWSLogs/${aws:SourceAccount}/*",
            "arn:aws:s3:::acme-logs/AWSLogs/????????????/v*/a.gz",
            "arn:aws:s3:::acme-logs/AWSLogs/1*3/*",
            "*",
        ]),
        1..3,
    );
    let condition = prop_oneof![
        Just(json!({})),
        (
            select(vec![
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
                "StringEqualsIfExists",
                "StringNotEqualsIfExists",
                "StringLikeIfExists",
            ]),
            select(vec!["aws:SourceAccount", "aws:SourceOrgID", "s3:x-amz-acl"]),
            vec(
                select(vec![
                    "111122223333",
                    "1111*",
                    "222233334444",
                    "O-A1B2C3D4E5",
                    "bucket-owner-full-control",
                    "?ucket*"
                ]),
                1..3
            ),
        )
            .prop_map(|(operator, key, values)| json!({ operator: { key: values } })),
        (
            select(vec![
                "ForAnyValue:StringEquals",
                "ForAllValues:StringEquals",
                "ForAnyValue:StringLike",
                "ForAllValues:StringLike"
            ]),
            vec(select(vec!["o-a1b2c3d4e5/r-ab12/", "o-a1b2c3d4e5/*", "o-z*"]), 1..3),
        )
            .prop_map(|(operator, values)| json!({ operator: { "aws:SourceOrgPaths": values } })),
        (select(vec!["Bool", "BoolIfExists"]), any::<bool>())
            .prop_map(|(operator, value)| json!({ operator: { "aws:SecureTransport": value.to_string() } })),
        (select(vec!["aws:SourceAccount", "aws:SourceVpce"]), any::<bool>())
            .prop_map(|(key, value)| json!({ "Null": { key: value.to_string() } })),
        (
            select(vec!["IpAddress", "NotIpAddress", "IpAddressIfExists"]),
            select(vec!["10.0.0.0/8", "192.0.2.1/32"])
        )
            .prop_map(|(operator, value)| json!({ operator: { "aws:SourceIp": value } })),
    ];
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    (effect, principal, action(), resource, condition, any::<[u8; 2]>()).prop_map(
        |(effect, principal, action, resource, condition, not)| {
            json!({
                "Effect": effect,
                "Principal": principal,
                (if not[0] < 40 { "NotAction" } else { "Action" }): action,
                (if not[1] < 40 { "NotResource" } else { "Resource" }): resource,
                "Condition": condition,
            })
        },
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    let keys: [(&'static str, &'static [&'static str]); 6] = [
        ("aws:SourceOrgID", &["o-a1b2c3d4e5", "o-zzzzzzzzzz"]),
        ("s3:x-amz-acl", &["bucket-owner-full-control", "private"]),
        ("aws:SecureTransport", &["true", "false"]),
        ("aws:SourceVpce", &["vpce-1a2b3c4d"]),
        ("aws:SourceIp", &["10.1.2.3", "192.0.2.1"]),
        ("aws:SourceOrgPaths", &["o-a1b2c3d4e5/r-ab12/", "o-zzzzzzzzzz/r-ab12/"]),
    ];
    let most = |key| if key == "aws:SourceOrgPaths" { 3 } else { 2 };
    let values: Vec<_> =
        keys.iter().map(|(key, values)| vec(select(values.to_vec()), 0..most(*key))).collect();
    let principal =
        select(vec![DELIVERY, DELIVERY, "cloudtrail.amazonaws.com", "arn:aws:iam::111122223333:role/App"]);
    let action = select(vec!["s3:PutObject", "s3:GetBucketAcl", "s3:GetObject"]);
    let resource = select(vec![
        "arn:aws:s3:::acme-logs",
        "arn:aws:s3:::acme-logs/AWSLogs/111122223333/vpcflowlogs/a.gz",
        "arn:aws:s3:::acme-logs/AWSLogs/222233334444/vpcflowlogs/a.gz",
        "arn:aws:s3:::acme-logs/other",
    ]);
    let account = select(vec!["111122223333", "222233334444"]);
    (principal, action, resource, account, values).prop_map(
        move |(principal, action, resource, account, values)| {
            let named = keys.iter().map(|(key, _)| (*key).to_owned());
            let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect::<Vec<_>>();
            let context = named.zip(values.into_iter().map(owned)).filter(|(_, values)| !values.is_empty());
            let account = ("aws:SourceAccount".to_owned(), vec![account.to_owned()]);
            Ask {
                principal: principal.into(),
                action: action.into(),
                resource: resource.into(),
                context: context.chain([account]).collect(),
            }
        },
    )
}

fn theirs(ask: &Ask) -> IAMRequest {
    let id = PrincipalId::String(ask.principal.clone());
    let principal =
        if ask.principal.starts_with("arn:") { Principal::Aws(id) } else { Principal::Service(id) };
    let mut context = Context::new();
    for (key, values) in &ask.context {
        let value = match (key.as_str(), values.as_slice()) {
            ("aws:SecureTransport", [only]) => ContextValue::Boolean(only == "true"),
            ("aws:SourceOrgPaths", several) => ContextValue::StringList(several.to_vec()),
            (_, values) => ContextValue::String(values[0].clone()),
        };
        context.insert(key.clone(), value);
    }
    IAMRequest::new_with_context(principal, ask.action.clone(), Arn::parse(&ask.resource).unwrap(), context)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn decisions_agree_with_iam_rs(statements in vec(statement(), 1..4), asks in vec(ask(), 8)) {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let ours = Policy::compile(&text).unwrap();
        let policy: IAMPolicy = serde_json::from_str(&text).unwrap();
        let evaluator = PolicyEvaluator::with_policies(vec![policy]);
        for ask in asks {
            let theirs = match evaluator.evaluate(&theirs(&ask)).unwrap().decision {
                Decision::Allow => "Allow",
                Decision::Deny => "ExplicitDeny",
                Decision::NotApplicable => "ImplicitDeny",
            };
            prop_assert_eq!(ours.decide(&ask.request()).kind.to_string(), theirs, "{} {:?}", text, ask);
        }
    }
}
