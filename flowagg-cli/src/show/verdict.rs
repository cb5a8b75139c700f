//! The health of a fleet in numbers, for `verify` and `report`.

use std::io;

use flowagg_core::arrival::{Coverage, State, StateCounts};

use super::sheet::{Sheet, TIE};
use super::style::{BOLD, GREEN, RED};
use crate::report::Totals;
use crate::report::words::{Outcome, count, counted, share, states};

/// Formats the number of account-regions in each state.
pub(super) fn account_regions(totals: &Totals) -> String {
    let states = totals.account_regions.iter().map(|(state, number)| (state.as_str(), number));
    let states = states.chain([("with nothing to log", totals.nothing_to_log)]);
    let states = states.filter(|(_, number)| *number > 0);
    let states = states.map(|(words, number)| format!("{}{TIE}{words}", count(number as u64)));
    states.collect::<Vec<_>>().join(", ")
}

/// Formats the share of resources with a flow log and of flow logs that deliver, each with its label.
pub(super) fn numbers(coverage: &Coverage, flow_logs: &StateCounts) -> [(&'static str, String); 2] {
    let others = states(flow_logs, |state| state != State::Delivering);
    let delivering = [format!("{} deliver", share(coverage.flow_logs))].into_iter().chain(others);
    let unread = match coverage.unread {
        0 => String::new(),
        n => format!("; {} could not be read", counted(n, "account-region", "account-regions")),
    };
    [
        ("resources", format!("{} have a flow log{unread}", share(coverage.resources))),
        ("flow logs", delivering.collect::<Vec<_>>().join(", ")),
    ]
}

/// Writes the next step, if there is one.
pub(super) fn next_step(verb: &str, outcome: &Outcome, out: &mut Sheet<'_>) -> io::Result<()> {
    if !outcome.is_read {
        return super::next(&format!("fix the errors above, then run `flowagg {verb}` again"), out);
    }
    let what = match outcome.flow_logs.worst() {
        Some(State::Failing | State::Silent) => {
            "run `flowagg plan` to check the bucket policy and the KMS key policy"
        }
        Some(State::Missing) => "run `flowagg plan` to see the missing flow logs",
        Some(State::Waiting) => "run `flowagg verify --wait 30m` to wait until the logs arrive",
        Some(State::Unknown | State::Delivering | State::Idle) | None => return Ok(()),
    };
    super::next(what, out)
}

/// Writes the last line, which matches the exit code.
pub(super) fn verdict(verb: &str, outcome: &Outcome, more: &str, out: &mut Sheet<'_>) -> io::Result<()> {
    let (style, word) = if outcome.is_healthy() { (GREEN, "ok") } else { (RED, verb) };
    let verdict = outcome.words();
    out.line(word.len() + 2, format_args!("{style}{BOLD}{word}{BOLD:#}{style:#}: {verdict}{more}"))
}
