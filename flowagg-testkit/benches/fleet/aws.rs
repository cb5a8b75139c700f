//! The simulated AWS with token buckets, and a list of its calls.

use std::time::Instant;

use flowagg_testkit::simulation::{Answer, Call, Service, Simulation};

use crate::buckets::Buckets;
use crate::fleet::Size;
use crate::stamps::{OnWire, Stamps};

/// A call that was received.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) service: Service,
    pub(crate) operation: String,
    /// The account and the region.
    pub(crate) place: (String, String),
    pub(crate) at: Instant,
    pub(crate) throttled: bool,
    /// The connection, and the index of the call on it.
    pub(crate) connection: (Stamps, usize),
}

impl Made {
    /// The times at which it was on the wire; `None` if its response has not been sent.
    pub(crate) fn on_wire(&self) -> Option<OnWire> {
        let (stamps, number) = &self.connection;
        stamps.of(*number)
    }
}

#[derive(Debug)]
pub(crate) struct Aws {
    simulation: Simulation,
    buckets: Buckets,
    pub(crate) made: Vec<Made>,
}

impl Aws {
    /// `policy` is the policy of the bucket; with `None`, the bucket does not exist.
    pub(crate) fn new(size: &Size, policy: Option<&str>) -> Self {
        let simulation = Simulation::new(size.shape());
        let simulation = match policy {
            Some(policy) => simulation.with_policy(policy),
            None => simulation,
        };
        Self { simulation, buckets: Buckets::default(), made: Vec::new() }
    }

    /// Answers a call that was received at this time.
    pub(crate) fn answer(&mut self, call: Call, at: Instant, connection: (Stamps, usize)) -> Answer {
        let throttled = !self.buckets.take(&call, at);
        let answer = if throttled { Answer::throttled(call.service) } else { self.simulation.answer(&call) };
        let Call { service, operation, account, region, .. } = call;
        self.made.push(Made { service, operation, place: (account, region), at, throttled, connection });
        answer
    }
}
