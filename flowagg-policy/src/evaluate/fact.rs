//! The known values of the condition keys of a request.

/// The known value of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The request has these values; empty if it does not have the key.
    Values(Vec<String>),
    /// The value is unknown.
    Unknown(Possible),
}

/// The request does not have the key.
pub(super) static ABSENT: Fact = Fact::Values(Vec::new());
/// The value is unknown, and so is whether the request has the key.
pub(super) static UNKNOWN: Fact =
    Fact::Unknown(Possible { absent: true, values: Vec::new(), named: Named::Any });

impl Fact {
    /// These values.
    pub(super) fn values<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Values(values.into_iter().map(str::to_owned).collect())
    }

    /// Absent, or a value that no policy names, such as the undocumented ARN of an AWS principal.
    pub(super) fn unnamed() -> Self {
        Self::Unknown(Possible { absent: true, values: vec![UNNAMED.to_owned()], named: Named::No })
    }

    /// One of these values.
    pub(super) fn one_of(values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Self::Unknown(Possible { absent: false, values, named: Named::No })
    }
}

/// The cases to consider for a key with an unknown value.
///
/// A condition holds if it holds in every case, and does not hold if it holds in none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Possible {
    /// Whether the request may lack the key.
    pub(super) absent: bool,
    /// Values that represent all values that a policy does not name.
    pub(super) values: Vec<String>,
    /// The values named by a policy that the key may have.
    pub(super) named: Named,
}

/// The values named by a policy that a key may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    No,
    Any,
    /// Those that may start with this text.
    Under(String),
    /// Those that differ from this text, or that do not start with it if it ends with `/`.
    Outside(String),
}

impl Named {
    /// Whether the key may have a value that matches a pattern with this literal prefix.
    pub(super) fn may_begin(&self, literal: &str) -> bool {
        match self {
            Self::No => false,
            Self::Any => true,
            Self::Under(start) => literal.starts_with(start.as_str()) || start.starts_with(literal),
            Self::Outside(start) => {
                literal != start && !(start.ends_with('/') && literal.starts_with(start.as_str()))
            }
        }
    }
}

/// A private-use character: a value that contains it is only matched by wildcards.
pub(super) const UNNAMED_PART: char = '\u{E000}';
/// A value that no policy names, with the six parts of an ARN.
const UNNAMED: &str = "\u{E000}:\u{E000}:\u{E000}:\u{E000}:\u{E000}:\u{E000}";
