//! Formats the results as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::aws::Made;
use crate::bound::Bound;
use crate::fleet::Size;
use crate::floor::Floor;
use crate::usage::Cost;
use crate::{LATENCY, usage};

#[derive(Default)]
struct Row {
    calls: usize,
    throttled: usize,
    at: Vec<Instant>,
}

/// The calls by operation, in the order of their first call.
pub(crate) fn calls(size: &Size, made: &[Made], start: Instant) -> String {
    let Size { accounts, regions, vpcs } = size;
    let mut text = format!(
        "flowagg apply --yes, first run: {accounts} accounts x {regions} regions x {vpcs} VPCs, {LATENCY:?} per call\n\n\
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
        // Writing to a string does not fail.
        let _ = writeln!(text, "{operation:28}{calls:>8}{throttled:>11}{from:>9.2} s{to:>7.2} s");
    }
    let throttled = made.iter().filter(|call| call.throttled).count();
    let _ = writeln!(text, "{:28}{:>8}{throttled:>11}\n", "all", made.len());
    text
}

/// The times and the memory of the calls.
pub(crate) fn times(bound: &Bound, wall: Duration, cost: Cost) -> String {
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
    if let (Some((all, endpoint)), Some(each)) = (cost.seconds(), cost.each()) {
        let _ = writeln!(
            text,
            "CPU {all:15.2} s, including {endpoint:.2} s of the endpoint; flowagg: {each:.0} us per call"
        );
    }
    if let Some(peak) = usage::peak_memory() {
        let _ = writeln!(text, "peak memory {:7.0} MB, including the endpoint", peak as f64 / 1e6);
    }
    text
}

/// The results of the SDK alone, and the ratio to flowagg's.
pub(crate) fn floor(floor: &Floor, flowagg: Cost) -> String {
    let Floor { cost, wall, client } = floor;
    let mut text = format!("\nthe SDK alone: {} calls in {:.2} s\n", cost.calls, wall.as_secs_f64());
    if let (Some((all, endpoint)), Some(each), Some(client)) = (cost.seconds(), cost.each(), client) {
        let _ = writeln!(
            text,
            "CPU {all:15.2} s, including {endpoint:.2} s of the endpoint; the SDK: {each:.0} us per call, and {} us to create a \
             client",
            client.as_micros()
        );
        if let Some(flowagg) = flowagg.each() {
            let _ = writeln!(text, "ratio of the CPU time per call {:.2}", flowagg / each);
        }
    }
    text
}
