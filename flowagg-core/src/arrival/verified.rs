use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{Arrivals, Object, Patience, State, judge};
use crate::failure::Failure;
use crate::fleet::{Fleet, Standing};
use crate::id::{AccountId, FlowLogId, Place, ResourceId};
use crate::observed::{FlowLog, RegionState};

/// Which flow logs deliver, and which do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Verified {
    /// Every flow log of the fleet, and every resource without one, by account, region and resource.
    pub flow_logs: Vec<FlowLogDelivery>,
    /// Accounts and regions that could not be read.
    pub unreachable: Vec<Failure>,
    /// Accounts with flow logs in the bucket that the fleet does not name.
    pub strangers: Vec<UnlistedAccount>,
}

/// Whether one flow log delivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FlowLogDelivery {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// What is logged, or should be.
    pub resource: ResourceId,
    /// The flow log; `None` when it is missing.
    pub flow_log: Option<FlowLogId>,
    /// Whether it delivers.
    pub state: State,
    /// The key of the newest object of today or yesterday (UTC).
    pub key: Option<String>,
    /// How old that object is, in seconds.
    pub age_seconds: Option<i64>,
    /// Why delivery fails, as EC2 reports it.
    pub message: Option<String>,
}

/// An account that the fleet does not name, with a folder of flow logs in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct UnlistedAccount {
    /// The account.
    pub account: AccountId,
    /// The key of its newest object of today or yesterday (UTC).
    pub key: Option<String>,
    /// How old that object is, in seconds.
    pub age_seconds: Option<i64>,
}

impl Verified {
    /// Whether every flow log of the fleet delivers.
    pub fn is_complete(&self) -> bool {
        self.unreachable.is_empty()
            && self.flow_logs.iter().all(|delivery| delivery.state == State::Delivering)
    }

    /// Whether waiting longer can change the result.
    pub fn may_change(&self) -> bool {
        self.flow_logs
            .iter()
            .any(|delivery| matches!(delivery.state, State::Waiting | State::Silent | State::Failed))
    }

    /// The account-regions where a flow log does not deliver.
    pub fn undelivered(&self) -> BTreeSet<Place> {
        let missing = self.flow_logs.iter().filter(|delivery| delivery.state != State::Delivering);
        missing.map(|it| it.place.clone()).collect()
    }

    /// The number of flow logs that deliver.
    pub fn delivering(&self) -> usize {
        self.flow_logs.iter().filter(|delivery| delivery.state == State::Delivering).count()
    }
}

/// Which flow logs deliver at `now` and which do not, by what was found in the bucket.
pub fn judged(
    fleet: &Fleet,
    states: &BTreeMap<Place, Result<RegionState, Failure>>,
    arrivals: &Arrivals,
    patience: Patience,
    now: Timestamp,
) -> Verified {
    let mut unreachable: Vec<Failure> =
        states.values().filter_map(|state| state.as_ref().err().cloned()).collect();
    unreachable.sort();
    let flow_logs = expected(fleet, states)
        .into_iter()
        .map(|(place, resource, log)| delivery(place, resource, log, arrivals, patience, now))
        .collect();
    let strangers = arrivals
        .strangers
        .iter()
        .map(|(account, newest)| UnlistedAccount {
            account: *account,
            key: newest.as_ref().map(|object| object.key.clone()),
            age_seconds: newest.as_ref().map(|object| age(object, now)),
        })
        .collect();
    Verified { flow_logs, unreachable, strangers }
}

/// Everything that is to be logged, with each of its flow logs to the fleet's destination, or with none.
pub fn expected<'a>(
    fleet: &Fleet,
    states: &'a BTreeMap<Place, Result<RegionState, Failure>>,
) -> Vec<(Place, ResourceId, Option<&'a FlowLog>)> {
    let destination = fleet.destination();
    let mut expected = Vec::new();
    for (place, state) in states {
        let (Ok(state), Some(member)) = (state, fleet.members.get(&place.account)) else { continue };
        let standings = member.standings(&state.resources);
        for (resource, _) in standings.into_iter().filter(|(_, standing)| *standing == Standing::Logged) {
            let resource = &resource.id;
            let logs: Vec<&FlowLog> = state
                .flow_logs
                .iter()
                .filter(|log| log.is_of(resource) && destination.is(&log.destination))
                .collect();
            if logs.is_empty() {
                expected.push((place.clone(), resource.clone(), None));
            } else {
                expected.extend(logs.into_iter().map(|log| (place.clone(), resource.clone(), Some(log))));
            }
        }
    }
    expected
}

fn delivery(
    place: Place,
    resource: ResourceId,
    log: Option<&FlowLog>,
    arrivals: &Arrivals,
    patience: Patience,
    now: Timestamp,
) -> FlowLogDelivery {
    let newest = log.and_then(|log| arrivals.newest.get(&log.id));
    FlowLogDelivery {
        place,
        resource,
        flow_log: log.map(|log| log.id.clone()),
        state: judge(log, newest, now, patience),
        key: newest.map(|object| object.key.clone()),
        age_seconds: newest.map(|object| age(object, now)),
        message: log.and_then(|log| log.deliver_error.clone()),
    }
}

fn age(object: &Object, now: Timestamp) -> i64 {
    now.duration_since(object.stored).as_secs().max(0)
}
