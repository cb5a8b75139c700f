use std::fmt;

use super::{IdError, text_name};

/// A 12-digit AWS account ID. Leading zeros are significant: `012345678901` is a valid ID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// The number of digits of an account ID.
    pub const DIGITS: usize = 12;

    /// Parses exactly 12 ASCII digits.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use 12 digits, e.g. `111122223333`";
        let wrong = |why: String| IdError::new(text, "AWS account ID", why, HELP);
        if let Some(digits) = Self::without_dashes(text) {
            return Err(wrong(format!("it must be written without dashes, as `{digits}`")));
        }
        if let Some(odd) = text.chars().find(|c| !c.is_ascii_digit()) {
            return Err(wrong(format!("`{}` is not a digit", odd.escape_debug())));
        }
        if text.len() != Self::DIGITS {
            return Err(wrong(format!("it has {} digits", text.len())));
        }
        text.parse().map(Self).map_err(|_| wrong("it is not a number".into()))
    }

    /// Parses an ID as a user types or pastes it: quotes around it and the dashes of the AWS console are removed.
    pub fn parse_typed(text: &str) -> Result<Self, IdError> {
        let bare = text.trim_matches(['"', '\'']);
        Self::without_dashes(bare).map_or_else(|| Self::parse(bare), |digits| Self::parse(&digits))
    }

    /// The digits of an account ID with dashes, as the AWS console shows it: `1111-2222-3333`.
    pub(crate) fn without_dashes(text: &str) -> Option<String> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_grouped = text.contains('-') && text.chars().all(|c| c.is_ascii_digit() || c == '-');
        (is_grouped && digits.len() == Self::DIGITS).then_some(digits)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

text_name!(AccountId, "^[0-9]{12}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twelve_digits_are_accepted() {
        for good in ["111122223333", "000000000000", "012345678901"] {
            assert_eq!(AccountId::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "11112222333",
            "1111222233334",
            "11112222333a",
            " 111122223333",
            "１１１１２２２２３３３３",
            "+11112222333",
        ] {
            assert!(AccountId::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            AccountId::parse("1111-2222-3333").unwrap_err().to_string(),
            "`1111-2222-3333` is not a valid AWS account ID: it must be written without dashes, as `111122223333`"
        );
    }

    #[test]
    fn typed_ids_may_have_quotes_and_dashes() {
        for typed in
            ["111122223333", "\"111122223333\"", "'111122223333'", "1111-2222-3333", "\"1111-2222-3333\""]
        {
            assert_eq!(AccountId::parse_typed(typed).unwrap().to_string(), "111122223333", "{typed}");
        }
        for bad in ["", "\"\"", "1111-2222-333", "1111 2222 3333"] {
            assert!(AccountId::parse_typed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_sort_like_their_text() {
        let mut ids = ["200000000000", "012345678901", "111122223333"].map(|t| AccountId::parse(t).unwrap());
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["012345678901", "111122223333", "200000000000"]);
    }
}
