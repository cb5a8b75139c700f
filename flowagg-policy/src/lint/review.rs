//! Notes for policy reviews. They also apply to correct policies, so [`lint_live`](super::lint_live) leaves them out.

use std::collections::BTreeSet;

use super::delivery::{account_ids, source_arns};
use super::subject::{Item, S3Arn, Subject};
use super::{Check, Report, Severity, shown};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "list-does-not-bind",
        severity: Severity::Note,
        help: "set `policy.form = \"bound-accounts\"` in the fleet file to bind each account to its own folder, and check that an \
               object arrives before you rely on it",
        find: does_not_bind,
    },
    Check {
        id: "grant-for-other-logs",
        severity: Severity::Note,
        help: "keep the statement if you want these logs; flow logs need separate statements",
        find: other_logs,
    },
    Check {
        id: "sid-with-odd-characters",
        severity: Severity::Note,
        help: "keep the Sid, or use only A-Z, a-z and 0-9 if the statement is also used in IAM",
        find: odd_sid,
    },
];

fn does_not_bind(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.writes() {
        let accounts = account_ids(&statement.source_accounts());
        let arns: BTreeSet<String> = source_arns(statement).map(|(_, parts)| parts[4].to_owned()).collect();
        let several = accounts.len().max(arns.len()) > 1;
        let folders = account_ids(&statement.folder_accounts());
        let any = |item: &Item<'_>| {
            S3Arn::parse(item.text).is_some_and(|arn| {
                arn.key.is_some_and(|key| key.ends_with("AWSLogs/*") || key.ends_with("aws-account-id=*"))
            })
        };
        if several && (folders.len() > 1 || statement.resources.iter().any(any)) {
            let at = statement.resources.first().map_or(statement.node.span.start, |item| item.at);
            report.add(
                Some(statement),
                at,
                "the statement allows logs of each listed account in the folders of all listed accounts; only the delivery \
                 service keeps them apart",
            );
        }
    }
}

fn other_logs(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|statement| statement.allows()) {
        let Some((_, principal)) = statement.principals.first() else { continue };
        let has_aws_sid = statement.sid.is_some_and(|sid| sid.text.starts_with("AWSLogDelivery"));
        if let Some(what) = statement.other_logs().filter(|_| has_aws_sid) {
            let message =
                format!("{} delivers {what}; the statement does not allow flow logs", shown(principal.text));
            report.add(Some(statement), principal.at, message);
        } else if statement.is_for_delivery_sources() {
            let at = statement.on("aws:sourcearn").next().map_or(principal.at, |condition| condition.key.at);
            report.add(
                Some(statement),
                at,
                "the statement is for CloudWatch Logs delivery sources and does not allow flow logs",
            );
        }
    }
}

/// Characters that IAM's grammar does not allow but that live bucket policies have in their Sids.
const TAKEN_BY_S3: [char; 4] = ['-', '_', ' ', ','];

fn odd_sid(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        let Some(sid) = statement.sid else { continue };
        let odd: BTreeSet<char> = sid.text.chars().filter(|c| !c.is_ascii_alphanumeric()).collect();
        let Some(first) = odd.iter().find(|c| !TAKEN_BY_S3.contains(c)).or(odd.first()) else { continue };
        let message = format!(
            "the Sid {} contains `{}`, which the IAM policy grammar does not allow",
            shown(sid.text),
            first.escape_debug()
        );
        let added = report.add(Some(statement), sid.at, message);
        if !TAKEN_BY_S3.contains(first) {
            added.severity(Severity::Warning).help("use only A-Z, a-z and 0-9");
        }
    }
}
