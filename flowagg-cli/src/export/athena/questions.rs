//! The questions on the table: for a given query, and as saved statements.

use flowagg_core::question::{self, Options, Question, QuestionName};

use super::part::TablePart;
use super::table::Table;
use crate::export::SqlStatement;

impl Table<'_> {
    /// The SQL of a question on a part of the table. A question that ranks returns up to `rows` rows.
    pub fn question(&self, question: &Question, part: &TablePart, rows: usize) -> String {
        let (name, recorded) = (self.name(), self.recorded());
        question.sql(&question::Table::of_athena(&name, &recorded, part.conditions(self)), rows)
    }
}

/// The questions that the fields of the table can answer, with example values for required arguments, and the names of the others.
pub(super) fn saved(table: &Table<'_>, part: &TablePart) -> (Vec<SqlStatement>, Vec<QuestionName>) {
    let (mut statements, mut unanswered) = (Vec::new(), Vec::new());
    for name in QuestionName::ALL {
        let required = name.argument().filter(|argument| argument.is_required);
        let value = name.example().split(' ').nth(3).filter(|_| required.is_some());
        // An example is always a valid question.
        let Ok(question) = Question::new(name, value, Options::default()) else { continue };
        if question.check(&table.fleet().flow_logs).is_err() {
            unanswered.push(name);
            continue;
        }
        // Its rows are not the answer: flowagg compares them with the rules.
        if name == QuestionName::UnusedRules {
            continue;
        }
        let sql = table.question(&question, part, Question::ROWS);
        let replace = required.zip(value).map_or_else(String::new, |(argument, value)| {
            format!(" Replace {value} with the {} to search for.", argument.name)
        });
        let about = format!(
            "{}. Reads yesterday's logs (UTC).{replace} `flowagg query {name} --list` describes the records that it counts.",
            name.about()
        );
        statements.push(SqlStatement { name: format!("query-{name}"), about, sql });
    }
    (statements, unanswered)
}
