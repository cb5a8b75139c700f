//! `flowagg athena query`: what a query will read, the question whether to run it, and its rows.

use flowagg_core::fleet::Fleet;
use flowagg_core::near::meant;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::error::CommandError;
use super::start;
use crate::args::{AthenaQueryArgs, GlobalArgs};
use crate::aws::{QueryRequest, StoredObjects, run_query, stored_objects};
use crate::export::athena::{Days, Details, Query, Table, TablePart};
use crate::{Exit, Screen, show};

/// A query that is ready to be run.
struct Ready {
    sql: String,
    /// The folders that it reads, and how often; `None` where nobody knows.
    reads: Option<(Vec<String>, u64)>,
}

pub(super) async fn query(
    global: &GlobalArgs,
    options: &AthenaQueryArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let Ready { sql, reads } = ready(global, options, screen).await?;
    if options.print {
        writeln!(screen.out, "{sql}")?;
        return Ok(Exit::Done);
    }
    if !options.yes && !screen.interactive {
        let help = "look at the query with `--print`, then say `--yes`";
        return Err(CommandError::usage("nothing was run: there is no terminal to ask on", help));
    }
    let (file, session) = start::enter(global, start::Access::Write).await?;
    let hub = &file.hub;
    match reads {
        Some((folders, times)) => {
            let found = screen.reading(async |_| stored_objects(hub, session.hub(), &folders).await).await;
            writeln!(screen.err, "{}", estimate(found?, times, options.price_per_tb))?;
        }
        None => writeln!(
            screen.err,
            "how much it will read is not known: at most the whole bucket; a workgroup can end queries that read too much"
        )?,
    }
    if !options.yes && !screen.agreed("Run this?")? {
        writeln!(screen.err, "nothing was run")?;
        return Ok(Exit::Failed);
    }
    let request = QueryRequest {
        sql,
        database: options.names.database.as_str().to_owned(),
        workgroup: options.workgroup.clone(),
        output: options.output.clone(),
    };
    let (answer, interrupted) = screen
        .writing(async |cancel, progress| run_query(hub, session.hub(), &request, &cancel, progress).await)
        .await;
    let answer = match (answer, interrupted) {
        (Ok(answer), _) => answer,
        (Err(failure), None) => return Err(failure.into()),
        (Err(failure), Some(interrupted)) => {
            screen.failures(&[failure])?;
            return Ok(screen.ended(interrupted, "the query has no result")?);
        }
    };
    show::rows(&answer, options.format, screen.out)?;
    let (rows, bytes) = (answer.rows.len(), show::bytes(answer.scanned_bytes));
    let cost = cost(answer.scanned_bytes, options.price_per_tb);
    writeln!(screen.err, "{rows} rows in {:.1} s, {bytes} read: {cost}", answer.took.as_secs_f64())?;
    Ok(Exit::Done)
}

/// The query by its name, or the SQL itself.
async fn ready(
    global: &GlobalArgs,
    options: &AthenaQueryArgs,
    screen: &mut Screen<'_>,
) -> Result<Ready, CommandError> {
    let Some(query) = Query::ALL.into_iter().find(|query| query.name() == options.query) else {
        return sql(options);
    };
    // The table is of the whole fleet, whatever part of it is read.
    let whole = GlobalArgs { only: Vec::new(), ..global.clone() };
    let fleet = start::fleet(&whole, screen).await?;
    of_fleet(&fleet, query, global, options, Timestamp::now())
}

/// A query that is SQL.
fn sql(options: &AthenaQueryArgs) -> Result<Ready, CommandError> {
    let names = Query::ALL.map(Query::name).join(", ");
    if !options.query.contains(char::is_whitespace) {
        let what = format!("there is no query `{}`, and it is no SQL", options.query);
        let near = meant(&options.query, Query::ALL.map(Query::name));
        let near = near.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let help = format!("{near}name one of {names}; or give SQL, in quotes");
        return Err(CommandError::usage(what, help));
    }
    let AthenaQueryArgs { from, to, interface, port, .. } = options;
    if from.is_some() || to.is_some() || interface.is_some() || !port.is_empty() {
        let help = format!("say it in the SQL, or name one of {names}");
        return Err(CommandError::usage("days, interface and ports are for queries by name", help));
    }
    Ok(Ready { sql: options.query.clone(), reads: None })
}

/// The query of the fleet's table.
fn of_fleet(
    fleet: &Fleet,
    query: Query,
    global: &GlobalArgs,
    options: &AthenaQueryArgs,
    now: Timestamp,
) -> Result<Ready, CommandError> {
    let (from, to) = days(options.from, options.to, now.to_zoned(TimeZone::UTC).date());
    if to < from {
        let what = format!("the last day, {to}, is before the first, {from}");
        return Err(CommandError::usage(what, "give `--from` and `--to` in their order"));
    }
    let names = options.names.names();
    let table = Table::new(fleet, &names)?;
    let part = TablePart::new(&table, &global.only, Days::These(from, to))?;
    let ports = if options.port.is_empty() { Details::PORTS.to_vec() } else { options.port.clone() };
    let details = Details { interface: options.interface.clone(), ports };
    let sql = query.sql(&table, &part, &details).map_err(|missing| {
        let what = format!("there is no query `{}`: {missing}", query.name());
        let help = "ask for another query, or record it: see `flow-logs` in the fleet file";
        CommandError::usage(what, help)
    })?;
    Ok(Ready { sql, reads: Some((part.folders(&table, from, to), query.reads(&details))) })
}

/// From a first day to yesterday, or to a first day that is later; and up to a last day, that one alone.
fn days(from: Option<Date>, to: Option<Date>, today: Date) -> (Date, Date) {
    let yesterday = today.saturating_sub(1.day());
    match (from, to) {
        (Some(from), Some(to)) => (from, to),
        (Some(from), None) => (from, from.max(yesterday)),
        (None, to) => (to.unwrap_or(yesterday), to.unwrap_or(yesterday)),
    }
}

fn estimate(found: StoredObjects, times: u64, price: f64) -> String {
    let bytes = found.bytes * times;
    let twice = if times > 1 { format!(", {times} times over") } else { String::new() };
    format!(
        "it reads at most {} in {} objects{twice}: {}",
        show::bytes(bytes),
        found.objects,
        cost(bytes, price)
    )
}

/// In USD, at a price for 10^12 bytes.
fn cost(bytes: u64, price: f64) -> String {
    const TB: f64 = 1e12;
    // Bytes are far fewer than what this number holds exactly.
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    let cost = bytes as f64 / TB * price;
    format!("USD {cost:.4} at USD {price} for a TB")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_that_nobody_names_end_yesterday() {
        let (today, yesterday) = (date(2026, 3, 1), date(2026, 2, 28));
        assert_eq!(days(None, None, today), (yesterday, yesterday));
        let early = date(2026, 2, 1);
        assert_eq!(days(Some(early), None, today), (early, yesterday));
        assert_eq!(days(Some(today), None, today), (today, today));
        assert_eq!(days(None, Some(early), today), (early, early));
        assert_eq!(days(Some(early), Some(today), today), (early, today));
    }

    #[test]
    fn an_estimate_counts_what_is_read_twice_twice() {
        let found = StoredObjects { objects: 3, bytes: 500_000_000_000 };
        assert_eq!(
            estimate(found, 1, 5.0),
            "it reads at most 500.0 GB in 3 objects: USD 2.5000 at USD 5 for a TB"
        );
        let twice = "it reads at most 1.0 TB in 3 objects, 2 times over: USD 5.0000 at USD 5 for a TB";
        assert_eq!(estimate(found, 2, 5.0), twice);
    }
}
