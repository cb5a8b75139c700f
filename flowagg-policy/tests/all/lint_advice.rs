//! The help of findings: following it fixes the finding and preserves the other effects of the statement.

use flowagg_policy::{DecisionKind, Finding, Policy, Request, lint};
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

/// A grant for flow logs of one account.
fn grants() -> Vec<Value> {
    let condition = |mut equals: Value| {
        equals["aws:SourceAccount"] = json!("111122223333");
        json!({ "StringEquals": equals })
    };
    let service = json!({ "Service": "delivery.logs.amazonaws.com" });
    vec![
        json!({"Sid": "Write", "Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::acme-logs/AWSLogs/111122223333/*",
            "Condition": condition(json!({"s3:x-amz-acl": "bucket-owner-full-control"}))}),
        json!({"Sid": "Check", "Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl",
            "Resource": "arn:aws:s3:::acme-logs", "Condition": condition(json!({}))}),
    ]
}

/// The grant followed by this statement.
fn with(statement: &Value) -> String {
    let statements: Vec<Value> = grants().into_iter().chain([statement.clone()]).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn deny(condition: Value) -> Value {
    let bucket = "arn:aws:s3:::acme-logs";
    json!({"Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [bucket, format!("{bucket}/*")], "Condition": condition})
}

/// The findings for the guard statement.
fn on_guard(statement: &Value) -> Vec<Finding> {
    let guard = Some("`Guard`".to_owned());
    lint(&with(statement), None).into_iter().filter(|finding| finding.statement == guard).collect()
}

fn only(statement: &Value) -> Finding {
    let findings = on_guard(statement);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.into_iter().next().unwrap()
}

/// Adds the condition in backticks in a help text to the statement.
fn as_advised(statement: &Value, help: &str) -> Value {
    let text = help.split('`').nth(1).unwrap();
    let added: Value = serde_json::from_str(&format!("{{{text}}}")).unwrap();
    let mut fixed = statement.clone();
    for (operator, keys) in added.as_object().unwrap() {
        for (key, value) in keys.as_object().unwrap() {
            fixed["Condition"][operator][key] = value.clone();
        }
    }
    fixed
}

/// A request that the guard denies before and after the fix.
fn stranger() -> Request {
    Request::new("arn:aws:iam::999988887777:role/App", "s3:PutObject", "arn:aws:s3:::acme-logs/x")
        .with("aws:PrincipalIsAWSService", "false")
        .with("aws:PrincipalOrgID", "o-zzzzzzzzzz")
        .with("aws:SourceIp", "192.0.2.1")
        .with("aws:SecureTransport", "true")
        .with("s3:x-amz-acl", "public-read")
}

#[test]
fn advised_exemption_for_log_delivery_keeps_denying_everyone_else() {
    let mut not_principal = deny(json!({}));
    let statement = not_principal.as_object_mut().unwrap();
    statement.remove("Principal");
    statement.insert("NotPrincipal".to_owned(), json!({"AWS": "arn:aws:iam::111122223333:root"}));
    let guards = [
        deny(json!({})),
        deny(json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}})),
        deny(json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
        deny(json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})),
        deny(json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}})),
        deny(json!({"Null": {"s3:x-amz-server-side-encryption": "true"}})),
        deny(json!({"StringNotEquals": {"s3:DataAccessPointAccount": "111122223333"}})),
        not_principal,
    ];
    for guard in guards {
        let finding =
            on_guard(&guard).into_iter().find(|it| it.id.starts_with("deny-blocks-delivery")).unwrap();
        let fixed = as_advised(&guard, &finding.help);
        let left: Vec<_> = on_guard(&fixed).into_iter().filter(|it| it.id == finding.id).collect();
        assert!(left.is_empty(), "{left:#?}");
        for statement in [&guard, &fixed] {
            let decision = Policy::compile(&with(statement)).unwrap().decide(&stranger());
            assert_eq!(decision.kind, DecisionKind::ExplicitDeny, "{statement}");
        }
    }
}

#[test]
fn help_for_a_deny_on_services_never_exempts_all_services() {
    let sources = deny(json!({
        "StringNotEqualsIfExists": {"aws:SourceAccount": "444455556666"},
        "Null": {"aws:SourceAccount": "false"},
        "Bool": {"aws:PrincipalIsAWSService": "true"}
    }));
    let finding = only(&sources);
    assert_data_eq!(
        finding.help.as_ref(),
        str![[
            r#"add the accounts that own the flow logs, or their organization, to the sources that the condition exempts"#
        ]]
    );
    let mut fixed = sources;
    fixed["Condition"]["StringNotEqualsIfExists"]["aws:SourceAccount"] =
        json!(["444455556666", "111122223333"]);
    assert!(on_guard(&fixed).is_empty());

    // The fix only exempts log delivery and still denies other services.
    let network = deny(json!({
        "StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"},
        "Bool": {"aws:PrincipalIsAWSService": "true"}
    }));
    let fixed = as_advised(&network, &only(&network).help);
    assert!(on_guard(&fixed).is_empty());
    let trail = Request::new("cloudtrail.amazonaws.com", "s3:PutObject", "arn:aws:s3:::acme-logs/x")
        .with("aws:PrincipalIsAWSService", "true")
        .with("aws:PrincipalServiceName", "cloudtrail.amazonaws.com");
    let decided = |statement: &Value| Policy::compile(&with(statement)).unwrap().decide(&trail).kind;
    assert_eq!([&network, &fixed].map(decided), [DecisionKind::ExplicitDeny; 2]);

    let mut named = deny(json!({}));
    named["Principal"] = json!({"Service": "delivery.logs.amazonaws.com"});
    for finding in [only(&sources_only(&named)), only(&named)] {
        assert!(!finding.help.contains("PrincipalIsAWSService"), "{}", finding.help);
    }
}

/// The statement with a condition that only one source meets.
fn sources_only(statement: &Value) -> Value {
    let mut statement = statement.clone();
    statement["Condition"] = json!({"StringNotEquals": {"aws:SourceAccount": "444455556666"}});
    statement
}

#[test]
fn blocking_deny_is_a_warning_without_a_grant_and_an_error_with_one() {
    let guard = deny(json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}));
    let alone = json!({"Version": "2012-10-17", "Statement": guard}).to_string();
    let severities =
        |policy: &str| lint(policy, None).iter().map(|it| format!("{:?}", it.severity)).collect::<Vec<_>>();
    assert_eq!(severities(&alone), ["Warning"]);
    assert_eq!(severities(&with(&guard)), ["Error"]);
    assert_data_eq!(
        &lint(&alone, None)[0].message,
        str![[
            r#"the statement would block log delivery: the delivery service matches its condition on `s3:x-amz-server-side-encryption`"#
        ]]
    );
}

#[test]
fn help_for_a_needless_set_operator_preserves_handling_of_absent_keys() {
    let mut advice = String::new();
    for (effect, operator) in [
        ("Deny", "ForAnyValue:StringNotEquals"),
        ("Deny", "ForAllValues:StringEquals"),
        ("Deny", "ForAllValues:StringNotEquals"),
        ("Deny", "ForAnyValue:StringEquals"),
        ("Allow", "ForAnyValue:StringEquals"),
    ] {
        let mut guard = deny(json!({ operator: {"aws:SourceVpce": "vpce-1a2b3c4d"} }));
        guard["Effect"] = json!(effect);
        guard["Action"] = json!("s3:DeleteObject");
        let findings = on_guard(&guard);
        let finding = findings.iter().find(|it| it.id == "set-operator-on-single-valued-key").unwrap();
        advice.push_str(&format!("{effect} {operator}: {}\n", finding.help));
    }
    assert_data_eq!(
        advice,
        str![[r#"
Deny ForAnyValue:StringNotEquals: remove the set operator, and require the key with `Null` so that requests without it are handled as before
Deny ForAllValues:StringEquals: replace the set operator with the suffix `IfExists` so that requests without the key are still denied
Deny ForAllValues:StringNotEquals: remove the set operator
Deny ForAnyValue:StringEquals: remove the set operator
Allow ForAnyValue:StringEquals: remove the set operator

"#]]
    );
}

#[test]
fn only_the_role_is_reported_next_to_a_load_balancer_account() {
    let mixed = json!({"Sid": "AWSLogDeliveryWriteAlb", "Effect": "Allow", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::acme-logs/AWSLogs/111122223333/*",
        "Principal": {"AWS": ["arn:aws:iam::127311923021:root", "arn:aws:iam::111122223333:role/App"]}});
    let messages: Vec<String> =
        lint(&with(&mixed), None).into_iter().map(|finding| finding.message).collect();
    assert_eq!(
        messages,
        [
            "`arn:aws:iam::111122223333:role/App` does not deliver logs; the service `delivery.logs.amazonaws.com` does"
        ]
    );
}

#[test]
fn needed_statements_are_not_reported_as_redundant() {
    let write = grants().remove(0);
    let managed = {
        let mut write = write.clone();
        write["Sid"] = json!("AWSLogDeliveryWriteFlowaggAcme");
        write
    };
    let public = json!({"Sid": "Public", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-logs/*"});
    let mut open = write.clone();
    open["Sid"] = json!("Open");
    open.as_object_mut().unwrap().remove("Condition");
    for (other, why) in [
        (managed, "flowagg would write the managed statement again"),
        (public, "the public statement should become narrower"),
        (open, "the open statement should become narrower"),
    ] {
        let ids: Vec<&str> = lint(&with(&other), None).iter().map(|finding| finding.id).collect();
        assert!(!ids.contains(&"redundant-statement"), "{why}");
    }
    let mut again = write;
    again["Sid"] = json!("Again");
    let ids: Vec<&str> = lint(&with(&again), None).iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["redundant-statement"]);
}
