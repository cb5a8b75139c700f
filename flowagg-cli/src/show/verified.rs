//! The output of `verify`: a line for each account, and details only for problems.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use flowagg_core::arrival::{
    AcceptedFailure, ExceptionUse, FlowLogDelivery, State, StateCounts, UnlistedAccount, Verified,
};
use flowagg_core::id::{AccountId, Region};

use super::failures::{HANG, failures};
use super::sheet::Sheet;
use super::style::{BOLD, DIM, RED, YELLOW, of_state};
use super::table::{Row, table};
use super::verdict::{next_step, numbers, verdict};
use super::view::{View, named};
use crate::Exit;
use crate::report::words::{Outcome, age, count, counted, states};

/// The maximum number of accounts with a line each. More are counted by state.
const ACCOUNTS: usize = 40;
/// The maximum number of flow logs with a line each for one cause. For more, only their accounts are listed.
const DETAILS: usize = 10;
/// The maximum number of accounts outside the fleet with a line each.
const STRANGERS: usize = 3;

/// Writes the accounts, the problems with their fixes, and the totals.
pub(crate) fn verified(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    body(verified, view, out)?;
    let outcome = Outcome::from(verified);
    verdict("verify", &outcome, "", out)?;
    next_step("verify", &outcome, out)
}

/// Writes the same for a run that a signal ended, with the results so far.
pub(crate) fn interrupted(
    verified: &Verified,
    exit: Exit,
    view: View<'_>,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    body(verified, view, out)?;
    let share = verified.coverage.flow_logs;
    let remaining = states(&Outcome::from(verified).flow_logs, |state| !state.is_healthy()).join(", ");
    let remaining = if remaining.is_empty() { String::new() } else { format!("; remaining: {remaining}") };
    let word = exit.by_signal();
    out.line(
        word.len() + 2,
        format_args!(
            "{BOLD}{RED}{word}{RED:#}{BOLD:#}: {} of {} flow logs deliver{remaining}",
            share.count, share.of
        ),
    )?;
    super::next("run `flowagg verify` again", out)
}

fn body(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    if view.is_all() {
        let rows: Vec<Row> = verified.flow_logs.iter().map(row).collect();
        table(&rows, out)?;
        nothing_to_log(verified, view, out)?;
    } else {
        accounts(verified, view, out)?;
    }
    strangers(&verified.strangers, view, out)?;
    problems(verified, view, out)?;
    if !verified.failures.is_empty() {
        writeln!(out)?;
        failures(&verified.failures, view, out)?;
    }
    exceptions(verified, view, out)?;
    writeln!(out)?;
    for (what, text) in numbers(&verified.coverage, &verified.counts()) {
        out.line(13, format_args!("  {DIM}{what:10}{DIM:#} {text}"))?;
    }
    writeln!(out)
}

/// The state of an account.
#[derive(Default)]
struct Standing<'a> {
    flow_logs: StateCounts,
    unread: BTreeSet<&'a Region>,
    /// The number of findings that an exception accepts.
    accepted: usize,
    /// The age of its newest object.
    newest: Option<i64>,
}

impl<'a> Standing<'a> {
    fn all(verified: &'a Verified) -> BTreeMap<AccountId, Self> {
        let mut accounts: BTreeMap<AccountId, Self> = BTreeMap::new();
        for delivery in &verified.flow_logs {
            let of = accounts.entry(delivery.place.account).or_default();
            match delivery.exception {
                None => of.flow_logs.count(delivery.state),
                Some(_) => of.accepted += 1,
            }
            of.newest = of.newest.into_iter().chain(delivery.age_seconds).min();
        }
        for place in &verified.nothing_to_log {
            accounts.entry(place.account).or_default();
        }
        for failure in &verified.failures {
            accounts.entry(failure.place.account).or_default().unread.insert(&failure.place.region);
        }
        for AcceptedFailure { failure, .. } in &verified.accepted_failures {
            accounts.entry(failure.place.account).or_default().accepted += 1;
        }
        accounts
    }

    /// The worst state of its flow logs, or `Unknown` after a failed read; `None` if there is nothing to log.
    fn worst(&self) -> Option<State> {
        if self.unread.is_empty() { self.flow_logs.worst() } else { Some(State::Unknown) }
    }

    fn kind(&self) -> Kind {
        match self.worst() {
            Some(state) => Kind::Open(state),
            None if self.accepted > 0 => Kind::Accepted,
            None => Kind::Nothing,
        }
    }

    /// Formats the state: `3 delivering, 1 silent, newest object 40 s old`.
    fn words(&self) -> String {
        let mut parts = states(&self.flow_logs, |_| true);
        if !self.unread.is_empty() {
            let unread = counted(self.unread.len(), "region", "regions");
            parts.push(format!("{unread} could not be read"));
        }
        if self.accepted > 0 {
            parts.push(format!("{} with an exception", count(self.accepted as u64)));
        }
        if parts.is_empty() {
            return NOTHING.to_owned();
        }
        parts.extend(self.newest.map(|newest| format!("newest object {} old", age(newest))));
        parts.join(", ")
    }
}

/// The text for an account without anything to log.
const NOTHING: &str = "nothing to log";

/// The group of an account in the summary of a large fleet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The worst state without accepted findings.
    Open(State),
    /// All findings are accepted.
    Accepted,
    /// There is nothing to log.
    Nothing,
}

impl Kind {
    fn state(self) -> Option<State> {
        match self {
            Self::Open(state) => Some(state),
            Self::Accepted | Self::Nothing => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Open(state) => state.as_str(),
            Self::Accepted => "with an exception",
            Self::Nothing => NOTHING,
        }
    }
}

/// Writes a line for each account, or for each state if there are many accounts.
fn accounts(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let accounts = Standing::all(verified);
    if accounts.len() <= ACCOUNTS {
        let row = |(account, standing): (&AccountId, &Standing<'_>)| {
            let (style, sign) = sign(standing.worst());
            let name = view.name(*account).unwrap_or_default().to_owned();
            Row { style, sign, cells: vec![account.to_string(), name, standing.words()], below: None }
        };
        return table(&accounts.iter().map(row).collect::<Vec<_>>(), out);
    }
    let mut by_state: BTreeMap<Kind, (usize, StateCounts)> = BTreeMap::new();
    for standing in accounts.values() {
        let (number, flow_logs) = by_state.entry(standing.kind()).or_default();
        *number += 1;
        standing.flow_logs.iter().for_each(|(state, n)| (0..n).for_each(|_| flow_logs.count(state)));
    }
    let kinds = State::WORST_FIRST.into_iter().rev().map(Kind::Open);
    let rows = kinds.chain([Kind::Accepted, Kind::Nothing]).filter_map(|kind| {
        let (number, flow_logs) = by_state.get(&kind)?;
        let (style, sign) = sign(kind.state());
        let words = kind.words().to_owned();
        let flow_logs = states(flow_logs, |_| true).join(", ");
        let flow_logs = if flow_logs.is_empty() { flow_logs } else { format!("flow logs: {flow_logs}") };
        let cells = vec![counted(*number, "account", "accounts"), words, flow_logs];
        Some(Row { style, sign, cells, below: None })
    });
    table(&rows.collect::<Vec<_>>(), out)
}

/// Writes the account-regions with nothing to log, which have no flow log line.
fn nothing_to_log(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let rows = verified.nothing_to_log.iter().map(|place| {
        let (style, sign) = sign(None);
        let name = view.name(place.account).unwrap_or_default().to_owned();
        let cells = vec![NOTHING.to_owned(), place.account.to_string(), name, place.region.to_string()];
        Row { style, sign, cells, below: None }
    });
    table(&rows.collect::<Vec<_>>(), out)
}

fn strangers(strangers: &[UnlistedAccount], view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    if strangers.len() > STRANGERS && !view.is_all() {
        let accounts: Vec<String> = strangers.iter().map(|stranger| stranger.account.to_string()).collect();
        let start = format!(
            "{DIM}note{DIM:#}: {} accounts outside the fleet have flow logs in the bucket:",
            count(strangers.len() as u64)
        );
        return view.list(&start, &accounts, "accounts", 6, out);
    }
    for UnlistedAccount { account, age_seconds, .. } in strangers {
        let newest = age_seconds.map_or("no objects today or yesterday".to_owned(), |it| {
            format!("newest object {} old", age(it))
        });
        out.line(
            6,
            format_args!(
                "{DIM}note{DIM:#}: {account} is not in the fleet, but has flow logs in the bucket ({newest})"
            ),
        )?;
    }
    Ok(())
}

/// Writes accepted findings and expired exceptions.
fn exceptions(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let accepted = verified.accepted().total() + verified.accepted_failures.len();
    if accepted > 0 || verified.exceptions.iter().any(|it| it.is_expired) {
        writeln!(out)?;
    }
    for ExceptionUse { exception, .. } in verified.exceptions.iter().filter(|it| it.is_expired) {
        let (until, reason) = (exception.until, &exception.reason);
        out.line(
            HANG,
            format_args!(
                "{YELLOW}warning{YELLOW:#}: an exception expired on {until}: {exception} ({reason})"
            ),
        )?;
        out.aside(HANG, "remove it from the fleet file, or set a later `until`")?;
    }
    if view.is_all() {
        let rows = verified.accepted_failures.iter().map(|AcceptedFailure { failure, exception, .. }| {
            let place = [failure.place.account.to_string(), failure.place.region.to_string()];
            let cells = place.into_iter().chain([failure.what(), exception.to_string()]).collect();
            Row { style: DIM, sign: "=", cells, below: None }
        });
        return table(&rows.collect::<Vec<_>>(), out);
    }
    if accepted > 0 {
        let findings = counted(accepted, "finding has", "findings have");
        let what = format!("{findings} an exception; run `flowagg verify --all` for details");
        out.line(6, format_args!("{DIM}note{DIM:#}: {what}"))?;
    }
    Ok(())
}

/// Writes the problems by state and cause, with the worst last, next to the prompt.
fn problems(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    for state in State::WORST_FIRST.into_iter().rev().filter(|state| !state.is_healthy()) {
        let mut causes: BTreeMap<Option<&str>, Vec<&FlowLogDelivery>> = BTreeMap::new();
        let open = verified.flow_logs.iter().filter(|delivery| delivery.is_open());
        for delivery in open.filter(|delivery| delivery.state == state) {
            // Failed reads are errors with their own cause.
            let cause = delivery.message.as_deref().filter(|_| state == State::Failing);
            causes.entry(cause).or_default().push(delivery);
        }
        for (cause, alike) in causes {
            problem(state, cause, &alike, view, out)?;
        }
    }
    Ok(())
}

/// Writes a cause, its fix, and then each flow log or only the accounts.
fn problem(
    state: State,
    cause: Option<&str>,
    alike: &[&FlowLogDelivery],
    view: View<'_>,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    let (style, sign) = sign(Some(state));
    let (one, more) =
        if state == State::Missing { ("resource", "resources") } else { ("flow log", "flow logs") };
    let number = counted(alike.len(), one, more);
    let (what, help) = match state {
        State::Failing => {
            let cause = cause.unwrap_or("no reason given");
            (
                format!("AWS reports: {cause}"),
                "run `flowagg plan` to check the bucket policy and the KMS key policy",
            )
        }
        State::Missing => (
            "no valid flow log to the bucket".to_owned(),
            "run `flowagg plan` to see what `apply` creates, and what prevents it",
        ),
        State::Silent => (
            "in use, but no recent objects".to_owned(),
            "run `flowagg plan` to check the bucket policy and the KMS key policy",
        ),
        State::Waiting => {
            ("new, no objects yet".to_owned(), "run `flowagg verify --wait 30m` to wait for them")
        }
        State::Unknown => (
            "no recent objects, and the resources in use could not be read".to_owned(),
            "fix the errors below",
        ),
        State::Delivering | State::Idle => return Ok(()),
    };
    writeln!(out)?;
    out.line(HANG, format_args!("{style}{}{style:#}: {number}: {what}", state.as_str()))?;
    out.aside(HANG, help)?;
    if alike.len() <= DETAILS || view.is_all() {
        let rows = alike.iter().map(|delivery| {
            let newest =
                delivery.age_seconds.map_or(String::new(), |it| format!("newest object {} old", age(it)));
            let mut cells = place_and_resource(delivery);
            cells.push(newest);
            Row { style, sign, cells, below: delivery.key.clone() }
        });
        return table(&rows.collect::<Vec<_>>(), out);
    }
    let accounts: BTreeSet<AccountId> = alike.iter().map(|delivery| delivery.place.account).collect();
    let start = format!("{:HANG$}in {}:", "", counted(accounts.len(), "account", "accounts"));
    view.accounts(&start, accounts, HANG, out)?;
    out.aside(HANG, "use `--all` to list each flow log")
}

/// Formats a flow log for `--all`.
fn row(delivery: &FlowLogDelivery) -> Row {
    let (style, sign) = if delivery.exception.is_some() { (DIM, "=") } else { sign(Some(delivery.state)) };
    let mut cells = vec![delivery.state.as_str().to_owned()];
    cells.extend(place_and_resource(delivery));
    cells.push(delivery.age_seconds.map_or(String::new(), |it| format!("newest object {} old", age(it))));
    cells.extend(delivery.exception.as_ref().map(ToString::to_string));
    Row { style, sign, cells, below: delivery.key.clone() }
}

fn place_and_resource(delivery: &FlowLogDelivery) -> Vec<String> {
    let FlowLogDelivery { place, account_name, resource, resource_name, flow_log, .. } = delivery;
    vec![
        place.account.to_string(),
        account_name.clone().unwrap_or_default(),
        place.region.to_string(),
        named(resource, resource_name.as_deref()),
        flow_log.as_ref().map_or("-".to_owned(), ToString::to_string),
    ]
}

fn sign(state: Option<State>) -> (anstyle::Style, &'static str) {
    let sign = match state {
        Some(State::Delivering) => "+",
        Some(State::Waiting) => "~",
        Some(State::Idle) | None => "=",
        Some(State::Silent | State::Failing | State::Missing | State::Unknown) => "!",
    };
    (state.map_or(DIM, of_state), sign)
}

#[cfg(test)]
mod tests;
