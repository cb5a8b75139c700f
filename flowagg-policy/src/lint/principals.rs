//! Checks of principals, and of `NotPrincipal`, `NotAction` and `NotResource`.
//!
//! Source: "AWS JSON policy elements: Principal" and "NotPrincipal" (IAM User Guide).

use flowagg_core::near::distance;

use super::deleted::is_unique_id;
use super::deliverers::{of_account, of_service};
use super::subject::{Statement, Subject};
use super::{Check, Report, Severity, shown};
use crate::service::DELIVERY_SERVICE;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "public-principal",
        severity: Severity::Error,
        help: "list the allowed services or accounts, or add a condition that only they meet",
        find: public,
    },
    Check {
        id: "wrong-service-principal",
        severity: Severity::Error,
        help: "use `delivery.logs.amazonaws.com`, which delivers flow logs in every region and partition",
        find: wrong_service,
    },
    Check {
        id: "malformed-principal",
        severity: Severity::Error,
        help: "use `*`, an account ID or an ARN without wildcards, or a service name under `Service`",
        find: malformed,
    },
    Check {
        id: "notprincipal-allow",
        severity: Severity::Error,
        help: "list the allowed principals in `Principal`",
        find: not_principal_allow,
    },
    Check {
        id: "notaction-allow",
        severity: Severity::Error,
        help: "list the allowed actions in `Action`",
        find: not_action_allow,
    },
    Check {
        id: "notresource-allow",
        severity: Severity::Error,
        help: "list the allowed resources in `Resource`",
        find: not_resource_allow,
    },
    Check {
        id: "not-element-stops-automatic-grants",
        severity: Severity::Note,
        help: "add the statements for log delivery before you create flow logs in the bucket's account",
        find: not_elements,
    },
];

/// Whether a condition limits the callers. These are the keys that S3 uses to decide whether a policy is public.
///
/// Source: "The meaning of public" (Amazon S3 User Guide).
fn is_narrowed(statement: &Statement<'_>) -> bool {
    const NARROWING: &str = "aws:sourceaccount aws:sourcearn aws:sourceorgid aws:sourceorgpaths aws:sourceowner aws:sourceip \
        aws:sourcevpc aws:sourcevpce aws:vpcsourceip aws:userid aws:principalaccount aws:principalarn aws:principalorgid \
        aws:principalorgpaths aws:principalservicename aws:principalservicenameslist s3:dataaccesspointarn \
        s3:dataaccesspointaccount s3:resourceaccount aws:username";
    statement.conditions.iter().any(|condition| {
        let named = super::names::has(NARROWING, &condition.key_name)
            || condition.key_name.starts_with("aws:principaltag/");
        let fixed =
            condition.values.iter().all(|value| value.text.trim_matches(['*', '?', ':']).len() > "arn".len());
        let everywhere = condition.values.iter().any(|value| matches!(value.text, "0.0.0.0/0" | "::/0"));
        named && fixed && !everywhere && condition.is_positive()
    })
}

fn public(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.allows() && s.is_for_everyone()) {
        let at = statement.principals.first().map_or(statement.node.span.start, |(_, item)| item.at);
        if !is_narrowed(statement) {
            report.add(Some(statement), at, "anyone can do this, with or without an AWS account");
        } else if statement.is_about_delivery() {
            let message = "anyone who meets the conditions can do this, not only the log delivery service";
            report.add(Some(statement), at, message).severity(Severity::Warning);
        }
    }
}

fn wrong_service(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in
        subject.statements.iter().filter(|s| s.allows() && s.is_about_delivery() && !s.names_delivery())
    {
        for service in statement.services().filter(|service| of_service(service.text).is_none()) {
            let message = format!(
                "{} does not deliver flow logs, so the statement does not allow their delivery",
                shown(service.text)
            );
            report.add(Some(statement), service.at, message);
        }
    }
    // A grant with AWS's Sid for accounts: accounts do not deliver logs themselves.
    let named_for_delivery =
        |s: &&Statement<'_>| s.sid.is_some_and(|sid| sid.text.starts_with("AWSLogDelivery"));
    for statement in subject
        .statements
        .iter()
        .filter(named_for_delivery)
        .filter(|s| s.allows() && s.services().next().is_none() && s.other_logs().is_none())
    {
        // A service under `AWS` is malformed, and deleted principals have their own check.
        let account = |text: &str| {
            text != "*"
                && !text.contains("amazonaws.com")
                && !is_unique_id(text)
                && of_account(text).is_none()
        };
        if let Some((_, item)) =
            statement.principals.iter().find(|(kind, item)| *kind == "AWS" && account(item.text))
        {
            let message =
                format!("{} does not deliver logs; the service `{DELIVERY_SERVICE}` does", shown(item.text));
            report.add(Some(statement), item.at, message);
        }
    }
    // A misspelt service name in any statement.
    for statement in
        subject.statements.iter().filter(|s| !(s.allows() && s.is_about_delivery() && !s.names_delivery()))
    {
        for service in statement.services().filter(|service| service.text != DELIVERY_SERVICE) {
            if distance(service.text, DELIVERY_SERVICE) <= 2 || service.text.starts_with("delivery.logs.") {
                let message =
                    format!("unknown service {}; did you mean `{DELIVERY_SERVICE}`?", shown(service.text));
                report.add(Some(statement), service.at, message);
            }
        }
    }
}

fn malformed(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for (kind, item) in &statement.principals {
            let text = item.text;
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let why = match *kind {
                "*" if text != "*" => "a principal that is a string must be `*`",
                "AWS" if text == "*" || digits => continue,
                "AWS" if text.starts_with("arn:") => match text.split(':').count() {
                    6.. if text.contains(['*', '?']) => "principals cannot contain wildcards",
                    6.. => continue,
                    _ => "an ARN has six parts separated by colons",
                },
                // `deleted-principal` reports it.
                "AWS" if is_unique_id(text) => continue,
                "AWS" if text.contains("amazonaws.com") => "services belong under `Service`",
                "AWS" => "not an account ID or ARN",
                "Service" if text == "*" || !text.contains('.') || text.contains(['*', '?', '/']) => {
                    "not a valid service name"
                }
                "Service" | "Federated" | "CanonicalUser" | "*" => continue,
                _ => "unknown principal type; use `AWS`, `Service`, `Federated` or `CanonicalUser`",
            };
            report.add(Some(statement), item.at, format!("{} under {}: {why}", shown(text), shown(kind)));
        }
    }
}

fn not_principal_allow(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.allows()) {
        if let Some(node) = statement.not_principal {
            report.add(
                Some(statement),
                node.span.start,
                "everyone except these principals can do this, with or without an AWS account",
            );
        }
    }
}

fn at_element(statement: &Statement<'_>, name: &str) -> Option<usize> {
    statement.members.iter().find(|member| member.key == name).map(|member| member.key_span.start)
}

fn not_action_allow(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.allows()) {
        if let Some(at) = at_element(statement, "NotAction") {
            report.add(
                Some(statement),
                at,
                "every other action is allowed, including deletion and changes to the policy",
            );
        }
    }
}

fn not_resource_allow(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.allows()) {
        if let Some(at) = at_element(statement, "NotResource") {
            report.add(Some(statement), at, "access to every other resource is allowed");
        }
    }
}

fn not_elements(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.denies()) {
        for name in ["NotPrincipal", "NotAction"] {
            if let Some(at) = at_element(statement, name) {
                let message = format!(
                    "while a policy contains `{name}`, AWS does not add grants for new flow logs, so creating a flow log without a grant fails"
                );
                report.add(Some(statement), at, message);
            }
        }
    }
}
