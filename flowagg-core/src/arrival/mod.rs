//! Whether a flow log's objects arrive: a judgement on what was listed, at a moment that the caller names.

mod deliveries;
mod verified;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use deliveries::{Amount, Arrivals, Deliveries};
pub use verified::{FlowLogDelivery, UnlistedAccount, Verified, expected, judged};

use crate::observed::FlowLog;

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
    /// 60 minutes for `fresh`, and 15 minutes for `grace`.
    ///
    /// Files arrive every 5 minutes, about 10 minutes after the traffic, on a best-effort basis. Sources: "Flow log files", "Flow log records"
    /// (Amazon VPC User Guide).
    fn default() -> Self {
        Self { fresh: SignedDuration::from_mins(60), grace: SignedDuration::from_mins(15) }
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

/// Whether a flow log delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its newest object is recent enough.
    Delivering,
    /// It was created a short time ago and has delivered nothing yet.
    Waiting,
    /// It has delivered nothing, or its newest object is too old.
    Silent,
    /// EC2 reports that its delivery fails.
    Failed,
    /// There is no flow log.
    Missing,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivering => "delivering",
            Self::Waiting => "waiting",
            Self::Silent => "silent",
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }
}

/// The state of a flow log at `now`: `Failed` if EC2 reports that its delivery fails, else by the age of its newest object, or of
/// the flow log itself if it has none.
pub fn judge(log: Option<&FlowLog>, newest: Option<&Object>, now: Timestamp, patience: Patience) -> State {
    let Some(log) = log else { return State::Missing };
    let age = newest.map(|object| now.duration_since(object.stored));
    let failed = log.deliver_status.as_deref() == Some("FAILED");
    match age {
        Some(age) if age <= patience.fresh && !failed => State::Delivering,
        _ if failed => State::Failed,
        Some(_) => State::Silent,
        None if log.created.is_some_and(|created| now.duration_since(created) < patience.grace) => {
            State::Waiting
        }
        None => State::Silent,
    }
}
