//! Changes since the previous report, and since when account-regions are unhealthy.

use std::io;

use flowagg_core::arrival::Share;

use super::sheet::Sheet;
use super::style::{BOLD, DIM, of_state};
use super::table::{Row, table};
use super::view::View;
use crate::report::words::{counted, share};
use crate::report::{Report, Trend, UnhealthySince};

/// The maximum number of account-regions with a line each.
const LISTED: usize = 10;

/// Writes the section, if there are earlier reports.
pub(super) fn trend(report: &Report, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let Some(trend) = &report.trend else { return Ok(()) };
    let Trend { since, resources, flow_logs, .. } = trend;
    writeln!(out, "\n{BOLD}since {since}{BOLD:#}")?;
    let coverage = &report.totals.coverage;
    for (what, text) in [
        ("resources", compared(coverage.resources, *resources, "have a flow log")),
        ("flow logs", compared(coverage.flow_logs, *flow_logs, "deliver")),
        ("changes", trend.summary()),
    ] {
        out.line(13, format_args!("  {DIM}{what:10}{DIM:#} {text}"))?;
    }
    let unhealthy = trend.open(report);
    if unhealthy.is_empty() {
        return Ok(());
    }
    let listed = if view.is_all() { unhealthy.len() } else { LISTED };
    let rows = unhealthy.iter().take(listed).map(|UnhealthySince { place, state, since, .. }| {
        let name = view.name(place.account).unwrap_or_default().to_owned();
        let word = format!("{} since at least {since:.0}", state.as_str());
        let cells = vec![place.account.to_string(), name, place.region.to_string(), word];
        Row { style: of_state(*state), sign: "!", cells, below: None }
    });
    table(&rows.collect::<Vec<_>>(), out)?;
    match unhealthy.len().saturating_sub(listed) {
        0 => Ok(()),
        more => {
            let more = counted(more, "more account-region", "more account-regions");
            out.aside(2, format!("and {more}; use `--all` to list them"))
        }
    }
}

fn compared(now: Share, before: Share, what: &str) -> String {
    format!("{} {what}, {} before", share(now), share(before))
}
