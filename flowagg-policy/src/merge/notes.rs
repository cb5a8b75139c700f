//! What a merge does to our statements besides accounts that come and go, in plain words.

use flowagg_core::fleet::AclCondition;

use super::survey::Survey;
use crate::grant::{AclCheck, Folders, Sid, Source, Statement, Write};

/// One note for each thing that a live statement of ours said and the wanted one does not, or the reverse.
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

/// What a denial that is taken out no longer denies. Who a grant that is taken out was for is told elsewhere.
fn gone(statement: &Statement) -> Option<&'static str> {
    match statement {
        Statement::DenyOthers(_) => Some(
            "loosened, it is taken out: what other statements allow accounts that are not named is no longer denied",
        ),
        Statement::DenyInsecureTransport => {
            Some("loosened, it is taken out: access without TLS is no longer denied")
        }
        Statement::Write(_) | Statement::AclCheck(_) => None,
    }
}

fn folders(before: &Write, after: &Write) -> Option<&'static str> {
    match (&before.folders, &after.folders) {
        (Folders::Any, Folders::Each(_)) => {
            Some("tightened, from any account's folder to those of the accounts named")
        }
        (Folders::Each(_), Folders::Any) => {
            Some("loosened, from the folders of the accounts named to any account's")
        }
        (Folders::Each(_) | Folders::Any, Folders::Own) => {
            Some("tightened, to the folder of the account that delivers")
        }
        (Folders::Own, Folders::Each(_) | Folders::Any) => {
            Some("loosened, an account is no longer bound to its folder")
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
                format!("tightened, it tests `{key}`")
            } else {
                format!("loosened, it no longer tests `{key}`")
            }
        },
    )
}

fn acl(before: AclCondition, after: AclCondition) -> Option<&'static str> {
    match (before, after) {
        (AclCondition::None | AclCondition::IfExists, AclCondition::Required) => {
            Some("tightened, a write must come with the ACL `bucket-owner-full-control`")
        }
        (AclCondition::None, AclCondition::IfExists) => {
            Some("tightened, an ACL that comes with a write must be `bucket-owner-full-control`")
        }
        (AclCondition::Required, AclCondition::None | AclCondition::IfExists) => {
            Some("loosened, a write need not come with an ACL")
        }
        (AclCondition::IfExists, AclCondition::None) => Some("loosened, a write may come with any ACL"),
        _ => None,
    }
}

fn actions(before: &AclCheck, after: &AclCheck) -> Option<String> {
    let (before, after) = (before.actions, after.actions);
    (before != after).then(|| {
        format!("its actions were {}, and are {}", before.names().join(", "), after.names().join(", "))
    })
}
