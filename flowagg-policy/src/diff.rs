//! Compares two policies by meaning. Order, `"a"` instead of `["a"]`, an account ID instead of its root ARN, the case
//! of `Effect` and of actions, and quotation marks around numbers are ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use flowagg_core::id::AccountId;
use serde::Serialize;

use crate::access::{AccessChange, change, named};
use crate::document::{self, Document, DocumentError};
use crate::evaluate::{Operator, key_list};
use crate::json::{Node, Value};
use crate::size;

/// The difference between two policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Difference {
    /// Accounts that the second policy certainly allows to deliver logs, and the first does not.
    pub granted: BTreeSet<AccountId>,
    /// Accounts that the first policy allows, or may allow, to deliver logs, and the second does not.
    pub revoked: BTreeSet<AccountId>,
    /// Accounts that both policies allow to deliver logs, but from other regions or to other folders.
    pub changed: BTreeSet<AccountId>,
    /// Accounts for which the second policy's answer depends on condition keys with unknown values and differs from the
    /// first policy's answer.
    pub undecided: Vec<Undecided>,
    /// Why access was not evaluated, or only in part: a policy that S3 rejects, no folder, or too many deliveries.
    #[serde(rename = "not-evaluated", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub not_evaluated: Option<String>,
    /// Statements that differ, in the order of the second policy, followed by removed statements.
    pub statements: Vec<StatementChange>,
}

/// An account whose delivery depends on condition keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Undecided {
    /// The account.
    pub account: AccountId,
    /// The condition keys with unknown values.
    pub depends_on: BTreeSet<String>,
}

/// A statement that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StatementChange {
    /// The Sid in backticks, or the position in the list, starting at 1.
    pub statement: String,
    /// The kind of change.
    pub kind: ChangeKind,
    /// Descriptions of the changes within the statement.
    pub details: Vec<String>,
}

/// The kind of a statement change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The statement is only in the second policy.
    Added,
    /// The statement is only in the first policy.
    Removed,
    /// The statement is in both policies with different contents.
    Changed,
}

impl Difference {
    /// Whether the policies have the same meaning.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sign, accounts) in [('+', &self.granted), ('-', &self.revoked)] {
            for account in accounts {
                writeln!(f, "{sign} account {account} may deliver")?;
            }
        }
        for account in &self.changed {
            writeln!(f, "~ account {account} may deliver from different regions or to different folders")?;
        }
        for Undecided { account, depends_on } in &self.undecided {
            writeln!(f, "? account {account} may be able to deliver, depending on {}", key_list(depends_on))?;
        }
        if let Some(why) = &self.not_evaluated {
            writeln!(f, "! access was not fully evaluated: {why}")?;
        }
        for StatementChange { statement, kind, details } in &self.statements {
            let sign = match kind {
                ChangeKind::Added => '+',
                ChangeKind::Removed => '-',
                ChangeKind::Changed => '~',
            };
            writeln!(f, "{sign} statement {statement}")?;
            for detail in details {
                writeln!(f, "    {detail}")?;
            }
        }
        Ok(())
    }
}

/// Compares the statements of two policies, and evaluates the deliveries of the accounts that they mention.
pub fn diff(before: &str, after: &str) -> Result<Difference, DocumentError> {
    let (before, after) = (Document::parse(before)?, Document::parse(after)?);
    let statements = statement_changes(&before, &after);
    let (deliveries, not_evaluated) = named([&before, &after]);
    let (access, not_evaluated) = match deliveries.answers_of_each([Some(before.text), Some(after.text)]) {
        Ok([before, after]) => (change(&before, &after), not_evaluated),
        Err(error) => (AccessChange::default(), Some(error.to_string())),
    };
    let AccessChange { granted, revoked, steady, closed, undecided } = access;
    let undecided =
        undecided.into_iter().map(|(account, depends_on)| Undecided { account, depends_on }).collect();
    let revoked = &revoked | &closed;
    let changed = &(&granted | &revoked) & &steady;
    let (granted, revoked) = (&granted - &steady, &revoked - &steady);
    Ok(Difference { granted, revoked, changed, undecided, not_evaluated, statements })
}

/// Returns the statements that differ between two policies, without evaluating them.
pub fn changed_statements(before: &str, after: &str) -> Result<Vec<StatementChange>, DocumentError> {
    Ok(statement_changes(&Document::parse(before)?, &Document::parse(after)?))
}

/// The statements that differ between two policies.
pub(crate) fn statement_changes(before: &Document<'_>, after: &Document<'_>) -> Vec<StatementChange> {
    let mut gone: Vec<Meaning> = meanings(before);
    let mut new = meanings(after);
    let mut changes = Vec::new();
    // Match equal statements first, so that they are not paired with a changed statement of the same Sid.
    new.retain(|meaning| {
        match gone.iter().position(|old| old.says_the_same(meaning) && old.sid == meaning.sid) {
            Some(at) => {
                gone.remove(at);
                false
            }
            None => true,
        }
    });
    for meaning in new {
        let same = |old: &Meaning| old.sid.is_some() && old.sid == meaning.sid;
        let (kind, details) = match gone.iter().position(same) {
            Some(at) => (ChangeKind::Changed, gone.remove(at).changes(&meaning)),
            None => match gone.iter().position(|old| old.says_the_same(&meaning)) {
                Some(at) => {
                    (ChangeKind::Changed, vec![format!("previously statement {}", gone.remove(at).name)])
                }
                None => (ChangeKind::Added, Vec::new()),
            },
        };
        changes.push(StatementChange { statement: meaning.name, kind, details });
    }
    changes.extend(gone.into_iter().map(|old| StatementChange {
        statement: old.name,
        kind: ChangeKind::Removed,
        details: Vec::new(),
    }));
    let versions = [before.version().unwrap_or("2008-10-17"), after.version().unwrap_or("2008-10-17")];
    if versions[0] != versions[1] {
        let details = vec![format!("{} -> {}", versions[0], versions[1])];
        let statement = "`Version`".to_owned();
        changes.push(StatementChange { statement, kind: ChangeKind::Changed, details });
    }
    changes
}

/// The meaning of a statement, independent of how it is written.
#[derive(Debug)]
struct Meaning {
    name: String,
    sid: Option<String>,
    denies: bool,
    /// By element name, e.g. `NotResource`.
    elements: BTreeMap<String, BTreeSet<String>>,
    /// By operator and key, both in lower case.
    conditions: BTreeMap<(String, String), BTreeSet<String>>,
    /// Elements that the grammar does not define, as written.
    others: BTreeMap<String, String>,
}

fn meanings(document: &Document<'_>) -> Vec<Meaning> {
    document.statements().enumerate().map(|(index, live)| Meaning::of(document, index, live)).collect()
}

impl Meaning {
    fn of(document: &Document<'_>, index: usize, live: document::Statement<'_>) -> Self {
        let mut meaning = Self {
            name: live.name(index),
            sid: live.sid().map(str::to_owned),
            denies: live
                .get("Effect")
                .and_then(Node::as_str)
                .is_some_and(|text| text.eq_ignore_ascii_case("Deny")),
            elements: BTreeMap::new(),
            conditions: BTreeMap::new(),
            others: BTreeMap::new(),
        };
        for member in live.members {
            let name = member.key.as_ref();
            let values =
                match name {
                    "Sid" => continue,
                    "Principal" | "NotPrincipal" => principals(&member.value),
                    "Action" | "NotAction" => texts(&member.value)
                        .map(|texts| texts.map(|text| text.to_ascii_lowercase()).collect()),
                    "Resource" | "NotResource" => {
                        texts(&member.value).map(|texts| texts.map(str::to_owned).collect())
                    }
                    "Effect" => texts(&member.value)
                        .map(|texts| texts.map(|text| text.to_ascii_lowercase()).collect()),
                    "Condition" if meaning.read_conditions(&member.value).is_some() => continue,
                    _ => None,
                };
            match values {
                Some(values) => {
                    meaning.elements.insert(name.to_owned(), values);
                }
                None => {
                    let text = size::compact(document.part(member.value.span.clone()));
                    meaning.others.insert(name.to_owned(), text);
                }
            }
        }
        meaning
    }

    fn read_conditions(&mut self, node: &Node<'_>) -> Option<()> {
        let mut found = BTreeMap::new();
        for operator in node.members()? {
            for key in operator.value.members()? {
                let values = key.value.elements().iter().map(|node| node.as_scalar().map(str::to_owned));
                let name = (operator.key.to_ascii_lowercase(), key.key.to_ascii_lowercase());
                found.insert(name, values.collect::<Option<_>>()?);
            }
        }
        self.conditions = found;
        Some(())
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (&self.elements, &self.conditions, &self.others)
            == (&other.elements, &other.conditions, &other.others)
    }

    /// Describes how the later statement with the same Sid differs.
    fn changes(&self, later: &Self) -> Vec<String> {
        let mut details = Vec::new();
        if self.denies != later.denies {
            details.push(format!("now {}", if later.denies { "denies" } else { "allows" }));
        }
        let names: BTreeSet<&String> = self.elements.keys().chain(later.elements.keys()).collect();
        for name in names {
            match (self.elements.get(name), later.elements.get(name)) {
                _ if name == "Effect" => {}
                (Some(before), Some(after)) => {
                    let wider = later.denies == name.starts_with("Not");
                    details.extend(value_changes(&format!("`{name}`"), before, after, Some(wider)));
                }
                (None, _) => details.push(format!("`{name}` was added")),
                (_, None) => details.push(format!("`{name}` was removed")),
            }
        }
        let keys: BTreeSet<_> = self.conditions.keys().chain(later.conditions.keys()).collect();
        for name in keys {
            let (operator, key) = name;
            let tested = format!("`{key}` ({operator})");
            match (self.conditions.get(name), later.conditions.get(name)) {
                (Some(before), Some(after)) => {
                    let wider = Operator::parse(operator)
                        .filter(Operator::compares_for_equality)
                        .map(|operator| operator.negated == later.denies);
                    details.extend(value_changes(&tested, before, after, wider));
                }
                (None, _) => details.push(format!("{}: now tests {tested}", word(!later.denies))),
                (_, None) => details.push(format!("{}: no longer tests {tested}", word(later.denies))),
            }
        }
        if self.others != later.others {
            details.push("elements that AWS's grammar does not define differ".into());
        }
        details
    }
}

fn word(tightened: bool) -> &'static str {
    if tightened { "tightened" } else { "loosened" }
}

/// Describes added and removed values of a list. `wider`: whether more values allow more requests; `None` if unknown.
fn value_changes(
    name: &str,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    wider: Option<bool>,
) -> Vec<String> {
    let say = |values: BTreeSet<&String>, verb: &str, more: bool| {
        let count = values.len();
        let mut shown: Vec<String> = values.into_iter().take(3).map(|value| format!("`{value}`")).collect();
        if count > shown.len() {
            shown.push(format!("{} more", count - shown.len()));
        }
        let judged = wider.map_or(String::new(), |wider| format!("{}: ", word(wider != more)));
        (count > 0).then(|| format!("{judged}{name} {verb} {}", shown.join(", ")))
    };
    let came = say(after.difference(before).collect(), "now has", true);
    let went = say(before.difference(after).collect(), "no longer has", false);
    came.into_iter().chain(went).collect()
}

fn texts<'d>(node: &'d Node<'d>) -> Option<impl Iterator<Item = &'d str>> {
    let all = node.elements();
    all.iter().all(|node| node.as_str().is_some()).then(|| all.iter().filter_map(Node::as_str))
}

/// Formats principals as `type:principal`, with the ID of an account for its root ARN and `*` for `{"AWS": "*"}`.
fn principals(node: &Node<'_>) -> Option<BTreeSet<String>> {
    if let Value::String(text) = &node.value {
        return Some(BTreeSet::from([text.as_ref().to_owned()]));
    }
    let mut found = BTreeSet::new();
    for entry in node.members()? {
        for text in texts(&entry.value)? {
            let account = text.strip_suffix(":root").and_then(|arn| arn.split("::").nth(1));
            found.insert(match (entry.key.as_ref(), account) {
                ("AWS", _) if text == "*" => "*".to_owned(),
                ("AWS", Some(account)) => format!("AWS:{account}"),
                (kind, _) => format!("{kind}:{text}"),
            });
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests;
