//! Requests with the decision that AWS documents, or that follows from its documentation.

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
    /// The Sid of the deciding statement, if the case is about it.
    sid: Option<String>,
}

/// A condition, the context of a request, and whether the condition holds.
#[derive(Deserialize)]
struct ConditionCase<'a> {
    name: String,
    rule: String,
    version: Option<String>,
    #[serde(borrow)]
    condition: &'a RawValue,
    #[serde(borrow)]
    context: &'a RawValue,
    holds: bool,
}

/// Returns the number of cases and the failed ones.
fn check(cases: &str) -> (usize, String) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in cases.lines() {
        let case: Case<'_> = serde_json::from_str(line).unwrap();
        count += 1;
        let answer = match Policy::compile(case.policy.get()) {
            Ok(policy) => {
                let decision = policy.decide(&case.request);
                let by = decision.statement.and_then(|id| id.sid);
                match case.sid {
                    Some(sid) if by.as_deref() != Some(&*sid) => format!("{} by {by:?}", decision.kind),
                    _ => decision.kind.to_string(),
                }
            }
            Err(error) => error.to_string(),
        };
        if answer != case.expected {
            wrong.push(format!("{}: {answer}, not {} ({})", case.name, case.expected, case.rule));
        }
    }
    (count, wrong.join("\n"))
}

#[test]
fn decisions_match_the_aws_documentation() {
    assert_eq!(check(include_str!("../data/evaluation-cases.jsonl")), (78, String::new()));
}

#[test]
fn statement_elements_match_the_aws_documentation() {
    assert_eq!(check(include_str!("../data/decisions.jsonl")), (225, String::new()));
}

#[test]
fn conditions_match_the_aws_documentation_in_allow_and_deny() {
    const OPEN: &str = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let mut wrong = Vec::new();
    for line in include_str!("../data/conditions.jsonl").lines() {
        let case: ConditionCase<'_> = serde_json::from_str(line).unwrap();
        let version = case.version.as_deref().unwrap_or("2012-10-17");
        let request = format!(
            r#"{{"principal":"*","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","context":{}}}"#,
            case.context
        );
        let request: Request = serde_json::from_str(&request).unwrap();
        for (effect, yes, no) in [("Allow", "Allow", "ImplicitDeny"), ("Deny", "ExplicitDeny", "Allow")] {
            let statement = format!(
                r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":"*","Condition":{}}}"#,
                case.condition
            );
            let open = if effect == "Deny" { format!("{OPEN},") } else { String::new() };
            let policy = format!(r#"{{"Version":"{version}","Statement":[{open}{statement}]}}"#);
            let answer = Policy::compile(&policy).unwrap().decide(&request).kind.to_string();
            if answer != if case.holds { yes } else { no } {
                wrong.push(format!("{} under {effect}: {answer} ({})", case.name, case.rule));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
