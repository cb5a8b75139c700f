//! What was measured, as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::aws::Made;
use crate::bound::Bound;
use crate::fleet::Size;
use crate::{LATENCY, usage};

#[derive(Default)]
struct Row {
    calls: usize,
    throttled: usize,
    at: Vec<Instant>,
}

/// The calls by operation, in the order of their first.
pub(crate) fn calls(size: &Size, made: &[Made], start: Instant) -> String {
    let Size { accounts, regions, vpcs } = size;
    let mut text = format!(
        "flowagg apply --yes, the first run: {accounts} accounts x {regions} regions x {vpcs} VPCs, {LATENCY:?} for a call\n\n\
         {:28}{:>8}{:>11}{:>11}{:>9}\n",
        "operation", "calls", "throttled", "from", "to"
    );
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for call in made {
        let row = rows.entry(&call.operation).or_default();
        row.calls += 1;
        row.throttled += usize::from(call.throttled);
        row.at.push(call.at);
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(_, row)| row.at.first().copied());
    for (operation, Row { calls, throttled, at }) in rows {
        let [from, to] =
            [at.first(), at.last()].map(|at| at.map_or(0.0, |at| at.duration_since(start).as_secs_f64()));
        // Nothing can go wrong when a string is written to.
        let _ = writeln!(text, "{operation:28}{calls:>8}{throttled:>11}{from:>9.2} s{to:>7.2} s");
    }
    let throttled = made.iter().filter(|call| call.throttled).count();
    let _ = writeln!(text, "{:28}{:>8}{throttled:>11}\n", "all", made.len());
    text
}

/// Where the time of so many calls went, and the memory.
pub(crate) fn times(
    calls: usize,
    bound: &Bound,
    wall: Duration,
    cpu: Option<Duration>,
    endpoint: Option<Duration>,
) -> String {
    let mut text = format!("least time {:8.2} s\n", bound.total().as_secs_f64());
    for step in &bound.0 {
        let _ = writeln!(
            text,
            "  until {:10.2} s  {} ({} calls)",
            step.over.as_secs_f64(),
            step.what,
            step.calls
        );
    }
    let _ = writeln!(text, "wall {:14.2} s", wall.as_secs_f64());
    if let (Some(all), Some(endpoint)) = (cpu, endpoint) {
        let (all, endpoint) = (all.as_secs_f64(), endpoint.as_secs_f64());
        let each = (all - endpoint) / calls as f64 * 1e6;
        let _ = writeln!(
            text,
            "processor {all:9.2} s, {endpoint:.2} s of it the endpoint's; flowagg's are {each:.0} us a call"
        );
    }
    if let Some(peak) = usage::peak_memory() {
        let _ = writeln!(text, "peak memory {:7.0} MB, the endpoint's among it", peak as f64 / 1e6);
    }
    text
}
