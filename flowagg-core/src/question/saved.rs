//! Saved questions: SQL files with a title, parameters and a threshold in the comments at the top.
//!
//! ```sql
//! -- title: Rejected traffic to a port
//! -- parameter: port integer = 5432
//! -- parameter: account text
//! -- threshold: 10
//! SELECT srcaddr, count(*) AS records FROM vpc_flow_logs
//! WHERE action = 'REJECT' AND dstport = $port AND log_account = $account
//! GROUP BY 1 ORDER BY 2 DESC
//! ```

use std::collections::BTreeMap;
use std::fmt;

use crate::near::meant;

/// A saved question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedQuestion {
    /// The title, in one line.
    pub title: String,
    /// The parameters, in the order of the file.
    pub parameters: Vec<Parameter>,
    /// The maximum number of rows that is not a finding; 0 if the file sets none.
    pub threshold: u64,
    /// The whole file. `$NAME` is replaced by the value of a parameter.
    pub sql: String,
}

/// A parameter of a saved question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name, without the `$`.
    pub name: String,
    /// The type.
    pub kind: ParameterKind,
    /// The default value; `None` if the parameter is required.
    pub default: Option<Literal>,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any text.
    Text,
    /// A 64-bit integer.
    Integer,
}

/// A value of a parameter. It is displayed as an SQL literal that is safe in any position: quotes in text are doubled, and adjacent
/// characters cannot become part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    value: String,
    kind: ParameterKind,
}

impl Literal {
    /// The given value.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ParameterKind::Text => write!(f, "('{}')", self.value.replace('\'', "''")),
            // After a minus sign, the sign of the number would start a comment.
            ParameterKind::Integer if self.value.starts_with('-') => write!(f, "({})", self.value),
            // Athena does not accept parentheses after LIMIT.
            ParameterKind::Integer => write!(f, " {} ", self.value),
        }
    }
}

impl ParameterKind {
    const ALL: [Self; 2] = [Self::Text, Self::Integer];

    /// The name in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
        }
    }

    /// A value of this type; `None` if the text is invalid.
    fn literal(self, value: &str) -> Option<Literal> {
        let value = match self {
            Self::Text => value.to_owned(),
            Self::Integer => value.parse::<i64>().ok()?.to_string(),
        };
        Some(Literal { value, kind: self })
    }

    /// An example value for checking a statement.
    pub fn example(self) -> Literal {
        let value = match self {
            Self::Text => "text",
            Self::Integer => "1",
        };
        Literal { value: value.to_owned(), kind: self }
    }
}

/// An error in the file of a saved question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
#[non_exhaustive]
pub struct SavedError {
    /// The line, starting at 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// How to fix it.
    pub help: String,
}

/// Invalid arguments of a saved question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// An argument without `=`.
    #[error("unexpected argument `{0}`: expected `NAME=VALUE`")]
    NoAssignment(String),
    /// The question does not have the parameter.
    #[error("unknown parameter `{0}`")]
    Unknown(String),
    /// A parameter is given twice.
    #[error("duplicate parameter `{0}`")]
    Twice(String),
    /// A required parameter is missing.
    #[error("missing parameter `{0}`")]
    Missing(String),
    /// The value is not an integer.
    #[error("invalid value `{value}` for parameter `{name}`: not a 64-bit integer")]
    NotAnInteger {
        /// The parameter.
        name: String,
        /// The given value.
        value: String,
    },
}

const KEYS: [&str; 3] = ["title", "parameter", "threshold"];
const PARAMETER: &str = "write e.g. `-- parameter: port integer = 5432` or `-- parameter: account text`";

impl SavedQuestion {
    /// Whether a text can be the name of a saved question: a-z, 0-9 and `-`, starting with a letter.
    pub fn is_name(text: &str) -> bool {
        text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }

    /// Parses a file. Comments before the statement that start with `title:`, `parameter:` or `threshold:` are the header.
    pub fn parse(text: &str) -> Result<Self, SavedError> {
        // Some Windows editors start files with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut title, mut threshold, mut parameters) = (None, None, Vec::<Parameter>::new());
        let mut has_begun = false;
        let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim()));
        for (line, text) in lines {
            if !text.is_empty() && !text.starts_with("--") {
                has_begun = true;
            }
            let Some(comment) = text.strip_prefix("--") else { continue };
            let Some((key, value)) = comment.trim_start_matches('-').trim().split_once(':') else { continue };
            let wrong = |what: String, help: String| SavedError { line, what, help };
            let (key, value) = (key.trim_end(), value.trim());
            if has_begun {
                if KEYS.contains(&key) {
                    let help = "move it above the statement".to_owned();
                    return Err(wrong(format!("`{key}:` is below the first line of the statement"), help));
                }
                continue;
            }
            match key {
                "title" if title.is_some() => {
                    return Err(wrong("duplicate title".to_owned(), "remove the duplicate".to_owned()));
                }
                "title" if value.is_empty() => {
                    return Err(wrong(
                        "the title is empty".to_owned(),
                        "describe what the question answers".to_owned(),
                    ));
                }
                "title" => title = Some(value.to_owned()),
                "threshold" if threshold.is_some() => {
                    return Err(wrong("duplicate threshold".to_owned(), "remove the duplicate".to_owned()));
                }
                "threshold" => {
                    let rows = value.parse().map_err(|_| {
                        wrong(
                            format!("invalid threshold `{value}`"),
                            "set a number of rows, e.g. `-- threshold: 10`".to_owned(),
                        )
                    });
                    threshold = Some(rows?);
                }
                "parameter" => {
                    let parameter =
                        Parameter::parse(value).map_err(|what| wrong(what, PARAMETER.to_owned()))?;
                    if parameters.iter().any(|other| other.name == parameter.name) {
                        let what = format!("duplicate parameter `{}`", parameter.name);
                        return Err(wrong(what, "remove the duplicate".to_owned()));
                    }
                    parameters.push(parameter);
                }
                _ if !key.contains(char::is_whitespace)
                    && let Some(meant) = meant(key, KEYS) =>
                {
                    let help = format!(
                        "did you mean `{meant}:`? If it is a comment, move it below the first line of the statement"
                    );
                    return Err(wrong(format!("unknown header `{key}:`"), help));
                }
                _ => {}
            }
        }
        let Some(title) = title else {
            let help = "start the file with a title, e.g. `-- title: Rejected traffic to databases`";
            return Err(SavedError {
                line: 1,
                what: "the title is missing".to_owned(),
                help: help.to_owned(),
            });
        };
        Ok(Self { title, parameters, threshold: threshold.unwrap_or(0), sql: text.to_owned() })
    }

    /// The values of the parameters, from `NAME=VALUE` arguments and defaults.
    pub fn values<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<&str, Literal>, ParameterError> {
        let mut values = BTreeMap::new();
        for argument in arguments {
            let (name, value) =
                argument.split_once('=').ok_or_else(|| ParameterError::NoAssignment(argument.to_owned()))?;
            let parameter = self.parameters.iter().find(|parameter| parameter.name == name);
            let parameter = parameter.ok_or_else(|| ParameterError::Unknown(name.to_owned()))?;
            let literal = parameter.kind.literal(value).ok_or_else(|| ParameterError::NotAnInteger {
                name: name.to_owned(),
                value: value.to_owned(),
            })?;
            if values.insert(parameter.name.as_str(), literal).is_some() {
                return Err(ParameterError::Twice(name.to_owned()));
            }
        }
        for parameter in &self.parameters {
            if !values.contains_key(parameter.name.as_str()) {
                let default = parameter.default.clone();
                let default = default.ok_or_else(|| ParameterError::Missing(parameter.name.clone()))?;
                values.insert(&parameter.name, default);
            }
        }
        Ok(values)
    }

    /// A command line for the question with this name, with an example value for each required parameter.
    pub fn example(&self, name: &str) -> String {
        let required = self.parameters.iter().filter(|parameter| parameter.default.is_none());
        let given =
            required.map(|parameter| format!(" {}={}", parameter.name, parameter.kind.example().value()));
        format!("flowagg query {name}{}", given.collect::<String>())
    }
}

impl fmt::Display for Parameter {
    /// `port (integer)`, or with a default ``port (integer, default `5432`)``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.name, self.kind.as_str())?;
        match &self.default {
            None => write!(f, ")"),
            Some(default) => write!(f, ", default `{}`)", default.value()),
        }
    }
}

impl Parameter {
    /// Whether a text can be the name of a parameter: a-z, 0-9 and `_`, starting with a letter.
    pub fn is_name(text: &str) -> bool {
        text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    }

    /// `NAME KIND`, or `NAME KIND = DEFAULT`.
    fn parse(text: &str) -> Result<Self, String> {
        let (declared, default) = match text.split_once('=') {
            Some((declared, default)) => (declared, Some(default.trim())),
            None => (text, None),
        };
        let mut words = declared.split_whitespace();
        let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
            return Err("a parameter requires a name and a type".to_owned());
        };
        if !Self::is_name(name) {
            return Err(format!(
                "invalid parameter name `{name}`: use a-z, 0-9 and `_`, starting with a letter"
            ));
        }
        let found = ParameterKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let kind = found.ok_or_else(|| format!("unknown type `{kind}`: use `text` or `integer`"))?;
        let default = default.map(|default| {
            kind.literal(default).ok_or_else(|| format!("invalid default `{default}`: not a 64-bit integer"))
        });
        Ok(Self { name: name.to_owned(), kind, default: default.transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
-- title: Rejected traffic to a port
-- Written for the on-call team: see the wiki.
-- parameter: port integer = 5432
-- parameter: account text

-- threshold: 10
SELECT $port, $account -- threshold: none
";

    fn values(arguments: &[&str]) -> Result<Vec<(String, String)>, ParameterError> {
        let question = SavedQuestion::parse(FILE).unwrap();
        let values = question.values(arguments.iter().copied())?;
        Ok(values.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect())
    }

    #[test]
    fn header_has_title_parameters_and_threshold() {
        let question = SavedQuestion::parse(FILE).unwrap();
        assert_eq!((question.title.as_str(), question.threshold), ("Rejected traffic to a port", 10));
        assert_eq!(question.example("port-scan"), "flowagg query port-scan account=text");
        let parameters: Vec<String> = question.parameters.iter().map(Parameter::to_string).collect();
        assert_eq!(parameters, ["port (integer, default `5432`)", "account (text)"]);
        assert_eq!(question.sql, FILE);
        let plain = SavedQuestion::parse("\u{feff}-- title: all\r\nSELECT 1 -- parameter: none").unwrap();
        assert_eq!((plain.title.as_str(), plain.threshold, plain.parameters), ("all", 0, Vec::new()));
    }

    #[test]
    fn missing_values_have_their_defaults() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(values(&["account=2"]).unwrap(), [pair("account", "('2')"), pair("port", " 5432 ")]);
        assert_eq!(
            values(&["port=-1", "account=a=b"]).unwrap(),
            [pair("account", "('a=b')"), pair("port", "(-1)")]
        );
        // A quote does not end the literal.
        assert_eq!(values(&["account=' OR 1=1 --"]).unwrap()[0].1, "(''' OR 1=1 --')");
    }

    #[test]
    fn invalid_arguments_are_rejected() {
        for (arguments, expected) in [
            (&["5432"][..], "unexpected argument `5432`: expected `NAME=VALUE`"),
            (&["ports=1"], "unknown parameter `ports`"),
            (&["account=1", "account=2"], "duplicate parameter `account`"),
            (&["port=1"], "missing parameter `account`"),
            (&["account=1", "port=1.5"], "invalid value `1.5` for parameter `port`: not a 64-bit integer"),
            (
                &["account=1", "port=1 OR 1=1"],
                "invalid value `1 OR 1=1` for parameter `port`: not a 64-bit integer",
            ),
        ] {
            assert_eq!(values(arguments).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn header_errors_have_their_line() {
        for (text, expected) in [
            ("SELECT 1", "line 1: the title is missing"),
            ("", "line 1: the title is missing"),
            ("-- title:\nSELECT 1", "line 1: the title is empty"),
            ("-- title: a\n-- title: b\n", "line 2: duplicate title"),
            ("-- title: a\n\n-- treshold: 1\n", "line 3: unknown header `treshold:`"),
            (
                "-- title: a\nSELECT 1\n -- threshold: 1\n",
                "line 3: `threshold:` is below the first line of the statement",
            ),
            ("-- title: a\n-- threshold: -1\n", "line 2: invalid threshold `-1`"),
            ("-- title: a\n-- parameter: port\n", "line 2: a parameter requires a name and a type"),
            ("-- title: a\n-- parameter: port int\n", "line 2: unknown type `int`: use `text` or `integer`"),
            (
                "-- title: a\n-- parameter: Port integer\n",
                "line 2: invalid parameter name `Port`: use a-z, 0-9 and `_`, starting with a letter",
            ),
            (
                "-- title: a\n-- parameter: p integer = x\n",
                "line 2: invalid default `x`: not a 64-bit integer",
            ),
            ("-- title: a\n-- parameter: p text\n-- parameter: p text\n", "line 3: duplicate parameter `p`"),
        ] {
            assert_eq!(SavedQuestion::parse(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn names_of_saved_questions_are_validated() {
        assert!(SavedQuestion::is_name("port-scan2"));
        for text in ["", "Top", "2x", "a b", "a.b", "../x", "a_b"] {
            assert!(!SavedQuestion::is_name(text), "{text}");
        }
    }
}
