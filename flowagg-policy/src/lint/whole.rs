//! Checks of the policy as a whole: its size, and redundant statements.

use super::resources::{covers, is_whole_bucket};
use super::subject::{Statement, Subject};
use super::{Check, Report, Severity};
use crate::grant::Sid;
use crate::size;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "over-20480-bytes",
        severity: Severity::Error,
        help: "set `policy.form` in the fleet file to `accounts` or `organization`, or use a second bucket",
        find: too_large,
    },
    Check {
        id: "little-head-room",
        severity: Severity::Note,
        help: "set `policy.form` in the fleet file to `accounts` or `organization` before you add more accounts",
        find: head_room,
    },
    Check {
        id: "redundant-statement",
        severity: Severity::Warning,
        help: "remove the statement; the other one already has the same effect",
        find: redundant,
    },
];

/// Percentage of the size limit above which little headroom is reported.
const NEARLY_FULL: usize = 90;

fn too_large(subject: &Subject<'_>, report: &mut Report<'_>) {
    let bytes = size::compact_len(subject.text);
    if bytes > size::LIMIT {
        let over = bytes - size::LIMIT;
        let message = format!("the policy has {bytes} bytes without whitespace, {over} over the S3 limit");
        report.add(None, subject.root.span.start, message);
    }
}

fn head_room(subject: &Subject<'_>, report: &mut Report<'_>) {
    let bytes = size::compact_len(subject.text);
    if bytes <= size::LIMIT && bytes * 100 > size::LIMIT * NEARLY_FULL {
        let left = size::LIMIT - bytes;
        let per_account = bytes_of_an_account(subject);
        let accounts = left.checked_div(per_account).map_or(String::new(), |more| {
            format!(", enough for {more} more accounts of {per_account} bytes each")
        });
        report.add(None, subject.root.span.start, format!("{left} of {} bytes left{accounts}", size::LIMIT));
    }
}

/// Bytes that one more account takes: one folder and its entries in the lists, with quotation marks and commas.
fn bytes_of_an_account(subject: &Subject<'_>) -> usize {
    let of = |statement: &Statement<'_>| {
        let folders = statement.folder_accounts();
        let folder =
            statement.resources.iter().find(|resource| folders.iter().any(|folder| folder.at == resource.at));
        let id = statement.source_accounts();
        let arn = statement.on("aws:sourcearn").flat_map(|condition| &condition.values).next();
        [folder, id.first(), arn].into_iter().flatten().map(|item| item.text.len() + 3).sum::<usize>()
    };
    subject.grants().map(of).sum()
}

fn redundant(subject: &Subject<'_>, report: &mut Report<'_>) {
    let plain = |s: &&Statement<'_>| {
        let negates = s.members.iter().any(|member| member.key.starts_with("Not"));
        !negates && !s.actions.is_empty() && !s.resources.is_empty() && !s.principals.is_empty()
    };
    // flowagg would write a managed statement again.
    let managed = |s: &Statement<'_>| s.sid.is_some_and(|sid| Sid::parse(sid.text).is_some());
    let statements: Vec<&Statement<'_>> =
        subject.statements.iter().filter(|s| plain(s) && !managed(s)).collect();
    for (at, statement) in statements.iter().enumerate() {
        let before = statements[..at].iter().any(|other| includes(other, statement));
        let after = || {
            statements[at + 1..].iter().any(|other| includes(other, statement) && !includes(statement, other))
        };
        if before || after() {
            report.add(Some(statement), statement.node.span.start, "another statement covers this one");
        }
    }
}

/// Whether the first statement covers the second: it has the same effect and conditions, and all principals, actions
/// and resources of the second.
///
/// An Allow for everyone, for the whole bucket or without conditions covers nothing: it should become narrower, and
/// then the narrow statement is needed.
fn includes(first: &Statement<'_>, second: &Statement<'_>) -> bool {
    let too_broad = first.allows()
        && (first.is_for_everyone() && !second.is_for_everyone()
            || first.conditions.is_empty() && !second.conditions.is_empty()
            || first.resources.iter().any(is_whole_bucket) && !second.resources.iter().any(is_whole_bucket));
    let who = |s: &Statement<'_>, kind: &str, text: &str| {
        s.principals.iter().any(|(other, item)| (*other, item.text) == (kind, text)) || s.is_for_everyone()
    };
    !too_broad
        && first.allows() == second.allows()
        && first.denies() == second.denies()
        && second.principals.iter().all(|(kind, item)| who(first, kind, item.text))
        && second.actions.iter().all(|action| {
            let action = action.text.to_ascii_lowercase();
            first.actions.iter().any(|other| covers(&other.text.to_ascii_lowercase(), &action))
        })
        && second.resources.iter().all(|resource| {
            first.resources.iter().any(|other| {
                other.text == resource.text
                    || (!other.text.contains("${") && covers(other.text, resource.text))
            })
        })
        && (first.conditions.is_empty() || conditions(first) == conditions(second))
}

/// Every condition of a statement, sorted and in lower case.
fn conditions<'s>(statement: &'s Statement<'_>) -> Vec<(String, &'s str, Vec<&'s str>)> {
    let mut all = Vec::new();
    for condition in &statement.conditions {
        let mut values: Vec<&str> = condition.values.iter().map(|value| value.text).collect();
        values.sort_unstable();
        all.push((condition.operator_name.text.to_ascii_lowercase(), condition.key_name.as_str(), values));
    }
    all.sort();
    all
}
