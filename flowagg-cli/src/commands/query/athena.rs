//! A query in Amazon Athena: what it scans, the question whether to run it, and its rows.

use flowagg_core::fleet::Hub;
use flowagg_core::flow_log::FlowLogSpec;
use flowagg_core::question::Question;
use jiff::Timestamp;

use super::super::error::{CommandError, Problem};
use super::super::files::NewFile;
use super::super::start;
use super::asked::{Asked, Remarks, default_start, for_fleet, not_available};
use super::lookups::FleetGateways;
use super::run::Output;
use super::source::FleetSource;
use crate::args::{GlobalArgs, QueryArgs};
use crate::aws::{Account, QueryRequest, QueryResult, StoredObjects, run_query, stored_objects};
use crate::export::athena::{Table, TablePart, Times, Window};
use crate::show::{AthenaCost, Ended, Unknown, not_recorded, typed};
use crate::{Exit, Screen};

/// A query that is ready to be run.
struct Ready {
    sql: String,
    /// What it reads, if it is a question.
    reads: Option<Reads>,
}

/// A question, and what it reads.
struct Reads {
    question: Question,
    spec: FlowLogSpec,
    folders: Vec<String>,
    gateways: Option<FleetGateways>,
}

/// What is asked, and how.
pub(super) struct Ask<'a> {
    pub(super) global: &'a GlobalArgs,
    pub(super) options: &'a QueryArgs,
    pub(super) asked: &'a Asked,
    /// The most rows that are no finding; `None` if any number is none.
    pub(super) threshold: Option<u64>,
    /// What stands above the rows where they are watched.
    pub(super) heading: Option<String>,
}

impl Ask<'_> {
    /// Runs it. The window is its start, its end and the current time.
    pub(super) async fn run(
        self,
        (from, to, now): (Timestamp, Option<Timestamp>, Timestamp),
        screen: &mut Screen<'_>,
    ) -> Result<Ended, CommandError> {
        let Ask { global, options, asked, .. } = self;
        let ready = match asked {
            Asked::Question(question) => {
                of_question(global, options, question, Window::new(from, to, now), screen).await?
            }
            Asked::Saved { sql, .. } | Asked::Sql(sql) => of_sql(global, options, sql)?,
        };
        if options.print {
            writeln!(screen.out, "{}", ready.sql)?;
            let gateways = ready.reads.as_ref().and_then(|reads| reads.gateways.as_ref());
            let exit = gateways.map_or(Ok(Exit::Done), |gateways| gateways.end(screen))?;
            return Ok(exit.into());
        }
        if !options.yes && !options.explain && !screen.interactive {
            let help = "run it with `--explain` first, then with `--yes`";
            return Err(CommandError::usage(
                "a query in Athena costs money, and there is no terminal to ask on",
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
        None => {
            "how much Athena scans is not known: at most all objects of the tables. A workgroup can limit it\n".to_owned()
        }
    };
        if options.explain {
            write!(screen.out, "{estimate}")?;
            return Ok(Exit::Done.into());
        }
        write!(screen.err, "{estimate}")?;
        if !options.yes && !screen.agreed("Run this?")? {
            screen.say("the query was not run")?;
            return Ok(Exit::Failed.into());
        }
        let request = request(options, &ready);
        let (answer, interrupted) = screen
            .writing(async |cancel, progress| {
                run_query(&file.hub, session.hub(), &request, &cancel, progress).await
            })
            .await;
        match (answer, interrupted) {
            (Ok(answer), _) => self.print(&ready, &answer, screen),
            (Err(failure), None) => Err(failure.into()),
            (Err(failure), Some(interrupted)) => {
                screen.failures(&[failure])?;
                Ok(screen.ended(interrupted, "the query was not finished")?.into())
            }
        }
    }

    fn print(
        self,
        ready: &Ready,
        answer: &QueryResult,
        screen: &mut Screen<'_>,
    ) -> Result<Ended, CommandError> {
        let Ask { options, threshold, heading, .. } = self;
        let rows = typed(answer)?;
        let path = options.out.as_deref();
        let out = path.map(NewFile::create).transpose()?;
        let mut output = Output::new(options.format, rows.schema(), path.zip(out.as_ref()), heading)?;
        let question = ready.reads.as_ref().map(|reads| &reads.question);
        let mut remarks = Remarks::new(question);
        remarks.see(&rows);
        output.write(&rows, screen)?;
        let printed = output.rows();
        output.finish(screen)?;
        if let Some(out) = out {
            out.put()?;
        }
        if let Some(reads) = &ready.reads {
            let missing = |question: &_, screen: &mut Screen<'_>| not_recorded(question, &reads.spec, screen);
            remarks.print(printed, options.limit, true, missing, screen)?;
        }
        let cost = AthenaCost { bytes: answer.scanned_bytes, price: options.of_athena.price_per_tb() };
        let gateways = ready.reads.as_ref().and_then(|reads| reads.gateways.as_ref());
        let failures = gateways.map_or(&[][..], |gateways| &gateways.failures);
        screen.failures(failures)?;
        let unknown = if failures.is_empty() { &[][..] } else { &[Unknown::Gateways] };
        Ok(cost.done(printed, threshold, unknown, answer.took, screen)?)
    }
}

/// A question of the fleet's table.
async fn of_question(
    global: &GlobalArgs,
    options: &QueryArgs,
    question: &Question,
    window: Window,
    screen: &mut Screen<'_>,
) -> Result<Ready, CommandError> {
    let mut question = for_fleet(question, &start::file(&global.config)?)?;
    let (mut gateways, mut rows) = (None, options.limit.unwrap_or(Question::ROWS));
    if question.asks_fleet() && !options.explain {
        let (file, session) = start::enter(global, start::Access::Read).await?;
        let fleet = FleetSource { file, session };
        let mut found = FleetGateways::look_up(&fleet, &global.only, screen).await?;
        (question, rows) = found.of(question, &fleet, rows);
        found.print(screen)?;
        gateways = Some(found);
    }
    // The table is of the whole fleet, whatever part of it is read.
    let whole = GlobalArgs { only: Vec::new(), ..global.clone() };
    let fleet = start::fleet(&whole, screen).await?;
    let names = options.of_athena.names();
    let table = Table::new(&fleet, &names)?;
    let part = TablePart::new(&table, &global.only, Times::Window(window))?;
    let sql = table.question(&question, &part, rows).map_err(not_available)?;
    let reads = Reads { question, spec: fleet.flow_logs.clone(), folders: part.folders(&table), gateways };
    Ok(Ready { sql, reads: Some(reads) })
}

/// SQL, as it is.
fn of_sql(global: &GlobalArgs, options: &QueryArgs, sql: &str) -> Result<Ready, CommandError> {
    let given = [
        (options.from.is_some(), "--from"),
        (options.to.is_some(), "--to"),
        (!global.only.is_empty(), "--only"),
    ];
    if let Some((_, option)) = given.into_iter().find(|(is_given, _)| *is_given) {
        let what = format!("`{option}` does not limit a SQL statement in Athena, which runs unchanged");
        let help = "limit it in its WHERE clause by `log_account`, `log_region` and the columns of days, or ask a question";
        return Err(CommandError::usage(what, help));
    }
    Ok(Ready { sql: sql.to_owned(), reads: None })
}

/// What a question scans, and what that costs. Fails if files are not in the format of the table.
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
        let help = "run the query on this machine with `--engine local`, which reads both formats";
        return Err(CommandError::Query(Problem::new(what, help)));
    }
    if objects == 0 {
        screen.note("no flow log object was found: check `--from`, `--to` and `--only`")?;
    }
    Ok(AthenaCost { bytes, price }.estimate(objects))
}

fn request(options: &QueryArgs, ready: &Ready) -> QueryRequest {
    let (of_athena, names) = (&options.of_athena, options.of_athena.names());
    let mut request = QueryRequest::new(&ready.sql, names.database.as_str(), of_athena.workgroup());
    request.output.clone_from(&of_athena.output);
    request.limit = options.limit;
    request
}
