//! What was asked: a question by its name, or a statement.

use std::io::Read as _;

use flowagg_core::question::{BOTH_ENDS, Options, Question, QuestionName, Table, UnknownQuestion};
use flowagg_query::datafusion::arrow::array::{AsArray as _, RecordBatch};
use flowagg_query::{FlowLogs, Progress, Statement};

use super::super::error::CommandError;
use super::failed::invalid;
use crate::Screen;
use crate::args::QueryArgs;
use crate::show::missing_fields;

/// A statement, and the question that it answers if there is one.
pub(super) struct Asked {
    pub(super) statement: Statement,
    pub(super) question: Option<Question>,
}

/// Words with which a statement begins.
const OF_SQL: [&str; 5] = ["select", "with", "explain", "describe", "show"];

impl Asked {
    /// Reads the command line, and standard input if it names that. What has white space is a statement.
    pub(super) fn read(options: &QueryArgs, screen: &mut Screen<'_>) -> Result<Self, CommandError> {
        let text = options.asked.as_deref().unwrap_or_default().trim();
        if text != "-" && !text.contains(char::is_whitespace) {
            let question = question(text, options)?;
            let rows = options.limit.unwrap_or(Question::ROWS);
            return Ok(Self { statement: statement(&question, rows)?, question: Some(question) });
        }
        if let Some(name) = text.split_whitespace().next().and_then(|word| QuestionName::parse(word).ok()) {
            let what = format!("`{text}` is one argument, so it is not the question `{name}`");
            return Err(CommandError::usage(what, format!("leave the quotes out: `flowagg query {text}`")));
        }
        if let Some(option) = given(options).given().next() {
            let what = format!("`{option}` is an option of questions, not of SQL statements");
            return Err(CommandError::usage(
                what,
                "leave it out, or ask a question: `flowagg query --list` shows them",
            ));
        }
        if let Some(argument) = options.arguments.first() {
            let what = format!("unexpected argument `{argument}` after the SQL statement");
            return Err(CommandError::usage(what, "put the whole statement in quotes, as one argument"));
        }
        let sql = if text == "-" { input(screen)? } else { text.to_owned() };
        let sql = sql.trim();
        if !sql.contains(char::is_whitespace) {
            let what = format!("`{sql}` is not a SQL statement");
            let help = "give one as a single argument, as in \"SELECT count(*) FROM vpc_flow_logs\"";
            return Err(CommandError::usage(what, help));
        }
        Ok(Self { statement: Statement::parse(sql).map_err(invalid)?, question: None })
    }
}

/// The statement of a question, with up to the given number of rows if it ranks.
pub(super) fn statement(question: &Question, rows: usize) -> Result<Statement, CommandError> {
    let sql = question.sql(&Table::of_session(FlowLogs::NAME), rows).map_err(|error| {
        CommandError::usage(error.to_string(), "ask another question: `flowagg query --list` shows them")
    })?;
    Statement::parse(&sql).map_err(invalid)
}

/// The question of this name, with what is given for it.
fn question(name: &str, options: &QueryArgs) -> Result<Question, CommandError> {
    let name = named(name)?;
    Question::new(name, options.arguments.iter().map(String::as_str), given(options))
        .map_err(|error| CommandError::usage(error.to_string(), error.help()))
}

/// The options of questions that are given.
fn given(options: &QueryArgs) -> Options {
    let of_question = &options.of_question;
    let mut given = Options::default();
    given.gateways.clone_from(&of_question.nat);
    given.own.clone_from(&of_question.own);
    (given.hours, given.weekdays, given.utc_offset) =
        (of_question.hours, of_question.weekdays, of_question.utc_offset);
    given
}

/// The question of this name.
pub(super) fn named(name: &str) -> Result<QuestionName, CommandError> {
    QuestionName::parse(name).map_err(|error| {
        let UnknownQuestion { text, meant, .. } = &error;
        let is_sql = OF_SQL.contains(&text.to_ascii_lowercase().as_str());
        let help = match meant {
            _ if is_sql => "put the whole statement in quotes, as one argument".to_owned(),
            Some(meant) => format!("did you mean `{meant}`? `flowagg query --list` shows all questions"),
            None => "`flowagg query --list` shows all questions; a SQL statement is one argument in quotes"
                .to_owned(),
        };
        CommandError::usage(error.to_string(), help)
    })
}

fn input(screen: &mut Screen<'_>) -> Result<String, CommandError> {
    let mut sql = String::new();
    if let Some(input) = &mut screen.input {
        let read = input.read_to_string(&mut sql);
        read.map_err(|error| {
            let what = format!("standard input cannot be read: {error}");
            CommandError::usage(what, "give the statement as an argument")
        })?;
    }
    Ok(sql)
}

/// What is to be known about the rows of a question, which are seen as they are printed.
pub(super) struct Remarks<'q> {
    question: Option<&'q Question>,
    has_mark: bool,
}

impl<'q> Remarks<'q> {
    pub(super) fn new(question: Option<&'q Question>) -> Self {
        Self { question, has_mark: false }
    }

    /// Sees rows before they are printed.
    pub(super) fn see(&mut self, rows: &RecordBatch) {
        let marks = rows.column_by_name(BOTH_ENDS).and_then(|column| column.as_boolean_opt());
        self.has_mark |= self.question.is_some() && marks.is_some_and(|marks| marks.true_count() > 0);
    }

    /// Prints the notes that follow the given number of rows.
    pub(super) fn print(
        &self,
        rows: usize,
        limit: Option<usize>,
        progress: &Progress,
        screen: &mut Screen<'_>,
    ) -> Result<(), CommandError> {
        let Some(question) = self.question else { return Ok(()) };
        if self.has_mark {
            screen.note(question.mark())?;
        }
        missing_fields(question, progress, screen)?;
        let names_gateways = question.gateways().is_some_and(|gateways| !gateways.is_empty());
        let is_of_gateways = matches!(question.name(), QuestionName::Nat | QuestionName::NatToAws);
        if rows == 0 && is_of_gateways && names_gateways && progress.records() > 0 && limit != Some(0) {
            screen.note(if question.asks_fleet() {
                "no record is of a NAT gateway of the fleet: check `--from`, and that their VPCs are logged"
            } else {
                "no record is of one of these NAT gateways: check `--nat` (a zonal gateway is named by its network interface or private \
                 address, a regional one by its id) and `--from`"
            })?;
        }
        if question.ranks() && limit.is_none() && rows >= Question::ROWS {
            screen.note(&format!("these are the first {rows} rows: `--limit` sets another number"))?;
        }
        Ok(())
    }
}
