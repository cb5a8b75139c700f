//! Changes since the previous report, and a table of weeks.

use std::fmt::{self, Write};

use flowagg_core::arrival::Share;

use super::super::words::{count, counted, of};
use super::super::{Report, Trend, UnhealthySince, WeekReport};
use super::text::Text;

/// The maximum number of account-regions that are listed.
const LISTED: usize = 20;

/// The sentence below the outcome.
pub(super) fn since(report: &Report, out: &mut String) -> fmt::Result {
    let Some(trend) = &report.trend else { return Ok(()) };
    let coverage = &report.totals.coverage;
    let (resources, flow_logs) =
        (change(coverage.resources, trend.resources), change(coverage.flow_logs, trend.flow_logs));
    let text = format!(
        "Since {}: resources with a flow log {resources}, flow logs that deliver {flow_logs}; changes: {}.",
        trend.since.strftime("%Y-%m-%d %H:%M"),
        trend.summary()
    );
    writeln!(out, "<p id=\"since\">{}</p>", Text(&text))
}

/// Formats a change of a share: `97 % (95 % before)`.
fn change(now: Share, before: Share) -> String {
    format!("{} ({} before)", percent(now), percent(before))
}

fn percent(share: Share) -> String {
    match share.percent {
        Some(percent) => format!("{percent} %"),
        None => format!("{} {}", count(share.count as u64), of(share)),
    }
}

/// The table of weeks, and the unhealthy account-regions with their start times.
pub(super) fn trend(report: &Report, out: &mut String) -> fmt::Result {
    let Some(trend) = &report.trend else { return Ok(()) };
    writeln!(
        out,
        "<section aria-labelledby=\"h-trend\">\n<h2 id=\"h-trend\">Trend</h2>\n<table id=\"weeks\"><thead><tr><th scope=\"col\">Week of</th><th scope=\"col\">Accounts</th><th scope=\"col\">Resources with a flow log</th>\
         <th scope=\"col\">Flow logs that deliver</th></tr></thead><tbody>"
    )?;
    for WeekReport { monday, accounts, resources, flow_logs, .. } in trend.weeks.iter().rev() {
        writeln!(
            out,
            "<tr><th scope=\"row\">{monday}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            count(*accounts as u64),
            percent(*resources),
            percent(*flow_logs)
        )?;
    }
    writeln!(out, "</tbody></table>")?;
    unhealthy(report, trend, out)?;
    writeln!(out, "</section>")
}

fn unhealthy(report: &Report, trend: &Trend, out: &mut String) -> fmt::Result {
    let unhealthy = trend.open(report);
    if unhealthy.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h3>Unhealthy since at least</h3>\n<ul>")?;
    for UnhealthySince { place, state, since, .. } in unhealthy.iter().take(LISTED) {
        let name = report.names.accounts.get(&place.account);
        let name = name.map(|name| format!("({name}) ")).unwrap_or_default();
        let (state, since) = (state.as_str(), since.strftime("%Y-%m-%d %H:%M"));
        writeln!(
            out,
            "<li>{since}: <code>{}</code> {}{} {state}</li>",
            place.account,
            Text(&name),
            place.region
        )?;
    }
    if let more @ 1.. = unhealthy.len().saturating_sub(LISTED) {
        let more = counted(more, "more account-region", "more account-regions");
        writeln!(out, "<li>and {more}; <code>flowagg report --json</code> lists them all</li>")?;
    }
    writeln!(out, "</ul>")
}
