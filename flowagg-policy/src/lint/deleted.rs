//! Principals that were deleted. S3 returns the unique id of a deleted user or role in place of its ARN, and refuses every
//! policy with such an id, also if the statement was in the live policy.
//!
//! Source: "IAM identifiers" and "AWS JSON policy elements: Principal" (IAM User Guide).

use super::subject::{Item, Statement, Subject};
use super::{Check, Report, Severity, shown};
use crate::document::LARGEST;
use crate::json;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "deleted-principal",
    severity: Severity::Error,
    help: "replace the id with the ARN of a principal that exists, or remove it",
    find: deleted,
}];

/// A principal that was deleted, in a statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedPrincipal {
    /// The statement: its Sid in back-ticks, or its place in the list, from 1.
    pub statement: String,
    /// The unique id, as `AROAEXAMPLEEXAMPLE123`.
    pub id: String,
}

/// The principals of a policy that were deleted, in the order of the text. While a policy has one, S3 refuses to write it.
///
/// Empty for a text that is not a policy.
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

/// The ids of deleted principals in `Principal` and `NotPrincipal`.
fn ids<'s, 'd>(statement: &'s Statement<'d>) -> impl Iterator<Item = Item<'d>> + use<'s, 'd> {
    let all = statement.principals.iter().chain(&statement.not_principals);
    all.filter(|(kind, item)| *kind == "AWS" && is_unique_id(item.text)).map(|(_, item)| *item)
}

/// Whether a text is the unique id of a user, role, group or managed policy.
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
            let message = format!(
                "the principal {} was deleted, and S3 refuses a policy that names it",
                shown(item.text)
            );
            let added = report.add(Some(statement), item.at, message);
            if statement.not_principals.is_empty() && named == 1 {
                added.help("replace the id with the ARN of a principal that exists, or remove the statement");
            }
        }
    }
}
