//! Runs a question or a statement once, explains what it would read, or lists the questions.

use flowagg_core::question::{Question, QuestionName};
use flowagg_query::{Statement, StatementKind};
use jiff::Timestamp;

use super::super::error::CommandError;
use super::super::start;
use super::asked::{self, Asked, default_start};
#[cfg(feature = "athena")]
use super::athena;
use super::failed::invalid;
use super::lookups::{self, FleetGateways};
use super::prepared::Prepared;
use super::saved::{self, Saved};
use super::{engine, rules, source};
#[cfg(feature = "athena")]
use crate::args::Engine;
use crate::args::{GlobalArgs, QueryArgs, QueryTime};
use crate::show::{self, Ended, ResultFormat, Watched};
use crate::{Exit, Screen};

/// Runs a question or a statement once.
pub(super) async fn ask(
    global: &GlobalArgs,
    options: &QueryArgs,
    heading: Option<String>,
    screen: &mut Screen<'_>,
) -> Result<Ended, CommandError> {
    let asked = Asked::read(global, options, screen)?;
    engine::check(options)?;
    let threshold = options.fail_if_rows.then(|| asked.threshold());
    if options.format == ResultFormat::Parquet && options.out.is_none() {
        let help = "write it to a file, as in `--out rows.parquet`";
        return Err(CommandError::usage("cannot write Parquet to standard output", help));
    }
    if let (Some(limit), Some(threshold)) = (options.limit, threshold)
        && limit as u64 <= threshold
    {
        let what = format!("`--limit {limit}` can never exceed the threshold of {threshold}");
        return Err(CommandError::usage(what, format!("raise it to at least {}", threshold + 1)));
    }
    let is_about_rules = matches!(asked.question(), Some(Question::UnusedRules));
    if is_about_rules {
        rules::check(options)?;
    }
    let now = Timestamp::now();
    let default = if is_about_rules { rules::DEFAULT_FROM } else { QueryTime::DEFAULT_FROM };
    let (from, to) = window(options, default, now)?;
    #[cfg(feature = "athena")]
    if options.engine == Engine::Athena {
        let ask = athena::Ask { global, options, asked: &asked, threshold, heading };
        return ask.run((from.unwrap_or(now), to, now), screen).await;
    }
    let mut question = asked.question().cloned();
    lookups::check(options, question.as_ref())?;
    if let (Some(of_fleet), None, None) = (&question, &options.bucket, &options.path) {
        question = Some(asked::for_fleet(of_fleet, &start::file(&global.config)?)?);
    }
    let looks_up = question.as_ref().is_some_and(Question::asks_fleet) && !options.explain;
    if options.print && !looks_up {
        writeln!(screen.out, "{}", asked.sql(options))?;
        return Ok(Exit::Done.into());
    }
    let mut statement = asked.statement(options)?;
    if options.fail_if_rows && statement.kind() != StatementKind::Query {
        let what = "`--fail-if-rows` requires a question or a SELECT statement";
        return Err(CommandError::usage(
            what,
            "remove `--fail-if-rows`, or run the statement without EXPLAIN",
        ));
    }
    let (mut source, rules) = if is_about_rules && !options.explain {
        let (source, rules) = rules::open(global, options, screen).await?;
        (source, Some(rules))
    } else {
        (source::open(global, options, screen).await?, None)
    };
    (source.scope.from, source.scope.to) = (from, to);
    let reads = matches!(statement.kind(), StatementKind::Query | StatementKind::Explain);
    if let (Some(from), true) = (from, reads) {
        default_start(options, from, screen)?;
    }
    let mut gateways = None;
    if let (Some(asks), Some(fleet), true) = (&question, &source.fleet, looks_up) {
        let mut found = FleetGateways::look_up(fleet, &global.only, screen).await?;
        let rows = options.limit.unwrap_or(Question::ROWS);
        let (asks, rows) = found.of(asks.clone(), fleet, rows);
        let sql = asked::of_question(&asks, rows);
        found.print(screen)?;
        if options.print {
            writeln!(screen.out, "{sql}")?;
            return Ok(found.end(screen)?.into());
        }
        statement = Statement::parse(&sql).map_err(invalid)?;
        (question, gateways) = (Some(asks), Some(found));
    }
    let only = &global.only;
    let prepared = Prepared { options, only, statement, question, threshold, heading, source, gateways };
    if options.explain {
        return Ok(prepared.explain(screen).await?.into());
    }
    prepared.run(rules, screen).await
}

/// Lists all questions, or describes one and the records that it counts.
pub(super) fn list(
    global: &GlobalArgs,
    options: &QueryArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    match &options.asked {
        None => {
            show::questions(&QuestionName::ALL, screen.out)?;
            let (saved, problems) = saved::all(global);
            if !saved.is_empty() {
                writeln!(screen.out)?;
            }
            show::saved_questions(saved.iter().map(Saved::listed), screen.out)?;
            if !problems.is_empty() {
                return Err(CommandError::Usage(problems));
            }
        }
        Some(name) => {
            if let Some(saved) = saved::named(global, name)? {
                show::saved_questions([saved.listed()], screen.out)?;
                return Ok(Exit::Done);
            }
            let name = asked::named(global, name)?;
            show::questions(&[name], screen.out)?;
            show::counts(name, screen.out)?;
        }
    }
    Ok(Exit::Done)
}

/// The time window of the command line, or the default.
fn window(
    options: &QueryArgs,
    default: QueryTime,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), CommandError> {
    // With `--path`, the default is all records.
    let default = options.path.is_none().then_some(default);
    let from = options.from.or(default).map(|from| from.start(now));
    let to = options.to.map(|to| to.end(now));
    match (from, to) {
        (Some(from), Some(to)) if to <= from => {
            let what = format!("the end, {to:.0}, is not after the start, {from:.0}");
            Err(CommandError::usage(what, "set `--from` to a time before `--to`"))
        }
        times => Ok(times),
    }
}

impl Prepared<'_> {
    async fn explain(&self, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
        let mut watched = Watched::new(screen.interactive, screen.events);
        match self.estimate(&mut watched).await? {
            Ok(estimate) => write!(screen.out, "{estimate}")?,
            Err(exit) => return Ok(screen.ended(exit, "nothing was downloaded")?),
        }
        Ok(Exit::Done)
    }
}
