//! Checks a bucket policy for log delivery against a table of named checks. Broken policies are checked as far as they
//! can be read. No findings does not mean that the policy is good: it only means that no check found anything.

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

/// A problem that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// The ID of the check.
    pub id: &'static str,
    /// The severity.
    pub severity: Severity,
    /// The statement: its Sid in backticks, or its position in the list, starting at 1. `None` for the policy as a
    /// whole.
    pub statement: Option<String>,
    /// The position in the text.
    pub place: Location,
    /// What is wrong, and why it matters.
    pub message: String,
    /// How to fix it: the help of the check, or help specific to this statement.
    pub help: Cow<'static, str>,
}

/// A position in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a position is a line and a column")]
pub struct Location {
    /// The line, starting at 1.
    pub line: usize,
    /// The column in characters, starting at 1.
    pub column: usize,
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; policies in AWS's own documentation have such findings.
    Note,
    /// The policy works, but not as well or as safely as it could.
    Warning,
    /// S3 rejects the policy, the statement has no effect, delivery fails, or accounts outside the fleet get access.
    Error,
}

/// A named check with its severity and help.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Check {
    pub id: &'static str,
    /// The default severity; a finding is milder if another part of the policy makes up for it.
    pub severity: Severity,
    /// How to fix the problem.
    pub help: &'static str,
    find: fn(&Subject<'_>, &mut Report<'_>),
}

/// Returns every check. Findings at the same position are in this order.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [grammar::CHECKS, elements::CHECKS, principals::CHECKS, deleted::CHECKS, actions::CHECKS]
        .into_iter()
        .chain([resources::CHECKS, conditions::CHECKS, delivery::CHECKS, denial::CHECKS, whole::CHECKS])
        .chain([review::CHECKS])
        .flatten()
}

/// Runs all checks on a policy under review and returns the findings in the order of the text.
///
/// `bucket` is the bucket that the policy belongs to; without it, the bucket that most resources name is used.
pub fn lint(text: &str, bucket: Option<&BucketName>) -> Vec<Finding> {
    run(text, bucket, checks())
}

/// Runs the checks on the live policy of a fleet's bucket: as [`lint`], but without the notes that are only for
/// reviews. Those notes also apply to correct policies, such as the one that flowagg writes by default.
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
            help: "fix the JSON; the position is where parsing stopped".into(),
        }]
    };
    if text.len() > LARGEST {
        return malformed(0, "it is too large");
    }
    let root = match json::parse(text) {
        Ok(root) => root,
        Err(error) => return malformed(error.at, error.why),
    };
    let subject = Subject::new(text, &root, bucket.map(BucketName::as_str));
    let mut findings = Vec::new();
    // A policy that is several times too large is only checked for its size: some checks compare each statement with
    // every other one.
    let far_too_large = size::compact_len(text) > 4 * size::LIMIT;
    for check in checks.filter(|check| !far_too_large || check.id == "over-20480-bytes") {
        (check.find)(&subject, &mut Report { check, findings: &mut findings });
    }
    place(text, findings)
}

/// Sorts the findings by position and fills in their locations, in one pass over the text.
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

/// Collects the findings of a check.
struct Report<'r> {
    check: &'r Check,
    /// Each with its byte offset in the text; the location is computed at the end.
    findings: &'r mut Vec<(usize, Finding)>,
}

impl Report<'_> {
    /// Adds a finding for a statement (or, with `None`, for the policy) at this byte offset, with the severity and help
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
    /// Overrides the severity of the check.
    fn severity(mut self, severity: Severity) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.severity = severity;
        }
        self
    }

    /// Overrides the help of the check if the fix depends on the statement.
    fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.help = help.into();
        }
        self
    }
}

/// Formats a text for a message: in backticks, escaped and shortened.
fn shown(text: &str) -> String {
    const LONGEST: usize = 100;
    let short: String = text.chars().take(LONGEST).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("`{}{dots}`", short.escape_debug())
}

/// Returns the closest known name, at most two characters away.
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
    fn name_distance_is_counted_in_characters() {
        let known = ["aws:SourceArn"];
        assert_eq!(nearest(known.into_iter(), "aws:S界urceArn界"), Some("aws:SourceArn"));
        assert_eq!(nearest(known.into_iter(), "aws:界界urceArn界"), None);
    }
}
