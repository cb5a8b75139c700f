//! `flowagg query`: SQL over the objects of a bucket, or of a folder, on this machine.

mod ask;
mod failed;
mod prepared;
mod run;
mod source;

use std::io::Read as _;

use flowagg_query::{Statement, StatementKind};
use jiff::Timestamp;

use self::failed::invalid;
use self::prepared::Prepared;
use super::error::CommandError;
use crate::args::{GlobalArgs, QueryArgs, QueryTime};
use crate::show::{ResultFormat, Watched};
use crate::{Exit, Screen};

pub(super) async fn run(
    global: &GlobalArgs,
    options: &QueryArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let statement = statement(options, screen)?;
    if options.format == ResultFormat::Parquet && options.out.is_none() {
        let help = "name a file with `--out`, as in `--out rows.parquet`";
        return Err(CommandError::usage("a Parquet file is not written to standard output", help));
    }
    let (from, to) = window(options, Timestamp::now())?;
    let mut source = source::open(global, options, screen).await?;
    (source.scope.from, source.scope.to) = (from, to);
    let reads = matches!(statement.kind(), StatementKind::Query | StatementKind::Explain);
    if let (None, Some(from), true) = (options.from, from, reads) {
        screen.note(&format!("records that ended since {from:.0} are read: `--from` sets another start"))?;
    }
    let prepared = Prepared { options, statement, source };
    if options.explain { prepared.explain(screen).await } else { prepared.run(screen).await }
}

/// The statement, from the command line or standard input.
fn statement(options: &QueryArgs, screen: &mut Screen<'_>) -> Result<Statement, CommandError> {
    let mut sql = options.sql.clone();
    if sql == "-" {
        sql.clear();
        if let Some(input) = &mut screen.input {
            let read = input.read_to_string(&mut sql);
            read.map_err(|error| {
                CommandError::usage(
                    format!("standard input cannot be read: {error}"),
                    "give the statement as an argument",
                )
            })?;
        }
    }
    let sql = sql.trim();
    if !sql.contains(char::is_whitespace) {
        let what = format!("`{sql}` is not a SQL statement");
        return Err(CommandError::usage(
            what,
            "give one as a single argument, as in \"SELECT count(*) FROM vpc_flow_logs\"",
        ));
    }
    Statement::parse(sql).map_err(invalid)
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
