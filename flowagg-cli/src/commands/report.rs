//! `flowagg report`: reports the state of the fleet. It writes nothing to AWS except the S3 objects that the command line names.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;

use flowagg_core::arrival::{Deliveries, Patience, judged};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::Place;
use flowagg_core::layout::AWS_LOGS;
use flowagg_core::observed::{FlowLog, Observed};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::error::CommandError;
use super::files::{can_be_written, write_all};
use super::verify::signed;
use super::{metrics, start};
use crate::args::{self, Target};
use crate::aws::observe::Observation;
use crate::aws::{Accounts, ReportObject, deliveries, find_idle, put_report};
use crate::metrics::Metrics;
use crate::report::{EarlierError, EarlierReport, Report, ReportInput, Trend, chargeback, html, words};
use crate::show::{Extent, Glyphs};
use crate::{Exit, Progress, Screen, show};

pub(super) async fn run(
    global: &args::GlobalArgs,
    options: &args::ReportArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let (json, json_file) = (options.json == Some(None), options.json.clone().flatten());
    let on_stdout = [(json, "--json"), (options.markdown, "--markdown")];
    let on_stdout = on_stdout.into_iter().find(|(is_given, _)| *is_given).map(|(_, option)| option);
    metrics::check(global, &options.metrics, on_stdout)?;
    let targets = [("--html", &options.html), ("--json", &json_file), ("--chargeback", &options.chargeback)];
    let mut names = BTreeSet::new();
    names.extend(options.metrics.paths().map(|path| path.display().to_string()));
    for (option, target) in targets.iter().filter_map(|(option, target)| Some((*option, target.as_ref()?))) {
        check(global, option, target)?;
        if !names.insert(target.to_string()) {
            let what = format!("`{target}` is the target of two options");
            return Err(CommandError::usage(what, format!("pass a different target to `{option}`")));
        }
    }
    let earlier = earlier(&options.compare, global)?;
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
    let mut report = Report::new(&ReportInput {
        fleet: &fleet,
        observed: &observed,
        deliveries: &deliveries,
        units: &units,
        days: &days,
        patience,
        now,
        caller: (Some(accounts.session().caller()), accounts.session().caller_arn()),
    });
    report.trend =
        Trend::new(&report, &earlier).map_err(|(number, error)| wrong(&options.compare, number, &error))?;
    let mut files = Vec::new();
    if let Some(target) = &options.html {
        files.push((target, "text/html; charset=utf-8", html(&report)));
    }
    if let Some(target) = &json_file {
        let mut text = Vec::new();
        show::document(&report, &mut text)?;
        files.push((target, "application/json", String::from_utf8_lossy(&text).into_owned()));
    }
    if let Some(target) = &options.chargeback {
        files.push((target, "text/csv; charset=utf-8", chargeback(&report)));
    }
    let verified = judged(&fleet, &observed.regions, &deliveries.arrivals, patience, now);
    let mut gauges = Metrics::new(&fleet, &observed.regions, &verified, now);
    gauges.policy.clone_from(&report.policy);
    // Metrics come first: a report that cannot be written must not trigger an alert.
    metrics::write(&options.metrics, gauges, report.is_read(), now, screen)?;
    write(&files, &accounts, json || options.metrics.is_on_stdout(), screen).await?;
    let out = if options.metrics.is_on_stdout() { &mut *screen.err } else { &mut *screen.out };
    if json {
        show::document(&report, out)?;
    } else if options.markdown {
        show::report_markdown(&report, out)?;
    } else if !files.is_empty() {
        show::report_verdict(&report, out)?;
    } else {
        let extent = if options.all { Extent::All } else { Extent::Brief };
        show::report(&report, glyphs(|name| env::var(name).ok()), extent, out)?;
    }
    Ok(if !report.is_read() {
        Exit::Failed
    } else if report.is_complete() {
        Exit::Done
    } else {
        Exit::Differs
    })
}

/// Reads earlier reports.
fn earlier(files: &[PathBuf], global: &args::GlobalArgs) -> Result<Vec<EarlierReport>, CommandError> {
    if !files.is_empty() && !global.only.is_empty() {
        let what = "`--compare` needs the whole fleet, and `--only` selects a part of it";
        return Err(CommandError::usage(what, "remove one of the two options"));
    }
    let read = |(number, path): (usize, &PathBuf)| {
        let text = fs::read_to_string(path).map_err(|error| {
            let what = format!("the earlier report `{}` cannot be read: {error}", path.display());
            CommandError::usage(what, "use a file that `flowagg report --json FILE` wrote")
        })?;
        EarlierReport::parse(&text).map_err(|error| wrong(files, number, &error))
    };
    files.iter().enumerate().map(read).collect()
}

/// The error for an earlier report that cannot be compared.
fn wrong(files: &[PathBuf], number: usize, error: &EarlierError) -> CommandError {
    let name = files.get(number).map(|path| path.display().to_string()).unwrap_or_default();
    CommandError::usage(format!("the earlier report `{name}` cannot be compared: {error}"), error.help())
}

/// Checks a target before any AWS call.
fn check(global: &args::GlobalArgs, option: &str, target: &Target) -> Result<(), CommandError> {
    match target {
        Target::File(path) => can_be_written(global, path, "report.html"),
        Target::Object { key, .. } if key.split('/').any(|part| part == AWS_LOGS) => {
            let what = format!("`{option} {target}` is in a folder of flow logs");
            Err(CommandError::usage(what, "use a key outside `AWSLogs/`"))
        }
        Target::Object { .. } => Ok(()),
    }
}

/// Writes the files, then the S3 objects with the credentials of the caller, and prints a line for each.
async fn write(
    files: &[(&Target, &str, String)],
    accounts: &Accounts,
    is_on_stdout: bool,
    screen: &mut Screen<'_>,
) -> Result<(), CommandError> {
    let of_files = files.iter().filter_map(|(target, _, text)| match target {
        Target::File(path) => Some((path.as_path(), text.as_bytes())),
        Target::Object { .. } => None,
    });
    write_all(of_files)?;
    let (first, last): (Vec<_>, Vec<_>) =
        files.iter().partition(|(target, ..)| matches!(target, Target::File(_)));
    for (target, media_type, text) in first.into_iter().chain(last) {
        if let Target::Object { bucket, key } = target {
            let object = ReportObject::new(bucket, key, media_type, text);
            screen.reading(async |_| put_report(accounts.caller(), object).await).await?;
        }
        let line = format!("written: {target} ({})", words::bytes(text.len() as u64));
        if is_on_stdout { screen.say(&line)? } else { writeln!(screen.out, "{line}")? }
    }
    Ok(())
}

/// The given number of days (UTC), up to and including today.
fn days(now: Timestamp, days: u8) -> Vec<Date> {
    let today = now.to_zoned(TimeZone::UTC).date();
    (0..i64::from(days)).rev().map(|ago| today.saturating_sub(ago.days())).collect()
}

/// Counts the objects of every account-region with a flow log to the fleet's destination. Account-regions that could not be read are
/// included, because their objects are the only available information.
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

/// The characters that the terminal's locale can show. Windows terminals show all of Unicode, regardless of these variables.
fn glyphs(variable: impl Fn(&str) -> Option<String>) -> Glyphs {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    let utf8 = |locale: String| locale.to_ascii_lowercase().replace('-', "").ends_with("utf8");
    if cfg!(windows) || set.is_some_and(utf8) { Glyphs::Unicode } else { Glyphs::Ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_day_is_today_in_utc() {
        let now = "2026-03-01T23:59:59-01:00".parse().unwrap();
        let days: Vec<String> = days(now, 3).iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-02-28", "2026-03-01", "2026-03-02"]);
    }

    #[test]
    #[cfg(not(windows))]
    fn first_locale_variable_that_is_set_selects_the_glyphs() {
        let with = |set: &'static [(&str, &str)]| {
            glyphs(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(with(&[("LANG", "de_DE.UTF-8")]), Glyphs::Unicode);
        assert_eq!(with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]), Glyphs::Unicode);
        assert_eq!(with(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]), Glyphs::Ascii);
        assert_eq!(with(&[]), Glyphs::Ascii);
    }
}
