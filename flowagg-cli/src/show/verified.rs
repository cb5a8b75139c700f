//! What arrives and what does not.

use std::io;

use flowagg_core::arrival::{FlowLogDelivery, State, Verified};
use flowagg_core::fleet::Fleet;

use super::failures::failures;
use super::sheet::Sheet;
use super::style::{DIM, of_state};
use super::table::{Row, table};
use super::verdict::{numbers, verdict};
use crate::report::words::age;

pub(crate) fn verified(fleet: &Fleet, verified: &Verified, out: &mut Sheet<'_>) -> io::Result<()> {
    let rows: Vec<Row> = verified.flow_logs.iter().map(|delivery| row(fleet, delivery)).collect();
    table(&rows, out)?;
    if !verified.failures.is_empty() {
        writeln!(out)?;
        failures(&verified.failures, out)?;
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
    let counts = verified.counts();
    writeln!(out)?;
    for (what, told) in numbers(&verified.coverage, &counts) {
        out.line(13, format_args!("  {DIM}{what:10}{DIM:#} {told}"))?;
    }
    writeln!(out)?;
    verdict("verify", verified.failures.is_empty(), &counts, "", out)
}

fn row(fleet: &Fleet, delivery: &FlowLogDelivery) -> Row {
    let sign = match delivery.state {
        State::Delivering => "+",
        State::Waiting => "~",
        State::Idle => "=",
        State::Silent | State::Failing | State::Missing | State::Unknown => "!",
    };
    let name =
        fleet.members.get(&delivery.place.account).and_then(|member| member.name.clone()).unwrap_or_default();
    let log = delivery.flow_log.as_ref().map(ToString::to_string).unwrap_or_else(|| "-".to_owned());
    Row {
        style: of_state(delivery.state),
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
    let reason = || delivery.message.as_deref().unwrap_or("no reason given");
    match (delivery.state, newest) {
        (State::Delivering, Some(newest)) => newest,
        (State::Failing, _) => {
            format!("AWS reports: {}; look at the bucket policy and the KMS key policy", reason())
        }
        (State::Missing, _) => "no flow log to the bucket; `flowagg apply` makes it".to_owned(),
        (State::Waiting, _) => "new, nothing has arrived yet".to_owned(),
        (State::Idle, _) => "nothing in use, so nothing to deliver".to_owned(),
        (State::Unknown, _) => format!("silent; whether it is in use is unknown: {}", reason()),
        (_, newest) => {
            let since = newest.map_or("nothing today or yesterday".to_owned(), |it| {
                format!("nothing of late, newest {it}")
            });
            format!("in use, but {since}: `flowagg plan` checks the bucket policy and the key")
        }
    }
}
