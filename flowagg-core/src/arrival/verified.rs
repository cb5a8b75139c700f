use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::accepted::{Acceptance, AcceptedFailure, ExceptionUse, uses};
use super::in_use::is_in_use;
use super::{Arrivals, Carrier, Coverage, Object, Patience, State, StateCounts, judge};
use crate::failure::Failure;
use crate::fleet::{Exception, Fleet, Standing};
use crate::flow_log::ForeignFlowLogs;
use crate::id::{AccountId, FlowLogId, Place, ResourceId};
use crate::observed::{FlowLog, RegionState, Resource};

/// The delivery state of all flow logs of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Verified {
    /// Every flow log of the fleet, and every resource without one, by account, region and resource.
    pub flow_logs: Vec<FlowLogDelivery>,
    /// Account-regions that were read and have no selected resources.
    pub nothing_to_log: Vec<Place>,
    /// The share of resources that are logged, and of flow logs that deliver.
    pub coverage: Coverage,
    /// Account-regions and resources that could not be read, except accepted ones.
    pub failures: Vec<Failure>,
    /// Failures that an exception accepts.
    pub accepted_failures: Vec<AcceptedFailure>,
    /// The exceptions of the fleet file.
    pub exceptions: Vec<ExceptionUse>,
    /// Accounts that have flow logs in the bucket but are not in the fleet.
    pub strangers: Vec<UnlistedAccount>,
}

/// The delivery state of one flow log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FlowLogDelivery {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// The name of the account in the fleet file or in the organization.
    pub account_name: Option<String>,
    /// The resource.
    pub resource: ResourceId,
    /// The name of the resource, from its tag `Name`.
    pub resource_name: Option<String>,
    /// The flow log; `null` if it is missing.
    pub flow_log: Option<FlowLogId>,
    /// The delivery state.
    pub state: State,
    /// The key of the newest object from today or yesterday (UTC).
    pub key: Option<String>,
    /// The age of that object in seconds.
    pub age_seconds: Option<i64>,
    /// Why delivery fails, as EC2 reports it, or why the state is unknown.
    pub message: Option<String>,
    /// The exception that accepts a state that would otherwise require action.
    pub exception: Option<Acceptance>,
}

impl FlowLogDelivery {
    /// Whether it requires action: its state is neither healthy nor accepted.
    pub fn is_open(&self) -> bool {
        !self.state.is_healthy() && self.exception.is_none()
    }
}

/// An account that is not in the fleet but has a folder of flow logs in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct UnlistedAccount {
    /// The account.
    pub account: AccountId,
    /// The key of its newest object from today or yesterday (UTC).
    pub key: Option<String>,
    /// The age of that object in seconds.
    pub age_seconds: Option<i64>,
}

impl Verified {
    /// Whether everything could be read and every flow log that should deliver does, apart from accepted findings.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && !self.flow_logs.iter().any(FlowLogDelivery::is_open)
    }

    /// Whether waiting longer can change the result.
    pub fn may_change(&self) -> bool {
        let mut open = self.flow_logs.iter().filter(|delivery| delivery.is_open());
        open.any(|delivery| matches!(delivery.state, State::Waiting | State::Silent | State::Failing))
    }

    /// The account-regions with flow logs that should deliver but do not, apart from accepted ones.
    pub fn undelivered(&self) -> BTreeSet<Place> {
        let undelivered = self.flow_logs.iter().filter(|delivery| delivery.is_open());
        undelivered.map(|delivery| delivery.place.clone()).collect()
    }

    /// The account-regions and carriers of silent flow logs. Whether they are idle depends on the resources in use there.
    pub fn silent(&self) -> BTreeSet<(Place, Carrier)> {
        let silent = self.flow_logs.iter().filter(|delivery| delivery.state == State::Silent);
        silent.map(|delivery| (delivery.place.clone(), delivery.resource.kind().into())).collect()
    }

    /// The number of flow logs in each state.
    pub fn counts(&self) -> StateCounts {
        self.flow_logs.iter().map(|delivery| delivery.state).collect()
    }

    /// The number of accepted flow logs in each state.
    pub fn accepted(&self) -> StateCounts {
        let accepted = self.flow_logs.iter().filter(|delivery| delivery.exception.is_some());
        accepted.map(|delivery| delivery.state).collect()
    }
}

/// Judges the delivery state of all flow logs at `now` from the objects in the bucket.
pub fn judged(
    fleet: &Fleet,
    states: &BTreeMap<Place, Result<RegionState, Failure>>,
    arrivals: &Arrivals,
    patience: Patience,
    now: Timestamp,
) -> Verified {
    let mut failures: BTreeSet<&Failure> = states.values().filter_map(|state| state.as_ref().err()).collect();
    let unread = failures.len();
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut used: Vec<&Exception> = Vec::new();
    let mut of_accepted: BTreeMap<&Failure, &Exception> = BTreeMap::new();
    let flow_logs: Vec<FlowLogDelivery> = expected(fleet, states)
        .into_iter()
        .map(|(place, resource, log)| {
            let in_use = is_in_use(&arrivals.in_use, &place, &resource.id);
            let newest = log.and_then(|log| arrivals.newest.get(&log.id));
            let state = judge(log, newest, in_use, now, patience);
            let covering: Vec<&Exception> =
                if state.is_healthy() { Vec::new() } else { fleet.exceptions(&place, Some(resource), today) };
            let exception = covering.first().copied();
            used.extend(covering);
            let message = match (state, in_use) {
                (State::Unknown, Some(Err(failure))) => {
                    // A failure that only affects accepted flow logs is accepted with them.
                    match exception {
                        None => drop(failures.insert(failure)),
                        Some(exception) => drop(of_accepted.insert(failure, exception)),
                    }
                    Some(failure.what())
                }
                _ => log.and_then(|log| log.deliver_error.clone()),
            };
            FlowLogDelivery {
                exception: exception.map(Acceptance::from),
                account_name: fleet.account_name(place.account).map(str::to_owned),
                place,
                resource: resource.id.clone(),
                resource_name: resource.name().map(str::to_owned),
                flow_log: log.map(|log| log.id.clone()),
                state,
                key: newest.map(|object| object.key.clone()),
                age_seconds: newest.map(|object| age(object, now)),
                message,
            }
        })
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
    let coverage = Coverage::new(&flow_logs, unread);
    let logged: BTreeSet<&Place> = flow_logs.iter().map(|delivery| &delivery.place).collect();
    let read = states.iter().filter(|(_, state)| state.is_ok()).map(|(place, _)| place);
    let nothing_to_log = read.filter(|place| !logged.contains(place)).cloned().collect();
    let (mut open, mut accepted_failures) = (Vec::new(), Vec::new());
    of_accepted.retain(|failure, _| !failures.contains(failure));
    for failure in failures {
        let covering: Vec<&Exception> = fleet.exceptions(&failure.place, None, today);
        match covering.first() {
            Some(exception) => drop(of_accepted.insert(failure, exception)),
            None => open.push(failure.clone()),
        }
        used.extend(covering);
    }
    let accepted = |(failure, exception): (&Failure, &Exception)| AcceptedFailure {
        failure: failure.clone(),
        exception: exception.into(),
    };
    accepted_failures.extend(of_accepted.into_iter().map(accepted));
    let exceptions = uses(fleet, used.into_iter(), today);
    Verified { coverage, failures: open, accepted_failures, exceptions, flow_logs, nothing_to_log, strangers }
}

/// All selected resources, each with every flow log that [counts](Fleet::counts), or with none. A foreign flow log does not count
/// next to a managed one, or next to another that covers the resource.
pub fn expected<'a>(
    fleet: &Fleet,
    states: &'a BTreeMap<Place, Result<RegionState, Failure>>,
) -> Vec<(Place, &'a Resource, Option<&'a FlowLog>)> {
    let name = fleet.name();
    let mut expected = Vec::new();
    for (place, state) in states {
        let (Ok(state), Some(member)) = (state, fleet.members.get(&place.account)) else { continue };
        let standings = member.standings(&state.resources);
        for (resource, _) in standings.into_iter().filter(|(_, standing)| *standing == Standing::Logged) {
            let logs = state.flow_logs.iter().filter(|log| log.is_of(&resource.id) && fleet.counts(log));
            let (ours, foreign): (Vec<&FlowLog>, Vec<&FlowLog>) =
                logs.partition(|log| log.is_managed_by(&name));
            let logs = match fleet.flow_logs.foreign {
                _ if !ours.is_empty() => ours,
                ForeignFlowLogs::Covers => {
                    foreign.into_iter().min_by_key(|log| &log.id).into_iter().collect()
                }
                ForeignFlowLogs::Differs | ForeignFlowLogs::Ignore => foreign,
            };
            if logs.is_empty() {
                expected.push((place.clone(), resource, None));
            } else {
                expected.extend(logs.into_iter().map(|log| (place.clone(), resource, Some(log))));
            }
        }
    }
    expected
}

fn age(object: &Object, now: Timestamp) -> i64 {
    now.duration_since(object.stored).as_secs().max(0)
}
