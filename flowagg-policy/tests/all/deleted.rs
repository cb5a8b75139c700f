//! Deleted principals, for which S3 rejects a policy.

use flowagg_policy::{deleted_principals, lint};
use serde_json::json;

#[test]
fn deleted_principals_are_reported_with_their_statements() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Readers", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-logs/*",
         "Principal": {"AWS": ["AROAEXAMPLEEXAMPLE123", "arn:aws:iam::111122223333:role/athena", "AIDAEXAMPLEEXAMPLE456"]}},
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::acme-logs/*",
         "NotPrincipal": {"AWS": "AGPAEXAMPLEEXAMPLE789"}},
        {"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-logs/*",
         "Principal": {"AWS": "ANPAEXAMPLEEXAMPLE012"}},
        {"Sid": "Others", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-logs/*",
         "Principal": {"AWS": ["arn:aws:iam::111122223333:role/AROAEXAMPLEEXAMPLE123", "AROASHORT", "aroaexampleexample123"],
                       "CanonicalUser": "AROAEXAMPLEEXAMPLE123"}},
    ]})
    .to_string();
    let found: Vec<_> = deleted_principals(&policy).into_iter().map(|it| (it.statement, it.id)).collect();
    let expected = [
        ("`Readers`", "AROAEXAMPLEEXAMPLE123"),
        ("`Readers`", "AIDAEXAMPLEEXAMPLE456"),
        ("2", "AGPAEXAMPLEEXAMPLE789"),
        ("`One`", "ANPAEXAMPLEEXAMPLE012"),
    ];
    assert_eq!(found, expected.map(|(statement, id)| (statement.to_owned(), id.to_owned())));
    let findings: Vec<_> =
        lint(&policy, None).into_iter().filter(|it| it.id == "deleted-principal").collect();
    let findings: Vec<_> = findings.iter().map(|it| format!("{}\n    {}", it.message, it.help)).collect();
    snapbox::assert_data_eq!(
        findings.join("\n"),
        snapbox::str![[r#"
the principal `AROAEXAMPLEEXAMPLE123` was deleted, so S3 rejects the policy
    replace the ID with the ARN of an existing principal, or remove it
the principal `AIDAEXAMPLEEXAMPLE456` was deleted, so S3 rejects the policy
    replace the ID with the ARN of an existing principal, or remove it
the principal `AGPAEXAMPLEEXAMPLE789` was deleted, so S3 rejects the policy
    replace the ID with the ARN of an existing principal, or remove it
the principal `ANPAEXAMPLEEXAMPLE012` was deleted, so S3 rejects the policy
    replace the ID with the ARN of an existing principal, or remove the statement
"#]]
    );
    for text in ["", "[]", "{\"Statement\":", "{\"Statement\":3}"] {
        assert_eq!(deleted_principals(text), [], "{text}");
    }
}
