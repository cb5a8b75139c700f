//! Questions of the table: as they are asked now, and as they are saved.

use flowagg_core::question::{self, Options, Question, QuestionName};

use super::part::TablePart;
use super::table::Table;
use crate::export::SqlStatement;

impl Table<'_> {
    /// The SQL of a question of a part of the table, with up to the given number of rows if it ranks.
    pub fn question(&self, question: &Question, part: &TablePart, rows: usize) -> String {
        let (name, recorded) = (self.name(), self.recorded());
        question.sql(&question::Table::of_athena(&name, &recorded, part.conditions(self)), rows)
    }
}

/// The questions that the fields of the table answer, each with the value of its example if it needs one; and the others.
pub(super) fn saved(table: &Table<'_>, part: &TablePart) -> (Vec<SqlStatement>, Vec<QuestionName>) {
    let (mut statements, mut unanswered) = (Vec::new(), Vec::new());
    for name in QuestionName::ALL {
        let required = name.argument().filter(|argument| argument.is_required);
        let value = name.example().split(' ').nth(3).filter(|_| required.is_some());
        // An example is a question.
        let Ok(question) = Question::new(name, value, Options::default()) else { continue };
        if question.check(&table.fleet().flow_logs).is_err() {
            unanswered.push(name);
            continue;
        }
        // Its rows are not an answer: flowagg compares them with the rules.
        if name == QuestionName::UnusedRules {
            continue;
        }
        let sql = table.question(&question, part, Question::ROWS);
        let replace = required.zip(value).map_or_else(String::new, |(argument, value)| {
            format!(" Replace {value} with the {} that you look for.", argument.name)
        });
        let about = format!(
            "{}. Reads yesterday's logs (UTC).{replace} `flowagg query {name} --list` shows which records count.",
            name.about()
        );
        statements.push(SqlStatement { name: format!("query-{name}"), about, sql });
    }
    (statements, unanswered)
}
