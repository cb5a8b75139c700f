//! AWS's decision logic for one resource policy: compiled once, asked many times. It knows this policy only: what
//! identity policies, organization policies or the owner's account add is not asked.
//!
//! Source: "Policy evaluation logic" and the pages on the elements of a policy (IAM User Guide).

mod compile;
mod condition;
mod decision;
mod pattern;
mod principal;
mod request;
mod set;
mod value;

use std::sync::Arc;

pub use decision::{Decision, DecisionKind, Miss, NearMiss, StatementId};
pub use request::Request;

use self::condition::Condition;
pub(crate) use self::condition::{Family, Operator, Quantifier, is_readable};
use self::decision::Part;
pub(crate) use self::pattern::{Glob, fits};
use self::principal::Principals;
use self::set::PatternSet;
use crate::document::DocumentError;

/// A policy, ready to be asked.
///
/// Lists of literal values and of resources with one `*` at the end are hashed, so that a decision takes as long
/// for 1,300 accounts as for ten.
#[derive(Debug)]
pub struct Policy {
    /// Denials first, then what allows, each in the order of the policy.
    denials: Vec<Statement>,
    allowances: Vec<Statement>,
}

/// What a statement does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

/// A statement, ready to be asked.
#[derive(Debug)]
struct Statement {
    id: StatementId,
    principals: Principals,
    /// For `NotPrincipal`, the effect: whom it leaves out depends on it.
    not_principal: Option<Effect>,
    actions: Vec<Glob>,
    not_action: bool,
    resources: PatternSet,
    not_resource: bool,
    conditions: Vec<Condition>,
}

impl Policy {
    /// Reads a policy and prepares it. What AWS's grammar does not allow is an error, not a guess.
    pub fn compile(text: &str) -> Result<Self, DocumentError> {
        compile::policy(text)
    }

    /// The same policy without the statements that deny.
    pub(crate) fn without_denials(self) -> Self {
        Self { denials: Vec::new(), ..self }
    }

    /// Whether the policy allows the request, denies it, or says nothing of it.
    pub fn decide(&self, request: &Request) -> Decision {
        if let Some(statement) = self.denials.iter().find(|statement| statement.applies(request)) {
            return Decision::by(DecisionKind::ExplicitDeny, &statement.id);
        }
        let mut nearest: Option<(u64, &Statement)> = None;
        for statement in &self.allowances {
            let missed = statement.missed(request);
            if missed == 0 {
                return Decision::by(DecisionKind::Allow, &statement.id);
            }
            if nearest.is_none_or(|(fewest, _)| missed.count_ones() < fewest.count_ones()) {
                nearest = Some((missed, statement));
            }
        }
        let near_miss = nearest.map(|(missed, statement)| statement.near_miss(missed, request));
        Decision { kind: DecisionKind::ImplicitDeny, statement: None, near_miss }
    }
}

impl Statement {
    fn applies(&self, request: &Request) -> bool {
        self.parts().all(|part| self.holds(&part, request))
    }

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        [Part::Principal, Part::Action, Part::Resource]
            .into_iter()
            .chain(self.conditions.iter().map(Part::Condition))
    }

    /// Which parts do not hold, one bit each; those past the 63rd share the last one.
    fn missed(&self, request: &Request) -> u64 {
        let missed = |(bit, part)| u64::from(!self.holds(&part, request)) << bit;
        (0..).map(|bit: u32| bit.min(63)).zip(self.parts()).map(missed).fold(0, |all, one| all | one)
    }

    fn near_miss(&self, missed: u64, request: &Request) -> NearMiss {
        let parts = (0..64).zip(self.parts()).filter(|(bit, _)| missed & (1 << bit) != 0);
        NearMiss {
            statement: self.id.clone(),
            misses: parts.map(|(_, part)| self.miss(&part, request)).collect(),
        }
    }

    fn holds(&self, part: &Part<'_>, request: &Request) -> bool {
        match part {
            Part::Principal => match self.not_principal {
                None => self.principals.include(&request.principal),
                Some(Effect::Deny) => !self.principals.spare(&request.principal),
                Some(Effect::Allow) => !self.principals.include(&request.principal),
            },
            Part::Action => {
                self.actions.iter().any(|glob| glob.matches_plain(&request.action)) != self.not_action
            }
            Part::Resource => self.resources.matches(&request.resource, request) != self.not_resource,
            Part::Condition(condition) => condition.holds(request),
        }
    }

    fn miss(&self, part: &Part<'_>, request: &Request) -> Miss {
        match part {
            Part::Principal => Miss::Principal,
            Part::Action => Miss::Action,
            Part::Resource => Miss::Resource,
            Part::Condition(condition) => Miss::Condition {
                operator: Arc::clone(&condition.operator_name),
                key: Arc::clone(&condition.key_name),
                found: request.values(&condition.key).map(|values| values.join(", ")),
            },
        }
    }
}
