//! Conditions: an operator, a key, and the values to compare with.
//!
//! Source: "Condition operators" and "Set operators for multivalued context keys" (IAM User Guide).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use super::fact::{Fact, Named, Possible};
use super::pattern::{Glob, Syntax, pieces};
use super::request::Request;
use super::set::{ArnSet, PatternSet, TextSet};
use super::truth::Truth;
use super::value::{Number, Range, base64, instant, number};

/// A condition of a statement. All of them must hold.
#[derive(Debug)]
pub(super) struct Condition {
    /// As written in the policy.
    pub(super) operator_name: Arc<str>,
    /// As written in the policy.
    pub(super) key_name: Arc<str>,
    /// In lower case.
    pub(super) key: String,
    operator: Operator,
    test: Test,
}

/// A parsed operator name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) quantifier: Quantifier,
    pub(crate) if_exists: bool,
    pub(crate) negated: bool,
    pub(crate) family: Family,
}

/// How many values of a key must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// The key has one value.
    One,
    /// `ForAnyValue:`
    Any,
    /// `ForAllValues:`
    All,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Text,
    TextIgnoringCase,
    Like,
    Arn,
    Number(Comparison),
    Date(Comparison),
    Bool,
    Binary,
    Address,
    Null,
}

/// The required order of the request's value relative to the policy's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, ordering: Option<Ordering>) -> bool {
        ordering.is_some_and(|ordering| match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        })
    }
}

impl Operator {
    /// Whether the policy lists individual values that the key may have (or must not have if negated).
    pub(crate) fn compares_for_equality(&self) -> bool {
        !matches!(self.family, Family::Null | Family::Number(_) | Family::Date(_))
    }

    /// Parses an operator name, ignoring case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (quantifier, name) = match name.split_once(':') {
            Some(("forallvalues", rest)) => (Quantifier::All, rest),
            Some(("foranyvalue", rest)) => (Quantifier::Any, rest),
            Some(_) => return None,
            None => (Quantifier::One, name.as_str()),
        };
        let (if_exists, name) = name.strip_suffix("ifexists").map_or((false, name), |rest| (true, rest));
        let (negated, family) = match name {
            "stringequals" => (false, Family::Text),
            "stringnotequals" => (true, Family::Text),
            "stringequalsignorecase" => (false, Family::TextIgnoringCase),
            "stringnotequalsignorecase" => (true, Family::TextIgnoringCase),
            "stringlike" => (false, Family::Like),
            "stringnotlike" => (true, Family::Like),
            "arnequals" | "arnlike" => (false, Family::Arn),
            "arnnotequals" | "arnnotlike" => (true, Family::Arn),
            "bool" => (false, Family::Bool),
            "binaryequals" => (false, Family::Binary),
            "ipaddress" => (false, Family::Address),
            "notipaddress" => (true, Family::Address),
            "null" if !if_exists => (false, Family::Null),
            _ => {
                let (kind, comparison): (fn(Comparison) -> Family, _) = match name.strip_prefix("numeric") {
                    Some(rest) => (Family::Number, rest),
                    None => (Family::Date, name.strip_prefix("date")?),
                };
                match comparison {
                    "equals" => (false, kind(Comparison::Equal)),
                    "notequals" => (true, kind(Comparison::Equal)),
                    "lessthan" => (false, kind(Comparison::Less)),
                    "lessthanequals" => (false, kind(Comparison::LessOrEqual)),
                    "greaterthan" => (false, kind(Comparison::Greater)),
                    "greaterthanequals" => (false, kind(Comparison::GreaterOrEqual)),
                    _ => return None,
                }
            }
        };
        Some(Self { quantifier, if_exists, negated, family })
    }
}

/// The policy's values, prepared for comparison. A value that the operator cannot read matches nothing.
#[derive(Debug)]
enum Test {
    Text { texts: TextSet, patterns: Vec<Glob> },
    TextIgnoringCase { texts: TextSet, patterns: Vec<Glob> },
    Like(PatternSet),
    Arn(ArnSet),
    Number(Comparison, Vec<Number>),
    Date(Comparison, Vec<i128>),
    Bool { texts: TextSet, patterns: Vec<Glob> },
    Binary(Vec<Vec<u8>>),
    Address(Vec<Range>),
    Null { absent: bool, present: bool },
}

impl Condition {
    pub(super) fn new<'v>(
        operator_name: &str,
        operator: Operator,
        key_name: &str,
        values: impl Iterator<Item = &'v str>,
        variables: bool,
    ) -> Self {
        let test = match operator.family {
            Family::Text => {
                let (texts, patterns) = texts(values.map(Cow::Borrowed), variables);
                Test::Text { texts, patterns }
            }
            Family::TextIgnoringCase => {
                let (texts, patterns) = texts(values.map(|text| Cow::Owned(text.to_lowercase())), variables);
                Test::TextIgnoringCase { texts, patterns }
            }
            Family::Bool => {
                let (texts, patterns) = texts(values.map(|text| Cow::Owned(text.to_lowercase())), variables);
                Test::Bool { texts, patterns }
            }
            Family::Like => {
                let mut set = PatternSet::default();
                values.for_each(|text| set.add(text, variables));
                Test::Like(set)
            }
            Family::Arn => {
                let mut set = ArnSet::default();
                values.for_each(|text| set.add(pieces(text, Syntax { wildcards: true, variables })));
                Test::Arn(set)
            }
            Family::Number(comparison) => Test::Number(comparison, values.filter_map(number).collect()),
            Family::Date(comparison) => Test::Date(comparison, values.filter_map(instant).collect()),
            Family::Binary => Test::Binary(values.filter_map(base64).collect()),
            Family::Address => Test::Address(values.filter_map(Range::parse).collect()),
            Family::Null => {
                let values: Vec<&str> = values.collect();
                let has = |word: &str| values.iter().any(|value| value.eq_ignore_ascii_case(word));
                Test::Null { absent: has("true"), present: has("false") }
            }
        };
        Self {
            operator_name: operator_name.into(),
            key_name: key_name.into(),
            key: key_name.to_lowercase(),
            operator,
            test,
        }
    }

    /// Whether the condition holds for the request.
    pub(super) fn holds(&self, request: &Request) -> Truth {
        match request.fact(&self.key) {
            Fact::Values(values) => self.holds_for(values, request),
            Fact::Unknown(possible) => self.holds_in_every_case(possible, request),
        }
    }

    fn holds_in_every_case(&self, possible: &Possible, request: &Request) -> Truth {
        let absent = possible.absent.then(|| self.holds_for(&[], request));
        let values = possible.values.iter().map(|value| self.holds_for(std::slice::from_ref(value), request));
        let named = self.may_match(&possible.named).then(|| match self.test {
            Test::Null { present, .. } => present.into(),
            _ => Truth::True.negated_if(self.operator.negated),
        });
        // If any value is possible, one of them does not match the policy's values.
        let unmatched = (possible.named == Named::Any).then(|| match self.test {
            Test::Null { present, .. } => present.into(),
            _ if self.matches_everything() => Truth::True.negated_if(self.operator.negated),
            _ => Truth::False.negated_if(self.operator.negated),
        });
        Truth::common(absent.into_iter().chain(values).chain(named).chain(unmatched))
            .unwrap_or(Truth::Unknown)
    }

    /// Whether a value of the policy may match a value that the key may have.
    fn may_match(&self, named: &Named) -> bool {
        match &self.test {
            _ if *named == Named::No => false,
            Test::Text { texts, patterns } => {
                texts.iter().chain(patterns.iter().map(Glob::literal_start)).any(|text| named.may_begin(text))
            }
            Test::Like(set) => set.literal_starts().any(|text| named.may_begin(text)),
            _ => true,
        }
    }

    fn matches_everything(&self) -> bool {
        match &self.test {
            Test::Like(set) => set.is_anything(),
            Test::Arn(set) => set.is_anything(),
            _ => false,
        }
    }

    /// The keys that the result depends on, in the policy's spelling if it is the key of the condition.
    pub(super) fn unknown_keys<'c>(&'c self, request: &'c Request) -> Vec<&'c str> {
        if matches!(request.fact(&self.key), Fact::Unknown(_)) {
            return vec![&self.key_name];
        }
        let in_globs =
            |globs: &'c [Glob]| globs.iter().flat_map(|glob| glob.unknown_variables(request)).collect();
        match &self.test {
            Test::Text { patterns, .. }
            | Test::TextIgnoringCase { patterns, .. }
            | Test::Bool { patterns, .. } => in_globs(patterns),
            Test::Like(set) => set.unknown_variables(request).collect(),
            Test::Arn(set) => set.unknown_variables(request).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the condition holds for a key with these values; an empty list means that the request does not have the
    /// key.
    fn holds_for(&self, values: &[String], request: &Request) -> Truth {
        if let Test::Null { absent, present } = self.test {
            return if values.is_empty() { absent } else { present }.into();
        }
        let Operator { quantifier, if_exists, negated, .. } = self.operator;
        let holds = |value: &String| self.matches(value, request).negated_if(negated);
        match (quantifier, values) {
            // A negated operator holds if the key is absent; with `IfExists`, every operator does.
            (Quantifier::One, []) => (if_exists || negated).into(),
            (Quantifier::One, [only]) => holds(only),
            // Several values without a set operator match nothing.
            (Quantifier::One, _) => negated.into(),
            (Quantifier::Any, []) => if_exists.into(),
            (Quantifier::All, []) => Truth::True,
            // "If the key values resolve to an empty data set, such as an empty string."
            (quantifier, values) if values.iter().all(String::is_empty) => {
                (quantifier == Quantifier::All).into()
            }
            (Quantifier::Any, values) => Truth::any(values.iter().map(holds)),
            (Quantifier::All, values) => Truth::all(values.iter().map(holds)),
        }
    }

    /// Whether a value of the request matches any value of the policy.
    fn matches(&self, value: &str, request: &Request) -> Truth {
        match &self.test {
            Test::Text { texts, patterns } => {
                if texts.contains(value) {
                    return Truth::True;
                }
                Truth::any(patterns.iter().map(|glob| glob.matches(value, request)))
            }
            Test::TextIgnoringCase { texts, patterns } | Test::Bool { texts, patterns } => {
                let value = value.to_lowercase();
                if texts.contains(value.as_str()) {
                    return Truth::True;
                }
                Truth::any(patterns.iter().map(|glob| glob.equals_in_lower_case(&value, request)))
            }
            Test::Like(set) => set.matches(value, request),
            Test::Arn(set) => set.matches(value, request),
            Test::Number(comparison, numbers) => number(value)
                .is_some_and(|value| numbers.iter().any(|number| comparison.holds(value.partial_cmp(number))))
                .into(),
            Test::Date(comparison, instants) => instant(value)
                .is_some_and(|value| {
                    instants.iter().any(|instant| comparison.holds(Some(value.cmp(instant))))
                })
                .into(),
            Test::Binary(wanted) => {
                let decoded = base64(value);
                wanted.iter().any(|bytes| Some(bytes) == decoded.as_ref() || bytes == value.as_bytes()).into()
            }
            Test::Address(ranges) => value
                .parse::<IpAddr>()
                .is_ok_and(|address| ranges.iter().any(|range| range.holds(address)))
                .into(),
            Test::Null { .. } => Truth::False,
        }
    }
}

/// Whether the operators of a family can compare a value of a policy.
pub(crate) fn is_readable(family: Family, value: &str) -> bool {
    match family {
        Family::Number(_) => number(value).is_some(),
        Family::Date(_) => instant(value).is_some(),
        Family::Address => Range::parse(value).is_some(),
        Family::Binary => base64(value).is_some(),
        _ => true,
    }
}

/// Splits values into those without variables, which are hashed, and the rest.
fn texts<'v>(values: impl Iterator<Item = Cow<'v, str>>, variables: bool) -> (TextSet, Vec<Glob>) {
    let mut texts = TextSet::with_room(values.size_hint().1.unwrap_or(0));
    let mut patterns = Vec::new();
    for value in values {
        if variables && value.contains('$') {
            patterns.push(Glob::new(pieces(&value, Syntax { wildcards: false, variables })));
        } else {
            texts.insert(&value);
        }
    }
    (texts, patterns)
}
