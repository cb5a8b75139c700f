//! Checks of the grant to the delivery service: who else can use it, and what is missing from it.
//!
//! Source: "Amazon S3 bucket permissions for flow logs" (Amazon VPC User Guide) and "The confused deputy problem" (IAM
//! User Guide).

use std::collections::BTreeSet;

use super::subject::{Condition, Item, Statement, Subject};
use super::{Check, Report, Severity, shown};
use crate::evaluate::fits;
use crate::service::DELIVERY_ACL;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "no-confused-deputy-condition",
        severity: Severity::Error,
        help: "add a condition on `aws:SourceAccount` that lists every account whose logs the statement allows, or on `aws:SourceOrgID`",
        find: confused_deputy,
    },
    Check {
        id: "no-acl-condition",
        severity: Severity::Warning,
        help: "require `bucket-owner-full-control` with `s3:x-amz-acl`, as AWS documents, unless ACLs are disabled for the bucket",
        find: no_acl,
    },
    Check {
        id: "wrong-acl-value",
        severity: Severity::Error,
        help: "use `bucket-owner-full-control`, which log delivery sends",
        find: wrong_acl,
    },
    Check {
        id: "acl-key-on-getbucketacl",
        severity: Severity::Error,
        help: "move the action to a statement without `s3:x-amz-acl`; keep the condition for `s3:PutObject`",
        find: acl_key_on_read,
    },
    Check {
        id: "principal-key-for-a-service",
        severity: Severity::Error,
        help: "replace the condition with one on `aws:SourceAccount`, `aws:SourceOrgID` or `aws:SourceOrgPaths`",
        find: principal_key,
    },
    Check {
        id: "source-arn-of-another-service",
        severity: Severity::Error,
        help: "add `arn:aws:logs:<region>:<account>:*` (with the partition of the region)",
        find: other_service,
    },
    Check {
        id: "source-arn-account-differs",
        severity: Severity::Error,
        help: "list the same accounts in `aws:SourceArn`, `aws:SourceAccount` and `Resource`",
        find: arn_account_differs,
    },
    Check {
        id: "source-account-differs-from-resource",
        severity: Severity::Error,
        help: "list the same accounts in `aws:SourceAccount` and `Resource`",
        find: account_differs,
    },
    Check {
        id: "missing-acl-check",
        severity: Severity::Error,
        help: "allow `s3:GetBucketAcl` on the bucket with the same source conditions",
        find: missing_check,
    },
    Check {
        id: "missing-write",
        severity: Severity::Error,
        help: "allow `s3:PutObject` on the account's folder with the same source conditions",
        find: missing_write,
    },
];

fn confused_deputy(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.denies_others() {
        return;
    }
    for statement in subject.grants() {
        // Conditions on an identity have their own finding: the statement never applies.
        if statement.is_bound_to_a_source() || identities(statement).next().is_some() {
            continue;
        }
        let at = statement.principals.first().map_or(statement.node.span.start, |(_, item)| item.at);
        // The two forms that AWS documented until March 2022 and that its consoles wrote.
        let checks = |action: &Item<'_>| {
            matches!(action.text.to_ascii_lowercase().as_str(), "s3:getbucketacl" | "s3:listbucket")
        };
        let names_folders =
            !statement.resources.is_empty() && statement.folder_accounts().len() == statement.resources.len();
        let (message, severity) = if !statement.actions.is_empty() && statement.actions.iter().all(checks) {
            ("the service can check the bucket for any AWS account, not only yours", Severity::Warning)
        } else if names_folders {
            ("only the folder names keep other AWS accounts out", Severity::Warning)
        } else {
            ("the service can do this for any AWS account, not only yours", Severity::Error)
        };
        report.add(Some(statement), at, message).severity(severity);
    }
}

fn no_acl(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.writes().filter(|statement| statement.on("s3:x-amz-acl").next().is_none()) {
        report.add(
            Some(statement),
            statement.node.span.start,
            "if ACLs are enabled for the bucket, its owner may not be able to read the objects",
        );
    }
}

fn wrong_acl(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.writes() {
        for condition in statement.on("s3:x-amz-acl").filter(|condition| condition.is_positive()) {
            if !condition.values.is_empty()
                && !condition.values.iter().any(|value| {
                    fits(value.text, DELIVERY_ACL)
                        || value.text.contains("true")
                        || value.text.contains("false")
                })
            {
                report.add(
                    Some(statement),
                    condition.key.at,
                    format!("the service never sends the ACL {}", shown(condition.values[0].text)),
                );
            }
        }
    }
}

fn acl_key_on_read(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.allows() && !s.actions.is_empty()) {
        let writes = [
            "s3:putobject",
            "s3:putobjectacl",
            "s3:putobjectversionacl",
            "s3:putbucketacl",
            "s3:createbucket",
        ];
        let reads = |action: &Item<'_>| {
            matches!(action.text.to_ascii_lowercase().as_str(), "s3:getbucketacl" | "s3:listbucket")
        };
        // If a list contains a write and a pattern, the condition is meant for the writes.
        let only_reads =
            statement.does("s3:getbucketacl") && !writes.iter().any(|action| statement.does(action));
        if !only_reads && !statement.actions.iter().any(reads) {
            continue;
        }
        for condition in statement.on("s3:x-amz-acl").filter(|condition| condition.is_positive()) {
            let message = format!(
                "requests that read the bucket have no {}, so the statement does not allow them",
                shown(condition.key.text)
            );
            report.add(Some(statement), condition.key.at, message);
        }
    }
}

fn principal_key(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.grants() {
        for condition in identities(statement) {
            let message = format!(
                "requests from services have no {}, so the statement never applies",
                shown(condition.key.text)
            );
            report.add(Some(statement), condition.key.at, message);
        }
    }
}

/// Conditions on the caller or the network, which a service never meets.
fn identities<'s, 'd>(statement: &'s Statement<'d>) -> impl Iterator<Item = &'s Condition<'d>> {
    const KEYS: &str = "aws:principalorgid aws:principalorgpaths aws:principalaccount aws:principalarn aws:userid \
        aws:username aws:sourceip aws:sourcevpc aws:sourcevpce aws:vpcsourceip";
    statement.conditions.iter().filter(|condition| {
        super::names::has(KEYS, &condition.key_name)
            && condition.is_positive()
            && condition.operator.is_some_and(|operator| !operator.if_exists)
    })
}

/// The values of positive `aws:SourceArn` conditions, split into the six parts of an ARN.
pub(super) fn source_arns<'s, 'd>(
    statement: &'s Statement<'d>,
) -> impl Iterator<Item = (Item<'d>, Vec<&'d str>)> + use<'s, 'd> {
    let values = statement
        .on("aws:sourcearn")
        .filter(|condition| condition.is_positive())
        .flat_map(|condition| condition.values.iter().copied());
    values
        .map(|value| (value, value.text.splitn(6, ':').collect::<Vec<_>>()))
        .filter(|(_, parts)| parts.len() == 6)
}

fn other_service(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.grants() {
        for (value, parts) in source_arns(statement) {
            if !fits(parts[2], "logs") {
                let message = format!(
                    "{} names service {}, but flow logs are delivered on behalf of `logs`",
                    shown(value.text),
                    shown(parts[2])
                );
                report.add(Some(statement), value.at, message);
            }
        }
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn account_ids<'d>(items: &[Item<'d>]) -> BTreeSet<&'d str> {
    items.iter().map(|item| item.text).filter(|text| is_id(text)).collect()
}

fn arn_account_differs(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.allows() && s.is_about_delivery()) {
        let accounts = account_ids(&statement.source_accounts());
        let folders = account_ids(&statement.folder_accounts());
        for (known, name) in [(&accounts, "`aws:SourceAccount`"), (&folders, "`Resource`")] {
            let differ = source_arns(statement)
                .filter(|(_, parts)| is_id(parts[4]) && !known.is_empty() && !known.contains(parts[4]));
            let differ: Vec<Item<'_>> = differ.map(|(value, _)| value).collect();
            if let Some(first) = differ.first() {
                report.add(
                    Some(statement),
                    first.at,
                    format!("{} in `aws:SourceArn`: the account is not in {name}", some_of(&differ)),
                );
            }
        }
        let tested: BTreeSet<String> = source_arns(statement).map(|(_, parts)| parts[4].to_owned()).collect();
        if tested.is_empty() || tested.iter().any(|account| !is_id(account)) {
            continue;
        }
        let mut untested = statement.source_accounts();
        untested.retain(|account| is_id(account.text) && !tested.contains(account.text));
        if let Some(first) = untested.first() {
            report.add(
                Some(statement),
                first.at,
                format!("{} in `aws:SourceAccount`, but not in `aws:SourceArn`", some_of(&untested)),
            );
        }
    }
}

fn account_differs(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.allows() && s.is_about_delivery()) {
        let (mut accounts, mut folders) = (statement.source_accounts(), statement.folder_accounts());
        let each_has_a_folder = folders.len() == statement.resources.len();
        let (named, open) = (account_ids(&accounts), account_ids(&folders));
        if named.is_empty() || open.is_empty() {
            continue;
        }
        folders.retain(|folder| !named.contains(folder.text));
        if let Some(first) = folders.first() {
            report.add(
                Some(statement),
                first.at,
                format!("{} in `Resource`, but not in `aws:SourceAccount`", some_of(&folders)),
            );
        }
        accounts.retain(|account| each_has_a_folder && is_id(account.text) && !open.contains(account.text));
        if let Some(first) = accounts.first() {
            report.add(
                Some(statement),
                first.at,
                format!("{} in `aws:SourceAccount`, but not in `Resource`", some_of(&accounts)),
            );
        }
    }
}

/// Lists the first few items and counts the rest.
fn some_of(items: &[Item<'_>]) -> String {
    const FEW: usize = 3;
    let mut shown: Vec<String> = items.iter().take(FEW).map(|item| shown(item.text)).collect();
    if items.len() > FEW {
        shown.push(format!("{} more", items.len() - FEW));
    }
    shown.join(", ")
}

/// The accounts that a statement allows; `None` if it does not list them.
fn whom(statement: &Statement<'_>) -> Option<BTreeSet<String>> {
    let owned = |ids: BTreeSet<&str>| ids.into_iter().map(str::to_owned).collect();
    let accounts = account_ids(&statement.source_accounts());
    if !accounts.is_empty() {
        return Some(owned(accounts));
    }
    let arns: BTreeSet<String> = source_arns(statement).map(|(_, parts)| parts[4].to_owned()).collect();
    if !arns.is_empty() && arns.iter().all(|id| is_id(id)) {
        return Some(arns);
    }
    let folders = account_ids(&statement.folder_accounts());
    (!folders.is_empty() && statement.does("s3:putobject")).then(|| owned(folders))
}

fn missing_check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let checks: Vec<_> = subject
        .statements
        .iter()
        .filter(|s| s.allows() && (s.names_delivery() || s.is_for_everyone()) && s.does("s3:getbucketacl"))
        .collect();
    for write in subject.writes().filter(|write| !write.is_for_delivery_sources()) {
        let message = if checks.is_empty() {
            "the service cannot read the bucket's ACL, which it checks before delivery".to_owned()
        } else {
            let (Some(writers), Some(checked)) =
                (whom(write), checks.iter().map(|check| whom(check)).collect::<Option<Vec<_>>>())
            else {
                continue;
            };
            let missing: Vec<_> =
                writers.iter().filter(|id| !checked.iter().any(|set| set.contains(*id))).collect();
            if missing.is_empty() {
                continue;
            }
            let items: Vec<Item<'_>> = missing.iter().map(|text| Item { text, at: 0 }).collect();
            format!("the service can write for {}, but cannot read the bucket's ACL", some_of(&items))
        };
        report.add(Some(write), write.node.span.start, message);
    }
}

fn missing_write(subject: &Subject<'_>, report: &mut Report<'_>) {
    let allows_write = |s: &Statement<'_>| {
        s.allows() && (s.names_delivery() || s.is_for_everyone()) && s.does("s3:putobject")
    };
    if subject.statements.iter().any(allows_write) {
        return;
    }
    if let Some(check) = subject.grants().find(|statement| statement.does("s3:getbucketacl")) {
        report.add(
            Some(check),
            check.node.span.start,
            "the service can read the bucket's ACL, but cannot write objects",
        );
    }
}
