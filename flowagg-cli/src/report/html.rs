//! The report as one HTML page: no request to anywhere, and readable without its script but for the table of accounts.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Write};

use flowagg_core::arrival::{Coverage, State};
use flowagg_core::plan::{AlsoLogged, also_logged_groups};
use flowagg_policy::Severity;
use serde_json::{Value, json};

use super::words::{age, bytes, count, counted, legend, letter, meaning, of, state};
use super::{AccountReport, AffectedResource, PolicySize, RegionReport, Report, ReportFinding, Totals, heat};

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");
/// Nothing is loaded, and what is not in the page itself does not run.
///
/// Source: "Content Security Policy Level 3" (W3C).
const SECURITY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
/// A square in the colour of what is covered.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' rx='2' fill='%231c57b0'/%3E%3C/svg%3E";
/// The most places of one finding that the page names.
const NAMED: usize = 200;

/// The report as one HTML page.
///
/// What stands in it that somebody chose (names, tags, messages of AWS) is text there, never markup or script.
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write(report, &mut page);
    page
}

fn write(report: &Report, out: &mut String) -> fmt::Result {
    let hub = &report.hub;
    let made = report.made.strftime("%Y-%m-%dT%H:%M:%SZ");
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{SECURITY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>flowagg report: {}, {made}</title>\n<link rel=\"icon\" href=\"{ICON}\">\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<a class=\"skip\" href=\"#accounts\">To the accounts</a>\n<header>\n<div class=\"title\"><h1>flowagg report</h1>\n\
         <p><code>{}</code> of {} in {}, made <time datetime=\"{made}\">{made}</time></p>\n\
         <button type=\"button\" id=\"theme\" hidden>Dark theme</button></div>\n<dl class=\"tiles\">",
        hub.bucket, hub.bucket, hub.account, hub.region
    )?;
    tiles(report, out)?;
    writeln!(out, "</dl>\n</header>\n<main>")?;
    account_regions(report, out)?;
    findings(report, out)?;
    also_logged(report, out)?;
    accounts(report, out)?;
    writeln!(
        out,
        "</main>\n<footer><p>All times are UTC. Ages count from the moment the report was made.</p></footer>\n<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{SCRIPT}</script>\n\
         </body>\n</html>",
        in_script(&data(report))
    )
}

/// The totals.
fn tiles(report: &Report, out: &mut String) -> fmt::Result {
    let totals = &report.totals;
    let Coverage { resources, flow_logs, idle, .. } = totals.coverage;
    let number = |n: usize| count(n as u64);
    let severities = [(Severity::Error, "error", "errors"), (Severity::Warning, "warning", "warnings")];
    let worst = severities.map(|(severity, one, more)| {
        let n = report.findings.iter().filter(|finding| finding.severity == severity).count();
        counted(n, one, more)
    });
    let policy = report.policy.as_ref();
    let mut tile = |id: &str, name: &str, value: String, below: String| {
        writeln!(
            out,
            "<div><dt>{name}</dt><dd id=\"{id}\">{}<small>{}</small></dd></div>",
            Text(&value),
            Text(&below)
        )
    };
    tile(
        "t-accounts",
        "Accounts",
        number(totals.accounts),
        counted(report.regions.len(), "region", "regions"),
    )?;
    tile("t-resources", "Resources with a flow log", number(resources.count), of(resources))?;
    tile(
        "t-flow-logs",
        "Flow logs that deliver",
        number(flow_logs.count),
        format!("{}, {} idle", of(flow_logs), number(idle)),
    )?;
    tile(
        "t-objects",
        "Objects",
        count(totals.objects),
        format!("in {}", counted(report.days.len(), "day", "days")),
    )?;
    tile(
        "t-bytes",
        "Delivered",
        bytes(totals.bytes),
        totals.newest_age_seconds.map_or("nothing".to_owned(), |lag| format!("newest {} old", age(lag))),
    )?;
    tile(
        "t-policy",
        "Bucket policy",
        policy.map_or("none".to_owned(), |size| format!("{} %", size.bytes * 100 / size.limit)),
        policy.map_or("not there, or not read".to_owned(), |size| {
            format!("{} of {} bytes", number(size.bytes), number(size.limit))
        }),
    )?;
    tile("t-findings", "Findings", number(report.open_findings().count()), worst.join(", "))
}

/// How many account-regions are in a state.
fn in_state(totals: &Totals, state: Option<State>) -> usize {
    state.map_or(totals.nothing_to_log, |state| totals.account_regions.of(state))
}

/// How many account-regions are in each state: a bar, and the same as a list.
fn account_regions(report: &Report, out: &mut String) -> fmt::Result {
    let states = || legend().map(|state| (state, in_state(&report.totals, state)));
    writeln!(
        out,
        "<section aria-labelledby=\"h-states\">\n<h2 id=\"h-states\">Account-regions</h2>\n<div class=\"bar\" aria-hidden=\"true\">"
    )?;
    for (one, number) in states().filter(|(_, number)| *number > 0) {
        write!(out, "<span class=\"{}\" style=\"flex:{number}\"></span>", state(one))?;
    }
    writeln!(out, "</div>\n<ul class=\"legend\">")?;
    for (one, number) in states() {
        let (word, letter, meaning) = (state(one), letter(one), meaning(one));
        writeln!(
            out,
            "<li><span class=\"s {word}\" aria-hidden=\"true\">{letter}</span> <strong id=\"c-{word}\">{}</strong> {word} <span>{meaning}</span></li>",
            count(number as u64)
        )?;
    }
    writeln!(out, "</ul>")?;
    if let Some(size) = &report.policy {
        writeln!(out, "<p>{}</p>", Text(&head_room(size)))?;
    }
    if let Some(expiry) = &report.expiry {
        writeln!(out, "<p>By the lifecycle rules of the bucket, {}.</p>", Text(expiry))?;
    }
    writeln!(out, "</section>")
}

fn head_room(size: &PolicySize) -> String {
    let PolicySize { bytes, limit, form, accounts_fit } = size;
    let free =
        format!("The bucket policy has room for {} more bytes", count(limit.saturating_sub(*bytes) as u64));
    match (form, accounts_fit) {
        (None, _) => format!("{free}; the grant of this fleet does not fit."),
        (Some(form), None) => format!("{free}; form `{form}` takes any number of accounts."),
        (Some(form), Some(fit)) => format!("{free}; form `{form}` takes {} accounts.", count(*fit as u64)),
    }
}

fn findings(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(out, "<section aria-labelledby=\"h-findings\">\n<h2 id=\"h-findings\">Findings</h2>")?;
    if report.findings.is_empty() {
        writeln!(out, "<p>Nothing was found.</p>")?;
    }
    for finding in report.open_findings().chain(report.findings.iter().filter(|it| it.is_accepted())) {
        let ReportFinding { severity, about, what, help, places } = finding;
        let word = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        writeln!(
            out,
            "<details class=\"finding\"><summary><span class=\"badge {word}\">{word}</span> {} <span class=\"times\">{}, {}</span></summary>",
            Text(what),
            about.as_str(),
            counted(places.len(), "place", "places")
        )?;
        if let Some(help) = help {
            writeln!(out, "<p>{}</p>", Text(help))?;
        }
        writeln!(out, "<ul>")?;
        for AffectedResource { account, region, resource, exception } in places.iter().take(NAMED) {
            write!(out, "<li><code>{account}</code>")?;
            let name = report.names.accounts.get(account).map(|name| format!("({name})"));
            let resource = resource.as_ref().map(|resource| report.names.resource(resource));
            let exception =
                exception.as_ref().map(|it| format!("(exception until {}: {})", it.until, it.reason));
            let region = region.as_ref().map(ToString::to_string);
            for part in [name, region, resource, exception].into_iter().flatten() {
                write!(out, " {}", Text(&part))?;
            }
            writeln!(out, "</li>")?;
        }
        more(places.len(), out)?;
        writeln!(out, "</ul></details>")?;
    }
    writeln!(out, "</section>")
}

/// Flow logs of others, a line for each kind of destination, which opens to each of them.
fn also_logged(report: &Report, out: &mut String) -> fmt::Result {
    if report.also_logged.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"h-also\">\n<h2 id=\"h-also\">Also logged</h2>\n<p>Flow logs of others: each records the same \
         traffic, or part of it, again, and AWS charges for each delivery.</p>"
    )?;
    for group in also_logged_groups(&report.also_logged, &report.hub.destination()) {
        writeln!(
            out,
            "<details class=\"finding\"><summary>{} <span class=\"times\">{}</span></summary>\n<ul>",
            Text(&group.named(&report.names).to_string()),
            counted(group.flow_logs.len(), "flow log", "flow logs")
        )?;
        for log in group.flow_logs.iter().take(NAMED) {
            let AlsoLogged { place, resource, flow_log, .. } = log;
            writeln!(
                out,
                "<li><code>{}</code> {} {resource} {flow_log} {}</li>",
                place.account,
                place.region,
                Text(&log.to_string())
            )?;
        }
        more(group.flow_logs.len(), out)?;
        writeln!(out, "</ul></details>")?;
    }
    writeln!(out, "</section>")
}

/// How many places are not named.
fn more(of: usize, out: &mut String) -> fmt::Result {
    match of.saturating_sub(NAMED) {
        0 => Ok(()),
        more => writeln!(
            out,
            "<li>and {} more, which <code>flowagg report --json</code> names</li>",
            count(more as u64)
        ),
    }
}

/// What the script fills with a row for each account; without it, the states in numbers.
fn accounts(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "<section aria-labelledby=\"accounts\">\n<h2 id=\"accounts\" tabindex=\"-1\">Accounts</h2>\n<div id=\"interactive\" hidden>\n\
         <div class=\"tools\" role=\"search\">\n<label>Search names, ids, units (press /) <input id=\"search\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>\n\
         <label>With a region that is <select id=\"state\"><option value=\"\">in any state</option>"
    )?;
    for (n, one) in worst_first().enumerate() {
        write!(out, "<option value=\"{n}\">{}</option>", state(one))?;
    }
    writeln!(
        out,
        "</select></label>\n<label>Group by <select id=\"group\"><option value=\"unit\">organizational unit</option>\
         <option value=\"\">nothing</option></select></label>\n<p id=\"shown\" role=\"status\"></p>\n</div>\n\
         <div class=\"scroll\" id=\"scroll\" role=\"region\" aria-label=\"Table of accounts\" tabindex=\"0\">\n\
         <table id=\"table\"><caption class=\"sr\">Each account: its state, its state in each region, the objects of each day, the age of its \
         newest object, all objects and bytes. Its button shows its regions.</caption><thead></thead></table>\n</div>\n\
         <button type=\"button\" id=\"all\" hidden>Show all rows</button>\n</div>\n<noscript><p>The table of accounts needs JavaScript; \
         <code>flowagg report</code> shows it in a terminal. In numbers:</p>\n<table><thead><tr><th scope=\"col\">state</th>\
         <th scope=\"col\">accounts</th><th scope=\"col\">account-regions</th></tr></thead><tbody>"
    )?;
    for one in legend() {
        let accounts = report.accounts.iter().filter(|account| account.state == one).count();
        let places = in_state(&report.totals, one);
        writeln!(out, "<tr><th scope=\"row\">{}</th><td>{accounts}</td><td>{places}</td></tr>", state(one))?;
    }
    writeln!(out, "</tbody></table></noscript>\n</section>")
}

/// What the script reads, packed: a thousand accounts in 17 regions are 17,000 cells.
fn data(report: &Report) -> Value {
    let units: BTreeSet<&str> =
        report.accounts.iter().filter_map(|account| account.unit.as_deref()).collect();
    let units: Vec<&str> = units.into_iter().collect();
    let most =
        report.accounts.iter().flat_map(|account| &account.days).map(|day| day.objects).max().unwrap_or(0);
    let accounts: Vec<Value> = report.accounts.iter().map(|account| packed(account, &units, most)).collect();
    json!({
        "regions": report.regions,
        "days": report.days,
        "units": units,
        "states": worst_first().map(state).collect::<Vec<_>>(),
        "letters": worst_first().map(letter).collect::<Vec<_>>(),
        "accounts": accounts,
    })
}

fn packed(account: &AccountReport, units: &[&str], most: u64) -> Value {
    let unit = account.unit.as_deref().and_then(|unit| units.binary_search(&unit).ok());
    let days: Vec<Value> =
        account.days.iter().map(|day| json!([day.objects, day.bytes, heat(day.objects, most)])).collect();
    let regions: Vec<Value> = account.regions.iter().map(region).collect();
    json!([
        account.account,
        account.name,
        unit.map_or(json!(-1), |unit| json!(unit)),
        place_of(account.state),
        account.why,
        account.newest.as_ref().map(|newest| &newest.key),
        account.newest.as_ref().map(|newest| newest.age_seconds),
        account.objects,
        account.bytes,
        days,
        regions,
    ])
}

/// The states in the order of the page's script, which has those of which something is to be said before the others.
fn worst_first() -> impl Iterator<Item = Option<State>> {
    State::WORST_FIRST.into_iter().map(Some).chain([None])
}

/// A region of which there is nothing to say but its state is that alone.
fn region(region: &RegionReport) -> Value {
    let RegionReport { state, flow_logs, objects, bytes, newest_age_seconds, region: _ } = region;
    let state = place_of(*state);
    if flow_logs.total() == 0 && *objects == 0 {
        return json!(state);
    }
    json!([state, State::WORST_FIRST.map(|state| flow_logs.of(state)), objects, bytes, newest_age_seconds])
}

fn place_of(state: Option<State>) -> usize {
    worst_first().position(|it| it == state).unwrap_or_default()
}

/// JSON that ends no script, whatever strings are in it.
fn in_script(value: &Value) -> String {
    let text = value.to_string();
    // In JSON these stand in strings only. The last two end a line in some readers of JavaScript.
    let escaped = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    escaped.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// A text in HTML; what stands in back-ticks is code.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.0.split('`').collect();
        // An odd number of back-ticks is none that quotes.
        let quotes = parts.len() % 2 == 1;
        for (n, part) in parts.iter().enumerate() {
            match (quotes, n % 2) {
                (true, 1) => write!(f, "<code>{}</code>", Escaped(part))?,
                (false, _) if n > 0 => write!(f, "`{}", Escaped(part))?,
                _ => write!(f, "{}", Escaped(part))?,
            }
        }
        Ok(())
    }
}

struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}
