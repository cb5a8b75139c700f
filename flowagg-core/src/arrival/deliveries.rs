use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::civil::Date;
use serde::Serialize;

use super::{InUse, Object};
use crate::id::{AccountId, FlowLogId, Place};

/// The newest object of each flow log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrivals {
    /// The newest object of each of the fleet's flow logs. Flow logs without an object from today or yesterday (UTC) are omitted.
    pub newest: BTreeMap<FlowLogId, Object>,
    /// The accounts that are not in the fleet but have a folder of flow logs, each with its newest object; `None` if it has none
    /// from today or yesterday (UTC).
    pub strangers: BTreeMap<AccountId, Option<Object>>,
    /// The resources in use in account-regions with silent flow logs.
    pub in_use: InUse,
}

/// The objects that were delivered on a number of days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deliveries {
    /// The newest object of each flow log, and the accounts that are not in the fleet.
    pub arrivals: Arrivals,
    /// The delivered amount, by account-region and by the day (UTC) of the folder. Days without objects are omitted.
    pub days: BTreeMap<Place, BTreeMap<Date, Amount>>,
}

/// The amount that was delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Amount {
    /// The number of objects.
    pub objects: u64,
    /// Their stored size in bytes.
    pub bytes: u64,
}

impl Amount {
    /// A number of objects with their total size in bytes.
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
