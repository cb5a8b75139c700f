//! AWS's decision logic for one resource policy: compiled once, evaluated for many requests. It evaluates this policy
//! only, not identity policies, organization policies or the permissions of the owner's account.
//!
//! A condition key is known, absent or unknown. A result that depends on an unknown key is neither allowed nor denied.
//!
//! Source: "Policy evaluation logic" and the pages on the elements of a policy (IAM User Guide).

mod compile;
mod condition;
mod decision;
mod delivery;
mod fact;
mod pattern;
mod principal;
mod request;
mod set;
mod truth;
mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) use decision::key_list;
pub use decision::{Cause, Decision, DecisionKind, Found, Miss, NearMiss, StatementId};
pub use delivery::{Delivery, Membership, Owner};
pub use request::Request;

use self::condition::Condition;
pub(crate) use self::condition::{Family, Operator, Quantifier, is_readable};
use self::decision::Part;
use self::fact::Fact;
pub(crate) use self::pattern::{Glob, fits};
use self::principal::Principals;
use self::set::PatternSet;
use self::truth::Truth;
use crate::document::DocumentError;

/// A policy, compiled to decide any number of requests.
///
/// Lists of literal values, and of resources with a single trailing `*`, are hashed, so a decision takes as long for
/// 1,300 accounts as for ten.
#[derive(Debug)]
pub struct Policy {
    /// Deny statements, then Allow statements, each in the order of the policy.
    denials: Vec<Statement>,
    allowances: Vec<Statement>,
}

/// The effect of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

/// A compiled statement.
#[derive(Debug)]
struct Statement {
    id: StatementId,
    principals: Principals,
    /// For `NotPrincipal`, the effect, which determines the principals that it exempts.
    not_principal: Option<Effect>,
    actions: Vec<Glob>,
    not_action: bool,
    resources: PatternSet,
    not_resource: bool,
    conditions: Vec<Condition>,
}

impl Policy {
    /// Parses and compiles a policy. Text that AWS's policy grammar does not allow is an error.
    pub fn compile(text: &str) -> Result<Self, DocumentError> {
        compile::policy(text)
    }

    /// The same policy without its Deny statements.
    pub(crate) fn without_denials(self) -> Self {
        Self { denials: Vec::new(), ..self }
    }

    /// Decides a request: allowed, denied, neither, or dependent on unknown keys.
    pub fn decide(&self, request: &Request) -> Decision {
        let mut may_deny = Vec::new();
        for statement in &self.denials {
            match statement.applies(request) {
                Truth::True => return Decision::by(DecisionKind::ExplicitDeny, &statement.id),
                Truth::Unknown => may_deny.push(statement),
                Truth::False => {}
            }
        }
        let mut may_allow = Vec::new();
        let mut nearest: Option<(u32, Missed, &Statement)> = None;
        for statement in &self.allowances {
            let missed = statement.missed(request);
            match missed {
                Missed { certainly: 0, perhaps: 0 } if may_deny.is_empty() => {
                    return Decision::by(DecisionKind::Allow, &statement.id);
                }
                Missed { certainly: 0, perhaps: 0 } => return Decision::depends(&may_deny, &[], request),
                Missed { certainly: 0, .. } => may_allow.push(statement),
                _ => {
                    let far = statement.distance(missed);
                    if nearest.is_none_or(|(least, ..)| far < least) {
                        nearest = Some((far, missed, statement));
                    }
                }
            }
        }
        if !may_allow.is_empty() {
            return Decision::depends(&may_allow, &may_deny, request);
        }
        let near_miss = nearest.map(|(_, missed, statement)| statement.near_miss(missed, request));
        let kind = DecisionKind::ImplicitDeny;
        Decision { kind, statement: None, depends_on: BTreeSet::new(), near_miss }
    }
}

impl Decision {
    /// A decision that depends on these statements, the first of which is named, and on others.
    fn depends(statements: &[&Statement], others: &[&Statement], request: &Request) -> Self {
        let keys = statements.iter().chain(others).flat_map(|statement| statement.unknown_keys(request));
        Self {
            kind: DecisionKind::Depends,
            statement: statements.first().map(|statement| statement.id.clone()),
            depends_on: keys.collect(),
            near_miss: None,
        }
    }
}

/// The parts of a statement that do not match, one bit each; parts from the 64th on share the last bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Missed {
    certainly: u64,
    /// Parts that may match, depending on unknown keys.
    perhaps: u64,
}

impl Statement {
    fn applies(&self, request: &Request) -> Truth {
        Truth::all(self.parts().map(|part| self.holds(&part, request)))
    }

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        [Part::Principal, Part::Action, Part::Resource]
            .into_iter()
            .chain(self.conditions.iter().map(Part::Condition))
    }

    fn missed(&self, request: &Request) -> Missed {
        let mut missed = Missed { certainly: 0, perhaps: 0 };
        for (bit, part) in (0..).map(|bit: u32| bit.min(63)).zip(self.parts()) {
            match self.holds(&part, request) {
                Truth::True => {}
                Truth::False => missed.certainly |= 1 << bit,
                Truth::Unknown => missed.perhaps |= 1 << bit,
            }
        }
        missed
    }

    /// How far the statement is from allowing the request: the number of parts that do not match. A statement without a
    /// service principal is not about deliveries, so its principal weighs more than all parts that are usually tested.
    fn distance(&self, missed: Missed) -> u32 {
        const OTHER_KIND: u32 = 8;
        let other_kind = missed.certainly & 1 != 0 && !self.principals.names_a_service();
        missed.certainly.count_ones() + if other_kind { OTHER_KIND } else { 0 }
    }

    fn near_miss(&self, missed: Missed, request: &Request) -> NearMiss {
        let of = |bits: u64| (0..64).zip(self.parts()).filter(move |(bit, _)| bits & (1 << bit) != 0);
        let certain = of(missed.certainly).map(|(_, part)| self.miss(&part, request));
        let perhaps = of(missed.perhaps).filter_map(|(_, part)| match part {
            Part::Condition(condition) => Some(Miss::Condition {
                operator: Arc::clone(&condition.operator_name),
                key: Arc::clone(&condition.key_name),
                found: Found::Unknown,
            }),
            _ => None,
        });
        NearMiss { statement: self.id.clone(), misses: certain.chain(perhaps).collect() }
    }

    fn holds(&self, part: &Part<'_>, request: &Request) -> Truth {
        match part {
            Part::Principal => match self.not_principal {
                None => self.principals.include(&request.principal),
                Some(Effect::Deny) => !self.principals.spare(&request.principal),
                Some(Effect::Allow) => !self.principals.include(&request.principal),
            }
            .into(),
            Part::Action => {
                let matches = self.actions.iter().any(|glob| glob.matches_plain(&request.action));
                (matches != self.not_action).into()
            }
            Part::Resource => {
                self.resources.matches(&request.resource, request).negated_if(self.not_resource)
            }
            Part::Condition(condition) => condition.holds(request),
        }
    }

    /// The unknown keys that determine whether the statement applies.
    fn unknown_keys(&self, request: &Request) -> BTreeSet<String> {
        let unknown = self.parts().filter(|part| self.holds(part, request) == Truth::Unknown);
        let keys = unknown.flat_map(|part| match part {
            Part::Resource => self.resources.unknown_variables(request).collect(),
            Part::Condition(condition) => condition.unknown_keys(request),
            Part::Principal | Part::Action => Vec::new(),
        });
        keys.map(str::to_owned).collect()
    }

    fn miss(&self, part: &Part<'_>, request: &Request) -> Miss {
        match part {
            Part::Principal => Miss::Principal,
            Part::Action => Miss::Action,
            Part::Resource => Miss::Resource,
            Part::Condition(condition) => Miss::Condition {
                operator: Arc::clone(&condition.operator_name),
                key: Arc::clone(&condition.key_name),
                found: match request.fact(&condition.key) {
                    Fact::Values(values) if values.is_empty() => Found::Absent,
                    Fact::Values(values) => Found::Values(values.join(", ")),
                    Fact::Unknown(_) => Found::Other,
                },
            },
        }
    }
}
