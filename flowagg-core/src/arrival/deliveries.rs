use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::civil::Date;
use serde::Serialize;

use super::Object;
use crate::id::{AccountId, FlowLogId, Place};

/// The newest object of each flow log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrivals {
    /// Of the fleet's flow logs.
    pub newest: BTreeMap<FlowLogId, Object>,
    /// Of accounts that the fleet does not name; `None` where nothing came today or yesterday.
    pub strangers: BTreeMap<AccountId, Option<Object>>,
}

/// What came in a number of days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deliveries {
    /// The newest object of each flow log, and the accounts that the fleet does not name.
    pub arrivals: Arrivals,
    /// By account and region, and by the day (UTC) of the folder. A day without objects is not in it.
    pub days: BTreeMap<Place, BTreeMap<Date, Amount>>,
}

/// How much was delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Amount {
    /// The objects.
    pub objects: u64,
    /// Their bytes, as they are stored.
    pub bytes: u64,
}

impl Amount {
    /// This many objects, which have this many bytes together.
    pub fn new(objects: u64, bytes: u64) -> Self {
        Self { objects, bytes }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
    }
}
