//! A query in Amazon Athena: its estimate, its confirmation and its rows.

use std::sync::Arc;

use flowagg_core::fleet::Hub;
use flowagg_core::flow_log::FlowLogSpec;
use flowagg_core::question::Question;
use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::arrow::datatypes::Schema;
use jiff::Timestamp;

use super::super::error::{CommandError, Problem};
use super::super::files::NewFile;
use super::super::start;
use super::asked::{Asked, default_start, for_fleet};
use super::lookups::FleetGateways;
use super::names::LookUp;
use super::rows::{Rows, not_finished};
use super::rules::{self, RuleAnswer};
use super::source::FleetSource;
use crate::args::{GlobalArgs, QueryArgs};
use crate::aws::{Account, QueryRequest, QueryResult, StoredObjects, run_query, stored_objects};
use crate::export::athena::{Table, TablePart, Times, Window};
use crate::show::{AthenaCost, Ended, Watched, not_recorded, typed};
use crate::{Exit, Screen};

/// A query that is ready to be run.
struct Ready {
    sql: String,
    /// The part of the table that it reads, if it is a question.
    reads: Option<Reads>,
    /// The fleet, if NAT gateways were looked up.
    fleet: Option<FleetSource>,
    gateways: Option<FleetGateways>,
}

/// Data that is looked up before the query runs and used for its rows.
struct LookedUp {
    fleet: Option<FleetSource>,
    rules: Option<RuleAnswer>,
}

/// A question, and the part of the table that it reads.
struct Reads {
    question: Question,
    spec: FlowLogSpec,
    folders: Vec<String>,
}

/// A query and its options.
pub(super) struct Ask<'a> {
    pub(super) global: &'a GlobalArgs,
    pub(super) options: &'a QueryArgs,
    pub(super) asked: &'a Asked,
    /// The maximum number of rows that is not a finding; `None` if rows are never a finding.
    pub(super) threshold: Option<u64>,
    /// The heading of the rows with `--watch`.
    pub(super) heading: Option<String>,
}

impl Ask<'_> {
    /// Runs the query. The window is its start, its end and the current time.
    pub(super) async fn run(
        self,
        (from, to, now): (Timestamp, Option<Timestamp>, Timestamp),
        screen: &mut Screen<'_>,
    ) -> Result<Ended, CommandError> {
        let Ask { global, options, asked, .. } = self;
        let mut ready = match asked {
            Asked::Question(question) => {
                of_question(global, options, question, Window::new(from, to, now), screen).await?
            }
            Asked::Saved { sql, .. } | Asked::Sql(sql) => of_sql(global, options, sql)?,
        };
        if options.print {
            writeln!(screen.out, "{}", ready.sql)?;
            let exit = ready.gateways.map_or(Ok(Exit::Done), |gateways| gateways.end(screen))?;
            return Ok(exit.into());
        }
        if !options.yes && !options.explain && !screen.interactive {
            let help = "run it with `--explain` first, then with `--yes`";
            return Err(CommandError::usage(
                "a query in Athena costs money: cannot ask for confirmation without a terminal",
                help,
            ));
        }
        if ready.reads.is_some() {
            default_start(options, from, screen)?;
        }
        let (file, session) = start::enter(global, start::Access::Write).await?;
        let price = options.of_athena.price_per_tb();
        let estimate = match &ready.reads {
            Some(reads) => estimate(reads, &file.hub, session.hub(), price, screen).await?,
            None => "the amount that Athena scans is unknown, up to all objects of the tables. A workgroup can limit it\n"
                .to_owned(),
        };
        if options.explain {
            write!(screen.out, "{estimate}")?;
            return Ok(Exit::Done.into());
        }
        write!(screen.err, "{estimate}")?;
        if !options.yes && !screen.agreed("Run this query?")? {
            screen.say("query not run")?;
            return Ok(Exit::Failed.into());
        }
        let out = options.out.as_deref().map(NewFile::create).transpose()?;
        let looked_up = self.look_up(&mut ready, screen).await?;
        let request = request(options, &ready.sql);
        let (answer, interrupted) = screen
            .writing(async |cancel, progress| {
                run_query(&file.hub, session.hub(), &request, &cancel, progress).await
            })
            .await;
        match (answer, interrupted) {
            (Ok(answer), None) => self.print(&ready, looked_up, answer, (from, to), out, screen).await,
            (Err(failure), None) => Err(failure.into()),
            (ended, Some(interrupted)) => {
                screen.failures(ended.err().as_slice())?;
                Ok(not_finished(interrupted, screen)?.into())
            }
        }
    }

    /// Reads the security group rules if the question needs them, and opens a session if names will be looked up.
    async fn look_up(&self, ready: &mut Ready, screen: &mut Screen<'_>) -> Result<LookedUp, CommandError> {
        let is_about_rules = matches!(self.asked.question(), Some(Question::UnusedRules));
        let mut fleet = ready.fleet.take();
        if fleet.is_none() && (is_about_rules || self.options.names) {
            let (file, session) = start::enter(self.global, start::Access::Read).await?;
            fleet = Some(FleetSource { file, session });
        }
        let rules = match &fleet {
            Some(fleet) if is_about_rules => Some(rules::look_up(self.global, fleet, screen).await?.1),
            _ => None,
        };
        Ok(LookedUp { fleet, rules })
    }

    async fn print(
        self,
        ready: &Ready,
        LookedUp { fleet, rules }: LookedUp,
        mut answer: QueryResult,
        (from, to): (Timestamp, Option<Timestamp>),
        out: Option<NewFile>,
        screen: &mut Screen<'_>,
    ) -> Result<Ended, CommandError> {
        let Ask { global, options, threshold, heading, .. } = self;
        let gateways = ready.gateways.as_ref();
        let look_up = LookUp { fleet: fleet.as_ref(), only: &global.only, gateways };
        let asked = (ready.reads.as_ref().map(|reads| &reads.question), rules);
        let mut watched = Watched::new(screen.interactive, screen.events);
        // The first page contains the columns.
        let first = match page(&mut answer, &mut watched).await? {
            Ok(page) => page.unwrap_or_else(|| RecordBatch::new_empty(Arc::new(Schema::empty()))),
            Err(exit) => return Ok(not_finished(exit, screen)?.into()),
        };
        let mut rows = Rows::new(options, asked, first.schema(), look_up, out, heading)?;
        let (mut next, mut read) = (Some(first), 0);
        while let Some(batch) = next {
            read += batch.num_rows() as u64;
            watched.count("reading", read, "rows");
            if rows.may_print(screen) {
                watched.hide();
            }
            if let Some(exit) = rows.take(&batch, screen).await? {
                return Ok(exit.into());
            }
            if rows.is_full() {
                break;
            }
            next = match page(&mut answer, &mut watched).await? {
                Ok(next) => next,
                Err(exit) => return Ok(not_finished(exit, screen)?.into()),
            };
        }
        watched.hide();
        if let Some(exit) = rows.finish(false, screen).await? {
            return Ok(exit.into());
        }
        let missing = |question: &Question, screen: &mut Screen<'_>| match &ready.reads {
            Some(reads) => not_recorded(question, &reads.spec, screen),
            None => Ok(()),
        };
        let unknown = rows.print((Some(from), to), true, missing, screen)?;
        let cost = AthenaCost { bytes: answer.scanned_bytes, price: options.of_athena.price_per_tb() };
        Ok(cost.done(rows.written(), threshold, &unknown, answer.took, screen)?)
    }
}

/// The next rows; `None` after the last page. A signal ends the wait.
async fn page(
    answer: &mut QueryResult,
    watched: &mut Watched,
) -> Result<Result<Option<RecordBatch>, Exit>, CommandError> {
    let read = watched.until(answer.page()).await;
    if !matches!(read, Ok(Ok(_))) {
        watched.hide();
    }
    match read {
        Ok(page) => Ok(Ok(page?.map(|page| typed(&page)).transpose()?)),
        Err(exit) => Ok(Err(exit)),
    }
}

/// Prepares a question on the fleet's table.
async fn of_question(
    global: &GlobalArgs,
    options: &QueryArgs,
    question: &Question,
    window: Window,
    screen: &mut Screen<'_>,
) -> Result<Ready, CommandError> {
    let mut question = for_fleet(question, &start::file(&global.config)?)?;
    let (mut gateways, mut looked_up) = (None, None);
    let mut rows = options.limit.unwrap_or(Question::ROWS);
    if question.asks_fleet() && !options.explain {
        let (file, session) = start::enter(global, start::Access::Read).await?;
        let fleet = FleetSource { file, session };
        let mut found = FleetGateways::look_up(&fleet, &global.only, screen).await?;
        (question, rows) = found.of(question, &fleet, rows);
        found.print(screen)?;
        (gateways, looked_up) = (Some(found), Some(fleet));
    }
    // The table covers the whole fleet, even if a part of it is read.
    let whole = GlobalArgs { only: Vec::new(), ..global.clone() };
    let fleet = start::fleet(&whole, screen).await?;
    let names = options.of_athena.names();
    let table = Table::new(&fleet, &names)?;
    let part = TablePart::new(&table, &global.only, Times::Window(window))?;
    let sql = table.question(&question, &part, rows);
    let reads = Reads { question, spec: fleet.flow_logs.clone(), folders: part.folders(&table) };
    Ok(Ready { sql, reads: Some(reads), fleet: looked_up, gateways })
}

/// Prepares a SQL statement, which is not changed.
fn of_sql(global: &GlobalArgs, options: &QueryArgs, sql: &str) -> Result<Ready, CommandError> {
    let given = [
        (options.from.is_some(), "--from"),
        (options.to.is_some(), "--to"),
        (!global.only.is_empty(), "--only"),
    ];
    if let Some((_, option)) = given.into_iter().find(|(is_given, _)| *is_given) {
        let what = format!("`{option}` does not limit a SQL statement in Athena");
        let help = "limit the statement in its WHERE clause by `log_account`, `log_region` and the date columns, or use a question";
        return Err(CommandError::usage(what, help));
    }
    Ok(Ready { sql: sql.to_owned(), reads: None, fleet: None, gateways: None })
}

/// The amount that a question scans, and its cost. Fails if there are objects that are not in the format of the table.
async fn estimate(
    reads: &Reads,
    hub: &Hub,
    account: &Account,
    price: f64,
    screen: &mut Screen<'_>,
) -> Result<String, CommandError> {
    let format = reads.spec.files.format;
    let found = screen.reading(async |_| stored_objects(hub, account, &reads.folders, format).await).await;
    let StoredObjects { objects, bytes, of_other_format } = found?;
    if of_other_format > 0 {
        let what = format!(
            "the table reads {} files, and {of_other_format} of {objects} objects are in another format",
            format.as_str()
        );
        let help = "use `--engine local`, which reads both formats";
        return Err(CommandError::Query(Problem::new(what, help)));
    }
    if objects == 0 {
        screen.note("no flow log objects were found: check `--from`, `--to` and `--only`")?;
    }
    Ok(AthenaCost { bytes, price }.estimate(objects))
}

fn request(options: &QueryArgs, sql: &str) -> QueryRequest {
    let (of_athena, names) = (&options.of_athena, options.of_athena.names());
    let mut request = QueryRequest::new(sql, names.database.as_str(), of_athena.workgroup());
    request.output.clone_from(&of_athena.output);
    request
}
