//! Decisions about requests with unknown condition keys.

use flowagg_core::id::{AccountId, BucketName, OrganizationId, OrganizationalUnitId, Region};
use flowagg_policy::{DecisionKind, Delivery, Membership, Owner, Policy, Request};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{BUCKET, ORGANIZATION};

fn statement(effect: &str, condition: Value) -> Value {
    json!({"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition})
}

fn policy(statements: &[Value]) -> Policy {
    Policy::compile(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

fn request() -> Request {
    Request::new("*", "s3:GetObject", "arn:aws:s3:::b/k")
}

#[track_caller]
fn decided(statements: &[Value], request: &Request) -> (DecisionKind, Vec<String>) {
    let decision = policy(statements).decide(request);
    (decision.kind, decision.depends_on.into_iter().collect())
}

#[test]
fn certain_deny_overrides_everything() {
    let unknown = json!({"StringEquals": {"aws:X": "1"}});
    let statements =
        [statement("Allow", unknown.clone()), statement("Deny", unknown), statement("Deny", json!({}))];
    assert_eq!(decided(&statements, &request().with_unknown("aws:X")), (DecisionKind::ExplicitDeny, vec![]));
}

#[test]
fn uncertain_deny_over_a_certain_allow_depends() {
    let statements =
        [statement("Allow", json!({})), statement("Deny", json!({"StringEquals": {"aws:X": "1"}}))];
    let (kind, keys) = decided(&statements, &request().with_unknown("AWS:x"));
    assert_eq!((kind, keys), (DecisionKind::Depends, vec!["aws:X".to_owned()]));
    assert_eq!(decided(&statements, &request()), (DecisionKind::Allow, vec![]));
}

#[test]
fn uncertain_allow_next_to_a_certain_allow_is_allowed() {
    let statements =
        [statement("Allow", json!({"StringEquals": {"aws:X": "1"}})), statement("Allow", json!({}))];
    assert_eq!(decided(&statements, &request().with_unknown("aws:X")).0, DecisionKind::Allow);
}

#[test]
fn uncertain_deny_without_an_allow_is_an_implicit_denial() {
    let statements = [statement("Deny", json!({"StringEquals": {"aws:X": "1"}}))];
    assert_eq!(decided(&statements, &request().with_unknown("aws:X")), (DecisionKind::ImplicitDeny, vec![]));
}

#[test]
fn decision_depends_on_every_unknown_key_of_the_relevant_statements() {
    let statements = [
        statement("Allow", json!({"StringEquals": {"aws:X": "1", "aws:Known": "1"}})),
        statement("Deny", json!({"Null": {"aws:Y": "true"}})),
        statement("Deny", json!({"StringEquals": {"aws:Z": "1", "aws:Known": "2"}})),
    ];
    let request = ["aws:X", "aws:Y", "aws:Z"].into_iter().fold(request(), Request::with_unknown);
    let (kind, keys) = decided(&statements, &request.with("aws:Known", "1"));
    assert_eq!((kind, keys), (DecisionKind::Depends, vec!["aws:X".to_owned(), "aws:Y".to_owned()]));
}

#[test]
fn operators_differ_on_absent_keys_and_agree_on_unknown_ones() {
    for (condition, absent) in [
        (json!({"StringEquals": {"aws:X": "1"}}), false),
        (json!({"StringNotEquals": {"aws:X": "1"}}), true),
        (json!({"StringEqualsIfExists": {"aws:X": "1"}}), true),
        (json!({"Null": {"aws:X": "true"}}), true),
        (json!({"Null": {"aws:X": "false"}}), false),
        (json!({"ForAllValues:StringEquals": {"aws:X": "1"}}), true),
        (json!({"ForAnyValue:StringEquals": {"aws:X": "1"}}), false),
        (json!({"NumericLessThan": {"aws:X": "1"}}), false),
        (json!({"ArnNotLike": {"aws:X": "arn:aws:iam::*:role/x"}}), true),
        (json!({"IpAddress": {"aws:X": "10.0.0.0/8"}}), false),
        (json!({"Bool": {"aws:X": "true"}}), false),
    ] {
        let kind = if absent { DecisionKind::Allow } else { DecisionKind::ImplicitDeny };
        let statements = [statement("Allow", condition.clone())];
        assert_eq!(decided(&statements, &request()).0, kind, "{condition}");
        let (kind, keys) = decided(&statements, &request().with_unknown("aws:X"));
        assert_eq!((kind, keys), (DecisionKind::Depends, vec!["aws:X".to_owned()]), "{condition}");
    }
    // A condition that holds with every value and without the key is certain.
    for condition in
        [json!({"StringLikeIfExists": {"aws:X": "*"}}), json!({"Null": {"aws:X": ["true", "false"]}})]
    {
        let statements = [statement("Allow", condition.clone())];
        assert_eq!(
            decided(&statements, &request().with_unknown("aws:X")).0,
            DecisionKind::Allow,
            "{condition}"
        );
    }
}

#[test]
fn variable_of_an_unknown_key_may_have_any_value() {
    let resource = |text: &str| json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": text});
    let request = request().with_unknown("aws:X");
    let (kind, keys) = decided(&[resource("arn:aws:s3:::b/${aws:X}")], &request);
    assert_eq!((kind, keys), (DecisionKind::Depends, vec!["aws:x".to_owned()]));
    assert_eq!(decided(&[resource("arn:aws:s3:::c/${aws:X}")], &request).0, DecisionKind::ImplicitDeny);
    let condition = json!({"StringEqualsIgnoreCase": {"aws:Y": "A-${aws:X}"}});
    let kind = |value: &str| {
        decided(&[statement("Allow", condition.clone())], &request.clone().with("aws:Y", value)).0
    };
    assert_eq!(kind("a-b"), DecisionKind::Depends);
    assert_eq!(kind("b-b"), DecisionKind::ImplicitDeny);
}

#[test]
fn multivalued_key_is_not_a_variable_even_with_one_value() {
    let condition = json!({"StringEquals": {"aws:Y": "${aws:SourceOrgPaths}"}});
    let request = request().with("aws:Y", "o-1/").with_all("aws:SourceOrgPaths", ["o-1/"]);
    assert_eq!(decided(&[statement("Allow", condition)], &request).0, DecisionKind::ImplicitDeny);
}

/// A delivery of an account with this membership to a bucket in the same organization.
fn delivery(membership: Membership) -> Request {
    let region = Region::parse("eu-west-1").unwrap();
    let account = AccountId::parse("222222222222").unwrap();
    let mut owner = Owner::new(AccountId::parse("111122223333").unwrap());
    owner.region = Some(region.clone());
    owner.organization = Some(OrganizationId::parse(ORGANIZATION).unwrap());
    let bucket = BucketName::parse(BUCKET).unwrap();
    Delivery::new(account, region)
        .with_membership(membership)
        .with_owner(Some(owner))
        .put_object(&bucket, "k")
}

#[test]
fn known_membership_decides_organization_conditions() {
    use DecisionKind::{Allow, Depends, ImplicitDeny};
    let id = OrganizationId::parse(ORGANIZATION).unwrap();
    let unit = OrganizationalUnitId::parse("ou-ab12-11111111").unwrap();
    let memberships = [
        Membership::Unknown,
        Membership::None,
        Membership::Outside(id.clone()),
        Membership::Within(id.clone(), [].into()),
        Membership::Within(id, [unit].into()),
    ];
    for (condition, expected) in [
        (
            json!({"StringEquals": {"aws:SourceOrgID": ORGANIZATION}}),
            [Depends, ImplicitDeny, ImplicitDeny, Allow, Allow],
        ),
        (
            json!({"StringEquals": {"aws:SourceOrgID": "o-partner123"}}),
            [Depends, ImplicitDeny, Depends, ImplicitDeny, ImplicitDeny],
        ),
        (
            json!({"StringNotEquals": {"aws:SourceOrgID": ORGANIZATION}}),
            [Depends, Allow, Allow, ImplicitDeny, ImplicitDeny],
        ),
        (json!({"Null": {"aws:SourceOrgID": "true"}}), [Depends, Allow, Depends, ImplicitDeny, ImplicitDeny]),
        (
            json!({"StringEquals": {"aws:ResourceOrgID": "${aws:SourceOrgID}"}}),
            [Depends, ImplicitDeny, Depends, Allow, Allow],
        ),
        (
            json!({"ForAnyValue:StringLike": {"aws:SourceOrgPaths": format!("{ORGANIZATION}/*")}}),
            [Depends, ImplicitDeny, ImplicitDeny, Allow, Allow],
        ),
        (
            json!({"ForAnyValue:StringLike": {"aws:SourceOrgPaths": format!("{ORGANIZATION}/*/ou-ab12-11111111/*")}}),
            [Depends, ImplicitDeny, ImplicitDeny, Depends, Allow],
        ),
        (
            json!({"ForAnyValue:StringLike": {"aws:SourceOrgPaths": [
                format!("{ORGANIZATION}/*/ou-ab12-11111111/"), format!("{ORGANIZATION}/*/ou-*/ou-ab12-11111111/ou-*")]}}),
            [Depends, ImplicitDeny, ImplicitDeny, Depends, Depends],
        ),
        (
            json!({"StringEquals": {"aws:SourceOrgID": format!("{ORGANIZATION}f6")}}),
            [Depends, ImplicitDeny, Depends, ImplicitDeny, ImplicitDeny],
        ),
        (
            json!({"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-partner123/*"}}),
            [Depends, ImplicitDeny, Depends, ImplicitDeny, ImplicitDeny],
        ),
    ] {
        let kinds =
            memberships.clone().map(|it| decided(&[statement("Allow", condition.clone())], &delivery(it)).0);
        assert_eq!(kinds, expected, "{condition}");
    }
}

#[test]
fn keys_of_a_delivery_are_known_absent_or_unknown_as_documented() {
    use DecisionKind::{Allow, Depends, ImplicitDeny};
    for (condition, expected) in [
        (json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}), Allow),
        (json!({"Bool": {"aws:SecureTransport": "true"}}), Allow),
        (json!({"Bool": {"aws:PrincipalIsAWSService": "true", "aws:ViaAWSService": "false"}}), Allow),
        (
            json!({"StringEquals": {"aws:ResourceAccount": "111122223333", "aws:RequestedRegion": "eu-west-1"}}),
            Allow,
        ),
        (json!({"Bool": {"s3:ObjectCreationOperation": "true"}}), Allow),
        (json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}), ImplicitDeny),
        (json!({"NumericLessThan": {"s3:TlsVersion": "1.3"}}), Depends),
        (json!({"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}), ImplicitDeny),
        (json!({"StringEquals": {"aws:PrincipalTag/team": "x"}}), ImplicitDeny),
        (json!({"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}), ImplicitDeny),
        (json!({"StringEquals": {"s3:x-amz-storage-class": "STANDARD"}}), Depends),
        (json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/x"}}), ImplicitDeny),
        (json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/x"}}), Allow),
        (json!({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}), Depends),
        (json!({"StringEquals": {"ec2:ResourceTag/x": "y"}}), ImplicitDeny),
        (json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), ImplicitDeny),
        (json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), Allow),
        (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), Depends),
        (json!({"Null": {"aws:SourceIp": "false"}}), Depends),
        (json!({"StringEquals": {"aws:SourceAccount": "${aws:userid}"}}), ImplicitDeny),
    ] {
        let (kind, _) = decided(&[statement("Allow", condition.clone())], &delivery(Membership::None));
        assert_eq!(kind, expected, "{condition}");
    }
}

/// Values of the keys below; an empty list means a request without the key.
const VALUES: [&[&str]; 4] = [&[], &["a"], &["b"], &["ab"]];
const KEYS: [&str; 3] = ["aws:X", "aws:Y", "aws:Z"];

fn condition() -> impl Strategy<Value = Value> {
    let operators = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIfExists",
        "StringNotEqualsIfExists",
        "StringLike",
        "StringNotLike",
        "StringLikeIfExists",
        "StringEqualsIgnoreCase",
        "ForAnyValue:StringLike",
        "ForAllValues:StringLike",
        "ForAnyValue:StringNotEquals",
        "ForAllValues:StringNotLike",
        "ForAllValues:StringEqualsIfExists",
    ];
    let texts = ["a", "b", "*", "a*", "?", "${aws:X}", "a${aws:Y}", "${aws:Z, 'a'}", "A"];
    let compared = (
        proptest::sample::select(operators.to_vec()),
        proptest::sample::select(KEYS.to_vec()),
        proptest::collection::vec(proptest::sample::select(texts.to_vec()), 0..3),
    );
    let null = (proptest::sample::select(KEYS.to_vec()), any::<bool>());
    prop_oneof![
        5 => compared.prop_map(|(operator, key, values)| json!({operator: {key: values}})),
        1 => null.prop_map(|(key, absent)| json!({"Null": {key: absent.to_string()}})),
    ]
}

fn random_statement() -> impl Strategy<Value = Value> {
    let resources = ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:X}", "arn:aws:s3:::b/a${aws:Y}*"];
    let resource = proptest::sample::select(resources.to_vec());
    (any::<bool>(), resource, any::<bool>(), proptest::collection::vec(condition(), 0..3)).prop_map(
        |(allow, resource, not, conditions)| {
            let mut all = serde_json::Map::new();
            for condition in conditions {
                for (operator, keys) in condition.as_object().unwrap() {
                    let keys = keys.as_object().unwrap().clone();
                    let entry = all.entry(operator.clone()).or_insert_with(|| json!({}));
                    entry.as_object_mut().unwrap().extend(keys);
                }
            }
            let element = if not { "NotResource" } else { "Resource" };
            json!({"Effect": if allow { "Allow" } else { "Deny" }, "Principal": "*", "Action": "*", element: resource,
                "Condition": all})
        },
    )
}

proptest! {
    #[test]
    fn three_valued_decision_agrees_with_every_assignment_of_unknown_keys(
        statements in proptest::collection::vec(random_statement(), 1..5),
        known in proptest::collection::vec(proptest::option::of(0..VALUES.len()), KEYS.len()),
        key in proptest::sample::select(vec!["a", "ab", "b"]),
    ) {
        let policy = policy(&statements);
        let asked = Request::new("*", "s3:GetObject", &format!("arn:aws:s3:::b/{key}"));
        let partial = KEYS.iter().zip(&known).fold(asked.clone(), |request, (key, known)| match known {
            Some(at) => request.with_all(key, VALUES[*at].iter().copied()),
            None => request.with_unknown(key),
        });
        let answer = policy.decide(&partial);
        prop_assert_eq!(answer.depends_on.is_empty(), answer.allowed().is_some());
        for assignment in 0..VALUES.len().pow(KEYS.len() as u32) {
            let mut rest = assignment;
            let whole = KEYS.iter().zip(&known).fold(asked.clone(), |request, (key, known)| {
                let at = known.unwrap_or(rest % VALUES.len());
                rest /= VALUES.len();
                request.with_all(key, VALUES[at].iter().copied())
            });
            let allowed = policy.decide(&whole).allowed();
            prop_assert!(allowed.is_some(), "a request without unknown keys is decided");
            if answer.allowed().is_some() {
                prop_assert_eq!(allowed, answer.allowed(), "{:?}\n{:?}", whole, answer);
            }
            if answer.kind == DecisionKind::ExplicitDeny {
                prop_assert_eq!(policy.decide(&whole).kind, DecisionKind::ExplicitDeny);
            }
        }
    }
}

#[test]
fn near_miss_names_the_unknown_keys_of_the_statement() {
    let condition = json!({"StringEquals": {"aws:SourceAccount": "333333333333"}, "DateLessThan": {"aws:CurrentTime": "2030-01-01"}});
    let decision = policy(&[statement("Allow", condition)]).decide(&delivery(Membership::None));
    assert_eq!(
        decision.to_string(),
        "ImplicitDeny: statement 1 would allow it except for `aws:SourceAccount`, which is `222222222222` and `aws:CurrentTime`, which \
         is unknown"
    );
}
