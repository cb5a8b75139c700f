//! How a fleet stands: numbers, a line for each account, or two where one is too long for the terminal, findings. A letter
//! for each state and a character for each amount: colour only repeats them.

use std::io;

use anstyle::Style;
use flowagg_core::arrival::State;
use flowagg_policy::Severity;
use textwrap::core::display_width;

use super::also_logged::also_logged;
use super::sheet::Sheet;
use super::sheet::TIE;
use super::style::{BOLD, DIM, RED, YELLOW, of_state};
use super::verdict::{account_regions, numbers, verdict};
use super::view::View;
use crate::report::words::{age, bytes, count, counted, legend, letter, short, state};
use crate::report::{AccountReport, AffectedResource, PolicySize, Report, ReportFinding};

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

/// How wide the list of the regions is where there is no width.
const WIDTH: usize = 80;
/// What a line takes without the account's name, its regions and its days; and the first of two lines without name and
/// regions.
const TAKEN: (usize, usize) = (56, 28);
/// The least room for what people call an account.
const NAME: usize = 12;
/// What a region takes in the list of the regions.
const REGION: usize = 17;
/// Where the second of two lines begins: under the name.
const SECOND: usize = 15;
/// More places than this are told by number.
const NAMED: usize = 8;

/// Writes the report.
pub fn report(report: &Report, glyphs: Glyphs, out: &mut Sheet<'_>) -> io::Result<()> {
    let hub = &report.hub;
    let made = format_args!("{DIM}{}{DIM:#}", report.made);
    out.line(2, format_args!("{BOLD}report{BOLD:#} {} {} {}  {made}", hub.account, hub.region, hub.bucket))?;
    writeln!(out)?;
    totals(report, out)?;
    accounts(report, glyphs, out)?;
    also_logged(&report.also_logged, &hub.destination(), "flowagg report --json", View::UNKNOWN, out)?;
    if !report.findings.is_empty() {
        writeln!(out, "\n{BOLD}findings{BOLD:#}")?;
    }
    report.findings.iter().try_for_each(|finding| one(finding, out))?;
    writeln!(out)?;
    report_verdict(report, out)
}

/// The last line, which says the same as the exit code.
pub(crate) fn report_verdict(report: &Report, out: &mut Sheet<'_>) -> io::Result<()> {
    let findings = format!(", {}", counted(report.findings.len(), "finding", "findings"));
    verdict("report", report.is_read(), &report.totals.flow_logs, &findings, out)
}

fn totals(report: &Report, out: &mut Sheet<'_>) -> io::Result<()> {
    let totals = &report.totals;
    let [resources, flow_logs] = numbers(&totals.coverage, &totals.flow_logs);
    let newest = totals.newest_age_seconds.map_or("none".to_owned(), |lag| format!("{} old", age(lag)));
    let policy = report.policy.as_ref().map_or("not there".to_owned(), room);
    let places = format!(
        "{} in {}",
        counted(totals.accounts, "account", "accounts"),
        counted(report.regions.len(), "region", "regions")
    );
    for (what, told) in [
        ("fleet", places),
        ("regions", account_regions(totals)),
        resources,
        flow_logs,
        (
            "delivered",
            format!(
                "{}, {} in {}; the newest is {newest}",
                counted(usize::try_from(totals.objects).unwrap_or(usize::MAX), "object", "objects"),
                bytes(totals.bytes),
                counted(report.days.len(), "day", "days")
            ),
        ),
        ("policy", policy),
        ("expiry", report.expiry.clone().unwrap_or_else(|| "not known".to_owned())),
    ] {
        out.line(13, format_args!("  {DIM}{what:10}{DIM:#} {told}"))?;
    }
    Ok(())
}

fn room(size: &PolicySize) -> String {
    let PolicySize { bytes, limit, form, accounts_fit } = size;
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

fn style(state: Option<State>) -> Style {
    state.map_or(DIM, of_state)
}

/// How the list of accounts is laid out.
struct Columns {
    name: usize,
    regions: usize,
    days: usize,
    /// What came stands on a second line: one would be too long.
    is_divided: bool,
}

impl Columns {
    fn fitting(report: &Report, width: Option<usize>) -> Self {
        let names = report.accounts.iter().filter_map(|account| account.name.as_deref());
        let longest = names.map(display_width).max().unwrap_or(0).max("name".len());
        let (regions, days) = (report.regions.len().max(1), report.days.len().max("days".len()));
        let Some(width) = width else { return Self { name: longest, regions, days, is_divided: false } };
        let room = width.saturating_sub(TAKEN.0 + regions + days);
        if room >= longest.min(NAME) {
            return Self { name: longest.min(room), regions, days, is_divided: false };
        }
        let room = width.saturating_sub(TAKEN.1 + regions).max("name".len());
        Self { name: longest.min(room), regions, days, is_divided: true }
    }

    /// Writes who and how, and what came of it.
    fn write(&self, first: &str, second: &str, out: &mut Sheet<'_>) -> io::Result<()> {
        if self.is_divided {
            out.line(SECOND, format_args!("  {first}"))?;
            out.line(SECOND, format_args!("{:SECOND$}{second}", ""))
        } else {
            out.line(SECOND, format_args!("  {first} {second}"))
        }
    }
}

fn accounts(report: &Report, glyphs: Glyphs, out: &mut Sheet<'_>) -> io::Result<()> {
    let columns = Columns::fitting(report, out.width());
    writeln!(out, "\n{BOLD}accounts{BOLD:#}")?;
    let named = letters().zip(&report.regions).map(|(letter, region)| format!("{letter} {region:14} "));
    let named: Vec<String> = named.collect();
    let on_a_line = (out.width().unwrap_or(WIDTH) - 1) / REGION;
    for line in named.chunks(on_a_line) {
        writeln!(out, "  {}", line.concat().trim_end())?;
    }
    let legend = legend().map(|it| format!("{}{TIE}{}", letter(it), state(it)));
    out.aside(2, legend.collect::<Vec<_>>().join(", "))?;
    let scale: String = glyphs.scale().iter().collect();
    if let [first, .., last] = report.days.as_slice() {
        let scale = format_args!("by objects: {scale} from none to most");
        out.aside(2, format_args!("days {first} to {last} (UTC), {scale}"))?;
        writeln!(out)?;
    }
    let Columns { name, regions, days, .. } = columns;
    let header: String = letters().take(report.regions.len()).collect();
    let header = format!("{DIM}{:12} {:name$} {:11} {header:regions$}{DIM:#}", "account", "name", "state");
    let came = format!("{DIM}{:days$} {:>7} {:>7} {:>10}{DIM:#}", "days", "newest", "objects", "bytes");
    columns.write(&header, &came, out)?;
    let most = report.accounts.iter().flat_map(|account| &account.days).map(|day| day.objects).max();
    let mut unit = &None;
    for account in &report.accounts {
        if account.unit != *unit {
            unit = &account.unit;
            out.line(
                2,
                format_args!("  {BOLD}{}{BOLD:#}", unit.as_deref().unwrap_or("in no unit that is known")),
            )?;
        }
        let heat: String =
            account.days.iter().map(|day| heat(glyphs, day.objects, most.unwrap_or(0))).collect();
        columns.write(&standing(account, &columns), &came_of(account, &heat, &columns), out)?;
    }
    Ok(())
}

/// A letter for each region: a to z, then A to Z, then for all others the same sign.
fn letters() -> impl Iterator<Item = char> {
    ('a'..='z').chain('A'..='Z').chain(std::iter::repeat('*'))
}

/// An account, its state, and that of each of its regions.
fn standing(account: &AccountReport, columns: &Columns) -> String {
    let name = cut(account.name.as_deref().unwrap_or_default(), columns.name);
    let of_account = style(account.state);
    let word = state(account.state);
    let mut text = format!("{} {name} {of_account}{word:11}{of_account:#} ", account.account);
    for region in &account.regions {
        let style = style(region.state);
        text.push_str(&format!("{style}{}{style:#}", letter(region.state)));
    }
    text + &" ".repeat(columns.regions.saturating_sub(account.regions.len()))
}

/// What came of an account, by day and in all.
fn came_of(account: &AccountReport, heat: &str, columns: &Columns) -> String {
    let newest = account.newest.as_ref().map_or("-".to_owned(), |newest| age(newest.age_seconds));
    let (objects, bytes) = (short(account.objects), bytes(account.bytes));
    format!("{heat:0$} {newest:>7} {objects:>7} {bytes:>10}", columns.days)
}

/// A text of exactly so many columns; what is cut off is told by a dot.
fn cut(text: &str, width: usize) -> String {
    let mut cut = text.to_owned();
    if display_width(text) > width {
        while display_width(&cut) >= width && cut.pop().is_some() {}
        cut.push('.');
    }
    let gap = width.saturating_sub(display_width(&cut));
    cut + &" ".repeat(gap)
}

/// How much came, as one character.
fn heat(glyphs: Glyphs, objects: u64, most: u64) -> char {
    let scale = glyphs.scale();
    let level = crate::report::heat(objects, most);
    scale.get(level).copied().unwrap_or('?')
}

fn one(finding: &ReportFinding, out: &mut Sheet<'_>) -> io::Result<()> {
    let ReportFinding { severity, what, help, places, about: _ } = finding;
    let (style, word) = match severity {
        Severity::Error => (RED, "error"),
        Severity::Warning => (YELLOW, "warning"),
        Severity::Note => (DIM, "note"),
    };
    let times = if places.len() > 1 { format!(" ({} times)", places.len()) } else { String::new() };
    out.line(6, format_args!("{style}{word}{style:#}: {what}{times}"))?;
    if let Some(help) = help {
        out.aside(4, help)?;
    }
    for AffectedResource { account, region, resource } in places.iter().take(NAMED) {
        let parts = [Some(account.to_string()), region.as_ref().map(ToString::to_string), resource.clone()];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        out.line(8, format_args!("    {}", parts.join(" ")))?;
    }
    match places.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more; `--json` names them all"),
    }
}
