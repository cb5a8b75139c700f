//! Questions to a policy with the answer that AWS documents, or that follows from what it documents.

use flowagg_policy::{Policy, Request};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Case<'a> {
    name: String,
    #[serde(borrow)]
    policy: &'a RawValue,
    request: Request,
    expected: String,
    rule: String,
}

#[test]
fn every_case_is_answered_as_aws_documents_it() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("../data/evaluation-cases.jsonl").lines() {
        let case: Case<'_> = serde_json::from_str(line).unwrap();
        count += 1;
        let answer = match Policy::compile(case.policy.get()) {
            Ok(policy) => policy.decide(&case.request).kind.to_string(),
            Err(error) => error.to_string(),
        };
        if answer != case.expected {
            wrong.push(format!("{}: {answer}, not {} ({})", case.name, case.expected, case.rule));
        }
    }
    assert_eq!(count, 78);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
