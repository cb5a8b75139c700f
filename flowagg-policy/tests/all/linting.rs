//! Bucket policies with one problem each, and correct policies.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::BucketName;
use flowagg_policy::{Severity, checks, lint};
use serde_json::value::RawValue;

fn cases() -> BTreeMap<String, String> {
    let cases: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(include_str!("../data/lint-cases.json")).unwrap();
    cases.into_iter().map(|(name, policy)| (name, policy.get().to_owned())).collect()
}

#[test]
fn every_problem_is_found_by_its_check() {
    let mut wrong = Vec::new();
    for (name, policy) in cases() {
        let expected = match name.as_str() {
            "good" => continue,
            "principal-star-allow" => "public-principal",
            "account-11-digits" => "account-id-not-12-digits",
            "wildcard-in-StringEquals-arn" => "wildcard-under-string-equals",
            "putobject-on-bucket" => "object-action-on-bucket",
            "sid-with-dash-space" => "sid-with-odd-characters",
            "bool-typo" => "bool-not-true-or-false",
            "resource-missing" => "missing-resource",
            same => same,
        };
        let found: Vec<&str> = lint(&policy, None).iter().map(|finding| finding.id).collect();
        if !found.contains(&expected) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A policy and the check IDs that may report its problem; empty for a correct policy.
#[derive(serde::Deserialize)]
struct Variant<'a> {
    name: String,
    found: Vec<String>,
    #[serde(borrow)]
    policy: &'a RawValue,
}

#[test]
fn variants_of_problems_are_found_and_correct_policies_have_at_most_notes() {
    let mut wrong = Vec::new();
    for line in include_str!("../data/lint-variants.jsonl").lines() {
        let case: Variant<'_> = serde_json::from_str(line).unwrap();
        let findings = lint(case.policy.get(), None);
        let right = if case.found.is_empty() {
            findings.iter().all(|finding| finding.severity == Severity::Note)
        } else {
            findings.iter().any(|finding| case.found.iter().any(|id| id == finding.id))
        };
        if !right {
            let ids: Vec<&str> = findings.iter().map(|finding| finding.id).collect();
            wrong.push(format!("{}: {ids:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A check ID and a replacement that introduces its problem into the good policy, applied to all occurrences.
const FAULTS: &[(&str, &str, &str)] = &[
    ("invalid-json", "\"Statement\":", "\"Statement\""),
    ("not-a-policy", "\"Statement\"", "\"Statements\""),
    ("unknown-element", "\"Statement\":", "\"Comment\":\"x\",\"Statement\":"),
    ("unknown-element", "\"Condition\"", "\"Conditions\""),
    ("unknown-version", "2012-10-17", "2012-10-18"),
    ("version-2008-with-variable", "2012-10-17\"", "2008-10-17\",\"Id\":\"${x}\""),
    ("empty-list", "\"s3:PutObject\"", "[]"),
    (
        "empty-list",
        "{\"Service\":\"delivery.logs.amazonaws.com\"},\"Action\":\"s3:P",
        "{\"Service\":[]},\"Action\":\"s3:P",
    ),
    ("empty-statement", "[{\"Sid\"", "[{},{\"Sid\""),
    ("element-twice", "\"Effect\":\"Allow\",", "\"Effect\":\"Allow\",\"Effect\":\"Allow\","),
    ("key-twice", "\"s3:x-amz-acl\"", "\"AWS:sourceaccount\":\"111122223333\",\"s3:x-amz-acl\""),
    ("wrong-value-type", "\"s3:PutObject\"", "{\"a\":\"s3:PutObject\"}"),
    ("missing-effect", "\"Effect\":\"Allow\",", ""),
    ("unknown-effect", "\"Allow\"", "\"Permit\""),
    ("missing-action", "\"Action\":\"s3:PutObject\",", ""),
    ("element-and-its-negation", "\"Action\":\"s3:P", "\"NotAction\":\"s3:GetObject\",\"Action\":\"s3:P"),
    ("wrong-service-principal", "delivery.logs.amazonaws.com", "delivery.logs.us-east-1.amazonaws.com"),
    ("wrong-service-principal", "delivery.logs.amazonaws.com", "logs.amazonaws.com"),
    ("malformed-principal", "{\"Service\":", "{\"AWS\":"),
    (
        "malformed-principal",
        "\"delivery.logs.amazonaws.com\"}",
        "\"delivery.logs.amazonaws.com\",\"AWS\":\"arn:aws:iam::*:root\"}",
    ),
    ("notaction-allow", "\"Action\":\"s3:PutObject\"", "\"NotAction\":\"s3:DeleteBucket\""),
    ("action-s3-star", "s3:PutObject", "*"),
    ("unknown-action", "s3:PutObject", "s3:PutObjects"),
    ("unknown-action", "s3:GetBucketAcl", "s3:GetBucketACLs"),
    ("action-of-another-service", "s3:PutObject", "kms:Encrypt"),
    ("bucket-action-on-objects", "\"arn:aws:s3:::acme-logs\"", "\"arn:aws:s3:::acme-logs/*\""),
    ("malformed-arn", "\"arn:aws:s3:::acme-logs\"", "\"acme-logs\""),
    ("malformed-arn", "arn:aws:s3:::acme-logs/AWS", "arn:aws:s3:us-east-1::acme-logs/AWS"),
    ("malformed-arn", "arn:aws:logs:us-east-1:111122223333:*", "arn:aws:logs:us-east-1:*"),
    ("wrong-partition", "arn:aws:logs", "arn:aws-cn:logs"),
    ("wrong-partition", "arn:aws:logs:us-east-1", "arn:aws:logs:us-gov-west-1"),
    ("another-bucket", "\"arn:aws:s3:::acme-logs\"", "\"arn:aws:s3:::acme-logs2\""),
    ("whole-bucket-resource", "acme-logs/AWSLogs/111122223333/*", "acme-logs/*"),
    (
        "variable-before-fifth-colon",
        "arn:aws:s3:::acme-logs/AWS",
        "arn:aws:s3::${aws:SourceAccount}:acme-logs/AWS",
    ),
    ("digit-prefix-wildcard", "AWSLogs/111122223333/*", "AWSLogs/1111*"),
    (
        "digit-prefix-wildcard",
        "\"StringEquals\":{\"aws:SourceAccount\":\"111122223333\"",
        "\"StringLike\":{\"aws:SourceAccount\":\"1111*\"",
    ),
    ("misspelt-awslogs-folder", "AWSLogs/1", "awslogs/1"),
    (
        "public-principal",
        "{\"Service\":\"delivery.logs.amazonaws.com\"},\"Action\":\"s3:PutObject\"",
        "\"*\",\"Action\":\"s3:PutObject\"",
    ),
    (
        "wrong-service-principal",
        "{\"Service\":\"delivery.logs.amazonaws.com\"},\"Action\":\"s3:PutObject\"",
        "{\"AWS\":\"111122223333\"},\"Action\":\"s3:PutObject\"",
    ),
    ("resource-without-wildcard", "111122223333/*", "111122223333/"),
    (
        "redundant-resource",
        "\"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*\"",
        "[\"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*\",\"arn:aws:s3:::acme-logs/AWSLogs/111122223333/a/*\"]",
    ),
    ("unknown-operator", "ArnLike", "ArnLikes"),
    ("unknown-condition-key", "s3:x-amz-acl", "s3:x-amz-alc"),
    ("account-id-not-12-digits", "AWSLogs/111122223333/", "AWSLogs/11112222333/"),
    ("account-id-not-12-digits", "logs:us-east-1:111122223333:", "logs:us-east-1:1111222233334:"),
    (
        "wildcard-under-string-equals",
        "\"aws:SourceAccount\":\"111122223333\"",
        "\"aws:SourceAccount\":\"11112222333?\"",
    ),
    ("bool-not-true-or-false", "\"ArnLike\"", "\"Bool\":{\"aws:PrincipalIsAWSService\":\"yes\"},\"ArnLike\""),
    ("null-not-true-or-false", "\"ArnLike\"", "\"Null\":{\"aws:SourceArn\":\"no\"},\"ArnLike\""),
    (
        "for-all-values-in-allow",
        "\"ArnLike\"",
        "\"ForAllValues:StringLike\":{\"aws:SourceOrgPaths\":\"o-a1b2c3d4e5/*\"},\"ArnLike\"",
    ),
    (
        "multivalued-key-without-set-operator",
        "\"ArnLike\"",
        "\"StringLike\":{\"aws:SourceOrgPaths\":\"o-a1b2c3d4e5/*\"},\"ArnLike\"",
    ),
    ("set-operator-on-single-valued-key", "\"ArnLike\"", "\"ForAnyValue:ArnLike\""),
    ("operator-does-not-fit-key", "\"StringEquals\"", "\"NumericEquals\""),
    ("unreadable-value", "\"ArnLike\"", "\"NotIpAddress\":{\"aws:SourceIp\":\"10.0.0.0/33\"},\"ArnLike\""),
    (
        "no-confused-deputy-condition",
        "\"aws:SourceAccount\":\"111122223333\"},\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:logs:us-east-1:111122223333:*\"",
        "\"aws:PrincipalServiceName\":\"x\"},\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:logs:*:*:*\"",
    ),
    ("no-acl-condition", ",\"s3:x-amz-acl\":\"bucket-owner-full-control\"", ""),
    ("wrong-acl-value", "bucket-owner-full-control", "bucket-owner-read"),
    (
        "principal-key-for-a-service",
        "\"ArnLike\"",
        "\"StringLike\":{\"aws:PrincipalOrgID\":\"o-a1b2c3d4e5\"},\"ArnLike\"",
    ),
    ("source-arn-of-another-service", "arn:aws:logs", "arn:aws:ec2"),
    ("source-arn-account-differs", "logs:us-east-1:111122223333", "logs:us-east-1:444455556666"),
    ("source-account-differs-from-resource", "AWSLogs/111122223333", "AWSLogs/444455556666"),
    ("missing-acl-check", "s3:GetBucketAcl", "s3:GetBucketLocation"),
    (
        "missing-acl-check",
        "\"Resource\":\"arn:aws:s3:::acme-logs\",\"Condition\":{\"StringEquals\":{\"aws:SourceAccount\":\"111122223333\"",
        "\"Resource\":\"arn:aws:s3:::acme-logs\",\"Condition\":{\"StringEquals\":{\"aws:SourceAccount\":\"444455556666\"",
    ),
    ("missing-write", "s3:PutObject", "s3:PutObjectTagging"),
];

const GOOD: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333","s3:x-amz-acl":"bucket-owner-full-control"},"ArnLike":{"aws:SourceArn":"arn:aws:logs:us-east-1:111122223333:*"}}},{"Sid":"AWSLogDeliveryAclCheck","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-logs","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:logs:us-east-1:111122223333:*"}}}]}"#;

/// A statement that is appended to the good policy, and the check that reports it, if any.
const THIRDS: &[(Option<&str>, &str)] = &[
    (
        Some("public-principal"),
        r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}}"#,
    ),
    (
        Some("deny-blocks-delivery-vpce"),
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1a2b3c4d"}}}"#,
    ),
    (
        Some("deny-blocks-delivery-source-ip"),
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#,
    ),
    (
        Some("deny-blocks-delivery-encryption-header"),
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}"#,
    ),
    (
        Some("deny-blocks-delivery-encryption-header"),
        r#"{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"Null":{"s3:x-amz-server-side-encryption":"true"}}}"#,
    ),
    (
        Some("deny-blocks-delivery-no-service-exemption"),
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}"#,
    ),
    (
        Some("deny-blocks-delivery-no-service-exemption"),
        r#"{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"arn:aws:s3:::acme-logs/*"}"#,
    ),
    (
        Some("deny-blocks-delivery"),
        r#"{"Effect":"Deny","Principal":{"Service":"delivery.logs.amazonaws.com"},"NotAction":"s3:GetBucketAcl","Resource":"*"}"#,
    ),
    (
        Some("tls-deny-inverted"),
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::acme-logs","arn:aws:s3:::acme-logs/*"],"Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#,
    ),
    (
        Some("tls-deny-misspelt"),
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::acme-logs","arn:aws:s3:::acme-logs/*"],"Condition":{"Bool":{"aws:SecureTransprot":"false"}}}"#,
    ),
    (
        Some("tls-deny-incomplete"),
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
    ),
    (
        Some("not-element-stops-automatic-grants"),
        r#"{"Effect":"Deny","NotPrincipal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:*","Resource":"arn:aws:s3:::acme-logs/*"}"#,
    ),
    (
        Some("redundant-statement"),
        r#"{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":["s3:GetBucketAcl"],"Resource":["arn:aws:s3:::acme-logs"],"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:logs:us-east-1:111122223333:*"]},"StringEquals":{"aws:SourceAccount":["111122223333"]}}}"#,
    ),
    (
        Some("deleted-principal"),
        r#"{"Effect":"Allow","Principal":{"AWS":"AROAEXAMPLEEXAMPLE123"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-logs/a/*"}"#,
    ),
    (
        Some("grant-for-other-logs"),
        r#"{"Sid":"AWSLogDeliveryWrite2","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::127311923021:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*"}"#,
    ),
    (
        Some("grant-for-other-logs"),
        r#"{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/CloudFront/*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333","s3:x-amz-acl":"bucket-owner-full-control"},"ArnLike":{"aws:SourceArn":"arn:aws:logs:us-east-1:111122223333:delivery-source:x"}}}"#,
    ),
    (
        None,
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::127311923021:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*"}"#,
    ),
    (
        Some("notresource-allow"),
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","NotResource":"arn:aws:s3:::acme-logs/a/*"}"#,
    ),
    (
        None,
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::acme-logs","arn:aws:s3:::acme-logs/*"],"Condition":{"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-a1b2c3d4e5"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}}"#,
    ),
    (
        None,
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"ForAllValues:StringNotLike":{"aws:SourceOrgPaths":"o-a1b2c3d4e5/*/ou-ab12-11111111/*"},"Null":{"aws:SourceOrgPaths":"false"}}}"#,
    ),
    (
        None,
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::acme-logs","arn:aws:s3:::acme-logs/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
    ),
    (
        None,
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::acme-logs","arn:aws:s3:::acme-logs/*"],"Condition":{"NumericLessThan":{"s3:TlsVersion":1.2}}}"#,
    ),
    (
        None,
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"},"Bool":{"aws:PrincipalIsAWSService":"false"}}}"#,
    ),
    (
        None,
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/reader"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::acme-logs","arn:aws:s3:::acme-logs/*"]}"#,
    ),
    (
        None,
        r#"{"Sid":"","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/trail/AWSLogs/111122223333/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}"#,
    ),
];

fn ids(policy: &str) -> Vec<&'static str> {
    lint(policy, None).iter().map(|finding| finding.id).collect()
}

#[test]
fn one_change_to_a_good_policy_is_found() {
    assert_eq!(ids(GOOD), [""; 0]);
    for (id, find, put) in FAULTS {
        let mut broken = GOOD.replace(find, put);
        assert_ne!(broken, GOOD, "{id}: {find} is not in the policy");
        if *id == "version-2008-with-variable" {
            broken = broken.replace("AWSLogs/111122223333", "AWSLogs/${aws:SourceAccount}");
        }
        assert!(ids(&broken).contains(id), "{id}: {put}: {:?}", ids(&broken));
    }
    for (id, third) in THIRDS {
        let policy = format!("{},{third}]}}", GOOD.strip_suffix("]}").unwrap());
        match id {
            Some(id) => assert!(ids(&policy).contains(id), "{id}: {:?}", ids(&policy)),
            None => assert_eq!(ids(&policy), [""; 0], "{third}"),
        }
    }
}

#[test]
fn every_check_has_a_case() {
    let tried: Vec<&str> = FAULTS
        .iter()
        .map(|(id, ..)| *id)
        .chain(THIRDS.iter().filter_map(|(id, _)| *id))
        .chain([
            "no-version",
            "empty-account-list",
            "effect-lowercase",
            "missing-principal",
            "missing-resource",
        ])
        .chain(["duplicate-sid", "sid-with-odd-characters", "notprincipal-allow", "object-action-on-bucket"])
        .chain(["acl-key-on-getbucketacl", "list-does-not-bind", "over-20480-bytes", "little-head-room"])
        .collect();
    for check in checks() {
        assert!(tried.contains(&check.id), "{} has no case", check.id);
        assert!(!check.help.is_empty() && !check.help.ends_with('.'), "{}", check.id);
    }
    let ids: BTreeSet<&str> = checks().map(|check| check.id).collect();
    assert_eq!(ids.len(), checks().count());
}

#[test]
fn policies_that_aws_documents_have_at_most_notes() {
    let organization = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceOrgID":"o-a1b2c3d4e5"}}},{"Sid":"AWSLogDeliveryCheck","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-logs","Condition":{"StringEquals":{"aws:SourceOrgID":"o-a1b2c3d4e5"}}},{"Sid":"DenyUnencryptedTraffic","Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":["arn:aws:s3:::acme-logs/*","arn:aws:s3:::acme-logs"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
    let single = GOOD.replace("acme-logs/AWSLogs/111122223333/*", "acme-logs/*");
    let china = GOOD.replace("arn:aws:", "arn:aws-cn:").replace("us-east-1", "cn-north-1");
    let hive = GOOD.replace("AWSLogs/111122223333", "flow/AWSLogs/aws-account-id=111122223333");
    for policy in [organization, &single, &china, &hive] {
        let findings = lint(policy, None);
        assert!(findings.iter().all(|finding| finding.severity == Severity::Note), "{findings:#?}");
    }
}

#[test]
fn finding_is_serialized_with_its_location() {
    let policy = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Sid\": \"A b\", \"Effect\": \"Deny\", \"Principal\": \"*\",\n    \
                  \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::acme-logs/x\"}]\n}";
    let findings = lint(policy, None);
    assert_eq!(
        serde_json::to_string(&findings[0]).unwrap(),
        r#"{"id":"sid-with-odd-characters","severity":"note","statement":"`A b`","place":{"line":3,"column":25},"message":"the Sid `A b` contains ` `, which the IAM policy grammar does not allow","help":"keep the Sid, or use only A-Z, a-z and 0-9 if the statement is also used in IAM"}"#
    );
}

#[test]
fn help_for_a_misspelt_element_names_the_correct_one() {
    let help = |policy: &str| {
        let findings = lint(policy, None);
        findings.into_iter().find(|finding| finding.id == "unknown-element").map(|it| it.help.into_owned())
    };
    assert_eq!(
        help(&GOOD.replace("\"Condition\"", "\"Conditions\"")).as_deref(),
        Some("rename it to `Condition`")
    );
    let comment = GOOD.replace("\"Statement\":", "\"Comment\":\"x\",\"Statement\":");
    assert_eq!(help(&comment).as_deref(), Some("remove the element; S3 rejects policies that contain it"));
}

#[test]
fn nearly_full_policy_reports_its_headroom() {
    let findings = lint(include_str!("../data/policy-classic.json"), None);
    let head_room = findings.iter().find(|finding| finding.id == "little-head-room").unwrap();
    assert_eq!(head_room.message, "51 of 20480 bytes left, enough for 0 more accounts of 59 bytes each");
}

#[test]
fn deny_for_a_documentation_bucket_is_found() {
    for bucket in ["amzn-s3-demo-bucket", "amzn-s3-demo-logging-bucket", "DOC-EXAMPLE-BUCKET", "acme_logs"] {
        let denied = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::{bucket}/*"}}}}"#
        );
        assert_eq!(ids(&denied), ["deny-blocks-delivery"], "{bucket}");
    }
}

#[test]
fn given_bucket_overrides_the_deduced_one() {
    let bucket = BucketName::parse("other-logs").unwrap();
    let ids: Vec<_> = lint(GOOD, Some(&bucket)).iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["another-bucket", "another-bucket"]);
}
