//! Describes the effects of a merge on managed statements, other than added and removed accounts.

use flowagg_core::fleet::AclCondition;

use super::survey::Survey;
use crate::grant::{AclCheck, Folders, Sid, Source, Statement, Write};

/// Returns a note for each difference between a live managed statement and its replacement.
pub(super) fn between(survey: &Survey, wanted: &[(Sid, Statement)]) -> Vec<String> {
    let mut notes = Vec::new();
    for ours in &survey.ours {
        let Some(live) = &ours.statement else { continue };
        let Some((_, new)) = wanted.iter().find(|(sid, _)| *sid == ours.sid) else {
            notes.extend(gone(live).map(|words| format!("statement {}: {words}", ours.name)));
            continue;
        };
        if new == live {
            continue;
        }
        let name = &ours.name;
        match (live, new) {
            (Statement::Write(before), Statement::Write(after)) => {
                notes.extend(folders(before, after).map(|words| format!("statement {name}: {words}")));
                notes.extend(
                    source(&before.source, &after.source).map(|words| format!("statement {name}: {words}")),
                );
                notes.extend(acl(before.acl, after.acl).map(|words| format!("statement {name}: {words}")));
            }
            (Statement::AclCheck(before), Statement::AclCheck(after)) => {
                notes.extend(actions(before, after).map(|words| format!("statement {name}: {words}")));
                notes.extend(
                    source(&before.source, &after.source).map(|words| format!("statement {name}: {words}")),
                );
            }
            _ => {}
        }
    }
    notes
}

/// The effect of removing a Deny statement. Revoked grants are reported separately.
fn gone(statement: &Statement) -> Option<&'static str> {
    match statement {
        Statement::DenyOthers(_) => Some(
            "loosened: removed, so access of unlisted accounts through other statements is no longer denied",
        ),
        Statement::DenyInsecureTransport => {
            Some("loosened: removed, so access without TLS is no longer denied")
        }
        Statement::Write(_) | Statement::AclCheck(_) => None,
    }
}

fn folders(before: &Write, after: &Write) -> Option<&'static str> {
    match (&before.folders, &after.folders) {
        (Folders::Any, Folders::Each(_)) => {
            Some("tightened: from the folders of all accounts to those of the listed accounts")
        }
        (Folders::Each(_), Folders::Any) => {
            Some("loosened: from the folders of the listed accounts to those of all accounts")
        }
        (Folders::Each(_) | Folders::Any, Folders::Own) => {
            Some("tightened: to the folder of the delivering account")
        }
        (Folders::Own, Folders::Each(_) | Folders::Any) => {
            Some("loosened: accounts are no longer bound to their folders")
        }
        _ => None,
    }
}

fn source(before: &Source, after: &Source) -> impl Iterator<Item = String> {
    let tested = |source: &Source| {
        [
            ("aws:SourceAccount", source.accounts.is_some()),
            ("aws:SourceOrgID", source.organization.is_some()),
            ("aws:SourceOrgPaths", source.units.is_some()),
            ("aws:SourceArn", source.arns.is_some()),
        ]
    };
    tested(before).into_iter().zip(tested(after)).filter(|(before, after)| before.1 != after.1).map(
        |(_, (key, now))| {
            if now {
                format!("tightened: now tests `{key}`")
            } else {
                format!("loosened: no longer tests `{key}`")
            }
        },
    )
}

fn acl(before: AclCondition, after: AclCondition) -> Option<&'static str> {
    match (before, after) {
        (AclCondition::None | AclCondition::IfExists, AclCondition::Required) => {
            Some("tightened: writes must have the ACL `bucket-owner-full-control`")
        }
        (AclCondition::None, AclCondition::IfExists) => {
            Some("tightened: the ACL of a write, if any, must be `bucket-owner-full-control`")
        }
        (AclCondition::Required, AclCondition::None | AclCondition::IfExists) => {
            Some("loosened: writes do not need an ACL")
        }
        (AclCondition::IfExists, AclCondition::None) => Some("loosened: writes may have any ACL"),
        _ => None,
    }
}

fn actions(before: &AclCheck, after: &AclCheck) -> Option<String> {
    let (before, after) = (before.actions, after.actions);
    (before != after)
        .then(|| format!("actions {} -> {}", before.names().join(", "), after.names().join(", ")))
}
