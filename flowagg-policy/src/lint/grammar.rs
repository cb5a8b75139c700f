//! Checks of the grammar: errors that S3 rejects or interprets unexpectedly. [`elements`](super::elements) checks the
//! elements of a statement.
//!
//! Source: "Grammar of the IAM JSON policy language" (IAM User Guide).

use super::subject::{Subject, is_empty_list};
use super::{Check, Report, Severity, shown};
use crate::json::{Member, Node};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "not-a-policy",
        severity: Severity::Error,
        help: "use the form `{\"Version\": \"2012-10-17\", \"Statement\": [...]}`",
        find: not_a_policy,
    },
    Check {
        id: "no-version",
        severity: Severity::Warning,
        help: "add `\"Version\": \"2012-10-17\"`",
        find: no_version,
    },
    Check {
        id: "unknown-version",
        severity: Severity::Error,
        help: "set `Version` to 2012-10-17, or to 2008-10-17 if the policy has no variables",
        find: unknown_version,
    },
    Check {
        id: "version-2008-with-variable",
        severity: Severity::Error,
        help: "set `Version` to 2012-10-17",
        find: old_version_with_variable,
    },
    Check {
        id: "empty-statement",
        severity: Severity::Error,
        help: "remove the empty statement; a policy needs at least one statement",
        find: empty_statement,
    },
    Check { id: "empty-list", severity: Severity::Error, help: "list at least one value", find: empty_list },
    Check {
        id: "empty-account-list",
        severity: Severity::Error,
        help: "list at least one account",
        find: empty_account_list,
    },
    Check {
        id: "element-twice",
        severity: Severity::Error,
        help: "keep only the one with the intended values",
        find: element_twice,
    },
    Check {
        id: "key-twice",
        severity: Severity::Error,
        help: "keep only one of them; operators and condition keys are not case-sensitive",
        find: key_twice,
    },
    Check {
        id: "unknown-element",
        severity: Severity::Error,
        help: "remove the element; S3 rejects policies that contain it",
        find: unknown_element,
    },
    Check {
        id: "wrong-value-type",
        severity: Severity::Error,
        help: "use a string, or a list of strings",
        find: wrong_value_type,
    },
];

fn not_a_policy(subject: &Subject<'_>, report: &mut Report<'_>) {
    match (subject.root.members(), subject.list) {
        (None, _) => {
            report.add(None, subject.root.span.start, format!("the document is {}", subject.root.kind()));
        }
        (Some(_), None) => {
            report.add(None, subject.root.span.start, "the document has no `Statement`");
        }
        _ => {}
    }
}

fn no_version(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.root.members().is_some() && subject.version.is_none() {
        report.add(
            None,
            subject.root.span.start,
            "the policy has no `Version`, so AWS uses 2008-10-17, without policy variables",
        );
    }
}

fn unknown_version(subject: &Subject<'_>, report: &mut Report<'_>) {
    if let Some(node) = subject.version
        && !matches!(node.as_str(), Some("2012-10-17" | "2008-10-17"))
    {
        report.add(None, node.span.start, "unknown `Version`");
    }
}

fn old_version_with_variable(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.version.and_then(Node::as_str) == Some("2012-10-17") {
        return;
    }
    for statement in &subject.statements {
        let values = statement.conditions.iter().flat_map(|condition| &condition.values);
        if let Some(item) = statement.resources.iter().chain(values).find(|item| item.text.contains("${")) {
            let text = shown(item.text);
            report.add(
                Some(statement),
                item.at,
                format!("{text} is plain text in this version, not a variable"),
            );
        }
    }
}

fn empty_statement(subject: &Subject<'_>, report: &mut Report<'_>) {
    if let Some(list) = subject.list.filter(|list| is_empty_list(list)) {
        report.add(None, list.span.start, "the policy has no statements");
    }
    for statement in &subject.statements {
        if statement.node.members().is_none() {
            report.add(
                Some(statement),
                statement.node.span.start,
                format!("a statement is {}", statement.node.kind()),
            );
        } else if statement.members.is_empty() {
            report.add(Some(statement), statement.node.span.start, "the statement is empty");
        }
    }
}

fn empty_list(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for member in statement.members.iter().filter(|member| is_empty_list(&member.value)) {
            report.add(
                Some(statement),
                member.key_span.start,
                format!("{} is an empty list", shown(&member.key)),
            );
        }
        for member in statement.members.iter().filter(|member| member.key.ends_with("Principal")) {
            if member.value.members().is_some_and(<[_]>::is_empty) {
                report.add(
                    Some(statement),
                    member.key_span.start,
                    format!("{} is empty", shown(&member.key)),
                );
            }
            for entry in
                member.value.members().unwrap_or_default().iter().filter(|entry| is_empty_list(&entry.value))
            {
                report.add(
                    Some(statement),
                    entry.key_span.start,
                    format!("{} is an empty list", shown(&entry.key)),
                );
            }
        }
        for condition in &statement.conditions {
            if is_empty_list(condition.node) && !is_account_key(&condition.key_name) {
                report.add(
                    Some(statement),
                    condition.key.at,
                    format!("{} has an empty list, so no request matches", shown(condition.key.text)),
                );
            }
        }
    }
}

fn is_account_key(key: &str) -> bool {
    matches!(key, "aws:sourceaccount" | "aws:sourcearn" | "aws:principalaccount")
}

fn empty_account_list(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for condition in &statement.conditions {
            let empty =
                is_empty_list(condition.node) || condition.values.iter().any(|value| value.text.is_empty());
            if empty && is_account_key(&condition.key_name) {
                let key = shown(condition.key.text);
                report.add(
                    Some(statement),
                    condition.key.at,
                    format!("{key} lists no account, so no request matches"),
                );
            }
        }
    }
}

fn twice<'d>(members: &'d [Member<'d>], same: impl Fn(&str, &str) -> bool) -> Option<&'d Member<'d>> {
    members
        .iter()
        .enumerate()
        .find(|(at, member)| members[..*at].iter().any(|other| same(&other.key, &member.key)))
        .map(|(_, m)| m)
}

fn element_twice(subject: &Subject<'_>, report: &mut Report<'_>) {
    let exact = |a: &str, b: &str| a == b;
    if let Some(member) = subject.root.members().and_then(|members| twice(members, exact)) {
        report.add(None, member.key_span.start, format!("duplicate element {}", shown(&member.key)));
    }
    for statement in &subject.statements {
        if let Some(member) = twice(statement.members, exact) {
            report.add(
                Some(statement),
                member.key_span.start,
                format!("duplicate element {}", shown(&member.key)),
            );
        }
    }
}

fn key_twice(subject: &Subject<'_>, report: &mut Report<'_>) {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for statement in &subject.statements {
        let Some(block) = statement.members.iter().find(|member| member.key == "Condition") else { continue };
        let operators = block.value.members().unwrap_or_default();
        let keys = operators.iter().filter_map(|operator| twice(operator.value.members()?, same));
        for member in twice(operators, same).into_iter().chain(keys) {
            report.add(
                Some(statement),
                member.key_span.start,
                format!("duplicate key {} (case is ignored)", shown(&member.key)),
            );
        }
    }
}

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

fn unknown_element(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut add = |statement, member: &Member<'_>, known: &[&'static str]| {
        let near = super::nearest(known.iter().copied(), &member.key);
        let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        let message = format!("unknown element {}{hint}", shown(&member.key));
        let added = report.add(statement, member.key_span.start, message);
        if let Some(near) = near {
            added.help(format!("rename it to `{near}`"));
        }
    };
    let root = ["Version", "Id", "Statement"];
    for member in subject.root.members().unwrap_or_default() {
        if !root.contains(&member.key.as_ref()) {
            add(None, member, &root);
        }
    }
    for statement in &subject.statements {
        for member in statement.members.iter().filter(|member| !ELEMENTS.contains(&member.key.as_ref())) {
            add(Some(statement), member, &ELEMENTS);
        }
    }
}

fn wrong_value_type(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for member in statement.members {
            let listed = |node: &Node<'_>| node.elements().iter().all(|node| node.as_str().is_some());
            let right = match member.key.as_ref() {
                "Sid" | "Effect" => member.value.as_str().is_some(),
                "Action" | "NotAction" | "Resource" | "NotResource" => listed(&member.value),
                "Principal" | "NotPrincipal" => match member.value.members() {
                    Some(entries) => entries.iter().all(|entry| listed(&entry.value)),
                    None => member.value.as_str() == Some("*"),
                },
                "Condition" => member.value.members().is_some_and(|operators| {
                    operators.iter().all(|operator| {
                        operator.value.members().is_some_and(|keys| {
                            keys.iter()
                                .all(|key| key.value.elements().iter().all(|node| node.as_scalar().is_some()))
                        })
                    })
                }),
                _ => true,
            };
            if !right {
                let name = shown(&member.key);
                report.add(Some(statement), member.value.span.start, format!("invalid type for {name}"));
            }
        }
    }
}
