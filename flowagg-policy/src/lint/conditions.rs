//! Checks of conditions: operators, keys and values.
//!
//! Source: "Condition operators", "Set operators for multivalued context keys" and "AWS global condition context keys"
//! (IAM User Guide).

use flowagg_core::id::AccountId;

use super::names::{KEYS, MULTIVALUED_KEYS, TAG_KEYS, has};
use super::subject::{Condition, Item, Statement, Subject};
use super::{Check, Report, Severity, nearest, shown};
use crate::evaluate::{Family, Quantifier};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "unknown-operator",
        severity: Severity::Error,
        help: "fix the operator; the IAM User Guide lists them under \"Condition operators\"",
        find: unknown_operator,
    },
    Check {
        id: "unknown-condition-key",
        severity: Severity::Error,
        help: "fix the key; S3 accepts its own condition keys and the global condition keys",
        find: unknown_key,
    },
    Check {
        id: "account-id-not-12-digits",
        severity: Severity::Error,
        help: "write the account ID as a string of 12 digits, including leading zeros",
        find: account_id,
    },
    Check {
        id: "wildcard-under-string-equals",
        severity: Severity::Error,
        help: "use `ArnLike` for ARNs and `StringLike` for other strings",
        find: wildcard_under_equals,
    },
    Check {
        id: "bool-not-true-or-false",
        severity: Severity::Error,
        help: "write `true` or `false`",
        find: |subject, report| not_boolean(subject, report, Family::Bool),
    },
    Check {
        id: "null-not-true-or-false",
        severity: Severity::Error,
        help: "write `true` (the key is absent) or `false` (it is present)",
        find: |subject, report| not_boolean(subject, report, Family::Null),
    },
    Check {
        id: "for-all-values-in-allow",
        severity: Severity::Error,
        help: "use `ForAnyValue`, or require the key with `Null`",
        find: for_all_values,
    },
    Check {
        id: "multivalued-key-without-set-operator",
        severity: Severity::Error,
        help: "prefix the operator with `ForAnyValue:`",
        find: no_set_operator,
    },
    Check {
        id: "set-operator-on-single-valued-key",
        severity: Severity::Warning,
        help: "remove the set operator",
        find: needless_set_operator,
    },
    Check {
        id: "operator-does-not-fit-key",
        severity: Severity::Warning,
        help: "use an operator that matches the type of the key",
        find: wrong_family,
    },
    Check {
        id: "unreadable-value",
        severity: Severity::Error,
        help: "write a number, a date, an address range or an ARN, as the operator requires",
        find: unreadable,
    },
];

fn each<'s, 'd>(subject: &'s Subject<'d>) -> impl Iterator<Item = (&'s Statement<'d>, &'s Condition<'d>)> {
    subject
        .statements
        .iter()
        .flat_map(|statement| statement.conditions.iter().map(move |condition| (statement, condition)))
}

fn unknown_operator(subject: &Subject<'_>, report: &mut Report<'_>) {
    const OPERATORS: &str = "StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike \
        StringNotLike NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan \
        NumericGreaterThanEquals DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan \
        DateGreaterThanEquals Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnNotEquals ArnLike ArnNotLike Null";
    for statement in &subject.statements {
        let block = statement.members.iter().find(|member| member.key == "Condition");
        for operator in block.and_then(|member| member.value.members()).unwrap_or_default() {
            if crate::evaluate::Operator::parse(&operator.key).is_none() {
                let name = operator.key.rsplit(':').next().unwrap_or_default();
                let near = nearest(OPERATORS.split(' '), name.trim_end_matches("IfExists"));
                let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                let message = format!("unknown condition operator {}{hint}", shown(&operator.key));
                report.add(Some(statement), operator.key_span.start, message);
            }
        }
    }
}

fn unknown_key(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (statement, condition) in each(subject) {
        let key = condition.key.text;
        let tagged = TAG_KEYS.split(' ').any(|start| {
            key.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
                && key.len() > start.len()
        });
        if !has(KEYS, key) && !tagged {
            let near = nearest(KEYS.split(' '), key);
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let message = format!("unknown condition key {}{hint}", shown(key));
            report.add(Some(statement), condition.key.at, message);
        }
    }
}

/// Returns the account in an ARN unless it is empty or a pattern.
fn account_in(arn: &str) -> Option<&str> {
    arn.starts_with("arn:")
        .then(|| arn.split(':').nth(4))
        .flatten()
        .filter(|id| !id.is_empty() && !id.contains(['*', '?', '$']))
}

fn account_id(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        let mut ids: Vec<Item<'_>> = Vec::new();
        for condition in statement.conditions.iter().filter(|condition| !condition.asks_presence()) {
            for value in &condition.values {
                let text = match condition.key_name.as_str() {
                    "aws:sourceaccount"
                    | "aws:principalaccount"
                    | "aws:resourceaccount"
                    | "s3:resourceaccount"
                    | "aws:sourceowner"
                    | "s3:dataaccesspointaccount"
                    | "aws:vpceaccount" => Some(value.text),
                    _ => account_in(value.text),
                };
                ids.extend(text.map(|text| Item { text, at: value.at }));
            }
        }
        for (kind, item) in &statement.principals {
            let digits = item.text.bytes().all(|b| b.is_ascii_digit());
            let text = if *kind == "AWS" && digits {
                Some(item.text)
            } else {
                // The users of CloudFront's origin access identities have `cloudfront` as their account.
                account_in(item.text).filter(|id| !matches!(*id, "aws" | "cloudfront"))
            };
            ids.extend(text.map(|text| Item { text, at: item.at }));
        }
        ids.extend(statement.folder_accounts());
        for id in ids {
            let is_pattern = id.text.contains(['*', '?', '$']);
            if !is_pattern && !id.text.is_empty() && AccountId::parse(id.text).is_err() {
                report.add(Some(statement), id.at, format!("{} is not a valid account ID", shown(id.text)));
            }
        }
    }
}

fn wildcard_under_equals(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (statement, condition) in each(subject) {
        let Some(Family::Text | Family::TextIgnoringCase) =
            condition.operator.map(|operator| operator.family)
        else {
            continue;
        };
        // Some services send the pattern itself as the source ARN, and AWS documents the grant with this operator.
        if condition.key_name == "aws:sourcearn" && statement.other_logs().is_some() {
            continue;
        }
        for value in &condition.values {
            if value.text.replace("${*}", "").replace("${?}", "").contains(['*', '?']) {
                let operator = shown(condition.operator_name.text);
                report.add(
                    Some(statement),
                    value.at,
                    format!(
                        "{operator} does not support wildcards, so {} is compared literally",
                        shown(value.text)
                    ),
                );
            }
        }
    }
}

fn not_boolean(subject: &Subject<'_>, report: &mut Report<'_>, family: Family) {
    for (statement, condition) in each(subject) {
        if condition.operator.is_some_and(|operator| operator.family == family) {
            for value in &condition.values {
                let is_boolean =
                    value.text.eq_ignore_ascii_case("true") || value.text.eq_ignore_ascii_case("false");
                let has_variable = family == Family::Bool && value.text.contains("${");
                if !is_boolean && !has_variable {
                    let message = format!(
                        "expected `true` or `false`, found {}; the condition never matches",
                        shown(value.text)
                    );
                    report.add(Some(statement), value.at, message);
                }
            }
        }
    }
}

/// Whether an Allow also matches requests without the key.
fn lets_absence_in(statement: &Statement<'_>, condition: &Condition<'_>) -> bool {
    let required = || {
        statement.on(&condition.key_name).any(|other| {
            other.asks_presence() && other.values.iter().all(|value| value.text.eq_ignore_ascii_case("false"))
        })
    };
    statement.allows()
        && condition.operator.is_some_and(|operator| operator.quantifier == Quantifier::All)
        && !required()
}

/// Whether a key is known to be single-valued.
fn is_single_valued(condition: &Condition<'_>) -> bool {
    has(KEYS, condition.key.text) && !has(MULTIVALUED_KEYS, &condition.key_name)
}

fn for_all_values(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (statement, condition) in each(subject).filter(|(statement, it)| lets_absence_in(statement, it)) {
        let message = format!(
            "`ForAllValues` also matches requests without {}, so the statement allows them",
            shown(condition.key.text)
        );
        let added = report.add(Some(statement), condition.operator_name.at, message);
        if is_single_valued(condition) {
            added.help("remove the set operator: the key is single-valued");
        }
    }
}

fn no_set_operator(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (statement, condition) in each(subject) {
        let Some(operator) = condition.operator else { continue };
        if operator.quantifier == Quantifier::One
            && operator.family != Family::Null
            && has(MULTIVALUED_KEYS, &condition.key_name)
        {
            let message = format!(
                "{} is multivalued, but {} compares a single value",
                shown(condition.key.text),
                shown(condition.operator_name.text)
            );
            let added = report.add(Some(statement), condition.key.at, message);
            if statement.denies() && operator.negated {
                added.help(
                    "prefix the operator with `ForAllValues:`, which still denies requests without the key",
                );
            }
        }
    }
}

fn needless_set_operator(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (statement, condition) in each(subject) {
        let Some(operator) = condition.operator.filter(|operator| operator.quantifier != Quantifier::One)
        else {
            continue;
        };
        // `for-all-values-in-allow` gives the same advice.
        if !is_single_valued(condition) || lets_absence_in(statement, condition) {
            continue;
        }
        let message = format!("{} is single-valued", shown(condition.key.text));
        let added = report.add(Some(statement), condition.operator_name.at, message);
        if operator.if_exists {
            continue;
        }
        // For these, the set operator decides how requests without the key are treated.
        match (operator.quantifier, operator.negated) {
            (Quantifier::Any, true) => added.help(
                "remove the set operator, and require the key with `Null` so that requests without it are handled as before",
            ),
            (Quantifier::All, false) if statement.denies() => added.help(
                "replace the set operator with the suffix `IfExists` so that requests without the key are still denied",
            ),
            _ => added,
        };
    }
}

fn wrong_family(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (statement, condition) in each(subject) {
        let Some(family) = condition.operator.map(|operator| operator.family) else { continue };
        let fits = match condition.key_name.as_str() {
            "aws:sourceip" | "aws:vpcsourceip" => matches!(family, Family::Address | Family::Null),
            "aws:currenttime" | "aws:tokenissuetime" => matches!(family, Family::Date(_) | Family::Null),
            "aws:securetransport"
            | "aws:principalisawsservice"
            | "aws:viaawsservice"
            | "aws:multifactorauthpresent" => {
                matches!(
                    family,
                    Family::Bool | Family::Null | Family::Text | Family::TextIgnoringCase | Family::Like
                )
            }
            "aws:sourcearn" | "aws:principalarn" => {
                matches!(family, Family::Arn | Family::Like | Family::Text | Family::Null)
            }
            "aws:sourceaccount"
            | "aws:sourceorgid"
            | "aws:principalorgid"
            | "aws:principalaccount"
            | "s3:x-amz-acl"
            | "s3:prefix"
            | "aws:sourceorgpaths" => {
                matches!(family, Family::Text | Family::TextIgnoringCase | Family::Like | Family::Null)
            }
            _ => true,
        };
        if !fits {
            let message = format!(
                "the type of {} does not match the operator {}",
                shown(condition.key.text),
                shown(condition.operator_name.text)
            );
            report.add(Some(statement), condition.operator_name.at, message);
        }
    }
}

fn unreadable(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (statement, condition) in each(subject) {
        let Some(family) = condition.operator.map(|operator| operator.family) else { continue };
        for value in condition.values.iter().filter(|value| !crate::evaluate::is_readable(family, value.text))
        {
            let message = format!(
                "{} is not a valid value for {}",
                shown(value.text),
                shown(condition.operator_name.text)
            );
            report.add(Some(statement), value.at, message);
        }
    }
}
