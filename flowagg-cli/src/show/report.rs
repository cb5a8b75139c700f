//! The output of `report`: totals, accounts and findings. An account takes one line, or two if one is too long for the terminal.
//! States are letters and amounts are characters; colour only repeats them.

use std::io;

use anstyle::Style;
use flowagg_core::arrival::{Amount, State};
use flowagg_core::id::Region;
use flowagg_policy::Severity;
use textwrap::core::display_width;

use super::also_logged::also_logged;
use super::cost::of_month;
use super::failures::occurrences;
use super::sheet::Sheet;
use super::sheet::TIE;
use super::style::{BOLD, DIM, RED, YELLOW, of_state};
use super::trend::trend;
use super::verdict::{account_regions, next_step, numbers, verdict};
use super::view::{Extent, View};
use crate::report::words::{age, bytes, count, counted, legend, letter, short, state};
use crate::report::{AccountReport, AffectedResource, PolicySize, Report, ReportFinding};

/// The characters that a terminal can display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Blocks of eight heights.
    Unicode,
    /// ASCII only.
    Ascii,
}

impl Glyphs {
    /// The characters from none to the maximum.
    fn scale(self) -> [char; 6] {
        match self {
            Self::Unicode => ['·', '▁', '▃', '▅', '▆', '█'],
            Self::Ascii => ['.', ':', '-', '+', '*', '#'],
        }
    }
}

/// The width of the list of regions if the output has no width.
const WIDTH: usize = 80;
/// The width of a single line without the account's name, regions and days, and the width of the first of two lines without name
/// and regions.
const TAKEN: (usize, usize) = (56, 28);
/// The minimum width of the account name.
const NAME: usize = 12;
/// The width of a region in the list of regions.
const REGION: usize = 17;
/// The indent of the second line, below the name.
const SECOND: usize = 15;
/// The maximum number of occurrences with a line each. More are listed by account.
const NAMED: usize = 3;
/// In a fleet with more accounts than this, the healthy accounts of an organizational unit share one line.
const ACCOUNTS: usize = 40;

/// Writes the report. With [`Extent::Brief`], the healthy accounts of a large fleet are only counted.
pub fn report(report: &Report, glyphs: Glyphs, extent: Extent, out: &mut Sheet<'_>) -> io::Result<()> {
    let hub = &report.hub;
    let made = format_args!("{DIM}{}{DIM:#}", report.made);
    out.line(2, format_args!("{BOLD}report{BOLD:#} {} {} {}  {made}", hub.account, hub.region, hub.bucket))?;
    writeln!(out)?;
    totals(report, out)?;
    let view = View::of(&report.names, extent);
    accounts(report, glyphs, extent, out)?;
    trend(report, view, out)?;
    also_logged(&report.also_logged, &hub.destination(), "flowagg report --json", view, out)?;
    if !report.findings.is_empty() {
        writeln!(out, "\n{BOLD}findings{BOLD:#}")?;
    }
    let is_shown = |finding: &&ReportFinding| extent == Extent::All || !finding.is_accepted();
    report.findings.iter().filter(is_shown).try_for_each(|finding| one(finding, view, out))?;
    let hidden = report.findings.len() - report.open_findings().count();
    if hidden > 0 && extent == Extent::Brief {
        let findings = counted(hidden, "finding has", "findings have");
        out.line(
            6,
            format_args!("{DIM}note{DIM:#}: {findings} an exception; run `flowagg report --all` for details"),
        )?;
    }
    writeln!(out)?;
    report_verdict(report, out)?;
    next_step("report", &report.outcome(), out)
}

/// Writes the last line, which matches the exit code.
pub(crate) fn report_verdict(report: &Report, out: &mut Sheet<'_>) -> io::Result<()> {
    let findings = format!(", {}", counted(report.open_findings().count(), "finding", "findings"));
    verdict("report", &report.outcome(), &findings, out)
}

fn totals(report: &Report, out: &mut Sheet<'_>) -> io::Result<()> {
    let totals = &report.totals;
    let [resources, flow_logs] = numbers(&totals.coverage, &totals.flow_logs);
    let newest = totals.newest_age_seconds.map_or("none".to_owned(), |lag| format!("{} old", age(lag)));
    let policy = report.policy.as_ref().map_or("missing or not read".to_owned(), room);
    let places = format!(
        "{} in {}",
        counted(totals.accounts, "account", "accounts"),
        counted(report.regions.len(), "region", "regions")
    );
    for (what, text) in [
        ("fleet", places),
        ("regions", account_regions(totals)),
        resources,
        flow_logs,
        (
            "delivered",
            format!(
                "{}, {} in {}; newest object: {newest}",
                counted(usize::try_from(totals.objects).unwrap_or(usize::MAX), "object", "objects"),
                bytes(totals.bytes),
                counted(report.days.len(), "day", "days")
            ),
        ),
        ("cost", cost(report)),
        ("policy", policy),
        ("expiry", report.expiry.clone().unwrap_or_else(|| "unknown".to_owned())),
    ] {
        out.line(13, format_args!("  {DIM}{what:10}{DIM:#} {text}"))?;
    }
    Ok(())
}

/// Formats the estimated monthly cost.
fn cost(report: &Report) -> String {
    let unknown = || "unknown until the first full day of deliveries".to_owned();
    report.totals.cost.map_or_else(unknown, |month| of_month(month, &report.prices))
}

fn room(size: &PolicySize) -> String {
    let PolicySize { bytes, limit, form, accounts_fit } = size;
    let taken =
        format!("{} of {} bytes ({} %)", count(*bytes as u64), count(*limit as u64), bytes * 100 / limit);
    match (form, accounts_fit) {
        (None, _) => format!("{taken}; the fleet's grant does not fit"),
        (Some(form), None) => format!("{taken}; form `{form}` fits any number of accounts"),
        (Some(form), Some(fit)) => {
            format!("{taken}; form `{form}` fits {} accounts", count(*fit as u64))
        }
    }
}

fn style(state: Option<State>) -> Style {
    state.map_or(DIM, of_state)
}

/// The layout of the account list.
struct Columns {
    name: usize,
    regions: usize,
    days: usize,
    /// Whether deliveries are on a second line, because one line would be too long.
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

    /// Writes the account and its state, and its deliveries.
    fn write(&self, first: &str, second: &str, out: &mut Sheet<'_>) -> io::Result<()> {
        if self.is_divided {
            out.line(SECOND, format_args!("  {first}"))?;
            out.line(SECOND, format_args!("{:SECOND$}{second}", ""))
        } else {
            out.line(SECOND, format_args!("  {first} {second}"))
        }
    }
}

fn accounts(report: &Report, glyphs: Glyphs, extent: Extent, out: &mut Sheet<'_>) -> io::Result<()> {
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
        let scale = format_args!("objects: {scale} (none to most)");
        out.aside(2, format_args!("days {first} to {last} (UTC), {scale}"))?;
        writeln!(out)?;
    }
    let Columns { name, regions, days, .. } = columns;
    let header: String = letters().take(report.regions.len()).collect();
    let header = format!("{DIM}{:12} {:name$} {:11} {header:regions$}{DIM:#}", "account", "name", "state");
    let came = format!("{DIM}{:days$} {:>7} {:>7} {:>10}{DIM:#}", "days", "newest", "objects", "bytes");
    columns.write(&header, &came, out)?;
    let most = report.accounts.iter().flat_map(|account| &account.days).map(|day| day.objects).max();
    let heat_of = |days: &[Amount], accounts: u64| -> String {
        days.iter().map(|day| heat(glyphs, day.objects, most.unwrap_or(0) * accounts)).collect()
    };
    let is_listed = |account: &AccountReport| {
        extent == Extent::All || report.accounts.len() <= ACCOUNTS || !is_healthy(account)
    };
    for of_unit in report.accounts.chunk_by(|one, next| one.unit == next.unit) {
        if let Some(unit) = of_unit.first().map(|account| &account.unit)
            && (unit.is_some() || of_unit.len() < report.accounts.len())
        {
            let unit = unit.as_deref().unwrap_or("unknown unit");
            out.line(2, format_args!("  {BOLD}{unit}{BOLD:#}"))?;
        }
        for account in of_unit.iter().filter(|account| is_listed(account)) {
            let heat = heat_of(&account.days, 1);
            columns.write(&standing(account, &columns), &came_of(account, &heat, &columns), out)?;
        }
        let rest: Vec<&AccountReport> = of_unit.iter().filter(|account| !is_listed(account)).collect();
        if !rest.is_empty() {
            let sum = Sum::of(&rest);
            let heat = heat_of(&sum.days, rest.len() as u64);
            columns.write(&sum.standing(&columns), &sum.came(&heat, &columns), out)?;
        }
    }
    if extent == Extent::Brief && report.accounts.len() > ACCOUNTS {
        out.aside(
            2,
            "healthy: every flow log delivers or is idle; run `flowagg report --all` to list these accounts",
        )?;
    }
    Ok(())
}

/// Whether the account has no problem. An excluded account has no state and is listed with the reason.
fn is_healthy(account: &AccountReport) -> bool {
    account.why.is_none() && account.state.is_none_or(State::is_healthy)
}

/// The sum of the healthy accounts of a unit.
struct Sum {
    accounts: usize,
    days: Vec<Amount>,
    objects: u64,
    bytes: u64,
    newest: Option<i64>,
}

impl Sum {
    fn of(accounts: &[&AccountReport]) -> Self {
        let mut days = vec![Amount::default(); accounts.first().map_or(0, |account| account.days.len())];
        for account in accounts {
            days.iter_mut().zip(&account.days).for_each(|(sum, day)| *sum += *day);
        }
        Self {
            accounts: accounts.len(),
            days,
            objects: accounts.iter().map(|account| account.objects).sum(),
            bytes: accounts.iter().map(|account| account.bytes).sum(),
            newest: accounts.iter().filter_map(|it| Some(it.newest.as_ref()?.age_seconds)).min(),
        }
    }

    fn standing(&self, columns: &Columns) -> String {
        let number = counted(self.accounts, "account", "accounts");
        let style = of_state(State::Delivering);
        let (name, regions) = (columns.name, columns.regions);
        format!("{number:12} {:name$} {style}{:11}{style:#} {:regions$}", "", "healthy", "")
    }

    fn came(&self, heat: &str, columns: &Columns) -> String {
        came(heat, self.newest, self.objects, self.bytes, columns)
    }
}

/// The symbols of the regions: a to z, then A to Z, then `*` for all others.
fn letters() -> impl Iterator<Item = char> {
    ('a'..='z').chain('A'..='Z').chain(std::iter::repeat('*'))
}

/// Formats an account, its state, and the state of each region.
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

/// Formats the deliveries of an account, by day and in total.
fn came_of(account: &AccountReport, heat: &str, columns: &Columns) -> String {
    let newest = account.newest.as_ref().map(|newest| newest.age_seconds);
    came(heat, newest, account.objects, account.bytes, columns)
}

fn came(heat: &str, newest: Option<i64>, objects: u64, size: u64, columns: &Columns) -> String {
    let newest = newest.map_or("-".to_owned(), age);
    let (objects, bytes) = (short(objects), bytes(size));
    format!("{heat:0$} {newest:>7} {objects:>7} {bytes:>10}", columns.days)
}

/// Pads or truncates text to a width. Truncated text ends with a dot.
fn cut(text: &str, width: usize) -> String {
    let mut cut = text.to_owned();
    if display_width(text) > width {
        while display_width(&cut) >= width && cut.pop().is_some() {}
        cut.push('.');
    }
    let gap = width.saturating_sub(display_width(&cut));
    cut + &" ".repeat(gap)
}

/// The character for a number of objects.
fn heat(glyphs: Glyphs, objects: u64, most: u64) -> char {
    let scale = glyphs.scale();
    let level = crate::report::heat(objects, most);
    scale.get(level).copied().unwrap_or('?')
}

fn one(finding: &ReportFinding, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let ReportFinding { severity, what, help, places, about: _ } = finding;
    let (style, word) = match severity {
        Severity::Error => (RED, "error"),
        Severity::Warning => (YELLOW, "warning"),
        Severity::Note => (DIM, "note"),
    };
    let accepted = places.iter().filter(|place| place.exception.is_some()).count();
    let times = match (places.len(), accepted) {
        (1, _) => String::new(),
        (all, 0) => format!(" ({all} times)"),
        (all, accepted) => format!(" ({all} times, {accepted} with an exception)"),
    };
    out.line(6, format_args!("{style}{word}{style:#}: {what}{times}"))?;
    if let Some(help) = help {
        out.aside(4, help)?;
    }
    if places.len() > NAMED && !view.is_all() {
        let places = places.iter().map(|AffectedResource { account, region, resource, .. }| {
            (*account, region.as_ref().map(Region::as_str), resource.as_deref())
        });
        return occurrences(&places.collect::<Vec<_>>(), view, 4, out);
    }
    for AffectedResource { account, region, resource, exception } in places {
        let resource = resource.as_ref().map(|resource| view.resource(resource));
        let exception = exception.as_ref().map(|exception| format!("({exception})"));
        let place = [region.as_ref().map(ToString::to_string), resource, exception].into_iter().flatten();
        let parts: Vec<String> = std::iter::once(view.account(*account)).chain(place).collect();
        out.line(8, format_args!("    {}", parts.join(" ")))?;
    }
    Ok(())
}
