//! Reads the current state from AWS, in all account-regions concurrently.

mod contents;
mod each;
mod hub;
mod key;
mod lifecycle;
mod log_folders;
mod region;
mod security;
mod survey;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use flowagg_core::arrival::{Carrier, InUse};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, FleetFile, Hub, Only};
use flowagg_core::id::{AccountId, Place};
use flowagg_core::observed::{Bucket, Key, Observed, RegionState};
use flowagg_policy::Plan;
use futures::StreamExt;

use super::tasks::spread;
use super::{Account, Accounts, Session};
use crate::Progress;

pub(crate) use hub::{
    encryption, encryption_rules, folders, last_segment, locate, policy, public_access_block,
};
pub(crate) use lifecycle::lifecycle;
pub use log_folders::log_folders;
pub(crate) use log_folders::{log_roots, services};
pub use security::{SecurityGroupSurvey, security_groups};
#[cfg(feature = "query")]
pub(crate) use survey::listed;
pub(crate) use survey::survey_in;
pub use survey::{Survey, survey};

/// A fleet and its observed state.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Observation {
    /// The fleet, with the accounts and regions that were looked up.
    pub fleet: Fleet,
    pub accounts: Accounts,
    /// The observed state.
    pub observed: Observed,
}

/// How much of each region's state to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nothing. Only accounts are entered and their regions listed.
    #[cfg(feature = "query")]
    Places,
    /// Everything.
    Whole,
    /// What a plan needs. Each region is [reduced](flowagg_core::plan::reduced) as soon as it is read.
    ToPlan,
}

impl Detail {
    /// Whether regions are read.
    fn reads(self) -> bool {
        match self {
            #[cfg(feature = "query")]
            Self::Places => false,
            Self::Whole | Self::ToPlan => true,
        }
    }
}

/// Reads the hub and every member's regions concurrently. Parts that cannot be read contain the failure. With `only`, other members
/// and regions are not read.
///
/// Fails if the accounts of an organization cannot be listed.
pub async fn observe(
    file: FleetFile,
    session: &Session,
    only: &[Only],
    progress: &dyn Progress,
) -> Result<Observation, Failure> {
    observe_in(Detail::Whole, file, session, only, progress).await
}

/// Like [`observe`], with the given detail for each region.
pub(crate) async fn observe_in(
    detail: Detail,
    file: FleetFile,
    session: &Session,
    only: &[Only],
    progress: &dyn Progress,
) -> Result<Observation, Failure> {
    let hub = file.hub.clone();
    let ((bucket, key), survey) =
        futures::join!(read_hub(&hub, session.hub()), survey_in(detail, file, session, only, progress));
    let Survey { fleet, accounts, regions } = survey?;
    // The members determine which objects would expire sooner.
    let scope = Only::scope(only, &fleet);
    let bucket = match bucket {
        Ok(Some(bucket)) => Ok(Some(contents::with_age(&fleet, bucket, &scope, session.hub()).await)),
        other => other,
    };
    let mut observed = Observed::new(bucket);
    observed.key = key;
    observed.regions = regions;
    observed.scope = scope;
    Ok(Observation { fleet, accounts, observed })
}

/// Reads the bucket, then its KMS key.
async fn read_hub(
    hub: &Hub,
    account: &Account,
) -> (Result<Option<Bucket>, Failure>, Option<Result<Key, Failure>>) {
    let bucket = hub::read(hub, account).await;
    let found = bucket.as_ref().ok().and_then(Option::as_ref);
    let key = key::read(hub, found.and_then(|bucket| bucket.encryption.as_ref()), account).await;
    (bucket, key)
}

/// Reads again what a plan has changed: the hub, and the flow logs of account-regions with changes.
///
/// Account-regions in `settled`, whose responses already confirm every change, are not read again and not returned: EC2 may not list
/// new flow logs for a while.
pub(crate) async fn observe_again(
    Observation { fleet, accounts, observed: mut before }: Observation,
    plan: &Plan,
    settled: &BTreeSet<Place>,
    progress: &dyn Progress,
) -> Observation {
    let mut changed: BTreeSet<Place> = plan.flow_logs().iter().map(|change| change.place.clone()).collect();
    // AWS may change the bucket policy when a flow log is created in the bucket's own account.
    let in_hub = changed.iter().any(|place| place.account == fleet.hub.account);
    let in_question: BTreeSet<AccountId> = plan.concerns().iter().map(|concern| concern.account).collect();
    for place in settled.iter().filter(|place| !in_question.contains(&place.account)) {
        changed.remove(place);
        before.regions.remove(place);
    }
    let at_hub = async {
        if plan.hub().is_empty() && !in_hub {
            (before.bucket, before.key)
        } else {
            let (bucket, key) = read_hub(&fleet.hub, accounts.hub()).await;
            let oldest = before.bucket.ok().flatten().map(|bucket| bucket.oldest).unwrap_or_default();
            let with_oldest = |mut bucket: Bucket| {
                bucket.oldest = oldest;
                bucket
            };
            (bucket.map(|bucket| bucket.map(with_oldest)), key)
        }
    };
    let ((bucket, key), regions) =
        futures::join!(at_hub, read_again(&accounts, &changed, before.regions, progress));
    let mut observed = Observed::new(bucket);
    observed.key = key;
    observed.regions = regions;
    observed.scope = before.scope;
    Observation { fleet, accounts, observed }
}

/// Reads the flow logs of these account-regions again. Those that could not be read before keep their failure.
pub async fn read_again(
    accounts: &Accounts,
    places: &BTreeSet<Place>,
    mut regions: BTreeMap<Place, Result<RegionState, Failure>>,
    progress: &dyn Progress,
) -> BTreeMap<Place, Result<RegionState, Failure>> {
    let reachable = places.iter().filter_map(|place| Some((place, accounts.member(place.account)?.ok()?)));
    let reachable: Vec<_> = reachable.map(|(place, account)| (place.clone(), account.clone())).collect();
    let total = reachable.len();
    let reading = reachable.into_iter().map(|(place, account)| async move {
        let flow_logs = region::flow_logs(&account, &place).await;
        (place, flow_logs)
    });
    let mut reading = pin!(spread(reading));
    let mut done = 0;
    while let Some((place, flow_logs)) = reading.next().await {
        done += 1;
        progress.step("looking again", done, total, &place.to_string());
        if let Some(state) = regions.get_mut(&place) {
            match (state, flow_logs) {
                (Ok(state), Ok(flow_logs)) => {
                    state.flow_logs = flow_logs;
                    // The state is not reduced anymore.
                    state.up_to_date.clear();
                }
                (state, Err(failure)) => *state = Err(failure),
                (Err(_), Ok(_)) => {}
            }
        }
    }
    regions
}

/// Reads which resources of these account-regions are in use.
pub(crate) async fn in_use(
    accounts: &Accounts,
    asked: BTreeSet<(Place, Carrier)>,
    progress: &dyn Progress,
) -> InUse {
    let entered = |(place, carrier): (Place, Carrier)| {
        let account = accounts.member(place.account)?.ok()?.clone();
        Some((place, carrier, account))
    };
    let reachable: Vec<_> = asked.into_iter().filter_map(entered).collect();
    let total = reachable.len();
    let reading = reachable.into_iter().map(|(place, carrier, account)| async move {
        let in_use = region::in_use(&account, &place, carrier).await;
        ((place, carrier), in_use)
    });
    let mut reading = pin!(spread(reading));
    let mut found = InUse::new();
    while let Some((of, in_use)) = reading.next().await {
        progress.step("finding idle", found.len() + 1, total, &of.0.to_string());
        found.insert(of, in_use);
    }
    found
}
