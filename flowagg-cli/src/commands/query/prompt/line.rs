//! What is typed at the prompt, as the words of a command line.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command, CommandFactory as _};

use super::super::super::error::Problem;
use super::super::asked::OF_SQL;
use crate::args::Args;

/// How every command line of the prompt begins.
const VERB: [&str; 2] = ["flowagg", "query"];

/// A line.
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

impl Line {
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        // Advice of error messages is typed as it stands.
        let text = text.strip_prefix("flowagg query ").unwrap_or(text).trim_start();
        if is_sql(text) {
            return Ok(Self::Ask(vec![text.trim_end_matches(';').trim_end().into()]));
        }
        let words = shlex::split(text).ok_or_else(|| {
            Problem::new("a quotation mark is not closed", "close it, or put a backslash before it")
        })?;
        let Some(first) = words.first() else { return Ok(Self::Nothing) };
        let is_alone = words.len() == 1;
        Ok(match first.as_str() {
            "help" | "?" if is_alone => Self::Help,
            "quit" | "exit" if is_alone => Self::Quit,
            "reset" if is_alone => Self::Reset,
            "list" if is_alone => Self::Ask(vec!["--list".into()]),
            "-" => {
                let help = "type the statement here, and end it with `;`";
                return Err(Problem::new("standard input is the prompt", help));
            }
            "--help" | "-h" | "--list" => Self::Ask(words.into_iter().map(OsString::from).collect()),
            first if first.starts_with('-') => Self::Options(words.into_iter().map(OsString::from).collect()),
            _ => Self::Ask(words.into_iter().map(OsString::from).collect()),
        })
    }
}

/// Whether a text begins as a SQL statement does.
pub(super) fn is_sql(text: &str) -> bool {
    let first = text.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    OF_SQL.contains(&first.to_ascii_lowercase().as_str())
}

/// Whether more of a statement may follow.
pub(super) fn goes_on(text: &str) -> bool {
    is_sql(text) && !text.trim_end().ends_with(';')
}

/// A command line of these words, with the options of an earlier command line that they do not set themselves.
pub(super) fn with_options_of(earlier: &[OsString], line: Vec<OsString>) -> Vec<OsString> {
    let mut command = Args::command();
    command.build();
    let begin = VERB.map(OsString::from);
    let whole: Vec<OsString> = begin.iter().chain(&line).cloned().collect();
    let set = of_verb(&command, &whole);
    let mut words = begin.to_vec();
    if let (Some(earlier), Some(verb)) = (of_verb(&command, earlier), command.find_subcommand(VERB[1])) {
        for option in verb.get_arguments().filter(|argument| !argument.is_positional()) {
            let (id, Some(long)) = (option.get_id().as_str(), option.get_long()) else { continue };
            if !is_set(&earlier, id) || set.as_ref().is_some_and(|set| is_set(set, id)) {
                continue;
            }
            let name = format!("--{long}");
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
    }
    words.extend(line);
    words
}

/// What the verb was given; `None` if the words are not a command line of it.
fn of_verb(command: &Command, words: &[OsString]) -> Option<ArgMatches> {
    let matches = command.clone().try_get_matches_from(words).ok()?;
    matches.subcommand_matches(VERB[1]).cloned()
}

fn is_set(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn line_is_a_question_a_statement_options_or_a_word_of_the_prompt() {
        for (text, expected) in [
            ("  ", Line::Nothing),
            ("help", Line::Help),
            ("quit", Line::Quit),
            ("reset", Line::Reset),
            ("list", Line::Ask(words("--list"))),
            ("who 10.0.0.7 --from 24h", Line::Ask(words("who 10.0.0.7 --from 24h"))),
            ("--from 24h", Line::Options(words("--from 24h"))),
            ("select 'a b';", Line::Ask(vec!["select 'a b'".into()])),
            ("SELECT\n1\n;\n", Line::Ask(vec!["SELECT\n1".into()])),
            ("x port='a b'", Line::Ask(vec!["x".into(), "port=a b".into()])),
            ("selection", Line::Ask(words("selection"))),
            ("flowagg query --list", Line::Ask(words("--list"))),
        ] {
            assert_eq!(Line::read(text), Ok(expected), "{text}");
        }
        assert!(Line::read("who '10").is_err() && Line::read("-").is_err());
    }

    #[test]
    fn statement_goes_on_until_a_semicolon() {
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
        // The options of the merged line are those of the lines that follow.
        let second = with_options_of(&start, words("--from 7d"));
        let third = with_options_of(&second, words("pairs"));
        assert!(third.contains(&"--from=7d".into()) && third.contains(&"--yes".into()), "{third:?}");
    }
}
