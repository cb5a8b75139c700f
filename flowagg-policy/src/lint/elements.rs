//! Checks of the elements of a statement: Sid, effect, principals, actions and resources.
//!
//! Source: "Grammar of the IAM JSON policy language" (IAM User Guide).

use std::collections::BTreeSet;

use super::subject::Subject;
use super::{Check, Report, Severity, shown};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "missing-effect",
        severity: Severity::Error,
        help: "add `\"Effect\": \"Allow\"` or `\"Deny\"`",
        find: missing_effect,
    },
    Check {
        id: "effect-lowercase",
        severity: Severity::Error,
        help: "write `Allow` or `Deny`",
        find: effect_case,
    },
    Check {
        id: "unknown-effect",
        severity: Severity::Error,
        help: "write `Allow` or `Deny`",
        find: unknown_effect,
    },
    Check {
        id: "missing-principal",
        severity: Severity::Error,
        help: "add `Principal`, with the services or accounts that the statement applies to",
        find: |subject, report| missing(subject, report, "Principal"),
    },
    Check {
        id: "missing-action",
        severity: Severity::Error,
        help: "add `Action`, with the actions that the statement applies to",
        find: |subject, report| missing(subject, report, "Action"),
    },
    Check {
        id: "missing-resource",
        severity: Severity::Error,
        help: "add `Resource`: the ARN of the bucket, or of a folder followed by `/*`",
        find: |subject, report| missing(subject, report, "Resource"),
    },
    Check {
        id: "element-and-its-negation",
        severity: Severity::Error,
        help: "keep only the one that is intended",
        find: both,
    },
    Check { id: "duplicate-sid", severity: Severity::Error, help: "use each Sid once", find: duplicate_sid },
];

fn missing_effect(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| !s.members.is_empty() && !s.has("Effect")) {
        report.add(Some(statement), statement.node.span.start, "the statement neither allows nor denies");
    }
}

fn effect_case(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        if let Some(effect) = statement.effect.filter(|effect| !matches!(effect.text, "Allow" | "Deny"))
            && (statement.allows() || statement.denies())
        {
            report.add(
                Some(statement),
                effect.at,
                format!("{} is not a valid effect: effects are case-sensitive", shown(effect.text)),
            );
        }
    }
}

fn unknown_effect(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|statement| !statement.allows() && !statement.denies())
    {
        if let Some(effect) = statement.effect {
            report.add(Some(statement), effect.at, format!("unknown effect {}", shown(effect.text)));
        }
    }
}

fn missing(subject: &Subject<'_>, report: &mut Report<'_>, name: &str) {
    for statement in subject.statements.iter().filter(|statement| !statement.members.is_empty()) {
        if !statement.has(name) && !statement.has(&format!("Not{name}")) {
            report.add(Some(statement), statement.node.span.start, format!("the statement has no `{name}`"));
        }
    }
}

fn both(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for name in ["Principal", "Action", "Resource"] {
            if statement.has(name) && statement.has(&format!("Not{name}")) {
                let at = statement.node.span.start;
                report.add(Some(statement), at, format!("the statement has both `{name}` and `Not{name}`"));
            }
        }
    }
}

fn duplicate_sid(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for statement in &subject.statements {
        let Some(sid) = statement.sid.filter(|sid| !sid.text.is_empty()) else { continue };
        if !seen.insert(sid.text) {
            report.add(
                Some(statement),
                sid.at,
                format!("another statement has the same Sid {}", shown(sid.text)),
            );
        }
    }
}
