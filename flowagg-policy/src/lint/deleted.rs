//! Deleted principals. S3 returns the unique ID of a deleted user or role in place of its ARN, and rejects every policy
//! that contains such an ID, even if the statement is already in the live policy.
//!
//! Source: "IAM identifiers" and "AWS JSON policy elements: Principal" (IAM User Guide).

use super::subject::{Item, Statement, Subject};
use super::{Check, Report, Severity, shown};
use crate::document::LARGEST;
use crate::json;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "deleted-principal",
    severity: Severity::Error,
    help: "replace the ID with the ARN of an existing principal, or remove it",
    find: deleted,
}];

/// A deleted principal in a statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedPrincipal {
    /// The statement: its Sid in backticks, or its position in the list, starting at 1.
    pub statement: String,
    /// The unique ID, e.g. `AROAEXAMPLEEXAMPLE123`.
    pub id: String,
}

/// Returns the deleted principals of a policy in the order of the text. S3 rejects a policy that contains one.
///
/// Returns an empty list if the text is not a policy.
pub fn deleted_principals(text: &str) -> Vec<DeletedPrincipal> {
    if text.len() > LARGEST {
        return Vec::new();
    }
    let Ok(root) = json::parse(text) else { return Vec::new() };
    let subject = Subject::new(text, &root, None);
    let of = |statement: &Statement<'_>| {
        let named =
            |item: Item<'_>| DeletedPrincipal { statement: statement.name(), id: item.text.to_owned() };
        ids(statement).map(named).collect::<Vec<_>>()
    };
    subject.statements.iter().flat_map(of).collect()
}

/// Returns the IDs of deleted principals in `Principal` and `NotPrincipal`.
fn ids<'s, 'd>(statement: &'s Statement<'d>) -> impl Iterator<Item = Item<'d>> + use<'s, 'd> {
    let all = statement.principals.iter().chain(&statement.not_principals);
    all.filter(|(kind, item)| *kind == "AWS" && is_unique_id(item.text)).map(|(_, item)| *item)
}

/// Whether a text is the unique ID of a user, role, group or managed policy.
pub(super) fn is_unique_id(text: &str) -> bool {
    const PREFIXES: [&str; 4] = ["AIDA", "AROA", "AGPA", "ANPA"];
    const SHORTEST: usize = 16;
    text.len() >= SHORTEST
        && PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn deleted(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        let named = statement.principals.len();
        for item in ids(statement) {
            let message = format!("the principal {} was deleted, so S3 rejects the policy", shown(item.text));
            let added = report.add(Some(statement), item.at, message);
            if statement.not_principals.is_empty() && named == 1 {
                added.help("replace the ID with the ARN of an existing principal, or remove the statement");
            }
        }
    }
}
