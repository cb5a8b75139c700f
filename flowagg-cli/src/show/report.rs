//! How a fleet stands, in a terminal of 80 columns: numbers, a line for each account, findings. A letter for each state and
//! a character for each amount: colour only repeats them.

use std::io::{self, Write};

use anstyle::Style;
use flowagg_policy::Severity;

use super::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::report::words::{age, bytes, count, of, short};
use crate::report::{Account, Coverage, Finding, FlowLogs, Report, Room, Spot};

/// What a terminal can draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Blocks of eight heights.
    Unicode,
    /// ASCII only.
    Ascii,
}

impl Glyphs {
    /// From nothing to the most.
    fn scale(self) -> [char; 6] {
        match self {
            Self::Unicode => ['·', '▁', '▃', '▅', '▆', '█'],
            Self::Ascii => ['.', ':', '-', '+', '*', '#'],
        }
    }
}

const WIDTH: usize = 80;
/// What a line takes without the account's name, its regions and its days.
const TAKEN: usize = 56;
/// The most room for what people call an account, the least, and what it has where a line is too long anyway.
const NAME: (usize, usize, usize) = (32, 12, 20);
/// More places than this are told by number.
const NAMED: usize = 8;

/// Writes the report.
pub fn report(report: &Report, glyphs: Glyphs, out: &mut dyn Write) -> io::Result<()> {
    let hub = &report.hub;
    writeln!(
        out,
        "{BOLD}report{BOLD:#} {} {} {}  {DIM}{}{DIM:#}\n",
        hub.account, hub.region, hub.bucket, report.made
    )?;
    numbers(report, out)?;
    accounts(report, glyphs, out)?;
    if !report.findings.is_empty() {
        writeln!(out, "\n{BOLD}findings{BOLD:#}")?;
    }
    report.findings.iter().try_for_each(|finding| one(finding, out))?;
    let logs = report.totals.flow_logs;
    let (style, word) = if report.is_complete() { (GREEN, "ok") } else { (RED, "report") };
    writeln!(
        out,
        "\n{style}{BOLD}{word}{BOLD:#}{style:#}: {} of {} deliver, {}",
        count(logs.delivering as u64),
        of(logs.all(), "flow log", "flow logs"),
        of(report.findings.len(), "finding", "findings")
    )
}

fn numbers(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let totals = &report.totals;
    let coverage = Coverage::legend().filter_map(|it| {
        let number = totals.coverage.get(&it).copied().filter(|number| *number > 0)?;
        Some(format!("{} {}", count(number as u64), it.as_str()))
    });
    let newest = totals.newest_age_seconds.map_or("none".to_owned(), |lag| format!("{} old", age(lag)));
    let policy = report.policy.as_ref().map_or("not there".to_owned(), room);
    let places = format!(
        "{} in {}",
        of(totals.accounts, "account", "accounts"),
        of(report.regions.len(), "region", "regions")
    );
    for (what, told) in [
        ("fleet", places),
        ("coverage", coverage.collect::<Vec<_>>().join(", ")),
        ("flow logs", flow_logs(totals.flow_logs)),
        (
            "delivered",
            format!(
                "{}, {} in {}; the newest is {newest}",
                of(usize::try_from(totals.objects).unwrap_or(usize::MAX), "object", "objects"),
                bytes(totals.bytes),
                of(report.days.len(), "day", "days")
            ),
        ),
        ("policy", policy),
    ] {
        writeln!(out, "  {DIM}{what:10}{DIM:#} {told}")?;
    }
    Ok(())
}

fn room(room: &Room) -> String {
    let Room { bytes, limit, form, accounts_fit } = room;
    let taken =
        format!("{} of {} bytes ({} %)", count(*bytes as u64), count(*limit as u64), bytes * 100 / limit);
    match (form, accounts_fit) {
        (None, _) => format!("{taken}; the fleet's grant does not fit"),
        (Some(form), None) => format!("{taken}; form `{form}` takes any number of accounts"),
        (Some(form), Some(fit)) => {
            format!("{taken}; form `{form}` takes {} accounts", count(*fit as u64))
        }
    }
}

fn flow_logs(logs: FlowLogs) -> String {
    let FlowLogs { delivering, waiting, silent, failed, missing } = logs;
    let states = [
        (delivering, "delivering"),
        (waiting, "waiting"),
        (silent, "silent"),
        (failed, "failed"),
        (missing, "missing"),
    ];
    let told =
        states.into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", count(n as u64)));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

fn style(coverage: Coverage) -> Style {
    match coverage {
        Coverage::Covered => GREEN,
        Coverage::Partly | Coverage::Waiting => YELLOW,
        Coverage::Failing | Coverage::Silent | Coverage::Unreachable => RED,
        Coverage::Excluded => DIM,
    }
}

fn accounts(report: &Report, glyphs: Glyphs, out: &mut dyn Write) -> io::Result<()> {
    let (regions, days) = (report.regions.len(), report.days.len());
    let longest =
        report.accounts.iter().filter_map(|account| Some(account.name.as_ref()?.chars().count())).max();
    let name = match WIDTH.saturating_sub(TAKEN + regions + days.max("days".len())) {
        room if room < NAME.1 => NAME.2,
        room => longest.unwrap_or(0).clamp("name".len(), room.min(NAME.0)),
    };
    writeln!(out, "\n{BOLD}accounts{BOLD:#}")?;
    let named = letters().zip(&report.regions).map(|(letter, region)| format!("{letter} {region:14} "));
    let named: Vec<String> = named.collect();
    for line in named.chunks(4) {
        writeln!(out, "  {}", line.concat().trim_end())?;
    }
    let legend = Coverage::legend().map(|it| format!("{} {}", it.letter(), it.as_str()));
    writeln!(out, "  {DIM}{}{DIM:#}", legend.collect::<Vec<_>>().join(", "))?;
    let scale: String = glyphs.scale().iter().collect();
    if let [first, .., last] = report.days.as_slice() {
        writeln!(out, "  {DIM}days {first} to {last} (UTC), by objects: {scale} from none to most{DIM:#}\n")?;
    }
    let header: String = letters().take(regions).collect();
    let (regions, days) = (regions.max(1), days.max("days".len()));
    writeln!(
        out,
        "  {DIM}{:12} {:name$} {:11} {header:regions$} {:days$} {:>7} {:>7} {:>10}{DIM:#}",
        "account", "name", "state", "days", "newest", "objects", "bytes"
    )?;
    let most = report.accounts.iter().flat_map(|account| &account.days).map(|day| day.objects).max();
    let mut unit = &None;
    for account in &report.accounts {
        if account.unit != *unit {
            unit = &account.unit;
            writeln!(out, "  {BOLD}{}{BOLD:#}", unit.as_deref().unwrap_or("in no unit that is known"))?;
        }
        let heat: String =
            account.days.iter().map(|day| heat(glyphs, day.objects, most.unwrap_or(0))).collect();
        line(account, &cut(account.name.as_deref().unwrap_or_default(), name), (&heat, days), regions, out)?;
    }
    Ok(())
}

/// A letter for each region: a to z, then A to Z, then for all others the same sign.
fn letters() -> impl Iterator<Item = char> {
    ('a'..='z').chain('A'..='Z').chain(std::iter::repeat('*'))
}

fn line(
    account: &Account,
    name: &str,
    (heat, days): (&str, usize),
    regions: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let state = style(account.coverage);
    write!(out, "  {} {name} {state}{:11}{state:#} ", account.account, account.coverage.as_str())?;
    for region in &account.regions {
        let style = style(region.coverage);
        write!(out, "{style}{}{style:#}", region.coverage.letter())?;
    }
    let gap = regions - account.regions.len();
    let newest = account.newest.as_ref().map_or("-".to_owned(), |newest| age(newest.age_seconds));
    let (objects, bytes) = (short(account.objects), bytes(account.bytes));
    writeln!(out, "{:gap$} {heat:days$} {newest:>7} {objects:>7} {bytes:>10}", "")
}

/// A text of exactly so many characters; what is cut off is told by a dot.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:width$}");
    }
    text.chars().take(width - 1).chain(['.']).collect()
}

/// How much came, as one character.
fn heat(glyphs: Glyphs, objects: u64, most: u64) -> char {
    let scale = glyphs.scale();
    let level = crate::report::heat(objects, most);
    scale.get(level).copied().unwrap_or('?')
}

fn one(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let Finding { severity, what, help, places, about: _ } = finding;
    let (style, word) = match severity {
        Severity::Error => (RED, "error"),
        Severity::Warning => (YELLOW, "warning"),
        Severity::Note => (DIM, "note"),
    };
    let times = if places.len() > 1 { format!(" ({} times)", places.len()) } else { String::new() };
    writeln!(out, "{style}{word}{style:#}: {what}{times}")?;
    if let Some(help) = help {
        writeln!(out, "    {DIM}{help}{DIM:#}")?;
    }
    for Spot { account, region, resource } in places.iter().take(NAMED) {
        let parts = [region.as_ref().map(ToString::to_string), resource.clone()];
        let rest: Vec<String> = parts.into_iter().flatten().collect();
        writeln!(out, "    {account} {}", rest.join(" "))?;
    }
    match places.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more; `--json` names them all"),
    }
}
