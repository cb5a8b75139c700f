use super::*;

fn policy(statement: &str) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}")
}

#[test]
fn equivalent_notation_is_not_a_difference() {
    let before = policy(
        r#"{"Sid":"A","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["s3:GetObject","s3:ListBucket"],
            "Resource":["x"],"Condition":{"Bool":{"aws:SecureTransport":true},"NumericEquals":{"s3:max-keys":10}}},{}"#,
    );
    let after = r#"{"Statement":[{"Sid":"","x":1},{"Condition":{"numericequals":{"S3:max-keys":["10"]},"Bool":
        {"aws:SecureTransport":"true"}},"Resource":"x","Action":["s3:listbucket","s3:GetObject"],"Principal":
        {"AWS":["arn:aws:iam::111122223333:root"]},"Effect":"allow","Sid":"A"}],"Version":"2012-10-17"}"#;
    let difference = diff(&before, after).unwrap();
    let kinds: Vec<_> =
        difference.statements.iter().map(|change| (change.statement.as_str(), change.kind)).collect();
    assert_eq!(kinds, [("1", ChangeKind::Added), ("2", ChangeKind::Removed)]);
}

#[test]
fn changed_conditions_and_lists_are_tightened_or_loosened() {
    let before = policy(
        r#"{"Sid":"A","Effect":"Allow","Resource":["a","b"],"Condition":{"StringEquals":{"k":"1","l":"1"}}}"#,
    );
    let after = policy(
        r#"{"Sid":"A","Effect":"Allow","Resource":["b"],"Condition":{"StringEquals":{"k":["1","2"]},"Null":{"m":"true"}}}"#,
    );
    let difference = diff(&before, &after).unwrap();
    assert_eq!(
        difference.statements[0].details,
        [
            "tightened: `Resource` no longer has `a`",
            "tightened: now tests `m` (null)",
            "loosened: `k` (stringequals) now has `2`",
            "loosened: no longer tests `l` (stringequals)",
        ]
    );
    let deny = |text: &str| text.replace("Allow", "Deny");
    let details = &diff(&deny(&before), &deny(&after)).unwrap().statements[0].details;
    assert_eq!(details[0], "loosened: `Resource` no longer has `a`");
    assert_eq!(details[2], "tightened: `k` (stringequals) now has `2`");
}

#[test]
fn access_through_wildcards_is_evaluated_or_reported_as_unevaluated() {
    let grant = |resource: &str| {
        policy(&format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"delivery.logs.amazonaws.com"}},"Action":["s3:PutObject","s3:GetBucketAcl"],
                "Resource":["arn:aws:s3:::logs","{resource}"],"Condition":{{"StringEquals":{{"aws:SourceAccount":"222222222222"}}}}}}"#
        ))
    };
    let nothing = policy(
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::logs"}"#,
    );
    for resource in ["arn:aws:s3:::logs*", "arn:aws:s3:::logs/AWSLogs*", "arn:aws:s3:::logs/net/*"] {
        let difference = diff(&nothing, &grant(resource)).unwrap();
        assert_eq!((difference.granted.len(), difference.not_evaluated), (1, None), "{resource}");
    }
    let unread = diff(&nothing, &grant("arn:aws:s3:::logs/*/AWSLogs/*")).unwrap();
    assert_eq!(unread.not_evaluated.as_deref(), Some("no statement names a folder for 222222222222"));
}

#[test]
fn account_that_may_deliver_before_and_after_is_neither_granted_nor_revoked() {
    let grant = |region: &str, folder: &str, test: &str| {
        policy(&format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"delivery.logs.amazonaws.com"}},"Action":["s3:PutObject","s3:GetBucketAcl"],
                "Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/{folder}AWSLogs/*"],
                "Condition":{{"{test}":{{"aws:SourceAccount":"222222222222"}},
                    "ArnLike":{{"aws:SourceArn":"arn:aws:logs:{region}:222222222222:*"}}}}}}"#
        ))
    };
    let before = grant("*", "", "StringEquals");
    for after in [grant("eu-west-1", "", "StringEquals"), grant("*", "net/", "StringEquals")] {
        let both = format!(
            "{}{}",
            before.strip_suffix("]}").unwrap(),
            &after.replacen(r#"{"Version":"2012-10-17","Statement":["#, ",", 1)
        );
        let text = diff(&both, &after).unwrap().to_string();
        assert!(
            text.starts_with(
                "~ account 222222222222 may deliver from different regions or to different folders\n"
            ),
            "{text}"
        );
    }
    let elsewhere =
        diff(&grant("us-east-1", "", "StringEquals"), &grant("eu-west-1", "", "StringEquals")).unwrap();
    assert_eq!((elsewhere.granted.len(), elsewhere.revoked.len(), elsewhere.changed.len()), (0, 0, 1));
    let never = diff(&before, &grant("*", "", "StringNotEquals")).unwrap();
    assert_eq!((never.revoked.len(), never.changed.len()), (1, 0));
}
