//! Checks of actions, and of the resources that they apply to.
//!
//! Source: "Actions, resources, and condition keys for Amazon S3" (Service Authorization Reference).

use super::names::{BUCKET_ACTIONS, OBJECT_ACTIONS, OTHER_ACTIONS, has};
use super::subject::{Item, S3Arn, Statement, Subject};
use super::{Check, Report, Severity, nearest, shown};
use crate::evaluate::fits;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "action-s3-star",
        severity: Severity::Error,
        help: "list only the required actions; log delivery needs `s3:PutObject` and `s3:GetBucketAcl`",
        find: every_action,
    },
    Check {
        id: "unknown-action",
        severity: Severity::Error,
        help: "fix the action; the Service Authorization Reference lists the actions of S3",
        find: unknown,
    },
    Check {
        id: "action-of-another-service",
        severity: Severity::Error,
        help: "use only S3 actions; KMS permissions belong in the key policy",
        find: of_another_service,
    },
    Check {
        id: "object-action-on-bucket",
        severity: Severity::Error,
        help: "use an object ARN: the bucket's ARN, a folder, and `/*`",
        find: object_action_on_bucket,
    },
    Check {
        id: "bucket-action-on-objects",
        severity: Severity::Error,
        help: "use the bucket's ARN, without a slash",
        find: bucket_action_on_objects,
    },
];

fn every_action(subject: &Subject<'_>, report: &mut Report<'_>) {
    // A statement that delegates to access points leaves the choice of actions to the access point policies.
    let delegates = |s: &Statement<'_>| {
        s.is_for_everyone() && s.conditions.iter().any(|it| it.key_name.starts_with("s3:dataaccesspoint"))
    };
    let broad =
        subject.statements.iter().filter(|s| s.allows() && (s.is_about_delivery() || s.is_for_everyone()));
    for statement in broad.filter(|statement| !delegates(statement)) {
        for action in &statement.actions {
            if matches!(action.text.to_ascii_lowercase().as_str(), "*" | "s3:*" | "*:*" | "s3:put*" | "s3:p*")
            {
                let message = format!(
                    "{} allows far more than log delivery needs, such as changing this policy",
                    shown(action.text)
                );
                report.add(Some(statement), action.at, message);
            }
        }
    }
}

/// Returns the name after `s3:` in lower case.
fn s3_action(action: &Item<'_>) -> Option<String> {
    action.text.to_ascii_lowercase().strip_prefix("s3:").map(str::to_owned)
}

fn all_actions() -> impl Iterator<Item = &'static str> {
    [OBJECT_ACTIONS, BUCKET_ACTIONS, OTHER_ACTIONS].into_iter().flat_map(|list| list.split(' '))
}

fn elements<'d>(statement: &super::Statement<'d>) -> Vec<Item<'d>> {
    let negated = statement.members.iter().filter(|member| member.key == "NotAction");
    let negated = negated.flat_map(|member| member.value.elements());
    let negated = negated.filter_map(|node| node.as_str().map(|text| Item { text, at: node.span.start }));
    statement.actions.iter().copied().chain(negated).collect()
}

fn unknown(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for action in elements(statement) {
            if !action.text.contains(':') && action.text != "*" {
                let message = format!("{} has no service prefix, as in `s3:PutObject`", shown(action.text));
                report.add(Some(statement), action.at, message);
            }
            let Some(name) = s3_action(&action) else { continue };
            if !all_actions().any(|known| fits(&name, known)) {
                let near = nearest(all_actions(), &name);
                let hint = near.map_or(String::new(), |near| format!("; did you mean `s3:{near}`?"));
                report.add(
                    Some(statement),
                    action.at,
                    format!("unknown action {}{hint}", shown(action.text)),
                );
            }
        }
    }
}

fn of_another_service(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for action in elements(statement) {
            let service = action.text.split(':').next().unwrap_or_default();
            let is_s3 = fits(&service.to_ascii_lowercase(), "s3") || service.starts_with("s3-");
            if action.text.contains(':') && !is_s3 {
                report.add(
                    Some(statement),
                    action.at,
                    format!("{} is not an S3 action, so S3 rejects the policy", shown(action.text)),
                );
            }
        }
    }
}

/// Whether an action applies to objects and whether it applies to buckets; `None` if unknown.
fn kinds(action: &Item<'_>) -> Option<(bool, bool)> {
    let name = s3_action(action)?;
    if !name.contains(['*', '?']) {
        let (object, bucket) = (has(OBJECT_ACTIONS, &name), has(BUCKET_ACTIONS, &name));
        return (object || bucket).then_some((object, bucket));
    }
    let any = |list: &str| list.split(' ').any(|known| fits(&name, known));
    Some((any(OBJECT_ACTIONS), any(BUCKET_ACTIONS)))
}

fn object_action_on_bucket(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        let arns: Vec<S3Arn<'_>> =
            statement.resources.iter().filter_map(|item| S3Arn::parse(item.text)).collect();
        if arns.is_empty() || arns.len() < statement.resources.len() || arns.iter().any(S3Arn::is_of_objects)
        {
            continue;
        }
        for action in statement.actions.iter().filter(|action| kinds(action) == Some((true, false))) {
            let message = format!(
                "{} applies to objects, but the resource is the bucket, so it has no effect",
                shown(action.text)
            );
            report.add(Some(statement), action.at, message);
        }
    }
}

fn bucket_action_on_objects(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        let arns: Vec<S3Arn<'_>> =
            statement.resources.iter().filter_map(|item| S3Arn::parse(item.text)).collect();
        if arns.is_empty() || arns.len() < statement.resources.len() || arns.iter().any(S3Arn::is_of_bucket) {
            continue;
        }
        for action in statement.actions.iter().filter(|action| kinds(action) == Some((false, true))) {
            let message = format!(
                "{} applies to the bucket, but the resources are objects, so it has no effect",
                shown(action.text)
            );
            report.add(Some(statement), action.at, message);
        }
    }
}
