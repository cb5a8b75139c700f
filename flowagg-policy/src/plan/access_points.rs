//! Statements that delegate access to access points. They do not affect log delivery, which writes to the bucket
//! directly.
//!
//! Source: "Configuring IAM policies for using access points for general purpose buckets" (Amazon S3 User Guide).

use flowagg_core::plan::Note;

use crate::document::{Document, DocumentError, Statement};

/// The condition keys of requests through an access point.
const ACCOUNT: &str = "s3:DataAccessPointAccount";
const ARN: &str = "s3:DataAccessPointArn";
const NETWORK_ORIGIN: &str = "s3:AccessPointNetworkOrigin";

/// Returns a note for each statement that delegates to access points: it allows requests through them, or denies all
/// others.
pub(super) fn notes(policy: &str) -> Result<Vec<Note>, DocumentError> {
    let document = Document::parse(policy)?;
    let statements = document.statements().enumerate();
    let delegated = statements.filter_map(|(index, statement)| {
        Some(Note::DelegatesToAccessPoints {
            statement: statement.name(index),
            to: access_points(statement)?,
        })
    });
    Ok(delegated.collect())
}

/// Describes the access points that a statement delegates to.
fn access_points(statement: Statement<'_>) -> Option<String> {
    let denies = statement.get("Effect")?.as_str()? == "Deny";
    statement.get("Condition")?.members()?.iter().find_map(|operator| {
        if operator.key.to_ascii_lowercase().contains("not") != denies {
            return None;
        }
        operator.value.members()?.iter().find_map(|key| {
            let is = |name: &str| key.key.eq_ignore_ascii_case(name);
            let values = key.value.elements().iter().filter_map(|value| value.as_scalar());
            let values = values.collect::<Vec<_>>().join(", ");
            if is(ACCOUNT) {
                Some(format!("access points of {values}"))
            } else if is(ARN) {
                Some(format!("the access points {values}"))
            } else {
                is(NETWORK_ORIGIN).then(|| format!("access points with the network origin {values}"))
            }
        })
    })
}
