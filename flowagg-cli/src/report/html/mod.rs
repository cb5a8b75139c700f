//! The report as a self-contained HTML page. It loads nothing; without its script, only the account table and the CSV are missing.

mod audit;
mod data;
mod findings;
mod text;
mod trend;

use std::fmt::{self, Write};

use flowagg_core::arrival::{Coverage, Share, State};
use flowagg_core::cost::MonthlyCost;
use flowagg_policy::Severity;

use super::words::{age, bytes, count, counted, legend, letter, meaning, of, state};
use super::{PolicySize, Report, Totals};
use data::{accounts_with_problems, data, worst_first};
use text::{Text, in_script};

const STYLE: &str = include_str!("../page/page.css");
/// The parts of the script, which are concatenated in this order into one module.
const SCRIPT: [&str; 5] = [
    include_str!("../page/values.js"),
    include_str!("../page/rows.js"),
    include_str!("../page/table.js"),
    include_str!("../page/csv.js"),
    include_str!("../page/page.js"),
];
/// The SHA-256 hashes of the style sheet and of the script. A browser applies and runs nothing else. After these files change, the test
/// of the page prints the new hashes.
const HASHES: [&str; 2] =
    ["pY4KCWnqujamEzVFbmAxq4pHPeC1AITiP+TY5pJwR1E=", "8KrReLInkEe3/yf09yD0I5vbABDZuvTWYwCJli9al5Q="];
/// A square in the accent colour.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' rx='2' fill='%231c57b0'/%3E%3C/svg%3E";

/// Renders the report as one HTML page.
///
/// Names, tags and messages from AWS are inserted as text, never as markup or script.
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write(report, &mut page);
    page
}

/// The Content Security Policy: nothing is loaded, and only the page's own style and script are used.
///
/// Source: "Content Security Policy Level 3" (W3C).
fn security() -> String {
    let [style, script] = HASHES;
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// Normalizes line breaks, as a browser does before it hashes the text.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn write(report: &Report, out: &mut String) -> fmt::Result {
    let hub = &report.hub;
    let made = report.made.strftime("%Y-%m-%dT%H:%M:%SZ");
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>flowagg report: {}, {made}</title>\n<link rel=\"icon\" href=\"{ICON}\">\n<style>\n{}</style>\n</head>\n\
         <body>\n<a class=\"skip\" href=\"#accounts\">Skip to accounts</a>\n<header>\n<div class=\"title\"><h1>flowagg report</h1>\n\
         <p><code>{}</code> of {} in {}, created <time datetime=\"{made}\">{}</time></p>\n\
         <button type=\"button\" id=\"theme\" hidden>Dark theme</button></div>",
        security(),
        hub.bucket,
        lines(STYLE),
        hub.bucket,
        hub.account,
        hub.region,
        report.made.strftime("%Y-%m-%d %H:%M UTC"),
    )?;
    headline(report, out)?;
    writeln!(out, "</header>\n<main>")?;
    findings::findings(report, out)?;
    accounts(report, out)?;
    deliveries(report, out)?;
    trend::trend(report, out)?;
    findings::also_logged(report, out)?;
    audit::audit(report, out)?;
    let script: String = SCRIPT.into_iter().map(lines).collect();
    writeln!(
        out,
        "</main>\n<footer><p>All times are UTC. Ages are relative to the time of the report.</p></footer>\n<script type=\"application/json\" id=\"data\">{}</script>\n<script type=\"module\">\n{script}</script>\n\
         </body>\n</html>",
        in_script(&data(report))
    )
}

/// Tiles, each with a large value and a line of text below.
struct Tiles<'a>(&'a mut String);

impl Tiles<'_> {
    fn tile(&mut self, id: &str, name: &str, value: &str, below: &str) -> fmt::Result {
        let (value, below) = (Text(value), Text(below));
        writeln!(
            self.0,
            "<div><dt>{name}</dt><dd id=\"{id}\"><span class=\"value\">{value}</span><small>{below}</small></dd></div>"
        )
    }
}

/// The outcome, and the key figures of the fleet.
fn headline(report: &Report, out: &mut String) -> fmt::Result {
    let outcome = report.outcome();
    let (class, words) = (if outcome.is_healthy() { "healthy" } else { "unhealthy" }, outcome.words());
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase()).into_iter();
    let words: String = first.chain(letters).collect();
    writeln!(out, "<p class=\"verdict {class}\">{}.</p>", Text(&words))?;
    trend::since(report, out)?;
    writeln!(out, "<dl class=\"tiles\">")?;
    let Coverage { resources, flow_logs, idle, .. } = report.totals.coverage;
    let mut tiles = Tiles(out);
    // The percentage is unknown if not everything could be read.
    let share = |it: Share| match it.percent {
        Some(percent) => {
            (format!("{percent} %"), format!("{} of {}", count(it.count as u64), count(it.of as u64)))
        }
        None => {
            (format!("{} {}", count(it.count as u64), of(it)), "excluding unread account-regions".to_owned())
        }
    };
    let (value, below) = share(resources);
    tiles.tile("t-resources", "Resources with a flow log", &value, &below)?;
    let (value, below) = share(flow_logs);
    let idle = if idle == 0 { String::new() } else { format!(", {} idle", count(idle as u64)) };
    tiles.tile("t-flow-logs", "Flow logs that deliver", &value, &format!("{below}{idle}"))?;
    let severities = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ];
    let severities = severities.into_iter().filter_map(|(severity, one, more)| {
        let number = report.open_findings().filter(|finding| finding.severity == severity).count();
        (number > 0).then(|| counted(number, one, more))
    });
    let accepted = report.findings.len() - report.open_findings().count();
    let accepted = (accepted > 0).then(|| format!("{} accepted", count(accepted as u64)));
    let below = severities.chain(accepted).collect::<Vec<_>>().join(", ");
    let open = count(report.open_findings().count() as u64);
    tiles.tile("t-findings", "Findings", &open, if below.is_empty() { "none" } else { &below })?;
    let problems = accounts_with_problems(report).len();
    let below = format!(
        "in {}, {} with problems",
        counted(report.regions.len(), "region", "regions"),
        count(problems as u64)
    );
    tiles.tile("t-accounts", "Accounts", &count(report.totals.accounts as u64), &below)?;
    writeln!(out, "</dl>")
}

/// The number of account-regions in a state.
fn in_state(totals: &Totals, state: Option<State>) -> usize {
    state.map_or(totals.nothing_to_log, |state| totals.account_regions.of(state))
}

/// The number of account-regions in each state, as a bar and as a list.
fn account_regions(report: &Report, out: &mut String) -> fmt::Result {
    let states = || legend().map(|state| (state, in_state(&report.totals, state)));
    let all: usize = states().map(|(_, number)| number).sum();
    writeln!(
        out,
        "<h3>Account-regions by state</h3>\n<svg class=\"bar\" viewBox=\"0 0 {} 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        all.max(1)
    )?;
    let mut from = 0;
    for (one, number) in states().filter(|(_, number)| *number > 0) {
        write!(out, "<rect class=\"{}\" x=\"{from}\" width=\"{number}\" height=\"1\"/>", state(one))?;
        from += number;
    }
    writeln!(out, "</svg>\n<ul class=\"legend\">")?;
    for (one, number) in states() {
        let (word, letter, meaning) = (state(one), letter(one), meaning(one));
        writeln!(
            out,
            "<li><span class=\"s {word}\" aria-hidden=\"true\">{letter}</span> <span><strong id=\"c-{word}\">{}</strong> {word} <small>{meaning}</small></span></li>",
            count(number as u64)
        )?;
    }
    writeln!(out, "</ul>")
}

/// Deliveries, and the free space in the bucket policy.
fn deliveries(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "<section aria-labelledby=\"h-deliveries\">\n<h2 id=\"h-deliveries\">Deliveries and bucket policy</h2>\n<dl class=\"tiles\">"
    )?;
    let (totals, policy) = (&report.totals, report.policy.as_ref());
    let mut tiles = Tiles(out);
    let days = format!("in {}", counted(report.days.len(), "day", "days"));
    tiles.tile("t-objects", "Objects", &count(totals.objects), &days)?;
    let newest = totals
        .newest_age_seconds
        .map_or("no objects".to_owned(), |lag| format!("newest object {} old", age(lag)));
    tiles.tile("t-bytes", "Delivered", &bytes(totals.bytes), &newest)?;
    let number = |n: usize| count(n as u64);
    let (percent, size) = match policy {
        Some(size) => (
            format!("{} %", size.bytes * 100 / size.limit),
            format!("{} of {} bytes", number(size.bytes), number(size.limit)),
        ),
        None => ("none".to_owned(), "missing or not read".to_owned()),
    };
    tiles.tile("t-policy", "Bucket policy", &percent, &size)?;
    if let Some(MonthlyCost { delivery, storage, .. }) = totals.cost {
        let prices = report.prices.source();
        tiles.tile("t-delivery", "Delivery per month (estimate)", &format!("USD {delivery}"), prices)?;
        tiles.tile("t-storage", "Storage per month (estimate)", &format!("USD {storage}"), prices)?;
    }
    writeln!(out, "</dl>")?;
    if let Some(size) = policy {
        writeln!(out, "<p>{}</p>", Text(&head_room(size)))?;
    }
    writeln!(out, "</section>")
}

fn head_room(size: &PolicySize) -> String {
    let PolicySize { bytes, limit, form, accounts_fit } = size;
    let free = format!("The bucket policy has {} bytes left", count(limit.saturating_sub(*bytes) as u64));
    match (form, accounts_fit) {
        (None, _) => format!("{free}; the grant of this fleet does not fit."),
        (Some(form), None) => format!("{free}; form `{form}` fits any number of accounts."),
        (Some(form), Some(fit)) => format!("{free}; form `{form}` fits {} accounts.", count(*fit as u64)),
    }
}

/// The table that the script fills with a row for each account; without the script, the number of accounts in each state.
fn accounts(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "<section aria-labelledby=\"accounts\">\n<h2 id=\"accounts\" tabindex=\"-1\">Accounts</h2>"
    )?;
    account_regions(report, out)?;
    writeln!(
        out,
        "<div id=\"interactive\" hidden>\n<div class=\"tools\" role=\"search\">\n<label class=\"switch\"><input id=\"problems\" type=\"checkbox\" role=\"switch\"> Problems only</label>\n\
         <label>Search names, IDs, units (press /) <input id=\"search\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"></label>\n\
         <label>Region state <select id=\"state\"><option value=\"\">any</option>"
    )?;
    for (n, one) in worst_first().enumerate() {
        write!(out, "<option value=\"{n}\">{}</option>", state(one))?;
    }
    writeln!(
        out,
        "</select></label>\n<label>Group by <select id=\"group\"><option value=\"unit\">organizational unit</option>\
         <option value=\"\">none</option></select></label>\n</div>\n<p id=\"shown\" role=\"status\"></p>\n\
         <div class=\"scroll\" id=\"scroll\" role=\"region\" aria-label=\"Table of accounts\" tabindex=\"0\">\n\
         <table id=\"table\"><caption class=\"sr\">Accounts with their state, the state of each region, objects by day, the age of the \
         newest object, and total objects and bytes. The button in each row shows the resources of the account.</caption><thead></thead></table>\n</div>\n\
         <button type=\"button\" id=\"all\" hidden>Show all rows</button>\n</div>\n<noscript><p>The account table requires JavaScript; \
         <code>flowagg report</code> prints it in a terminal. Summary:</p>\n<table><thead><tr><th scope=\"col\">state</th>\
         <th scope=\"col\">accounts</th><th scope=\"col\">account-regions</th></tr></thead><tbody>"
    )?;
    for one in legend() {
        let accounts = report.accounts.iter().filter(|account| account.state == one).count();
        let places = in_state(&report.totals, one);
        writeln!(out, "<tr><th scope=\"row\">{}</th><td>{accounts}</td><td>{places}</td></tr>", state(one))?;
    }
    writeln!(out, "</tbody></table></noscript>\n</section>")
}
