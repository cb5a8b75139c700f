//! The question or the SQL statement of a command line.

use std::io::{self, Read as _};

use flowagg_core::fleet::FleetFile;
use flowagg_core::near::meant;
use flowagg_core::question::{BOTH_ENDS, Options, Question, QuestionName, Table, UnknownQuestion};
use flowagg_query::datafusion::arrow::array::{AsArray as _, RecordBatch};
use flowagg_query::{FlowLogs, Statement};
use jiff::Timestamp;

use super::super::error::CommandError;
use super::failed::invalid;
use super::saved::{self, OF_SQL, Saved};
use crate::Screen;
use crate::args::{GlobalArgs, QueryArgs};

/// A question or a statement, for any engine.
pub(super) enum Asked {
    Question(Question),
    /// A saved question, with the values of its parameters.
    Saved {
        saved: Saved,
        sql: String,
    },
    Sql(String),
}

impl Asked {
    /// Reads the command line, and standard input for `-`. A text with white space is a statement.
    pub(super) fn read(
        global: &GlobalArgs,
        options: &QueryArgs,
        screen: &mut Screen<'_>,
    ) -> Result<Self, CommandError> {
        let text = options.asked.as_deref().unwrap_or_default().trim();
        let is_name = text != "-" && !text.contains(char::is_whitespace);
        if is_name && let Some(saved) = saved::named(global, text)? {
            only_of_questions(options)?;
            let sql = saved.sql(&options.arguments)?;
            return Ok(Self::Saved { saved, sql });
        }
        if is_name {
            return question(global, text, options).map(Self::Question);
        }
        if let Some(name) = text.split_whitespace().next().and_then(|word| QuestionName::parse(word).ok()) {
            let what = format!("`{text}` is a single argument, so it is not parsed as the question `{name}`");
            return Err(CommandError::usage(what, format!("remove the quotes: `flowagg query {text}`")));
        }
        only_of_questions(options)?;
        if let Some(argument) = options.arguments.first() {
            let what = format!("unexpected argument `{argument}` after the SQL statement");
            return Err(CommandError::usage(what, "put the whole statement in quotes, as one argument"));
        }
        let sql = if text == "-" { input(screen)? } else { text.to_owned() };
        let sql = sql.trim();
        if !sql.contains(char::is_whitespace) {
            let what = format!("`{sql}` is not a SQL statement");
            let help = "pass one as a single argument, as in \"SELECT count(*) FROM vpc_flow_logs\"";
            return Err(CommandError::usage(what, help));
        }
        Ok(Self::Sql(sql.to_owned()))
    }

    /// The SQL for the local engine.
    pub(super) fn sql(&self, options: &QueryArgs) -> String {
        match self {
            Self::Question(question) => of_question(question, options.limit.unwrap_or(Question::ROWS)),
            Self::Saved { sql, .. } | Self::Sql(sql) => sql.clone(),
        }
    }

    /// The statement for the local engine.
    pub(super) fn statement(&self, options: &QueryArgs) -> Result<Statement, CommandError> {
        let statement = Statement::parse(&self.sql(options));
        statement.map_err(|error| match self {
            Self::Saved { saved, .. } => saved.wrong(&error),
            Self::Question(_) | Self::Sql(_) => invalid(error),
        })
    }

    /// The built-in question, if it is one.
    pub(super) fn question(&self) -> Option<&Question> {
        match self {
            Self::Question(question) => Some(question),
            Self::Saved { .. } | Self::Sql(_) => None,
        }
    }

    /// The maximum number of rows that is not a finding.
    pub(super) fn threshold(&self) -> u64 {
        match self {
            Self::Saved { saved, .. } => saved.question.threshold,
            Self::Question(_) | Self::Sql(_) => 0,
        }
    }
}

/// The SQL of a question for the local engine. A question that ranks returns up to `rows` rows.
pub(super) fn of_question(question: &Question, rows: usize) -> String {
    question.sql(&Table::of_session(FlowLogs::NAME), rows)
}

/// The question for a fleet. Fails if the fleet's flow logs do not record a required field.
pub(super) fn for_fleet(question: &Question, file: &FleetFile) -> Result<Question, CommandError> {
    let question = question.clone().of_fleet(&file.flow_logs);
    let recorded = question.check(&file.flow_logs);
    recorded.map_err(|error| CommandError::usage(error.to_string(), error.help()))?;
    Ok(question)
}

/// Prints a note if the window starts at the default time.
pub(super) fn default_start(options: &QueryArgs, from: Timestamp, screen: &mut Screen<'_>) -> io::Result<()> {
    if options.from.is_some() {
        return Ok(());
    }
    screen.note(&format!("reading records that ended since {from:.0}; `--from` changes this"))
}

/// Fails if an option for built-in questions is given for a statement or a saved question.
fn only_of_questions(options: &QueryArgs) -> Result<(), CommandError> {
    let Some(option) = given(options).given().next() else { return Ok(()) };
    let what =
        format!("`{option}` applies only to built-in questions, not to SQL statements or saved questions");
    Err(CommandError::usage(what, "remove it, or run a built-in question; `flowagg query --list` shows them"))
}

/// The question of this name, with its argument and options.
fn question(global: &GlobalArgs, name: &str, options: &QueryArgs) -> Result<Question, CommandError> {
    let name = named(global, name)?;
    Question::new(name, options.arguments.iter().map(String::as_str), given(options))
        .map_err(|error| CommandError::usage(error.to_string(), error.help()))
}

/// The question options of the command line.
fn given(options: &QueryArgs) -> Options {
    let of_question = &options.of_question;
    let mut given = Options::default();
    given.gateways.clone_from(&of_question.nat);
    given.own.clone_from(&of_question.own);
    (given.hours, given.weekdays, given.utc_offset) =
        (of_question.hours, of_question.weekdays, of_question.utc_offset);
    given
}

/// The question of this name. The error suggests a similar name, including those of saved questions.
pub(super) fn named(global: &GlobalArgs, name: &str) -> Result<QuestionName, CommandError> {
    QuestionName::parse(name).map_err(|error| {
        let UnknownQuestion { text, .. } = &error;
        let saved = saved::names(global);
        let names: Vec<&str> = QuestionName::ALL
            .iter()
            .map(|name| name.as_str())
            .chain(saved.iter().map(String::as_str))
            .collect();
        let meant = meant(&text.to_ascii_lowercase(), names);
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
            CommandError::usage(what, "pass the statement as an argument")
        })?;
    }
    Ok(sql)
}

/// Notes about the rows of a question.
pub(super) struct Remarks<'q> {
    question: Option<&'q Question>,
    has_mark: bool,
}

impl<'q> Remarks<'q> {
    pub(super) fn new(question: Option<&'q Question>) -> Self {
        Self { question, has_mark: false }
    }

    /// Inspects rows before they are printed.
    pub(super) fn see(&mut self, rows: &RecordBatch) {
        let marks = rows.column_by_name(BOTH_ENDS).and_then(|column| column.as_boolean_opt());
        self.has_mark |= self.question.is_some() && marks.is_some_and(|marks| marks.true_count() > 0);
    }

    /// Prints the notes for the given number of rows. `missing` prints which fields of the question are not recorded.
    pub(super) fn print(
        &self,
        rows: usize,
        limit: Option<usize>,
        has_records: bool,
        missing: impl FnOnce(&Question, &mut Screen<'_>) -> io::Result<()>,
        screen: &mut Screen<'_>,
    ) -> Result<(), CommandError> {
        let Some(question) = self.question else { return Ok(()) };
        if self.has_mark {
            screen.note(question.mark())?;
        }
        missing(question, screen)?;
        let names_gateways = question.gateways().is_some_and(|gateways| !gateways.is_empty());
        let is_of_gateways = matches!(question.name(), QuestionName::Nat | QuestionName::NatToAws);
        if rows == 0 && is_of_gateways && names_gateways && has_records && limit != Some(0) {
            screen.note(if question.asks_fleet() {
                "no records of the fleet's NAT gateways were found: check `--from`, and check that their VPCs are logged"
            } else {
                "no records of these NAT gateways were found: check `--from` and `--nat` (name a zonal gateway by its network interface or \
                 private address, and a regional one by its ID)"
            })?;
        }
        if question.ranks() && limit.is_none() && rows >= Question::ROWS {
            screen.note(&format!("only the first {rows} rows are shown; `--limit` changes this"))?;
        }
        Ok(())
    }
}
