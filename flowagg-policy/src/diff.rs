//! What two policies say differently. Order, `"a"` against `["a"]`, an account's id against its root ARN, the case of
//! `Effect` and of actions, and quotation marks around numbers do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use flowagg_core::id::AccountId;
use serde::Serialize;

use crate::access::{AccessChange, change, named};
use crate::document::{self, Document, DocumentError};
use crate::evaluate::{Operator, key_list};
use crate::json::{Node, Value};
use crate::size;

/// What two policies say differently.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Difference {
    /// Accounts that the second policy allows to deliver logs, and the first does not, or not with certainty.
    pub granted: BTreeSet<AccountId>,
    /// Accounts that the first policy allows to deliver logs, perhaps depending on condition keys, and the second does not.
    pub revoked: BTreeSet<AccountId>,
    /// Accounts that both policies allow to deliver logs, but from other regions or to other folders.
    pub changed: BTreeSet<AccountId>,
    /// Accounts for which the second policy's answer depends on condition keys whose values are not known, and differs from the
    /// first policy's answer.
    pub undecided: Vec<Undecided>,
    /// Why access was not evaluated, or not all of it: a policy that S3 does not accept, no folder, or too many deliveries.
    #[serde(rename = "not-evaluated", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub not_evaluated: Option<String>,
    /// Statements that differ, in the order of the second policy, then those that only the first has.
    pub statements: Vec<StatementChange>,
}

/// An account that may deliver or not, depending on condition keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Undecided {
    /// The account.
    pub account: AccountId,
    /// The condition keys, whose values are not known.
    pub depends_on: BTreeSet<String>,
}

/// A statement that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StatementChange {
    /// The Sid in back-ticks, or the place in the list, from 1.
    pub statement: String,
    /// What became of it.
    pub kind: ChangeKind,
    /// What of it changed, in plain words.
    pub details: Vec<String>,
}

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// Only the second policy has it.
    Added,
    /// Only the first policy has it.
    Removed,
    /// Both have it, and it says something else.
    Changed,
}

impl Difference {
    /// Whether the two say the same.
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
            writeln!(
                f,
                "~ account {account} may deliver from other regions, or to other folders, than before"
            )?;
        }
        for Undecided { account, depends_on } in &self.undecided {
            writeln!(f, "? account {account} may deliver, depending on {}", key_list(depends_on))?;
        }
        if let Some(why) = &self.not_evaluated {
            writeln!(f, "! access was not evaluated completely: {why}")?;
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

/// Compares two policies: their statements, and by evaluation the deliveries of the accounts that they mention.
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

/// The statements that differ between two policies; nothing is evaluated.
pub fn changed_statements(before: &str, after: &str) -> Result<Vec<StatementChange>, DocumentError> {
    Ok(statement_changes(&Document::parse(before)?, &Document::parse(after)?))
}

/// The statements that differ between two policies.
pub(crate) fn statement_changes(before: &Document<'_>, after: &Document<'_>) -> Vec<StatementChange> {
    let mut gone: Vec<Meaning> = meanings(before);
    let mut new = meanings(after);
    let mut changes = Vec::new();
    // Equal ones first, so that a statement is not taken for the change of another with its Sid.
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
                Some(at) => (ChangeKind::Changed, vec![format!("it was {}", gone.remove(at).name)]),
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
        let details = vec![format!("it was {}, and is {}", versions[0], versions[1])];
        let statement = "`Version`".to_owned();
        changes.push(StatementChange { statement, kind: ChangeKind::Changed, details });
    }
    changes
}

/// What a statement says, however it is written.
#[derive(Debug)]
struct Meaning {
    name: String,
    sid: Option<String>,
    denies: bool,
    /// By name of the element, such as `NotResource`.
    elements: BTreeMap<String, BTreeSet<String>>,
    /// By operator and key, both in lower case.
    conditions: BTreeMap<(String, String), BTreeSet<String>>,
    /// Members that the grammar does not know, as they stand.
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

    /// What the later statement of this Sid says differently.
    fn changes(&self, later: &Self) -> Vec<String> {
        let mut details = Vec::new();
        if self.denies != later.denies {
            details.push(format!("it {} now", if later.denies { "denies" } else { "allows" }));
        }
        let names: BTreeSet<&String> = self.elements.keys().chain(later.elements.keys()).collect();
        for name in names {
            match (self.elements.get(name), later.elements.get(name)) {
                _ if name == "Effect" => {}
                (Some(before), Some(after)) => {
                    let wider = later.denies == name.starts_with("Not");
                    details.extend(value_changes(&format!("`{name}`"), before, after, Some(wider)));
                }
                (None, _) => details.push(format!("it has `{name}` now")),
                (_, None) => details.push(format!("it has no `{name}` any more")),
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
                (None, _) => details.push(format!("{}: it tests {tested} now", word(!later.denies))),
                (_, None) => details.push(format!("{}: it no longer tests {tested}", word(later.denies))),
            }
        }
        if self.others != later.others {
            details.push("members that AWS's grammar does not know differ".into());
        }
        details
    }
}

fn word(tightened: bool) -> &'static str {
    if tightened { "tightened" } else { "loosened" }
}

/// What came and went in a list. `wider`: whether more values let more through; `None` where that cannot be said.
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

/// `type:principal`, with an account's root ARN as its id and `{"AWS": "*"}` as `*`.
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
