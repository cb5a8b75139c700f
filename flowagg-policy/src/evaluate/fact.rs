//! What is known of a condition key of a request.

/// What is known of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The request has these values; none if it does not have the key.
    Values(Vec<String>),
    /// The value is not known.
    Unknown(Possible),
}

/// The request does not have the key.
pub(super) static ABSENT: Fact = Fact::Values(Vec::new());
/// Nothing is known, not even whether the request has the key.
pub(super) static UNKNOWN: Fact =
    Fact::Unknown(Possible { absent: true, values: Vec::new(), named: Named::Any });

impl Fact {
    /// These values.
    pub(super) fn values<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Values(values.into_iter().map(str::to_owned).collect())
    }

    /// Absent, or a value of AWS's that no policy names, such as the ARN of a principal that AWS does not document.
    pub(super) fn unnamed() -> Self {
        Self::Unknown(Possible { absent: true, values: vec![UNNAMED.to_owned()], named: Named::No })
    }

    /// One of these values.
    pub(super) fn one_of(values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Self::Unknown(Possible { absent: false, values, named: Named::No })
    }
}

/// The cases to consider of a key whose value is not known.
///
/// A condition holds if it holds in every case, and does not if it holds in none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Possible {
    /// Whether the request may be without the key.
    pub(super) absent: bool,
    /// Values that stand for all that a policy does not name.
    pub(super) values: Vec<String>,
    /// Which of the values that a policy names may be the key's.
    pub(super) named: Named,
}

/// Which of the values that a policy names may be the value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    No,
    Any,
    /// Those that may begin with this text.
    Under(String),
    /// Those that are not this text, or do not begin with it if it ends with `/`.
    Outside(String),
}

impl Named {
    /// Whether the key may have a value that matches a pattern with this literal beginning.
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

/// A character for private use: a value with it is matched by wildcards only.
pub(super) const UNNAMED_PART: char = '\u{E000}';
/// A value that no policy names, with the six parts of an ARN.
const UNNAMED: &str = "\u{E000}:\u{E000}:\u{E000}:\u{E000}:\u{E000}:\u{E000}";
