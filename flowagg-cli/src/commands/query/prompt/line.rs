//! Parses the lines of the prompt into the words of a command line.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _};
use flowagg_core::question::QuestionName;
use flowagg_query::{first_word, statement_end};

use super::super::super::error::Problem;
use super::super::saved::OF_SQL;
use crate::args::Args;

/// Ends the options of a command line.
const STATEMENT: &str = "--";
/// The first words of every command line of the prompt.
const VERB: [&str; 2] = ["flowagg", "query"];

/// A line of the prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// White space.
    Nothing,
    Help,
    Quit,
    /// Back to the options of the command line.
    Reset,
    /// Options for the lines that follow.
    Options(Vec<OsString>),
    /// A question with its argument and options, or a statement.
    Ask(Vec<OsString>),
}

/// The first words of statements that write. They are rejected as statements, not as unknown questions.
const THAT_WRITE: [&str; 11] =
    ["alter", "copy", "create", "delete", "drop", "insert", "merge", "set", "truncate", "update", "values"];

impl Line {
    /// Splits a text, which may have been pasted. Statements end with a semicolon, and other lines with a line break.
    pub(super) fn all(text: &str) -> Vec<Result<Self, Problem>> {
        let (mut lines, mut rest) = (Vec::new(), text.trim());
        while !rest.is_empty() {
            let end = if is_sql(rest) { statement_end(rest) } else { rest.find('\n') };
            let (line, more) = rest.split_at(end.unwrap_or(rest.len()));
            if !is_comment(line) {
                lines.push(Self::read(line));
            }
            rest = more.trim_start();
        }
        lines
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if is_sql(text) {
            // A comment at the start would be parsed as an option.
            return Ok(Self::Ask(vec![STATEMENT.into(), text.trim_end_matches(';').trim_end().into()]));
        }
        // Users paste commands from error messages.
        let text = text.strip_prefix("flowagg query ").unwrap_or(text).trim_end_matches(';');
        let words = shlex::split(text).ok_or_else(|| {
            Problem::new("unclosed quotation mark", "close it, or escape it with a backslash")
        })?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ask = |words: &[&str]| Self::Ask(words.iter().map(OsString::from).collect());
        Ok(match words.as_slice() {
            [] => Self::Nothing,
            ["help" | "?"] => Self::Help,
            ["help", question] => ask(&[question, "--list"]),
            ["quit" | "exit" | "q"] => Self::Quit,
            ["reset"] => Self::Reset,
            ["list"] => ask(&["--list"]),
            ["-", ..] => {
                let help = "type the statement here, and end it with `;`";
                return Err(Problem::new("cannot read a statement from standard input at the prompt", help));
            }
            [word @ ("help" | "quit" | "exit" | "reset" | "list"), more, ..] => {
                let help = format!("type `{word}` alone; `help` shows all commands");
                return Err(Problem::new(format!("unexpected `{more}` after `{word}`"), help));
            }
            words if words.iter().any(|word| matches!(*word, "--help" | "-h" | "--list")) => ask(words),
            [first, ..] if first.starts_with('-') => {
                Self::Options(words.iter().map(OsString::from).collect())
            }
            words => ask(words),
        })
    }
}

/// Whether a text starts like a SQL statement or with a SQL comment.
pub(super) fn is_sql(text: &str) -> bool {
    let text = text.trim_start();
    // The two dashes of an option do not start a comment.
    if text.strip_prefix("--").is_some_and(|rest| rest.starts_with(|next: char| !next.is_whitespace())) {
        return false;
    }
    let Some(word) = first_word(text).map(|word| word.to_ascii_lowercase()) else { return !text.is_empty() };
    let more = text.len() > word.len();
    word == "(" || OF_SQL.contains(&word.as_str()) || more && THAT_WRITE.contains(&word.as_str())
}

/// Whether a text contains only SQL comments.
fn is_comment(text: &str) -> bool {
    is_sql(text) && first_word(text).is_none()
}

/// Whether a statement is incomplete.
pub(super) fn goes_on(text: &str) -> bool {
    let (mut rest, mut is_first) = (text.trim(), true);
    while !rest.is_empty() {
        let end = match (is_sql(rest), statement_end(rest)) {
            // A comment can precede a statement or follow it.
            (true, None) => return is_first || !is_comment(rest),
            (true, Some(end)) => end,
            (false, _) => rest.find('\n').unwrap_or(rest.len()),
        };
        rest = rest.get(end..).unwrap_or_default().trim_start();
        is_first = false;
    }
    false
}

/// A command line of these words, plus the options of an earlier command line that the words do not set, that do not conflict with
/// theirs, and that the question accepts. If the words themselves are invalid, they are returned without other options, so that the error
/// is about them alone.
pub(super) fn with_options_of(earlier: &[OsString], line: Vec<OsString>) -> Vec<OsString> {
    let mut command = Args::command();
    command.build();
    let begin = VERB.map(OsString::from);
    let whole: Vec<OsString> = begin.iter().chain(&line).cloned().collect();
    let (Some(earlier), Some(set), Some(verb)) =
        (of_verb(&command, earlier), of_verb(&command, &whole), command.find_subcommand(VERB[1]))
    else {
        return whole;
    };
    let is_of =
        |option: &Arg, others: Vec<&Arg>| others.into_iter().any(|other| other.get_id() == option.get_id());
    let is_free = |option: &Arg| {
        let mut given = verb.get_arguments().filter(|other| is_set(&set, other));
        !given.any(|other| {
            other.get_id() == option.get_id()
                || is_of(option, verb.get_arg_conflicts_with(other))
                || is_of(other, verb.get_arg_conflicts_with(option))
        })
    };
    let mut words = begin.to_vec();
    for option in verb.get_arguments().filter(|option| !option.is_positional()) {
        let Some(long) = option.get_long() else { continue };
        if !is_set(&earlier, option) || !is_free(option) || !is_taken(&format!("--{long}"), &line) {
            continue;
        }
        let (id, name) = (option.get_id().as_str(), format!("--{long}"));
        match option.get_action() {
            ArgAction::SetTrue => words.push(name.into()),
            ArgAction::Count => {
                let times = usize::from(earlier.get_count(id));
                words.extend(std::iter::repeat_n(OsString::from(name), times));
            }
            _ => {
                for value in earlier.get_raw(id).into_iter().flatten() {
                    let mut word = OsString::from(format!("{name}="));
                    word.push(value);
                    words.push(word);
                }
            }
        }
    }
    words.extend(line);
    words
}

/// Whether the question of a line accepts an option. Options that are not specific to certain questions are always accepted.
fn is_taken(option: &str, line: &[OsString]) -> bool {
    let is_of_questions = QuestionName::ALL.into_iter().any(|name| name.takes().any(|taken| taken == option));
    if line.first().is_some_and(|word| word == STATEMENT) {
        return !is_of_questions;
    }
    let Some(first) = line.first().and_then(|word| word.to_str()).filter(|word| !word.starts_with('-'))
    else {
        return true;
    };
    !is_of_questions || QuestionName::parse(first).is_ok_and(|name| name.takes().any(|taken| taken == option))
}

/// The matches of `flowagg query`; `None` if the words are not a valid command line of it.
fn of_verb(command: &Command, words: &[OsString]) -> Option<ArgMatches> {
    let matches = command.clone().try_get_matches_from(words).ok()?;
    matches.subcommand_matches(VERB[1]).cloned()
}

fn is_set(matches: &ArgMatches, option: &Arg) -> bool {
    matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(text: &str) -> Line {
        Line::Ask(vec!["--".into(), text.into()])
    }

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn line_is_a_question_a_statement_options_or_a_prompt_command() {
        for (text, expected) in [
            ("  ", Line::Nothing),
            ("help", Line::Help),
            ("quit", Line::Quit),
            ("reset", Line::Reset),
            ("list", Line::Ask(words("--list"))),
            ("who 10.0.0.7 --from 24h", Line::Ask(words("who 10.0.0.7 --from 24h"))),
            ("--from 24h", Line::Options(words("--from 24h"))),
            ("select 'a b';", statement("select 'a b'")),
            ("SELECT\n1\n;\n", statement("SELECT\n1")),
            ("x port='a b'", Line::Ask(vec!["x".into(), "port=a b".into()])),
            ("selection", Line::Ask(words("selection"))),
            ("flowagg query --list", Line::Ask(words("--list"))),
            ("-- a comment\nSELECT 1;", statement("-- a comment\nSELECT 1")),
            ("INSERT INTO a VALUES (1);", statement("INSERT INTO a VALUES (1)")),
            ("values", Line::Ask(words("values"))),
            ("help who", Line::Ask(words("who --list"))),
            ("quit;", Line::Quit),
            ("\\q", Line::Quit),
        ] {
            assert_eq!(Line::read(text), Ok(expected), "{text}");
        }
        for text in ["who '10", "-", "quit now", "reset --from 1h"] {
            assert!(Line::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pasted_lines_are_split() {
        let read = |text: &str| Line::all(text).into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(
            read("SELECT ';'\n-- a;\n;  who 10.0.0.1\npairs --limit 3\nSELECT 2;"),
            [
                statement("SELECT ';'\n-- a;"),
                Line::Ask(words("who 10.0.0.1")),
                Line::Ask(words("pairs --limit 3")),
                statement("SELECT 2"),
            ]
        );
        assert_eq!(read(" \n"), []);
        assert_eq!(read("SELECT 1; -- done"), [statement("SELECT 1")]);
    }

    #[test]
    fn statement_continues_until_a_semicolon() {
        assert!(goes_on("select 1") && goes_on("WITH a AS (SELECT 1)\n"));
        assert!(
            !goes_on("select 1;") && !goes_on("select 1 ; \n") && !goes_on("who 10.0.0.1") && !goes_on("")
        );
    }

    #[test]
    fn options_of_earlier_lines_apply_unless_they_are_set_again() {
        let start = words("flowagg --profile ops query --from 24h --only shop --only web --yes -vv");
        let merged = |line: &str| {
            let merged = with_options_of(&start, words(line));
            merged.join(&OsString::from(" ")).into_string().unwrap()
        };
        assert_eq!(
            merged("who 10.0.0.7"),
            "flowagg query --from=24h --yes --profile=ops --verbose --verbose --only=shop --only=web who 10.0.0.7"
        );
        assert_eq!(
            merged("pairs --from 1h --only db"),
            "flowagg query --yes --profile=ops --verbose --verbose pairs --from 1h --only db"
        );
        // Only options that apply to the line are added.
        let start = words("flowagg query --utc-offset -3 --nat 10.0.0.5 --watch 5s --limit 7");
        let merged = |line: &str| {
            let merged = with_options_of(&start, words(line));
            merged[2..].join(&OsString::from(" ")).into_string().unwrap()
        };
        assert_eq!(merged("off-hours"), "--limit=7 --watch=5s --nat=10.0.0.5 --utc-offset=-3 off-hours");
        assert_eq!(merged("who 10.0.0.7"), "--limit=7 --watch=5s who 10.0.0.7");
        assert_eq!(merged("--list"), "--list");
        assert_eq!(merged("pairs --explain"), "--nat=10.0.0.5 pairs --explain");
        assert_eq!(merged("--limit many"), "--limit many");
        assert_eq!(merged("-- SELECT"), "--limit=7 --watch=5s -- SELECT");
        // The options of the merged line apply to the lines that follow.
        let second = with_options_of(&start, words("--from 7d"));
        let third = with_options_of(&second, words("pairs"));
        assert!(third.contains(&"--from=7d".into()) && third.contains(&"--limit=7".into()), "{third:?}");
    }
}
