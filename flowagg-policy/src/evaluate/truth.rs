//! Kleene's three-valued logic: an unknown fact is neither true nor false.

/// Whether something holds.
///
/// The order follows Kleene's logic: a conjunction is the minimum of its values, a disjunction the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    /// The disjunction; stops at the first true value.
    pub(super) fn any(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for value in values {
            result = result.max(value);
            if result == Self::True {
                break;
            }
        }
        result
    }

    /// The conjunction; stops at the first false value.
    pub(super) fn all(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for value in values {
            result = result.min(value);
            if result == Self::False {
                break;
            }
        }
        result
    }

    /// The common value of several cases, or unknown if they differ. `None` without cases.
    pub(super) fn common(cases: impl IntoIterator<Item = Self>) -> Option<Self> {
        cases.into_iter().reduce(|one, other| if one == other { one } else { Self::Unknown })
    }

    /// The negation if `negated`, else the value itself.
    pub(super) fn negated_if(self, negated: bool) -> Self {
        match (self, negated) {
            (Self::True, true) => Self::False,
            (Self::False, true) => Self::True,
            (value, _) => value,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}
