//! Kleene's three-valued logic: a fact that is unknown is neither true nor false.

/// Whether something holds.
///
/// The order is that of Kleene's logic: the conjunction of several values is their minimum, the disjunction their maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    /// The disjunction; stops at the first value that holds.
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

    /// The conjunction; stops at the first value that does not hold.
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

    /// The value that several possible cases have in common, unknown if they differ. `None` without a case.
    pub(super) fn common(cases: impl IntoIterator<Item = Self>) -> Option<Self> {
        cases.into_iter().reduce(|one, other| if one == other { one } else { Self::Unknown })
    }

    /// The negation if `negated`.
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
