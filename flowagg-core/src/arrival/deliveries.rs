use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::civil::Date;
use serde::Serialize;

use super::{InUse, Object};
use crate::id::{AccountId, FlowLogId, Place};

/// The newest object of each flow log that was looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrivals {
    /// The newest object of each of the fleet's flow logs. One without an object of today or yesterday (UTC) is not in it.
    pub newest: BTreeMap<FlowLogId, Object>,
    /// The accounts that the fleet does not name and that have a folder of flow logs, each with its newest object; `None` if it
    /// has none of today or yesterday (UTC).
    pub strangers: BTreeMap<AccountId, Option<Object>>,
    /// What is in use where flow logs are silent.
    pub in_use: InUse,
}

/// The objects that were delivered on a number of days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deliveries {
    /// The newest object of each flow log, and the accounts that the fleet does not name.
    pub arrivals: Arrivals,
    /// How much was delivered, by account-region and by the day (UTC) of the folder. A day without objects is not in it.
    pub days: BTreeMap<Place, BTreeMap<Date, Amount>>,
}

/// How much was delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Amount {
    /// The number of objects.
    pub objects: u64,
    /// Their size in bytes, as they are stored.
    pub bytes: u64,
}

impl Amount {
    /// This many objects, with this many bytes in total.
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
