//! What arrives and what does not: a line for each account, and details only for what needs action.

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

/// More accounts than this have no line each: they are counted by their state.
const ACCOUNTS: usize = 40;
/// More flow logs than this with one cause have no line each: their accounts are listed.
const DETAILS: usize = 10;
/// More accounts than this that are not in the fleet have no line each.
const STRANGERS: usize = 3;

/// Writes the accounts, what is wrong and how to fix it, and the numbers.
pub(crate) fn verified(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    body(verified, view, out)?;
    let outcome = Outcome::from(verified);
    verdict("verify", &outcome, "", out)?;
    next_step("verify", &outcome, out)
}

/// The same of a run that a signal ended, as far as it came.
pub(crate) fn interrupted(
    verified: &Verified,
    exit: Exit,
    view: View<'_>,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    body(verified, view, out)?;
    let share = verified.coverage.flow_logs;
    let awaited = states(&Outcome::from(verified).flow_logs, |state| !state.is_healthy()).join(", ");
    let awaited = if awaited.is_empty() { String::new() } else { format!("; still awaited: {awaited}") };
    let word = exit.by_signal();
    out.line(
        word.len() + 2,
        format_args!(
            "{BOLD}{RED}{word}{RED:#}{BOLD:#}: {} of {} flow logs deliver{awaited}",
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
    for (what, told) in numbers(&verified.coverage, &verified.counts()) {
        out.line(13, format_args!("  {DIM}{what:10}{DIM:#} {told}"))?;
    }
    writeln!(out)
}

/// How an account stands.
#[derive(Default)]
struct Standing<'a> {
    flow_logs: StateCounts,
    unread: BTreeSet<&'a Region>,
    /// What is accepted by an exception.
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

    /// The worst state of its flow logs, or that something could not be read; `None` if nothing is to be logged.
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

    /// `3 delivering, 1 silent, the newest object 40 s old`.
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

/// Of an account in whose regions nothing is to be logged.
const NOTHING: &str = "nothing to log";

/// What an account has in common with others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The worst state of what is not accepted.
    Open(State),
    /// Everything is accepted.
    Accepted,
    /// Nothing is to be logged.
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

/// A line for each account; if there are many, for each state that accounts are in.
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

/// The accounts in which nothing is to be logged: they have no line of a flow log.
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
            "{DIM}note{DIM:#}: {} accounts have flow logs in the bucket and are not in the fleet:",
            count(strangers.len() as u64)
        );
        return view.list(&start, &accounts, "accounts", 6, out);
    }
    for UnlistedAccount { account, age_seconds, .. } in strangers {
        let newest = age_seconds
            .map_or("nothing today or yesterday".to_owned(), |it| format!("newest object {} old", age(it)));
        out.line(
            6,
            format_args!(
                "{DIM}note{DIM:#}: {account} has flow logs in the bucket and is not in the fleet ({newest})"
            ),
        )?;
    }
    Ok(())
}

/// What is accepted, and exceptions that are over.
fn exceptions(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let accepted = verified.accepted().total() + verified.accepted_failures.len();
    if accepted > 0 || verified.exceptions.iter().any(|it| it.is_expired) {
        writeln!(out)?;
    }
    for ExceptionUse { exception, .. } in verified.exceptions.iter().filter(|it| it.is_expired) {
        let (until, reason) = (exception.until, &exception.reason);
        out.line(
            HANG,
            format_args!("{YELLOW}warning{YELLOW:#}: an exception ended on {until}: {exception} ({reason})"),
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
        let what = format!("{findings} an exception: `flowagg verify --all` lists them");
        out.line(6, format_args!("{DIM}note{DIM:#}: {what}"))?;
    }
    Ok(())
}

/// What does not deliver, by state and cause, the worst last: next to the prompt.
fn problems(verified: &Verified, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    for state in State::WORST_FIRST.into_iter().rev().filter(|state| !state.is_healthy()) {
        let mut causes: BTreeMap<Option<&str>, Vec<&FlowLogDelivery>> = BTreeMap::new();
        let open = verified.flow_logs.iter().filter(|delivery| delivery.is_open());
        for delivery in open.filter(|delivery| delivery.state == state) {
            // What could not be read is an error with its own cause.
            let cause = delivery.message.as_deref().filter(|_| state == State::Failing);
            causes.entry(cause).or_default().push(delivery);
        }
        for (cause, alike) in causes {
            problem(state, cause, &alike, view, out)?;
        }
    }
    Ok(())
}

/// What has one cause, and what to do about it; then each of it, or its accounts.
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
                "check the bucket policy and the KMS key policy: `flowagg plan` evaluates both",
            )
        }
        State::Missing => (
            "no flow log to the bucket that counts".to_owned(),
            "`flowagg plan` shows what `apply` creates, and what keeps it from that",
        ),
        State::Silent => (
            "in use, but nothing has arrived of late".to_owned(),
            "`flowagg plan` checks the bucket policy and the KMS key policy",
        ),
        State::Waiting => {
            ("new, nothing has arrived yet".to_owned(), "`flowagg verify --wait 30m` waits for it")
        }
        State::Unknown => (
            "nothing has arrived of late, and whether it is in use could not be read".to_owned(),
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
    out.aside(HANG, "`--all` lists each flow log")
}

/// A flow log of the whole list.
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
