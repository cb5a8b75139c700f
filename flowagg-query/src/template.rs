//! SQL with `$NAME` placeholders.

use std::fmt::Display;

use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::error::QueryError;

/// A statement with placeholders such as `$port`. Placeholders in strings and comments are plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The text before each placeholder, and its name.
    parts: Vec<(String, String)>,
    rest: String,
}

impl Template {
    /// Finds the placeholders. Fails if the text cannot be tokenized as SQL.
    pub fn parse(sql: &str) -> Result<Self, QueryError> {
        let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
        let tokens =
            tokens.map_err(|error| DataFusionError::SQL(Box::new(ParserError::from(error)), None))?;
        let lines: Vec<&str> = sql.split_inclusive('\n').collect();
        let (mut parts, mut end) = (Vec::new(), 0);
        for token in tokens {
            let Token::Placeholder(text) = token.token else { continue };
            let Some(name) = text.strip_prefix('$') else { continue };
            let start = offset(&lines, token.span.start);
            let before = sql.get(end..start).unwrap_or_default();
            parts.push((before.to_owned(), name.to_owned()));
            end = start + text.len();
        }
        Ok(Self { parts, rest: sql.get(end..).unwrap_or_default().to_owned() })
    }

    /// The names without `$`, in order and with duplicates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(_, name)| name.as_str())
    }

    /// Replaces placeholders with values, which must be valid SQL. Placeholders without a value are kept.
    pub fn bind<V: Display>(&self, value: impl Fn(&str) -> Option<V>) -> String {
        let mut sql = String::new();
        for (before, name) in &self.parts {
            sql.push_str(before);
            match value(name) {
                Some(value) => sql.push_str(&value.to_string()),
                None => sql.extend(["$", name]),
            }
        }
        sql + &self.rest
    }
}

/// The end of the first statement of a text in bytes, after its semicolon; `None` if the statement may continue.
/// Semicolons in strings, quoted names and comments are ignored.
pub fn statement_end(text: &str) -> Option<usize> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut tokens = Vec::new();
    // The text after the semicolon need not be SQL.
    let _ = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location_into_buf(&mut tokens);
    let end = tokens.iter().find(|token| token.token == Token::SemiColon)?;
    Some(offset(&lines, end.span.start) + 1)
}

/// The first word of a statement, skipping comments.
pub fn first_word(text: &str) -> Option<String> {
    let mut tokens = Vec::new();
    let _ = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location_into_buf(&mut tokens);
    let mut tokens = tokens.into_iter().map(|token| token.token);
    tokens.find(|token| !matches!(token, Token::Whitespace(_))).map(|token| token.to_string())
}

/// Converts a location to a byte offset. Lines and characters of locations start at 1.
fn offset(lines: &[&str], location: Location) -> usize {
    let nth = |n: u64| usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = nth(location.line);
    let above: usize = lines.iter().take(line).map(|line| line.len()).sum();
    let in_line = lines
        .get(line)
        .map(|line| line.chars().take(nth(location.column)).map(char::len_utf8).sum::<usize>());
    above + in_line.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(sql: &str) -> (Vec<String>, String) {
        let template = Template::parse(sql).unwrap();
        let value = |name: &str| (name != "other").then(|| format!("<{name}>"));
        (template.names().map(str::to_owned).collect(), template.bind(value))
    }

    #[test]
    fn placeholders_are_only_replaced_in_sql() {
        let sql =
            "-- $comment é\nSELECT 'é$text', \"$column\" /* $x */\r\n\tWHERE a=$port AND é = $port+$other\n";
        let (names, text) = bound(sql);
        assert_eq!(names, ["port", "port", "other"]);
        let expected = "-- $comment é\nSELECT 'é$text', \"$column\" /* $x */\r\n\tWHERE a=<port> AND é = <port>+$other\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn statement_without_placeholders_is_unchanged() {
        for sql in ["", "SELECT 1", "SELECT '''$a'''", "SELECT 'it''s $a'"] {
            assert_eq!(bound(sql), (Vec::new(), sql.to_owned()));
        }
    }

    #[test]
    fn statement_ends_at_its_own_semicolon() {
        for (text, rest) in [
            ("SELECT 1;", Some("")),
            ("SELECT ';' -- ;\n, \"a;\" /* ; */;who 'x", Some("who 'x")),
            ("SELECT é;\nSELECT 2;", Some("\nSELECT 2;")),
            ("SELECT 1", None),
            ("SELECT ';", None),
            ("SELECT 1 -- done;", None),
            ("SELECT 1 /* ;", None),
            ("", None),
        ] {
            assert_eq!(statement_end(text).map(|end| text.split_at(end).1), rest, "{text}");
        }
    }

    #[test]
    fn first_word_skips_comments() {
        assert_eq!(first_word("-- a\n/* b */ Select 1").as_deref(), Some("Select"));
        assert_eq!(first_word("(SELECT 1)").as_deref(), Some("("));
        assert_eq!(first_word(" -- only"), None);
    }

    #[test]
    fn text_that_is_not_sql_is_an_error() {
        assert!(Template::parse("SELECT 'open").is_err());
    }
}
