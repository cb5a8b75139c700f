//! Faults of a bucket policy for log delivery, found by a table of named checks. It reads a policy however broken it
//! is, and it never says that one is good: it says what it found.

mod actions;
mod conditions;
mod deleted;
mod deliverers;
mod delivery;
mod denial;
mod elements;
mod grammar;
mod names;
mod principals;
mod resources;
mod review;
mod subject;
mod whole;

use std::borrow::Cow;

use flowagg_core::id::BucketName;
use flowagg_core::near::distance;
use serde::Serialize;

pub use self::deleted::{DeletedPrincipal, deleted_principals};
use self::subject::{Statement, Subject};
use crate::document::LARGEST;
use crate::json;
use crate::size;

/// A fault that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// The name of the check.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The statement: its Sid in back-ticks, or its place in the list, from 1. `None` for the policy as a whole.
    pub statement: Option<String>,
    /// Where in the text.
    pub place: Location,
    /// What is wrong, and why it matters.
    pub message: String,
    /// What to do about it: the help of the check, or one for this statement alone.
    pub help: Cow<'static, str>,
}

/// A position in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a line and a column are all that it is")]
pub struct Location {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; policies in AWS's own documentation have it.
    Note,
    /// It works, but not as well or as safely as it could.
    Warning,
    /// S3 refuses it, it does nothing, it stops delivery, or it lets strangers in.
    Error,
}

/// A check: its name, how bad its fault is, and what to do about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Check {
    /// Its name.
    pub id: &'static str,
    /// How bad its fault is, as a rule; some are milder where something else makes up for it.
    pub severity: Severity,
    /// What to do about the fault.
    pub help: &'static str,
    find: fn(&Subject<'_>, &mut Report<'_>),
}

/// Every check, in the order that their findings come in where they have one place.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [grammar::CHECKS, elements::CHECKS, principals::CHECKS, deleted::CHECKS, actions::CHECKS]
        .into_iter()
        .chain([resources::CHECKS, conditions::CHECKS, delivery::CHECKS, denial::CHECKS, whole::CHECKS])
        .chain([review::CHECKS])
        .flatten()
}

/// What the checks find in a policy under review, in the order of the text.
///
/// `bucket` is the bucket that the policy is for; without it, the one that most of its resources name.
pub fn lint(text: &str, bucket: Option<&BucketName>) -> Vec<Finding> {
    run(text, bucket, checks())
}

/// What the checks find in the live policy of a fleet's bucket: as [`lint`], without the notes that are for a review only.
/// They hold for policies that are right, such as the one that flowagg writes by default.
pub fn lint_live(text: &str, bucket: &BucketName) -> Vec<Finding> {
    let of_review = |check: &&Check| review::CHECKS.iter().any(|other| other.id == check.id);
    run(text, Some(bucket), checks().filter(|check| !of_review(check)))
}

fn run<'c>(text: &str, bucket: Option<&BucketName>, checks: impl Iterator<Item = &'c Check>) -> Vec<Finding> {
    let malformed = |at: usize, why: &str| {
        let (line, column) = json::line_and_column(text, at);
        vec![Finding {
            id: "invalid-json",
            severity: Severity::Error,
            statement: None,
            place: Location { line, column },
            message: format!("the policy is not JSON: {why}"),
            help: "correct the JSON; the place is where reading stopped".into(),
        }]
    };
    if text.len() > LARGEST {
        return malformed(0, "it is too large to be read");
    }
    let root = match json::parse(text) {
        Ok(root) => root,
        Err(error) => return malformed(error.at, error.why),
    };
    let subject = Subject::new(text, &root, bucket.map(BucketName::as_str));
    let mut findings = Vec::new();
    // Of a policy that is several times too large, only the size is checked: some checks compare each statement with every
    // other.
    let far_too_large = size::compact_len(text) > 4 * size::LIMIT;
    for check in checks.filter(|check| !far_too_large || check.id == "over-20480-bytes") {
        (check.find)(&subject, &mut Report { check, findings: &mut findings });
    }
    place(text, findings)
}

/// The findings in the order of the text, with their places: one walk through the text, however many there are.
fn place(text: &str, mut findings: Vec<(usize, Finding)>) -> Vec<Finding> {
    findings.sort_by_key(|(at, _)| *at);
    let (mut done, mut place) = (0, Location { line: 1, column: 1 });
    let placed = findings.into_iter().map(|(at, finding)| {
        for c in text.get(done..at).unwrap_or_default().chars() {
            place = match c {
                '\n' => Location { line: place.line + 1, column: 1 },
                _ => Location { line: place.line, column: place.column + 1 },
            };
        }
        done = at;
        Finding { place, ..finding }
    });
    placed.collect()
}

/// Where a check puts what it finds.
struct Report<'r> {
    check: &'r Check,
    /// Each with its byte in the text; its place is found at the end.
    findings: &'r mut Vec<(usize, Finding)>,
}

impl Report<'_> {
    /// A fault of a statement (or, with `None`, of the policy) at this byte of the text, with the severity and the help
    /// of the check unless the caller changes them.
    fn add(&mut self, statement: Option<&Statement<'_>>, at: usize, message: impl Into<String>) -> Added<'_> {
        let finding = Finding {
            id: self.check.id,
            severity: self.check.severity,
            statement: statement.map(Statement::name),
            place: Location { line: 1, column: 1 },
            message: message.into(),
            help: self.check.help.into(),
        };
        self.findings.push((at, finding));
        Added(self.findings.last_mut().map(|(_, finding)| finding))
    }
}

/// The finding that was just added.
struct Added<'f>(Option<&'f mut Finding>);

impl Added<'_> {
    /// Sets another severity than the check's.
    fn severity(mut self, severity: Severity) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.severity = severity;
        }
        self
    }

    /// Sets another help than the check's, where the fix depends on the statement.
    fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.help = help.into();
        }
        self
    }
}

/// A text as a message may carry it.
fn shown(text: &str) -> String {
    const LONGEST: usize = 100;
    let short: String = text.chars().take(LONGEST).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("`{}{dots}`", short.escape_debug())
}

/// The known name that differs from this one by at most two characters.
fn nearest<'n>(known: impl Iterator<Item = &'n str>, name: &str) -> Option<&'n str> {
    let name = name.to_lowercase();
    known
        .map(|known| (distance(&known.to_lowercase(), &name), known))
        .filter(|(far, _)| *far <= 2)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nearly_right_name_is_compared_in_characters() {
        let known = ["aws:SourceArn"];
        assert_eq!(nearest(known.into_iter(), "aws:S界urceArn界"), Some("aws:SourceArn"));
        assert_eq!(nearest(known.into_iter(), "aws:界界urceArn界"), None);
    }
}
