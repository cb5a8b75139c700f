//! `flowagg query`: questions and SQL over the objects of a bucket, or of a folder, on this machine.

mod ask;
mod asked;
mod failed;
mod lookups;
mod names;
mod prepared;
mod run;
mod source;

use flowagg_core::question::{Question, QuestionName};
use flowagg_query::StatementKind;
use jiff::Timestamp;

use self::asked::Asked;
use self::lookups::FleetGateways;
use self::prepared::Prepared;
use super::error::CommandError;
use super::start;
use crate::args::{GlobalArgs, QueryArgs, QueryTime};
use crate::show::{self, ResultFormat, Watched};
use crate::{Exit, Screen};

pub(super) async fn run(
    global: &GlobalArgs,
    options: &QueryArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    if options.list {
        return list(options, screen);
    }
    let Asked { mut statement, mut question } = Asked::read(options, screen)?;
    if options.format == ResultFormat::Parquet && options.out.is_none() {
        let help = "name a file with `--out`, as in `--out rows.parquet`";
        return Err(CommandError::usage("a Parquet file is not written to standard output", help));
    }
    let (from, to) = window(options, Timestamp::now())?;
    lookups::check(options, question.as_ref())?;
    if let (Some(asked), None, None) = (&question, &options.bucket, &options.path) {
        let file = start::file(&global.config)?;
        let asked = asked.clone().of_fleet(&file.flow_logs);
        let recorded = asked.check(&file.flow_logs);
        recorded.map_err(|error| CommandError::usage(error.to_string(), error.help()))?;
        question = Some(asked);
    }
    let mut source = source::open(global, options, screen).await?;
    (source.scope.from, source.scope.to) = (from, to);
    let reads = matches!(statement.kind(), StatementKind::Query | StatementKind::Explain);
    if let (None, Some(from), true) = (options.from, from, reads) {
        screen.note(&format!("records that ended since {from:.0} are read: `--from` sets another start"))?;
    }
    let mut gateways = None;
    if let (Some(asked), Some(fleet), false) = (&question, &source.fleet, options.explain)
        && asked.asks_fleet()
    {
        let mut found = FleetGateways::look_up(fleet, &global.only, screen).await?;
        let rows = options.limit.unwrap_or(Question::ROWS);
        let (asked, rows) = found.of(asked.clone(), fleet, rows);
        statement = asked::statement(&asked, rows)?;
        found.print(screen)?;
        (question, gateways) = (Some(asked), Some(found));
    }
    let prepared = Prepared { options, only: &global.only, statement, question, source, gateways };
    if options.explain { prepared.explain(screen).await } else { prepared.run(screen).await }
}

/// Lists all questions, or shows one with the records that it counts.
fn list(options: &QueryArgs, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    match &options.asked {
        None => show::questions(&QuestionName::ALL, screen.out)?,
        Some(name) => {
            let name = asked::named(name)?;
            show::questions(&[name], screen.out)?;
            show::counts(name, screen.out)?;
        }
    }
    Ok(Exit::Done)
}

/// The times of the command line, or the default.
fn window(
    options: &QueryArgs,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), CommandError> {
    // A folder is a choice already.
    let default = options.path.is_none().then_some(QueryTime::DEFAULT_FROM);
    let from = options.from.or(default).map(|from| from.start(now));
    let to = options.to.map(|to| to.end(now));
    match (from, to) {
        (Some(from), Some(to)) if to <= from => {
            let what = format!("the end, {to:.0}, is not after the start, {from:.0}");
            Err(CommandError::usage(what, "give `--from` and `--to` in their order"))
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
