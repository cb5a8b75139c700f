//! Reads what AWS has, in every account and region at once.

mod hub;
mod region;

use std::collections::BTreeMap;

use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{Bucket, Failure, Place, RegionState};
use futures::{StreamExt, stream};

use super::Accounts;
use crate::Progress;

pub(crate) use hub::{folders, lifecycle_rules, policy};

/// What AWS has of a fleet.
pub struct Observed {
    /// The hub bucket; `None` where it does not exist.
    pub bucket: Result<Option<Bucket>, Failure>,
    /// Every member's regions.
    pub regions: BTreeMap<Place, Result<RegionState, Failure>>,
}

/// Reads the hub and every member's regions at once. What cannot be read comes as a failure beside the rest.
pub async fn observe(fleet: &Fleet, accounts: &Accounts, progress: &dyn Progress) -> Observed {
    let (bucket, regions) =
        futures::join!(hub::read(fleet, accounts.hub()), regions(fleet, accounts, progress));
    Observed { bucket, regions }
}

/// Reads every member's regions at once.
pub async fn regions(
    fleet: &Fleet,
    accounts: &Accounts,
    progress: &dyn Progress,
) -> BTreeMap<Place, Result<RegionState, Failure>> {
    let places = accounts.places(fleet);
    let total = places.len();
    let mut reading = stream::iter(places)
        .map(|place| async move {
            let state = match accounts.member(place.account) {
                Some(Ok(account)) => region::read(account, &place).await,
                Some(Err(failure)) => Err(Failure { region: place.region.clone(), ..failure.clone() }),
                None => Ok(RegionState::default()),
            };
            (place, state)
        })
        .buffer_unordered(super::AT_ONCE);
    let mut states = BTreeMap::new();
    while let Some((place, state)) = reading.next().await {
        progress.step("reading", states.len() + 1, total, &place.to_string());
        states.insert(place, state);
    }
    states
}
