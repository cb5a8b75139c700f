//! `flowagg report`: how the fleet stands. It reads, and never writes to AWS.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;

use flowagg_core::arrival::{Deliveries, Patience};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::Place;
use flowagg_core::observed::{FlowLog, Observed};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::error::CommandError;
use super::files::write_all;
use super::start;
use super::verify::signed;
use crate::args;
use crate::aws::observe::Observation;
use crate::aws::{Accounts, deliveries, find_idle};
use crate::report::{Report, ReportInput, html, words};
use crate::show::{Extent, Glyphs};
use crate::{Exit, Progress, Screen, show};

pub(super) async fn run(
    global: &args::GlobalArgs,
    options: &args::ReportArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let Observation { fleet, accounts, observed } = start::look(global, start::Access::Read, screen).await?;
    let now = Timestamp::now();
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let days = days(now, options.days);
    let mut patience = Patience::default();
    patience.fresh = signed(options.fresh);
    patience.grace = signed(options.grace);
    let counted = screen
        .reading(async |progress| {
            let mut deliveries = count(&fleet, &accounts, &observed, &days, now, progress).await?;
            let (states, arrivals) = (&observed.regions, &mut deliveries.arrivals);
            find_idle(&fleet, &accounts, states, arrivals, patience, now, progress).await;
            Ok::<_, Failure>(deliveries)
        })
        .await;
    let deliveries = counted?;
    let units = screen.reading(async |_| accounts.named_units(&fleet).await).await;
    screen.calls("reporting", &accounts.take_calls())?;
    let report = Report::new(&ReportInput {
        fleet: &fleet,
        observed: &observed,
        deliveries: &deliveries,
        units: &units,
        days: &days,
        patience,
        now,
    });
    if options.json {
        show::document(&report, screen.out)?;
    } else if options.markdown {
        show::report_markdown(&report, screen.out)?;
    } else if let Some(file) = &options.html {
        write(&report, file, screen)?;
    } else {
        let extent = if options.all { Extent::All } else { Extent::Brief };
        show::report(&report, glyphs(|name| env::var(name).ok()), extent, screen.out)?;
    }
    Ok(if !report.is_read() {
        Exit::Failed
    } else if report.is_complete() {
        Exit::Done
    } else {
        Exit::Differs
    })
}

fn write(report: &Report, file: &Path, screen: &mut Screen<'_>) -> Result<(), CommandError> {
    let page = html(report);
    write_all([(file, page.as_bytes())])?;
    let size = words::bytes(page.len() as u64);
    writeln!(screen.out, "written: {} ({size})", file.display())?;
    show::report_verdict(report, screen.out)?;
    Ok(())
}

/// So many days, the last one that of the moment.
fn days(now: Timestamp, days: u8) -> Vec<Date> {
    let today = now.to_zoned(TimeZone::UTC).date();
    (0..i64::from(days)).rev().map(|ago| today.saturating_sub(ago.days())).collect()
}

/// Counts what came of every place with a flow log to our destination, and of every place that could not be read: there
/// the objects are all that can be known.
async fn count(
    fleet: &Fleet,
    accounts: &Accounts,
    observed: &Observed,
    days: &[Date],
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Deliveries, Failure> {
    if let Ok(None) = observed.bucket {
        return Ok(Deliveries::default());
    }
    let destination = fleet.destination();
    let is_ours = |log: &FlowLog| destination.is(&log.destination);
    let places = observed.regions.iter().filter(|(_, state)| match state {
        Ok(state) => state.flow_logs.iter().any(is_ours),
        Err(_) => true,
    });
    let places: BTreeSet<Place> = places.map(|(place, _)| place.clone()).collect();
    deliveries(fleet, accounts, &places, days, now, progress).await
}

/// What the locale of a terminal can show. Windows' terminals show all of Unicode, whatever these say.
fn glyphs(variable: impl Fn(&str) -> Option<String>) -> Glyphs {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    let utf8 = |locale: String| locale.to_ascii_lowercase().replace('-', "").ends_with("utf8");
    if cfg!(windows) || set.is_some_and(utf8) { Glyphs::Unicode } else { Glyphs::Ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_that_of_the_moment_in_utc() {
        let now = "2026-03-01T23:59:59-01:00".parse().unwrap();
        let days: Vec<String> = days(now, 3).iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-02-28", "2026-03-01", "2026-03-02"]);
    }

    #[test]
    #[cfg(not(windows))]
    fn the_first_locale_variable_that_is_set_decides_what_is_drawn() {
        let with = |set: &'static [(&str, &str)]| {
            glyphs(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(with(&[("LANG", "de_DE.UTF-8")]), Glyphs::Unicode);
        assert_eq!(with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]), Glyphs::Unicode);
        assert_eq!(with(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]), Glyphs::Ascii);
        assert_eq!(with(&[]), Glyphs::Ascii);
    }
}
