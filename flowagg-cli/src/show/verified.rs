//! What arrives and what does not.

use std::io;

use flowagg_core::arrival::{FlowLogDelivery, State, Verified};
use flowagg_core::fleet::Fleet;

use super::failures::failures;
use super::sheet::Sheet;
use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::table::{Row, table};
use crate::report::words::age;

pub(crate) fn verified(fleet: &Fleet, verified: &Verified, out: &mut Sheet<'_>) -> io::Result<()> {
    let rows: Vec<Row> = verified.flow_logs.iter().map(|delivery| row(fleet, delivery)).collect();
    table(&rows, out)?;
    if !verified.unreachable.is_empty() {
        writeln!(out)?;
        failures(&verified.unreachable, out)?;
    }
    for stranger in &verified.strangers {
        let newest = stranger
            .age_seconds
            .map_or("nothing of late".to_owned(), |seconds| format!("newest object {} old", age(seconds)));
        let account = stranger.account;
        out.line(
            6,
            format_args!(
                "{DIM}note{DIM:#}: {account} has flow logs in the bucket and is not in the fleet ({newest})"
            ),
        )?;
    }
    let count = |state| verified.flow_logs.iter().filter(|delivery| delivery.state == state).count();
    let states = [State::Delivering, State::Waiting, State::Silent, State::Failed, State::Missing];
    let counts: Vec<String> = states
        .into_iter()
        .map(|state| (state, count(state)))
        .filter(|(_, n)| *n > 0)
        .map(|(state, n)| format!("{n} {}", state.as_str()))
        .collect();
    let counts = if counts.is_empty() { "nothing to look at".to_owned() } else { counts.join(", ") };
    writeln!(out, "\n{BOLD}verify{BOLD:#}: {counts} of {} flow logs", verified.flow_logs.len())
}

fn row(fleet: &Fleet, delivery: &FlowLogDelivery) -> Row {
    let (style, sign) = match delivery.state {
        State::Delivering => (GREEN, "+"),
        State::Waiting => (YELLOW, "~"),
        State::Silent | State::Failed | State::Missing => (RED, "!"),
    };
    let name =
        fleet.members.get(&delivery.place.account).and_then(|member| member.name.clone()).unwrap_or_default();
    let log = delivery.flow_log.as_ref().map(ToString::to_string).unwrap_or_else(|| "-".to_owned());
    Row {
        style,
        sign,
        cells: vec![
            delivery.state.as_str().to_owned(),
            delivery.place.account.to_string(),
            name,
            delivery.place.region.to_string(),
            delivery.resource.to_string(),
            log,
            story(delivery),
        ],
        below: delivery.key.clone(),
    }
}

fn story(delivery: &FlowLogDelivery) -> String {
    let newest = delivery.age_seconds.map(|seconds| format!("{} ago", age(seconds)));
    match (delivery.state, newest) {
        (State::Delivering, Some(newest)) => newest,
        (State::Failed, _) => {
            let message = delivery.message.as_deref().unwrap_or("no reason given");
            format!("AWS says: {message}; look at the bucket policy and the KMS key policy")
        }
        (State::Missing, _) => "no flow log to the bucket; `flowagg apply` makes it".to_owned(),
        (State::Waiting, _) => "new, nothing has come yet".to_owned(),
        (_, Some(newest)) => format!("nothing of late, newest {newest}"),
        (_, None) => {
            "nothing today or yesterday: no traffic, or the bucket policy or key stops it".to_owned()
        }
    }
}
