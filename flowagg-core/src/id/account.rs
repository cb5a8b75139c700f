use std::fmt;

use super::{IdError, text_name};

/// A 12-digit AWS account id. Leading zeros count: `012345678901` is an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// The digits of an account id.
    pub const DIGITS: usize = 12;

    /// Reads exactly twelve ASCII digits.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "an account id has 12 digits, as in `111122223333`";
        let wrong = |why: String| IdError::new(text, "an AWS account id", why, HELP);
        if let Some(digits) = Self::without_dashes(text) {
            return Err(wrong(format!(
                "it is written with dashes, as in the AWS console; without them it is `{digits}`"
            )));
        }
        if let Some(odd) = text.chars().find(|c| !c.is_ascii_digit()) {
            return Err(wrong(format!("`{}` is no digit", odd.escape_debug())));
        }
        if text.len() != Self::DIGITS {
            return Err(wrong(format!("it has {} digits", text.len())));
        }
        text.parse().map(Self).map_err(|_| wrong("it is no number".into()))
    }

    /// Reads an id as people type and copy it: also in quotes, and in groups as the AWS console shows it.
    pub fn parse_typed(text: &str) -> Result<Self, IdError> {
        let bare = text.trim_matches(['"', '\'']);
        Self::without_dashes(bare).map_or_else(|| Self::parse(bare), |digits| Self::parse(&digits))
    }

    /// The digits of an account id that is written in groups, as the AWS console shows it: `1111-2222-3333`.
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
    fn twelve_digits_and_nothing_else() {
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
            "`1111-2222-3333` is not an AWS account id: it is written with dashes, as in the AWS console; without them it is `111122223333`"
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
    fn the_order_of_ids_is_the_order_of_their_texts() {
        let mut ids = ["200000000000", "012345678901", "111122223333"].map(|t| AccountId::parse(t).unwrap());
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["012345678901", "111122223333", "200000000000"]);
    }
}
