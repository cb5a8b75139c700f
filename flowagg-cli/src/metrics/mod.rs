//! Metrics of a fleet for Prometheus and Amazon CloudWatch. Pure: the caller writes the text.

mod emf;
mod prometheus;

use std::collections::BTreeMap;

use flowagg_core::arrival::{Share, StateCounts, Verified};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::{FleetName, Place};
use flowagg_core::observed::RegionState;
use jiff::Timestamp;

use crate::report::PolicySize;

pub use prometheus::last_success;

/// The metrics of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// The name of the fleet.
    pub fleet: FleetName,
    /// Its account-regions.
    pub places: BTreeMap<Place, PlaceMetrics>,
    /// The size of the bucket policy, if it was read.
    pub policy: Option<PolicySize>,
    /// When a run last read everything; `None` if unknown.
    pub last_success: Option<Timestamp>,
    /// Whether this run read everything.
    pub is_read: bool,
}

/// The metrics of an account-region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceMetrics {
    /// It was read, except possibly which resources are in use.
    Read {
        /// Whether it was read completely.
        is_complete: bool,
        /// The resources with a flow log, out of those that should have one.
        resources: Share,
        /// Its flow logs by state, without those that an exception accepts.
        flow_logs: StateCounts,
        /// The flow logs that an exception accepts.
        accepted: usize,
        /// The age of its newest object in seconds; `None` if there is no object from today or yesterday (UTC).
        newest_age_seconds: Option<i64>,
    },
    /// It could not be read.
    Unread,
    /// It could not be read, and an exception accepts that.
    Accepted,
}

/// An account-region that was read.
struct Read<'a> {
    place: &'a Place,
    resources: Share,
    flow_logs: &'a StateCounts,
    accepted: usize,
    newest_age_seconds: Option<i64>,
}

impl Metrics {
    /// Computes the metrics of a fleet that was verified at `now`, from the states of its account-regions.
    pub fn new(
        fleet: &Fleet,
        states: &BTreeMap<Place, Result<RegionState, Failure>>,
        verified: &Verified,
        now: Timestamp,
    ) -> Self {
        let mut deliveries: BTreeMap<&Place, Vec<_>> = BTreeMap::new();
        for delivery in &verified.flow_logs {
            deliveries.entry(&delivery.place).or_default().push(delivery);
        }
        let metrics = |(place, state): (&Place, &Result<RegionState, Failure>)| {
            let metrics = if let Err(failure) = state {
                let is_accepted = verified.accepted_failures.iter().any(|it| it.failure == *failure);
                if is_accepted { PlaceMetrics::Accepted } else { PlaceMetrics::Unread }
            } else {
                let here = deliveries.get(place).map(Vec::as_slice).unwrap_or_default();
                let resources: BTreeMap<_, bool> =
                    here.iter().map(|it| (&it.resource, it.flow_log.is_some())).collect();
                let logged = resources.values().filter(|is_logged| **is_logged).count();
                PlaceMetrics::Read {
                    is_complete: verified.failures.iter().all(|failure| failure.place != *place),
                    resources: Share::new(logged, resources.len()),
                    flow_logs: here.iter().filter(|it| it.exception.is_none()).map(|it| it.state).collect(),
                    accepted: here.iter().filter(|it| it.exception.is_some()).count(),
                    newest_age_seconds: here.iter().filter_map(|it| it.age_seconds).min(),
                }
            };
            (place.clone(), metrics)
        };
        let is_read = verified.failures.is_empty();
        Self {
            fleet: fleet.name(),
            places: states.iter().map(metrics).collect(),
            policy: None,
            last_success: is_read.then_some(now),
            is_read,
        }
    }

    /// Marks the run as failed, and keeps the time of the last success from the previous run.
    pub fn failed(mut self, last_success: Option<Timestamp>) -> Self {
        (self.is_read, self.last_success) = (false, last_success);
        self
    }

    /// Whether an account-region was read completely; `None` if an exception accepts that it was not.
    fn is_read(place: &PlaceMetrics) -> Option<bool> {
        match place {
            PlaceMetrics::Read { is_complete, .. } => Some(*is_complete),
            PlaceMetrics::Unread => Some(false),
            PlaceMetrics::Accepted => None,
        }
    }

    /// The account-regions that were read.
    fn read(&self) -> impl Iterator<Item = Read<'_>> {
        self.places.iter().filter_map(|(place, metrics)| match metrics {
            PlaceMetrics::Read { resources, flow_logs, accepted, newest_age_seconds, is_complete: _ } => {
                let (accepted, newest_age_seconds) = (*accepted, *newest_age_seconds);
                Some(Read { place, resources: *resources, flow_logs, accepted, newest_age_seconds })
            }
            PlaceMetrics::Unread | PlaceMetrics::Accepted => None,
        })
    }
}

#[cfg(test)]
mod fixture {
    use flowagg_core::arrival::State;
    use flowagg_core::id::{AccountId, Region};

    use super::*;

    /// One account-region that was read, one that was read in part, one that was not read, and one that an exception accepts.
    pub(super) fn metrics() -> Metrics {
        let place = |account: &str, region: &str| {
            Place::new(AccountId::parse(account).unwrap(), &Region::parse(region).unwrap())
        };
        let states = [State::Delivering, State::Delivering, State::Missing];
        let places = [
            (
                place("222222222222", "eu-west-1"),
                PlaceMetrics::Read {
                    is_complete: true,
                    resources: Share::new(3, 4),
                    flow_logs: states.into_iter().collect(),
                    accepted: 1,
                    newest_age_seconds: Some(240),
                },
            ),
            (
                place("222222222222", "us-east-1"),
                PlaceMetrics::Read {
                    is_complete: false,
                    resources: Share::new(0, 0),
                    flow_logs: StateCounts::default(),
                    accepted: 0,
                    newest_age_seconds: None,
                },
            ),
            (place("333333333333", "eu-west-1"), PlaceMetrics::Unread),
            (place("444444444444", "eu-west-1"), PlaceMetrics::Accepted),
        ];
        let policy =
            PolicySize { bytes: 900, limit: 20_480, form: Some("accounts"), accounts_fit: Some(431) };
        Metrics {
            fleet: FleetName::parse("acme-flow-logs").unwrap(),
            places: places.into_iter().collect(),
            policy: Some(policy),
            last_success: Some("2026-12-01T11:00:00Z".parse().unwrap()),
            is_read: false,
        }
    }
}
