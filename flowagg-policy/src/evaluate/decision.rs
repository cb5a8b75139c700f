//! The answer: what was decided, by which statement, and for a no, which statement came nearest to a yes.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::condition::Condition;

/// What a policy says of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// What was decided.
    #[serde(rename = "decision")]
    pub kind: DecisionKind,
    /// The statement that decided: the first that denies, else the first that allows.
    pub statement: Option<StatementId>,
    /// For an implicit denial, the statement that would have allowed it but for something.
    #[serde(rename = "near-miss", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub near_miss: Option<NearMiss>,
}

impl Decision {
    pub(super) fn by(kind: DecisionKind, statement: &StatementId) -> Self {
        Self { kind, statement: Some(statement.clone()), near_miss: None }
    }

    /// Whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        self.kind == DecisionKind::Allow
    }
}

impl fmt::Display for Decision {
    /// `Allow by statement …`, `ImplicitDeny: statement … would allow it but for …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(statement) = &self.statement {
            write!(f, " by statement {statement}")?;
        }
        if let Some(miss) = &self.near_miss {
            write!(f, ": {miss}")?;
        }
        Ok(())
    }
}

/// Yes or no, and which no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum DecisionKind {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement speaks of it.
    ImplicitDeny,
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allow => "Allow",
            Self::ExplicitDeny => "ExplicitDeny",
            Self::ImplicitDeny => "ImplicitDeny",
        })
    }
}

/// Which statement of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatementId {
    /// Its place in the list, from 0.
    pub index: usize,
    /// Its Sid.
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

/// How near a statement came to allowing the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The statement.
    pub statement: StatementId,
    /// What of it does not fit the request.
    pub misses: Vec<Miss>,
}

/// A part of a statement that does not fit the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// Another principal.
    Principal,
    /// Another action.
    Action,
    /// Another resource.
    Resource,
    /// A condition that does not hold.
    Condition {
        /// Its operator, as the policy writes it.
        operator: Arc<str>,
        /// Its key, as the policy writes it.
        key: Arc<str>,
        /// The request's values of the key; `None` when it has none.
        found: Option<String>,
    },
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {} would allow it but for ", self.statement)?;
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
                Miss::Condition { key, found: Some(found), .. } => write!(f, "`{key}`, which is `{found}`")?,
                Miss::Condition { key, found: None, .. } => {
                    write!(f, "`{key}`, which the request does not have")?
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

/// A part of a statement; all must hold.
pub(super) enum Part<'a> {
    Principal,
    Action,
    Resource,
    Condition(&'a Condition),
}
