//! Strategies for policies and requests that share a small set of names, so that they often match.

use std::collections::BTreeMap;

use flowagg_core::id::AccountId;
use flowagg_policy::Request;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use serde_json::{Value, json};

/// 2,000 cases for each property; set `PROPTEST_CASES` for more.
pub(crate) fn cases() -> Config {
    let least = 2_000;
    let config = Config::default();
    Config { cases: config.cases.max(least), failure_persistence: None, ..config }
}

pub(crate) const BUCKET: &str = "acme-logs";
pub(crate) const DELIVERY: &str = "delivery.logs.amazonaws.com";
pub(crate) const ORGANIZATION: &str = "o-a1b2c3d4e5";

/// The accounts that are used in grants, policies and requests.
pub(crate) fn account() -> impl Strategy<Value = AccountId> {
    select(vec![
        "000000000001",
        "111122223333",
        "222233334444",
        "333344445555",
        "444455556666",
        "555566667777",
    ])
    .prop_map(|text| AccountId::parse(text).unwrap())
}

/// An account that no grant and no policy names.
pub(crate) fn stranger() -> AccountId {
    AccountId::parse("999988887777").unwrap()
}

/// A string or a list; AWS accepts both.
fn one_or_more(values: Vec<Value>) -> Value {
    match values.as_slice() {
        [only] => only.clone(),
        _ => Value::Array(values),
    }
}

fn some(values: Vec<&'static str>) -> impl Strategy<Value = Value> {
    vec(select(values).prop_map(|text| json!(text)), 1..3).prop_map(one_or_more)
}

fn principal() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("*")),
        Just(json!({"AWS": "*"})),
        some(vec![DELIVERY, "cloudtrail.amazonaws.com"]).prop_map(|services| json!({ "Service": services })),
        some(vec!["111122223333", "arn:aws:iam::222233334444:root", "arn:aws:iam::111122223333:role/App"])
            .prop_map(|principals| json!({ "AWS": principals })),
        Just(
            json!({"Service": DELIVERY, "AWS": ["arn:aws:iam::111122223333:role/team/App", "222233334444"]})
        ),
    ]
}

pub(crate) fn action() -> impl Strategy<Value = Value> {
    some(vec!["s3:PutObject", "s3:GetBucketAcl", "s3:*", "S3:put*", "s3:GetObject", "*", "s3:?utObject"])
}

pub(crate) fn resource() -> impl Strategy<Value = Value> {
    some(vec![
        "arn:aws:s3:::acme-logs",
        "arn:aws:s3:::acme-logs/*",
        "arn:aws:s3:::acme-logs/AWSLogs/111122223333/*",
        "arn:aws:s3:::acme-logs/AWSLogs/${aws:SourceAccount}/*",
        "arn:aws:s3:::acme-logs/AWSLogs/${aws:SourceAccount, 'x'}/*",
        "arn:aws:s3:::acme-logs/network/AWSLogs/*",
        "arn:aws:s3:::acme-logs/?WSLogs/*/a*z",
        "arn:aws:s3:::acme-logs/x/${*}",
        "*",
    ])
}

fn condition() -> impl Strategy<Value = Value> {
    let texts = || {
        some(vec![
            "111122223333",
            "222233334444",
            "1111*",
            "${aws:ResourceAccount}",
            "o-a1b2c3d4e5",
            "",
            "x?",
        ])
    };
    let of_text = select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringNotLikeIfExists",
        "ForAnyValue:StringEquals",
        "ForAllValues:StringLike",
        "ForAnyValue:StringNotEquals",
        "ForAnyValue:StringLikeIfExists",
        "ForAllValues:StringNotLikeIfExists",
        "stringequals",
    ]);
    let key = select(vec!["aws:SourceAccount", "AWS:sourceorgid", "aws:SourceOrgPaths", "s3:x-amz-acl"]);
    let arns = some(vec![
        "arn:aws:logs:eu-west-1:111122223333:*",
        "arn:aws:logs:*:222233334444:*",
        "arn:aws:logs:*:${aws:SourceAccount}:*",
        "arn:aws:*:111122223333:*",
        "arn:aws:l*s:eu-west-?:*:log*",
        "*",
    ]);
    let of_arn =
        select(vec!["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEqualsIfExists", "ForAnyValue:ArnLike"]);
    let of_number = select(vec![
        "NumericLessThan",
        "NumericGreaterThanEquals",
        "NumericNotEquals",
        "NumericEqualsIfExists",
    ]);
    prop_oneof![
        Just(json!({})),
        (of_text, key, texts()).prop_map(|(operator, key, values)| json!({ operator: { key: values } })),
        (of_arn, arns).prop_map(|(operator, values)| json!({ operator: { "aws:SourceArn": values } })),
        (
            select(vec!["Bool", "BoolIfExists"]),
            select(vec!["aws:SecureTransport", "aws:PrincipalIsAWSService"]),
            any::<bool>()
        )
            .prop_map(|(operator, key, value)| json!({ operator: { key: value } })),
        (select(vec!["aws:SourceAccount", "aws:SourceVpce"]), any::<bool>())
            .prop_map(|(key, value)| json!({ "Null": { key: value.to_string() } })),
        (of_number, select(vec![json!(1.2), json!("1.3"), json!(["1", "1.20"])]))
            .prop_map(|(operator, value)| json!({ operator: { "s3:TlsVersion": value } })),
        (select(vec!["IpAddress", "NotIpAddress"]), some(vec!["10.0.0.0/8", "192.0.2.1"]))
            .prop_map(|(operator, value)| json!({ operator: { "aws:SourceIp": value } })),
        Just(
            json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}, "Bool": {"aws:PrincipalIsAWSService": "false"}})
        ),
    ]
}

/// A foreign statement: with another Sid, or with a managed Sid and different contents.
pub(crate) fn foreign_statement() -> impl Strategy<Value = Value> {
    let sid = select(vec![
        "",
        "Team",
        "AWSLogDeliveryWrite",
        "AWSLogDeliveryAclCheck2",
        "Tls",
        "AWSLogDeliveryWriteFlowaggOther2",
    ]);
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    (sid, effect, principal(), action(), resource(), condition(), any::<[u8; 3]>()).prop_map(
        |(sid, effect, principal, action, resource, condition, not)| {
            let name = |plain: &'static str, negated: &'static str, chance: u8| {
                if chance < 30 { negated } else { plain }
            };
            let mut statement = json!({
                "Effect": effect,
                name("Principal", "NotPrincipal", not[0]): principal,
                name("Action", "NotAction", not[1]): action,
                name("Resource", "NotResource", not[2]): resource,
                "Condition": condition,
            });
            // With a managed Sid, add an element that managed statements never have.
            if sid.starts_with("AWS") {
                statement["Note"] = json!([1, 2.0, {"deep": null}]);
            }
            if !sid.is_empty() {
                statement["Sid"] = json!(sid);
            }
            statement
        },
    )
}

/// A policy of foreign statements as text: compact or pretty, as a list or a single statement.
pub(crate) fn live() -> impl Strategy<Value = String> {
    (vec(foreign_statement(), 1..4), any::<[bool; 3]>()).prop_map(|(statements, [pretty, alone, old])| {
        let write = |value: &Value| {
            if pretty { serde_json::to_string_pretty(value).unwrap() } else { value.to_string() }
        };
        let statements: Vec<String> = statements.iter().map(write).collect();
        let list = statements.join(if pretty { " ,\n\t" } else { "," });
        let list = if statements.len() > 1 || !alone { format!("[ {list}\n]") } else { list };
        let version = if old { "" } else { "\"Version\": \"2012-10-17\"," };
        format!("{{{version}\"Statement\":{list}, \"Id\": \"a\\u0062c\" }}\n")
    })
}

/// A request that can be converted for each of the evaluators.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) principal: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

impl Ask {
    pub(crate) fn request(&self) -> Request {
        let request = Request::new(&self.principal, &self.action, &self.resource);
        self.context
            .iter()
            .fold(request, |request, (key, values)| request.with_all(key, values.iter().map(String::as_str)))
    }
}

/// A request with names from the same set as the policies.
pub(crate) fn ask() -> impl Strategy<Value = Ask> {
    let principal = select(vec![
        DELIVERY,
        DELIVERY,
        "cloudtrail.amazonaws.com",
        "arn:aws:iam::111122223333:role/App",
        "arn:aws:sts::111122223333:assumed-role/App/session",
        "222233334444",
        "arn:aws:iam::333344445555:user/Eve",
        "*",
    ]);
    let action = select(vec!["s3:PutObject", "s3:GetBucketAcl", "s3:GetObject", "S3:PutObject"]);
    let resource = select(vec![
        "arn:aws:s3:::acme-logs",
        "arn:aws:s3:::acme-logs/AWSLogs/111122223333/vpcflowlogs/a.gz",
        "arn:aws:s3:::acme-logs/AWSLogs/222233334444/a-z",
        "arn:aws:s3:::acme-logs/network/AWSLogs/111122223333/é",
        "arn:aws:s3:::acme-logs/x/*",
        "arn:aws:s3:::other-logs/a",
    ]);
    let value = select(vec!["111122223333", "222233334444", "o-a1b2c3d4e5", "", "xy", "X?"]);
    let keys = [
        ("aws:SourceAccount", vec(value.clone(), 0..2).boxed()),
        ("aws:SourceOrgID", vec(value.clone(), 0..2).boxed()),
        ("aws:SourceOrgPaths", vec(value.clone(), 0..3).boxed()),
        ("aws:ResourceAccount", vec(value.clone(), 0..3).boxed()),
        ("s3:x-amz-acl", vec(value, 0..2).boxed()),
        (
            "aws:SourceArn",
            vec(
                select(vec![
                    "arn:aws:logs:eu-west-1:111122223333:log-x",
                    "arn:aws:logs:a:b:222233334444:c",
                    "x",
                ]),
                0..2,
            )
            .boxed(),
        ),
        ("aws:SecureTransport", vec(select(vec!["true", "false"]), 0..2).boxed()),
        ("aws:PrincipalIsAWSService", vec(select(vec!["true", "false"]), 0..2).boxed()),
        ("s3:TlsVersion", vec(select(vec!["1.2", "1.3", "x"]), 0..2).boxed()),
        ("aws:SourceIp", vec(select(vec!["10.1.2.3", "192.0.2.1", "::1"]), 0..2).boxed()),
        ("aws:SourceVpce", vec(select(vec!["vpce-1a2b3c4d", "vpce-2"]), 0..2).boxed()),
    ];
    let (names, values): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    (principal, action, resource, values).prop_map(move |(principal, action, resource, values)| {
        let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let context = names.iter().map(|name| (*name).to_owned()).zip(values.into_iter().map(owned));
        Ask {
            principal: principal.into(),
            action: action.into(),
            resource: resource.into(),
            context: context.filter(|(_, values)| !values.is_empty()).collect(),
        }
    })
}
