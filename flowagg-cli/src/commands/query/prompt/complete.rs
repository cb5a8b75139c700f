//! Completion with the Tab key.

use clap::CommandFactory as _;
use flowagg_core::question::QuestionName;
use flowagg_query::FlowLogs;

use super::line::is_sql;
use crate::args::Args;

/// Commands of the prompt.
const OF_PROMPT: [&str; 5] = ["help", "list", "quit", "reset", "SELECT"];
/// Keywords and functions of SQL, functions with their parenthesis.
const OF_STATEMENTS: [&str; 42] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "DISTINCT",
    "DESC",
    "AND",
    "OR",
    "NOT",
    "NULL",
    "IS",
    "IN",
    "LIKE",
    "BETWEEN",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AS",
    "WITH",
    "JOIN",
    "UNION ALL",
    "DESCRIBE",
    "EXPLAIN",
    "count(",
    "sum(",
    "avg(",
    "min(",
    "max(",
    "coalesce(",
    "date_trunc(",
    "to_char(",
    "from_unixtime(",
    "regexp_like(",
    "cidr_contains(",
    "cidr_network(",
    "substr(",
    "upper(",
];

/// An option of `flowagg query`.
struct KnownOption {
    name: String,
    values: Vec<String>,
}

/// The words that can be completed.
pub(super) struct Known {
    questions: Vec<String>,
    options: Vec<KnownOption>,
}

impl Known {
    /// The built-in questions, and these saved ones.
    pub(super) fn new(saved: Vec<String>) -> Self {
        let own = QuestionName::ALL.into_iter().map(|name| name.as_str().to_owned());
        let mut command = Args::command();
        command.build();
        let arguments = command.find_subcommand("query").into_iter().flat_map(|verb| verb.get_arguments());
        let options = arguments.filter_map(|argument| {
            let name = format!("--{}", argument.get_long()?);
            let values = argument.get_possible_values();
            Some(KnownOption {
                name,
                values: values.iter().map(|value| value.get_name().to_owned()).collect(),
            })
        });
        Self { questions: own.chain(saved).collect(), options: options.collect() }
    }

    /// The byte offset at which the word before the cursor starts, and its candidates.
    pub(super) fn complete(&self, before: &str) -> (usize, Vec<String>) {
        if is_sql(before) && before.contains(char::is_whitespace) {
            return of_statement(before);
        }
        let start = before.rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let (earlier, word) = before.split_at(start);
        let earlier: Vec<&str> = earlier.split_whitespace().collect();
        let option = |name: &&str| self.options.iter().find(|option| option.name == **name);
        let candidates: Vec<&str> = match (earlier.first(), earlier.last().and_then(option)) {
            (_, Some(option)) if !option.values.is_empty() => {
                option.values.iter().map(String::as_str).collect()
            }
            _ if word.starts_with('-') => self.options.iter().map(|option| option.name.as_str()).collect(),
            (None, _) => self.questions.iter().map(String::as_str).chain(OF_PROMPT).collect(),
            (Some(first), _) if earlier.len() == 1 => arguments(first),
            _ => Vec::new(),
        };
        (start, beginning_with(word, candidates))
    }
}

/// The possible arguments of a question, if they are keywords.
fn arguments(question: &str) -> Vec<&'static str> {
    let argument = QuestionName::parse(question).ok().and_then(QuestionName::argument);
    argument
        .filter(|argument| argument.name.contains('|'))
        .map_or_else(Vec::new, |argument| argument.name.split('|').collect())
}

fn of_statement(before: &str) -> (usize, Vec<String>) {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word = before.rsplit(|c| !in_word(c)).next().unwrap_or_default();
    if word.is_empty() {
        return (before.len(), Vec::new());
    }
    let candidates = FlowLogs::columns().chain([FlowLogs::NAME]).chain(OF_STATEMENTS);
    (before.len() - word.len(), beginning_with(word, candidates))
}

/// The candidates that start with a word, ignoring case.
fn beginning_with<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let begins =
        |candidate: &str| candidate.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    candidates.into_iter().filter(|candidate| begins(candidate)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(before: &str) -> String {
        let (start, candidates) = Known::new(vec!["on-call".to_owned()]).complete(before);
        format!("{start} {}", candidates.join(","))
    }

    #[test]
    fn words_are_completed_by_context() {
        for (before, expected) in [
            ("re", "0 rejected,reset"),
            ("on", "0 on-call"),
            ("SEL", "0 SELECT"),
            ("top ", "4 addresses,instances,subnets"),
            ("top in", "4 instances"),
            ("who ", "4 "),
            ("who 10.0.0.7 --fo", "13 --format"),
            ("who 10.0.0.7 --format c", "22 csv"),
            ("--fr", "0 --from"),
            ("--on", "0 --only"),
            ("SELECT sum(pkt_s", "11 pkt_srcaddr,pkt_src_aws_service"),
            ("select vpc", "7 vpc_id,vpc_flow_logs"),
            ("SELECT\nsrcaddr FROM v", "20 version,vpc_id,vpc_flow_logs"),
            ("SELECT cidr", "7 cidr_contains(,cidr_network("),
            ("SELECT 1 ", "9 "),
            ("nothing x", "8 "),
        ] {
            assert_eq!(completed(before), expected, "{before}");
        }
    }
}
