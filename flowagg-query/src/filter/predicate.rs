//! Predicates. They have no negation: `translate` applies it to the tests.

use std::collections::BTreeSet;
use std::fmt;

use crate::columns::Column;
use crate::object::Object;

/// A condition on rows. As in SQL, a row passes if the condition is true, and only [`Test::IsNull`] is true for NULL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Predicate {
    /// All conditions; if empty, every row passes.
    All(Vec<Self>),
    /// At least one of the conditions.
    Any(Vec<Self>),
    /// A test of one column.
    Leaf(Leaf),
    /// A condition that only DataFusion can evaluate: every row passes here.
    Unknown,
}

/// A test of one column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) column: Column,
    pub(crate) test: Test,
}

/// A condition on a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    IsNull,
    IsNotNull,
    Number(Numbers),
    Text(Texts),
}

/// A set of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    /// An inclusive range, which may be empty.
    Range(i64, i64),
    In(BTreeSet<i64>),
    NotIn(BTreeSet<i64>),
}

/// A set of texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Texts {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    /// A lower bound; exclusive if the flag is set.
    From(String, bool),
    /// An upper bound; exclusive if the flag is set.
    To(String, bool),
}

impl Numbers {
    pub(crate) fn has(&self, number: i64) -> bool {
        match self {
            Self::Range(first, last) => (*first..=*last).contains(&number),
            Self::In(numbers) => numbers.contains(&number),
            Self::NotIn(numbers) => !numbers.contains(&number),
        }
    }
}

impl Texts {
    pub(crate) fn has(&self, text: &str) -> bool {
        match self {
            Self::In(texts) => texts.contains(text),
            Self::NotIn(texts) => !texts.contains(text),
            Self::From(first, false) => text >= first.as_str(),
            Self::From(first, true) => text > first.as_str(),
            Self::To(last, false) => text <= last.as_str(),
            Self::To(last, true) => text < last.as_str(),
        }
    }
}

impl Test {
    /// Whether the test can only be true for texts in this set.
    pub(crate) fn needs(&self, texts: &BTreeSet<&str>) -> bool {
        match self {
            Self::Text(Texts::In(wanted)) => wanted.iter().all(|wanted| texts.contains(wanted.as_str())),
            _ => false,
        }
    }

    /// Evaluates the test for a text or NULL.
    pub(crate) fn of_text(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::IsNull, value) => value.is_none(),
            (Self::IsNotNull, value) => value.is_some(),
            (Self::Text(texts), Some(value)) => texts.has(value),
            (Self::Text(_) | Self::Number(_), _) => false,
        }
    }
}

impl Predicate {
    /// Whether the predicate is complete: no part is left to DataFusion.
    pub(crate) fn is_exact(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_exact),
            Self::Leaf(_) => true,
            Self::Unknown => false,
        }
    }

    /// Whether every row passes, so that the predicate has no effect.
    pub(crate) fn is_trivial(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(Self::is_trivial),
            Self::Any(parts) => parts.iter().any(Self::is_trivial),
            Self::Leaf(_) => false,
            Self::Unknown => true,
        }
    }

    /// Collects the tested columns.
    pub(crate) fn columns(&self, found: &mut BTreeSet<Column>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.columns(found)),
            Self::Leaf(leaf) => {
                found.insert(leaf.column);
            }
            Self::Unknown => {}
        }
    }

    /// Collects the texts of equality tests with at most the given number of texts.
    pub(crate) fn sought<'a>(&'a self, most: usize, found: &mut BTreeSet<&'a str>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.sought(most, found)),
            Self::Leaf(Leaf { test: Test::Text(Texts::In(texts)), .. }) if texts.len() <= most => {
                found.extend(texts.iter().map(String::as_str));
            }
            Self::Leaf(_) | Self::Unknown => {}
        }
    }

    /// The predicate that remains for the rows of an object after tests of its key are evaluated; `None` if no row
    /// passes.
    pub(crate) fn within(&self, object: &Object) -> Option<Self> {
        match self {
            Self::All(parts) => {
                parts.iter().map(|part| part.within(object)).collect::<Option<_>>().map(Self::All)
            }
            Self::Any(parts) => {
                let left: Vec<Self> = parts.iter().filter_map(|part| part.within(object)).collect();
                let every = Self::All(Vec::new());
                if left.is_empty() {
                    None
                } else if left.contains(&every) {
                    Some(every)
                } else {
                    Some(Self::Any(left))
                }
            }
            Self::Leaf(Leaf { column: Column::Path(part), test }) => {
                test.of_text(object.part(*part).as_deref()).then(|| Self::All(Vec::new()))
            }
            Self::Leaf(_) | Self::Unknown => Some(self.clone()),
        }
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Leaf(Leaf { column, test }) => return write!(f, "{} {test}", column.name()),
            Self::Unknown => return f.write_str("?"),
            Self::All(parts) => (parts, " AND "),
            Self::Any(parts) => (parts, " OR "),
        };
        // Omit parts of a conjunction that every row passes.
        let shown = parts.iter().filter(|part| word == " OR " || !part.is_trivial());
        let shown: Vec<String> = shown.map(ToString::to_string).collect();
        match shown.as_slice() {
            [only] => f.write_str(only),
            all => write!(f, "({})", all.join(word)),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsNull => f.write_str("IS NULL"),
            Self::IsNotNull => f.write_str("IS NOT NULL"),
            Self::Number(Numbers::Range(first, i64::MAX)) => write!(f, ">= {first}"),
            Self::Number(Numbers::Range(i64::MIN, last)) => write!(f, "<= {last}"),
            Self::Number(Numbers::Range(first, last)) if first == last => write!(f, "= {first}"),
            Self::Number(Numbers::Range(first, last)) => write!(f, "BETWEEN {first} AND {last}"),
            Self::Number(Numbers::In(numbers)) => write!(f, "IN ({})", joined(numbers)),
            Self::Number(Numbers::NotIn(numbers)) => write!(f, "NOT IN ({})", joined(numbers)),
            Self::Text(Texts::In(texts)) => write!(f, "IN ({})", joined(texts)),
            Self::Text(Texts::NotIn(texts)) => write!(f, "NOT IN ({})", joined(texts)),
            Self::Text(Texts::From(first, is_open)) => {
                write!(f, "{} {first}", if *is_open { ">" } else { ">=" })
            }
            Self::Text(Texts::To(last, is_open)) => write!(f, "{} {last}", if *is_open { "<" } else { "<=" }),
        }
    }
}

fn joined<T: ToString>(values: &BTreeSet<T>) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
