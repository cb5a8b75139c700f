//! What changed since the report before, and since when what is not healthy is so.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use flowagg_core::arrival::{Share, State};
use flowagg_core::id::{AccountId, Region};

use super::sheet::Sheet;
use super::style::{BOLD, DIM, of_state};
use super::table::{Row, table};
use super::view::View;
use crate::report::words::{count, counted, share};
use crate::report::{Report, StateChange, Trend, UnhealthySince};

/// More account-regions than this have no line each.
const LISTED: usize = 10;

/// Writes it if there are earlier reports.
pub(super) fn trend(report: &Report, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let Some(trend) = &report.trend else { return Ok(()) };
    let Trend { since, resources, flow_logs, changes, unhealthy, .. } = trend;
    writeln!(out, "\n{BOLD}since {since}{BOLD:#}")?;
    let coverage = &report.totals.coverage;
    for (what, told) in [
        ("resources", compared(coverage.resources, *resources, "have a flow log")),
        ("flow logs", compared(coverage.flow_logs, *flow_logs, "deliver")),
        ("changes", summary(changes)),
    ] {
        out.line(13, format_args!("  {DIM}{what:10}{DIM:#} {told}"))?;
    }
    let open: BTreeSet<(AccountId, Option<&Region>)> = report
        .open_findings()
        .flat_map(|finding| &finding.places)
        .filter(|place| place.exception.is_none())
        .map(|place| (place.account, place.region.as_ref()))
        .collect();
    let mut unhealthy: Vec<&UnhealthySince> =
        unhealthy.iter().filter(|it| open.contains(&(it.place.account, Some(&it.place.region)))).collect();
    unhealthy.sort_by(|one, other| (one.since, &one.place).cmp(&(other.since, &other.place)));
    if unhealthy.is_empty() {
        return Ok(());
    }
    let listed = if view.is_all() { unhealthy.len() } else { LISTED };
    let rows = unhealthy.iter().take(listed).map(|UnhealthySince { place, state, since, .. }| {
        let name = view.name(place.account).unwrap_or_default().to_owned();
        let word = format!("{} at least since {since:.0}", state.as_str());
        let cells = vec![place.account.to_string(), name, place.region.to_string(), word];
        Row { style: of_state(*state), sign: "!", cells, below: None }
    });
    table(&rows.collect::<Vec<_>>(), out)?;
    match unhealthy.len().saturating_sub(listed) {
        0 => Ok(()),
        more => {
            let more = counted(more, "more account-region", "more account-regions");
            out.aside(2, format!("and {more}, which `--all` lists"))
        }
    }
}

fn compared(now: Share, before: Share, what: &str) -> String {
    format!("{} {what}, {} before", share(now), share(before))
}

/// What became of an account-region.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Became {
    Unhealthy,
    StillUnhealthy,
    Healthy,
    New,
    NewAndUnhealthy,
    Gone,
}

impl Became {
    fn of(change: &StateChange) -> Self {
        let is_healthy = |state: State| state.is_healthy();
        match (change.before.map(is_healthy), change.now.map(is_healthy)) {
            (Some(true), Some(false)) => Self::Unhealthy,
            (Some(false), Some(false)) => Self::StillUnhealthy,
            (Some(_), Some(true)) => Self::Healthy,
            (None, Some(true)) => Self::New,
            (None, Some(false)) => Self::NewAndUnhealthy,
            (_, None) => Self::Gone,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Unhealthy => "became unhealthy",
            Self::StillUnhealthy => "in another unhealthy state",
            Self::Healthy => "recovered",
            Self::New => "new",
            Self::NewAndUnhealthy => "new and unhealthy",
            Self::Gone => "gone",
        }
    }
}

/// `account-regions: 3 became unhealthy, 12 recovered`.
fn summary(changes: &[StateChange]) -> String {
    let mut numbers: BTreeMap<Became, u64> = BTreeMap::new();
    changes.iter().for_each(|change| *numbers.entry(Became::of(change)).or_default() += 1);
    let parts = numbers.iter().map(|(became, number)| format!("{} {}", count(*number), became.words()));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "none".to_owned() } else { format!("account-regions: {}", parts.join(", ")) }
}
