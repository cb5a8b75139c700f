//! Foreign statements: typical ones, and ones that resemble flowagg's.

use flowagg_policy::{DELIVERY_ACL, DELIVERY_SERVICE};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::Scene;
use super::json::{Json, object, some, text};

/// Any foreign statement, with members in the order of AWS's grammar.
pub(super) fn foreign(scene: &Scene) -> impl Strategy<Value = Json> + use<> {
    prop_oneof![3 => ordinary(scene), 1 => look_alike(scene)]
}

fn ordinary(scene: &Scene) -> impl Strategy<Value = Json> + use<> {
    let sid = select(vec!["", "", "Team", "DenyUnencryptedTraffic", "AWSLogDeliveryCheckOfOurs", "1"]);
    let denies = prop_oneof![3 => Just(false), 1 => Just(true)];
    (sid, denies, principal(scene), reach(scene), conditions(scene), any::<[u8; 3]>()).prop_map(
        |(sid, denies, principal, (actions, resources), conditions, odd)| {
            // AWS accepts `NotPrincipal` only in statements that deny.
            let not = |name: &'static str, negated: &'static str, chance: u8, allowed: bool| {
                if allowed && chance > 230 { negated } else { name }
            };
            let mut members = Vec::new();
            if !sid.is_empty() {
                members.push(("Sid".to_owned(), text(sid)));
            }
            members.extend(
                [
                    ("Effect", text(if denies { "Deny" } else { "Allow" })),
                    (not("Principal", "NotPrincipal", odd[0], denies), principal),
                    (not("Action", "NotAction", odd[1], true), some(actions)),
                    (not("Resource", "NotResource", odd[2], true), some(resources)),
                ]
                .map(|(name, value)| (name.to_owned(), value)),
            );
            if !conditions.is_empty() {
                members.push(("Condition".to_owned(), Json::Object(conditions)));
            }
            Json::Object(members)
        },
    )
}

fn principal(scene: &Scene) -> impl Strategy<Value = Json> + use<> {
    let partition = scene.partition();
    let accounts = scene.accounts.iter().flat_map(|account| {
        [
            account.to_string(),
            format!("arn:{partition}:iam::{account}:root"),
            format!("arn:{partition}:iam::{account}:role/team/App"),
        ]
    });
    let accounts = some_of(accounts.collect());
    let services = vec![DELIVERY_SERVICE, "cloudtrail.amazonaws.com", "logging.s3.amazonaws.com"];
    let services = some_of(services);
    prop_oneof![
        3 => accounts.clone().prop_map(|accounts| object([("AWS", some(accounts))])),
        3 => services.clone().prop_map(|services| object([("Service", some(services))])),
        1 => (accounts, services)
            .prop_map(|(accounts, services)| object([("AWS", some(accounts)), ("Service", some(services))])),
        1 => Just(text("*")),
        1 => Just(object([("AWS", text("*"))])),
        1 => Just(object([("CanonicalUser", text("79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"))])),
    ]
}

/// One to three of these, without duplicates.
fn some_of<T: Clone + std::fmt::Debug + PartialEq + 'static>(
    texts: Vec<T>,
) -> impl Strategy<Value = Vec<T>> + Clone {
    vec(select(texts), 1..=3).prop_map(|texts| {
        let mut once: Vec<T> = Vec::new();
        for text in texts {
            if !once.contains(&text) {
                once.push(text);
            }
        }
        once
    })
}

/// Actions with resources that they apply to; S3 rejects other combinations.
fn reach(scene: &Scene) -> impl Strategy<Value = (Vec<String>, Vec<String>)> + use<> {
    let bucket = scene.bucket_arn();
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let folders = scene.accounts.iter().map(|account| format!("{bucket}/AWSLogs/{account}/*"));
    let prefixed = scene.prefixes.iter().flatten().map(|prefix| format!("{bucket}/{prefix}/AWSLogs/*"));
    let shapes =
        ["/*", "/x/${aws:username}/*", "/AWSLogs/${aws:SourceAccount}/*", "/?WSLogs/*/a*z", "/é/${*}"];
    let shapes = shapes.iter().map(|tail| format!("{bucket}{tail}"));
    let objects = some_of(folders.chain(prefixed).chain(shapes).collect());
    let of_objects =
        some_of(owned(&["s3:PutObject", "s3:GetObject", "S3:put*", "s3:?utObject", "s3:DeleteObject"]));
    let of_bucket =
        some_of(owned(&["s3:GetBucketAcl", "s3:ListBucket", "s3:getbucket*", "s3:GetBucketLocation"]));
    let both = Just((owned(&["s3:*"]), vec![bucket.clone(), format!("{bucket}/*")]));
    prop_oneof![
        4 => (of_objects, objects),
        2 => (of_bucket, Just(vec![bucket])),
        1 => both,
    ]
}

/// Condition operators, each with one key and used once.
fn conditions(scene: &Scene) -> impl Strategy<Value = Vec<(String, Json)>> + use<> {
    let accounts: Vec<String> = scene.accounts.iter().map(ToString::to_string).collect();
    let accounts = some_of(accounts);
    let (organization, partition) = (scene.organization.clone(), scene.partition());
    let arns = scene.accounts.iter().zip(scene.regions.iter().cycle());
    let arns = arns
        .map(|(account, region)| format!("arn:{partition}:logs:{region}:{account}:*"))
        .collect::<Vec<_>>();
    let arns = some_of(arns);
    let operators = |names: &[&'static str]| select(names.to_vec());
    let condition = prop_oneof![
        (operators(&["StringEquals", "StringNotEquals", "StringLike", "stringequalsifexists"]), accounts)
            .prop_map(|(operator, values)| (operator, "aws:SourceAccount", some(values))),
        (operators(&["StringEquals", "StringNotEqualsIfExists"]), Just(organization.clone()))
            .prop_map(|(operator, id)| (operator, "aws:SourceOrgID", text(id.as_str()))),
        Just(("ForAnyValue:StringLike", "aws:SourceOrgPaths", text(format!("{organization}/*")))),
        (operators(&["ArnLike", "ArnEquals", "ArnNotLike"]), arns).prop_map(|(operator, values)| (
            operator,
            "aws:SourceArn",
            some(values)
        )),
        (operators(&["StringEquals", "StringNotEquals"]), operators(&[DELIVERY_ACL, "private"]))
            .prop_map(|(operator, acl)| (operator, "s3:x-amz-acl", text(acl))),
        (any::<bool>(), any::<bool>()).prop_map(|(yes, quoted)| {
            let word = yes.to_string();
            ("Bool", "aws:SecureTransport", if quoted { text(word) } else { Json::Bare(word) })
        }),
        Just(("NumericLessThan", "s3:TlsVersion", Json::Bare("1.20".to_owned()))),
        any::<bool>().prop_map(|yes| ("Null", "aws:SourceVpce", text(yes.to_string()))),
        Just(("NotIpAddress", "aws:SourceIp", some(["10.0.0.0/8", "2001:db8::/32"]))),
        Just(("StringEqualsIgnoreCase", "aws:PrincipalTag/team", text("network \"é\\"))),
    ];
    vec(condition, 0..3).prop_map(|conditions| {
        let mut operators: Vec<(String, Json)> = Vec::new();
        for (operator, key, values) in conditions {
            if !operators.iter().any(|(known, _)| known.eq_ignore_ascii_case(operator)) {
                operators.push((operator.to_owned(), object([(key, values)])));
            }
        }
        operators
    })
}

/// How a statement differs from flowagg's, apart from not having the fleet's Sid.
#[derive(Clone, Copy, Debug)]
enum Twist {
    /// No difference: AWS writes such statements for other kinds of logs.
    None,
    /// A Sid that only resembles flowagg's.
    Sid(&'static str),
    /// An additional action.
    Action,
    /// An additional service.
    Principal,
    /// A prefix that no grant of the scene delivers to.
    Folder,
    /// An additional resource within the account's folder.
    Resource,
    /// An additional condition.
    Condition,
    /// `Deny` instead of `Allow`.
    Effect,
}

fn look_alike(scene: &Scene) -> impl Strategy<Value = Json> + use<> {
    let twist = select(vec![
        Twist::Sid("awslogdeliverywrite"),
        Twist::Sid("AWSLogDeliveryWrite01"),
        Twist::Sid("AWSLogDeliveryWrite1"),
        Twist::Sid("AWSLogDeliveryWriteX"),
        Twist::Sid("AWSLogDeliveryWriteFlowaggOther"),
        Twist::Sid("AWSLogDeliveryWrite2Flowagg0deadbeef"),
        Twist::None,
        Twist::Action,
        Twist::Principal,
        Twist::Folder,
        Twist::Resource,
        Twist::Condition,
        Twist::Effect,
    ]);
    let number = select(vec!["", "2", "3", "40"]);
    let (bucket, prefixes) = (scene.bucket_arn(), scene.prefixes.clone());
    (select(scene.accounts.clone()), twist, number, select(prefixes), any::<bool>()).prop_map(
        move |(account, twist, number, prefix, hive)| {
            let root = flowagg_core::layout::root(prefix.as_ref());
            let hive = if hive { flowagg_core::layout::HIVE_ACCOUNT } else { "" };
            let folder = format!("{bucket}/{root}{hive}{account}/*");
            let mut sid = format!("AWSLogDeliveryWrite{number}");
            let (mut effect, mut services) = ("Allow", vec![DELIVERY_SERVICE]);
            let (mut actions, mut resources) = (vec!["s3:PutObject"], vec![folder]);
            let equals =
                [("aws:SourceAccount", text(account.to_string())), ("s3:x-amz-acl", text(DELIVERY_ACL))];
            let mut conditions = vec![("StringEquals".to_owned(), object(equals))];
            match twist {
                Twist::None => {}
                Twist::Sid(other) => sid = other.to_owned(),
                Twist::Action => actions.push("s3:PutObjectAcl"),
                Twist::Principal => services.push("cloudtrail.amazonaws.com"),
                Twist::Folder => resources = vec![format!("{bucket}/not-ours/AWSLogs/{account}/*")],
                Twist::Resource => resources.push(format!("{bucket}/AWSLogs/{account}/vpcflowlogs/*")),
                Twist::Condition => {
                    let date = object([("aws:CurrentTime", text("2030-01-01T00:00:00Z"))]);
                    conditions.push(("DateLessThan".to_owned(), date));
                }
                Twist::Effect => effect = "Deny",
            }
            object([
                ("Sid", text(sid)),
                ("Effect", text(effect)),
                ("Principal", object([("Service", some(services))])),
                ("Action", some(actions)),
                ("Resource", some(resources)),
                ("Condition", Json::Object(conditions)),
            ])
        },
    )
}
