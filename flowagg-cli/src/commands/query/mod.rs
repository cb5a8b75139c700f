//! `flowagg query`: questions and SQL over the objects of a bucket, or of a folder, on this machine; or in Amazon Athena.

mod ask;
mod asked;
#[cfg(feature = "athena")]
mod athena;
mod engine;
mod failed;
mod prepared;
mod run;
mod source;

use std::io;

use flowagg_core::question::QuestionName;
use flowagg_query::{Statement, StatementKind};
use jiff::Timestamp;

use self::asked::Asked;
use self::prepared::Prepared;
use super::error::CommandError;
use super::start;
#[cfg(feature = "athena")]
use crate::args::Engine;
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
    let asked = Asked::read(options, screen)?;
    engine::check(options)?;
    if options.format == ResultFormat::Parquet && options.out.is_none() {
        let help = "name a file with `--out`, as in `--out rows.parquet`";
        return Err(CommandError::usage("a Parquet file is not written to standard output", help));
    }
    let now = Timestamp::now();
    let (from, to) = window(options, now)?;
    #[cfg(feature = "athena")]
    if options.engine == Engine::Athena {
        return athena::run(global, options, &asked, (from.unwrap_or(now), to, now), screen).await;
    }
    let sql = asked.sql(options)?;
    if options.print {
        writeln!(screen.out, "{sql}")?;
        return Ok(Exit::Done);
    }
    let statement = Statement::parse(&sql).map_err(failed::invalid)?;
    if let (Some(question), None, None) = (asked.question(), &options.bucket, &options.path) {
        asked::check(question, &start::file(&global.config)?)?;
    }
    let mut source = source::open(global, options, screen).await?;
    (source.scope.from, source.scope.to) = (from, to);
    let reads = matches!(statement.kind(), StatementKind::Query | StatementKind::Explain);
    if let (Some(from), true) = (from, reads) {
        default_start(options, from, screen)?;
    }
    let prepared = Prepared { options, statement, question: asked.question().cloned(), source };
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

/// Prints the start of the window if it is the default.
fn default_start(options: &QueryArgs, from: Timestamp, screen: &mut Screen<'_>) -> io::Result<()> {
    if options.from.is_some() {
        return Ok(());
    }
    screen.note(&format!("records that ended since {from:.0} are read: `--from` sets another start"))
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
