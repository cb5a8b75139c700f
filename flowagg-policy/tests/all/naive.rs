//! A second, naive implementation of AWS's decision logic: nothing is prepared, and every pattern is matched
//! recursively by character. The compiled evaluator must agree with it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Ask, ask, cases, foreign_statement};

/// A character of a pattern, or a wildcard.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Plain(char),
    One,
    Any,
}

fn fits(pattern: &[Token], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Token::Any, rest)) => (0..=text.len()).any(|at| fits(rest, &text[at..])),
        Some((Token::One, rest)) => !text.is_empty() && fits(rest, &text[1..]),
        Some((Token::Plain(c), rest)) => text.first() == Some(c) && fits(rest, &text[1..]),
    }
}

/// Resolves the variables of a pattern for this request; `None` if a variable has no value.
fn resolve(
    pattern: &str,
    wild: bool,
    variables: bool,
    context: &BTreeMap<String, Vec<String>>,
) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let braced = rest.strip_prefix("${").filter(|_| variables);
        if let Some((inside, after)) = braced.and_then(|rest| rest.split_once('}')) {
            rest = after;
            if matches!(inside, "*" | "?" | "$") {
                tokens.extend(inside.chars().map(Token::Plain));
                continue;
            }
            let (key, default) =
                inside.split_once(", ").map_or((inside, None), |(key, default)| (key, Some(default)));
            let value = match context.get(&key.to_lowercase()).map(Vec::as_slice) {
                Some([only]) => only.as_str(),
                _ => default?.trim_matches('\''),
            };
            tokens.extend(value.chars().map(Token::Plain));
            continue;
        }
        tokens.push(match c {
            '*' if wild => Token::Any,
            '?' if wild => Token::One,
            c => Token::Plain(c),
        });
        rest = rest.strip_prefix(c).unwrap_or_default();
    }
    Some(tokens)
}

fn matches(
    pattern: &str,
    wild: bool,
    variables: bool,
    context: &BTreeMap<String, Vec<String>>,
    text: &str,
) -> bool {
    let text: Vec<char> = text.chars().collect();
    resolve(pattern, wild, variables, context).is_some_and(|tokens| fits(&tokens, &text))
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn names_caller(principal: &Value, caller: &str, spare: bool) -> bool {
    let Some(map) = principal.as_object() else { return true };
    let aws: Vec<String> = map.get("AWS").map_or(Vec::new(), texts);
    if aws.iter().any(|text| text == "*") {
        return true;
    }
    let is_arn = caller.starts_with("arn:");
    let account = if is_arn { caller.split(':').nth(4).unwrap() } else { caller };
    let account_named =
        aws.iter().any(|text| text == account || text == &format!("arn:aws:iam::{account}:root"));
    if !is_arn {
        let services = map.get("Service").map_or(Vec::new(), texts);
        return services.iter().any(|text| text == caller) || (account_named && caller != "*");
    }
    let named = aws.iter().any(|text| text == caller);
    let role = caller.split(":assumed-role/").nth(1).map(|rest| rest.split('/').next().unwrap());
    let role_named = role.is_none_or(|role| {
        aws.iter().any(|text| {
            text.contains(&format!(":iam::{account}:role/")) && text.ends_with(&format!("/{role}"))
        })
    });
    if spare {
        named && role_named && account_named
    } else {
        named || account_named || (role.is_some() && role_named)
    }
}

fn compare(
    operator: &str,
    wanted: &str,
    variables: bool,
    context: &BTreeMap<String, Vec<String>>,
    found: &str,
) -> bool {
    let low = str::to_lowercase;
    match operator {
        "stringequals" => matches(wanted, false, variables, context, found),
        "stringequalsignorecase" | "bool" => {
            // The values of variables are also compared case-insensitively.
            let lowered = |values: &Vec<String>| values.iter().map(|value| low(value)).collect();
            let context = context.iter().map(|(key, values)| (key.clone(), lowered(values))).collect();
            matches(&low(wanted), false, variables, &context, &low(found))
        }
        "stringlike" => matches(wanted, true, variables, context, found),
        "arnlike" | "arnequals" => {
            // The colon in a variable's name does not separate parts of the ARN.
            let wanted = wanted.replace("${aws:", "${aws\u{1}");
            let parts: Vec<String> = wanted.splitn(6, ':').map(|part| part.replace('\u{1}', ":")).collect();
            let found_parts: Vec<&str> = found.splitn(6, ':').collect();
            wanted == "*"
                || (parts.len() == 6
                    && found_parts.len() == 6
                    && parts
                        .iter()
                        .zip(found_parts)
                        .all(|(part, found)| matches(part, true, variables, context, found)))
        }
        "ipaddress" => {
            let number = |text: &str| text.parse::<std::net::Ipv4Addr>().ok().map(u32::from);
            let (base, bits) =
                wanted.split_once('/').map_or((wanted, 32), |(base, bits)| (base, bits.parse().unwrap()));
            number(found).is_some_and(|found| {
                u64::from(found) >> (32 - bits) == u64::from(number(base).unwrap()) >> (32 - bits)
            })
        }
        _ => match (found.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(found), Ok(wanted)) => match operator {
                "numericlessthan" => found < wanted,
                "numericgreaterthanequals" => found >= wanted,
                "numericequals" => found == wanted,
                other => panic!("{other}"),
            },
            _ => false,
        },
    }
}

fn holds(
    operator: &str,
    key: &str,
    wanted: &[String],
    variables: bool,
    context: &BTreeMap<String, Vec<String>>,
) -> bool {
    let operator = operator.to_lowercase();
    let (set, operator) = operator.split_once(':').unwrap_or(("", &operator));
    let values = context.get(&key.to_lowercase()).cloned().unwrap_or_default();
    if operator == "null" {
        return wanted.contains(&values.is_empty().to_string());
    }
    let (if_exists, operator) =
        operator.strip_suffix("ifexists").map_or((false, operator), |rest| (true, rest));
    let negated = operator.contains("not");
    let operator = operator.replace("not", "");
    let one = |value: &String| {
        wanted.iter().any(|wanted| compare(&operator, wanted, variables, context, value)) != negated
    };
    match (set, values.len()) {
        ("", 0) => if_exists || negated,
        ("", 1) => one(&values[0]),
        ("", _) => negated,
        ("foranyvalue", 0) => if_exists,
        (_, 0) => true,
        ("foranyvalue", _) => !values.iter().all(String::is_empty) && values.iter().any(one),
        (_, _) => values.iter().all(String::is_empty) || values.iter().all(one),
    }
}

fn applies(statement: &Value, ask: &Ask, variables: bool) -> bool {
    let context: BTreeMap<String, Vec<String>> =
        ask.context.iter().map(|(key, values)| (key.to_lowercase(), values.clone())).collect();
    let part = |name: &str, holds: &dyn Fn(&Value, bool) -> bool| match statement.get(name) {
        Some(value) => holds(value, false),
        None => !holds(&statement[format!("Not{name}")], true),
    };
    part("Principal", &|value, negated| {
        names_caller(value, &ask.principal, negated && statement["Effect"] == "Deny")
    }) && part("Action", &|value, _| {
        texts(value)
            .iter()
            .any(|text| matches(&text.to_lowercase(), true, false, &context, &ask.action.to_lowercase()))
    }) && part("Resource", &|value, _| {
        texts(value).iter().any(|text| matches(text, true, variables, &context, &ask.resource))
    }) && statement["Condition"].as_object().unwrap().iter().all(|(operator, keys)| {
        keys.as_object()
            .unwrap()
            .iter()
            .all(|(key, wanted)| holds(operator, key, &texts(wanted), variables, &context))
    })
}

/// The decision of the policy.
pub(crate) fn decide(policy: &Value, ask: &Ask) -> &'static str {
    let variables = policy["Version"] == json!("2012-10-17");
    let of = |effect: &str| {
        let statements = policy["Statement"].as_array().unwrap();
        statements
            .iter()
            .any(|statement| statement["Effect"] == json!(effect) && applies(statement, ask, variables))
    };
    match (of("Deny"), of("Allow")) {
        (true, _) => "ExplicitDeny",
        (false, true) => "Allow",
        (false, false) => "ImplicitDeny",
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn compiled_and_naive_evaluation_agree(
        statements in proptest::collection::vec(foreign_statement(), 1..4),
        version in proptest::sample::select(vec!["2012-10-17", "2008-10-17"]),
        asks in proptest::collection::vec(ask(), 8),
    ) {
        let policy = json!({"Version": version, "Statement": statements});
        let compiled = flowagg_policy::Policy::compile(&policy.to_string()).unwrap();
        for ask in asks {
            let decision = compiled.decide(&ask.request());
            prop_assert_eq!(decision.kind.to_string(), decide(&policy, &ask), "{} {:?}", policy, ask);
            prop_assert_eq!(decision.near_miss.is_some(), decision.statement.is_none() && statements.iter().any(|s| s["Effect"] == "Allow"));
        }
    }
}
