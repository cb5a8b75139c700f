//! Whether a flow log's objects arrive: a judgement on what was listed, at a moment that the caller names.

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

/// When an object is late, and how long a new flow log may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patience {
    /// How old the newest object of a flow log that delivers may be.
    pub fresh: SignedDuration,
    /// How long after its creation a flow log may have delivered nothing.
    pub grace: SignedDuration,
}

impl Default for Patience {
    /// 60 minutes for `fresh`, and 30 minutes for `grace`.
    ///
    /// Files arrive every 5 minutes, about 10 minutes after the traffic, on a best-effort basis. Sources: "Flow log files", "Flow log records"
    /// (Amazon VPC User Guide).
    fn default() -> Self {
        Self { fresh: SignedDuration::from_mins(60), grace: SignedDuration::from_mins(30) }
    }
}

/// An object in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Object {
    /// Its key.
    pub key: String,
    /// When S3 stored it.
    pub stored: Timestamp,
}

impl Object {
    /// An object with this key, and when S3 stored it.
    pub fn new(key: impl Into<String>, stored: Timestamp) -> Self {
        Self { key: key.into(), stored }
    }
}
