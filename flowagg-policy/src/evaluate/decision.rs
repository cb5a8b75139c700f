//! Decisions: the result, the statement or the keys that it depends on, and for an implicit denial the statement that
//! was closest to allowing the request.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::condition::Condition;

/// The decision of a policy about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "InJson<'static>"))]
#[non_exhaustive]
pub struct Decision {
    /// The result.
    pub kind: DecisionKind,
    /// The deciding statement: the first that denies, else the first that allows. For [`DecisionKind::Depends`], the
    /// first that may deny an allowed request, else the first that may allow it.
    pub statement: Option<StatementId>,
    /// The condition keys with unknown values that the decision depends on. Empty unless the kind is
    /// [`DecisionKind::Depends`].
    pub depends_on: BTreeSet<String>,
    /// For an implicit denial, the statement that was closest to allowing the request.
    pub near_miss: Option<NearMiss>,
}

impl Decision {
    pub(super) fn by(kind: DecisionKind, statement: &StatementId) -> Self {
        Self { kind, statement: Some(statement.clone()), depends_on: BTreeSet::new(), near_miss: None }
    }

    /// Whether the request is certainly allowed.
    pub fn is_allowed(&self) -> bool {
        self.allowed() == Some(true)
    }

    /// Whether the request is certainly denied.
    pub fn is_denied(&self) -> bool {
        self.allowed() == Some(false)
    }

    /// The cause of the decision without account-specific parts, so that decisions about many accounts can share one
    /// message.
    pub fn cause(&self) -> Cause {
        let nearest = self.near_miss.as_ref().map(|near| near.statement.index);
        let statement = self.statement.as_ref().map(|statement| statement.index).or(nearest);
        Cause { kind: self.kind, statement, depends_on: self.depends_on.clone() }
    }

    /// Whether the request is allowed; `None` if that depends on keys with unknown values.
    pub fn allowed(&self) -> Option<bool> {
        match self.kind {
            DecisionKind::Allow => Some(true),
            DecisionKind::ExplicitDeny | DecisionKind::ImplicitDeny => Some(false),
            DecisionKind::Depends => None,
        }
    }
}

/// The cause of a decision; see [`Decision::cause`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    kind: DecisionKind,
    /// The index of the deciding or closest statement.
    statement: Option<usize>,
    depends_on: BTreeSet<String>,
}

impl fmt::Display for Decision {
    /// `Allow by statement …`, `ImplicitDeny: statement … would allow it except for …`, `Depends on … in statement …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if self.kind == DecisionKind::Depends {
            write!(f, " on {}", key_list(&self.depends_on))?;
        }
        if let Some(statement) = &self.statement {
            let by = if self.kind == DecisionKind::Depends { "in" } else { "by" };
            write!(f, " {by} statement {statement}")?;
        }
        if let Some(miss) = &self.near_miss {
            write!(f, ": {miss}")?;
        }
        Ok(())
    }
}

/// Formats condition keys as a list: `` `a`, `b` and `c` ``.
pub(crate) fn key_list(keys: &BTreeSet<String>) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", key.escape_debug())).collect();
    match keys.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => keys.join(", "),
    }
}

/// [`Decision`] as JSON.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
struct InJson<'d> {
    /// The result.
    decision: DecisionKind,
    /// Whether the request is allowed; null if that depends on keys with unknown values.
    allowed: Option<bool>,
    /// The deciding statement: the first that denies, else the first that allows. If the decision depends on keys, the
    /// first that may deny an allowed request, else the first that may allow it.
    statement: Option<&'d StatementId>,
    /// The condition keys with unknown values that the decision depends on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeSet<String>"))]
    depends_on: Option<&'d BTreeSet<String>>,
    /// For an implicit denial, the statement that was closest to allowing the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    near_miss: Option<&'d NearMiss>,
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let in_json = InJson {
            decision: self.kind,
            allowed: self.allowed(),
            statement: self.statement.as_ref(),
            depends_on: Some(&self.depends_on).filter(|keys| !keys.is_empty()),
            near_miss: self.near_miss.as_ref(),
        };
        in_json.serialize(serializer)
    }
}

/// The result of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum DecisionKind {
    /// A statement allows the request and none denies it.
    Allow,
    /// A statement denies the request.
    ExplicitDeny,
    /// No statement allows or denies the request.
    ImplicitDeny,
    /// The result depends on condition keys with unknown values.
    Depends,
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allow => "Allow",
            Self::ExplicitDeny => "ExplicitDeny",
            Self::ImplicitDeny => "ImplicitDeny",
            Self::Depends => "Depends",
        })
    }
}

/// A statement of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StatementId {
    /// The index in the list, starting at 0.
    pub index: usize,
    /// The Sid.
    #[serde(serialize_with = "sid_text")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub sid: Option<Arc<str>>,
}

fn sid_text<S: Serializer>(sid: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    match sid {
        Some(sid) => serializer.serialize_some(sid.as_ref()),
        None => serializer.serialize_none(),
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sid {
            Some(sid) => write!(f, "`{sid}`"),
            None => write!(f, "{}", self.index + 1),
        }
    }
}

/// The statement that was closest to allowing the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct NearMiss {
    pub statement: StatementId,
    /// The parts that do not match the request.
    pub misses: Vec<Miss>,
}

/// A part of a statement that does not match the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// The principal.
    Principal,
    /// The action.
    Action,
    /// The resource.
    Resource,
    /// A condition that does not hold.
    Condition {
        /// The operator as written in the policy.
        operator: Arc<str>,
        /// The key as written in the policy.
        key: Arc<str>,
        /// The request's value of the key.
        found: Found,
    },
}

/// The value of a condition key in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// These values, separated by commas.
    Values(String),
    /// The request does not have the key.
    Absent,
    /// An unknown value that is not one of those that the policy names.
    Other,
    /// An unknown value: the condition may hold.
    Unknown,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {} would allow it except for ", self.statement)?;
        for (index, miss) in self.misses.iter().enumerate() {
            match index {
                0 => {}
                _ if index + 1 == self.misses.len() => f.write_str(" and ")?,
                _ => f.write_str(", ")?,
            }
            match miss {
                Miss::Principal => f.write_str("the principal")?,
                Miss::Action => f.write_str("the action")?,
                Miss::Resource => f.write_str("the resource")?,
                Miss::Condition { key, found, .. } => {
                    write!(f, "`{key}`, which ")?;
                    match found {
                        Found::Values(values) => write!(f, "is `{values}`")?,
                        Found::Absent => f.write_str("the request does not have")?,
                        Found::Other => f.write_str("has another value")?,
                        Found::Unknown => f.write_str("is unknown")?,
                    }
                }
            }
        }
        Ok(())
    }
}

impl Serialize for NearMiss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A part of a statement; all parts must match.
pub(super) enum Part<'a> {
    Principal,
    Action,
    Resource,
    Condition(&'a Condition),
}
