//! Patterns with wildcards and policy variables: `*` matches any number of characters, `?` matches one, and `${key}` is
//! replaced with a value of the request. A substituted value is never treated as a wildcard.
//!
//! Source: "IAM policy elements: Variables and tags" (IAM User Guide).

use super::request::{Request, Variable};
use super::truth::Truth;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// `?`
    One,
    /// `*`
    Any,
    /// `${key}` or `${key, 'default'}`; the key in lower case.
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// Whether `*` and `?` are wildcards, and whether `${…}` is a variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    pub(super) wildcards: bool,
    pub(super) variables: bool,
}

/// Splits a text into pieces. Adjacent literals are merged, and so are adjacent `Any`.
#[expect(clippy::string_slice, reason = "`find` returns the position of an ASCII character of the same text")]
pub(super) fn pieces(text: &str, syntax: Syntax) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', '?', '$']) {
        literal.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let piece;
        (piece, rest) = match rest.as_bytes()[at] {
            b'*' if syntax.wildcards => (Some(Piece::Any), after),
            b'?' if syntax.wildcards => (Some(Piece::One), after),
            b'$' if syntax.variables => variable(after, &mut literal),
            other => {
                literal.push(char::from(other));
                (None, after)
            }
        };
        if let Some(piece) = piece {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                pieces.push(piece);
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// Parses the text after a `$`. Escapes and text that is not a variable are appended to the literal. Returns the rest
/// of the text.
fn variable<'t>(text: &'t str, literal: &mut String) -> (Option<Piece>, &'t str) {
    let braced = text.strip_prefix('{').and_then(|braced| Some((braced, braced.split_once('}')?)));
    let Some((braced, (inside, after))) = braced else {
        literal.push('$');
        return (None, text);
    };
    if let "*" | "?" | "$" = inside {
        literal.push_str(inside);
        return (None, after);
    }
    // A default may contain a brace, so the end is searched for after the closing quotation mark.
    if let Some((key, rest)) = braced.split_once(',')
        && !key.contains('}')
        && let Some(quoted) = rest.trim_start().strip_prefix('\'')
        && let Some((default, closing)) = quoted.split_once('\'')
        && let Some(after) = closing.trim_start().strip_prefix('}')
    {
        let piece = Piece::Variable { key: key.trim().to_lowercase(), default: Some(default.to_owned()) };
        return (Some(piece), after);
    }
    (Some(Piece::Variable { key: inside.trim().to_lowercase(), default: None }), after)
}

/// A pattern, matched piece by piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    pieces: Vec<Piece>,
}

impl Glob {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// A pattern with wildcards and without variables.
    pub(crate) fn plain(text: &str) -> Self {
        Self::new(pieces(text, Syntax { wildcards: true, variables: false }))
    }

    /// A case-insensitive pattern of actions with wildcards and without variables.
    pub(super) fn of_action(text: &str) -> Self {
        Self::plain(&text.to_ascii_lowercase())
    }

    /// Whether a text matches. The pattern must not have variables.
    pub(crate) fn matches_plain(&self, text: &str) -> bool {
        self.matches_with(text, &|_| Variable::Absent)
    }

    /// Whether a lowercase text equals this pattern after the variables are replaced with the request's values in lower
    /// case.
    pub(super) fn equals_in_lower_case(&self, text: &str, request: &Request) -> Truth {
        let lower = |piece: &Piece| match piece {
            Piece::Literal(text) => Piece::Literal(text.to_lowercase()),
            Piece::Variable { key, default } => match request.variable(key) {
                Variable::Value(value) => Piece::Literal(value.to_lowercase()),
                _ => Piece::Variable {
                    key: key.clone(),
                    default: default.as_ref().map(|it| it.to_lowercase()),
                },
            },
            other => other.clone(),
        };
        Self::new(self.pieces.iter().map(lower).collect()).matches(text, request)
    }

    /// Whether a text matches after the variables are replaced with the request's values. A variable without a value
    /// matches nothing.
    pub(super) fn matches(&self, text: &str, request: &Request) -> Truth {
        let matches = self.matches_with(text, &|key| request.variable(key));
        if matches && self.unknown_variables(request).next().is_some() {
            Truth::Unknown
        } else {
            matches.into()
        }
    }

    /// The variables with unknown values.
    pub(super) fn unknown_variables<'g>(&'g self, request: &'g Request) -> impl Iterator<Item = &'g str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable { key, .. } if request.variable(key) == Variable::Unknown => Some(key.as_str()),
            _ => None,
        })
    }

    /// The text before the first wildcard or variable.
    pub(super) fn literal_start(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// The classic two-pointer match: on a mismatch, the last `*` takes one more character. A variable with an unknown
    /// value matches like `*`.
    fn matches_with<'r>(&self, text: &str, value: &dyn Fn(&str) -> Variable<'r>) -> bool {
        let mut rest = text;
        let mut at = 0;
        let mut retry: Option<(usize, &str)> = None;
        loop {
            let piece = self.pieces.get(at);
            let variable = match piece {
                Some(Piece::Variable { key, .. }) => Some(value(key)),
                _ => None,
            };
            let step = match piece {
                None if rest.is_empty() => return true,
                None => None,
                Some(Piece::Any | Piece::Variable { .. })
                    if matches!(variable, None | Some(Variable::Unknown)) =>
                {
                    at += 1;
                    if at == self.pieces.len() {
                        return true;
                    }
                    retry = Some((at, rest));
                    continue;
                }
                Some(Piece::One) => {
                    let mut characters = rest.chars();
                    characters.next().map(|_| characters.as_str())
                }
                Some(Piece::Literal(literal)) => rest.strip_prefix(literal.as_str()),
                Some(Piece::Variable { default, .. }) => match (variable, default) {
                    (Some(Variable::Value(value)), _) => rest.strip_prefix(value),
                    (_, Some(default)) => rest.strip_prefix(default.as_str()),
                    (_, None) => return false,
                },
                Some(Piece::Any) => None,
            };
            match (step, &mut retry) {
                (Some(after), _) => {
                    rest = after;
                    at += 1;
                }
                (None, Some((piece, from))) => {
                    let mut characters = from.chars();
                    if characters.next().is_none() {
                        return false;
                    }
                    *from = characters.as_str();
                    rest = from;
                    at = *piece;
                }
                (None, None) => return false,
            }
        }
    }
}

/// Whether a text matches a pattern of `*` and `?` without variables.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    Glob::plain(pattern).matches_plain(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Syntax = Syntax { wildcards: true, variables: true };

    #[test]
    fn pieces_distinguish_wildcards_variables_defaults_and_escapes() {
        let variable = |key: &str, default: Option<&str>| Piece::Variable {
            key: key.into(),
            default: default.map(str::to_owned),
        };
        let literal = |text: &str| Piece::Literal(text.into());
        assert_eq!(pieces("a**?b", ALL), [literal("a"), Piece::Any, Piece::One, literal("b")]);
        assert_eq!(pieces("${aws:X}", ALL), [variable("aws:x", None)]);
        assert_eq!(pieces("${aws:X, 'a}b'}c", ALL), [variable("aws:x", Some("a}b")), literal("c")]);
        assert_eq!(pieces("a${*}${?}${$}{b}", ALL), [literal("a*?${b}")]);
        assert_eq!(pieces("$a${b", ALL), [literal("$a${b")]);
        let old = Syntax { wildcards: true, variables: false };
        assert_eq!(pieces("${*}", old), [literal("${"), Piece::Any, literal("}")]);
    }

    #[test]
    fn matching_backtracks_and_counts_characters() {
        let request = Request::new("*", "s3:GetObject", "*");
        for (pattern, text, fits) in [
            ("", "", true),
            ("*", "", true),
            ("a*b*c", "axxbyybzc", true),
            ("a*b*c", "axxbyybz", false),
            ("?", "😀", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("*?", "", false),
            ("*ab", "aab", true),
            ("a*", "ba", false),
        ] {
            assert_eq!(
                Glob::new(pieces(pattern, ALL)).matches(text, &request),
                Truth::from(fits),
                "{pattern} {text}"
            );
        }
    }
}
