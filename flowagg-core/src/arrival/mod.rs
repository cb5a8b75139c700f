//! Whether the objects of a flow log arrive, judged from a listing at a time that the caller provides.

mod accepted;
mod coverage;
mod deliveries;
mod in_use;
mod state;
mod verified;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use accepted::{Acceptance, AcceptedFailure, ExceptionUse};
pub use coverage::{Coverage, Share};
pub use deliveries::{Amount, Arrivals, Deliveries};
pub use in_use::{Carrier, InUse};
pub use state::{State, StateCounts, judge};
pub use verified::{FlowLogDelivery, UnlistedAccount, Verified, expected, judged};

/// The thresholds for late objects and for new flow logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patience {
    /// The maximum age of the newest object of a delivering flow log.
    pub fresh: SignedDuration,
    /// The time after its creation in which a flow log may not have delivered anything.
    pub grace: SignedDuration,
}

impl Default for Patience {
    /// 60 minutes for `fresh`, and 30 minutes for `grace`.
    ///
    /// Files arrive every 5 minutes, about 10 minutes after the traffic, on a best-effort basis. Sources: "Flow log files", "Flow
    /// log records" (Amazon VPC User Guide).
    fn default() -> Self {
        Self { fresh: SignedDuration::from_mins(60), grace: SignedDuration::from_mins(30) }
    }
}

/// An object in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Object {
    pub key: String,
    /// The time at which S3 stored it.
    pub stored: Timestamp,
}

impl Object {
    /// An object with this key and storage time.
    pub fn new(key: impl Into<String>, stored: Timestamp) -> Self {
        Self { key: key.into(), stored }
    }
}
