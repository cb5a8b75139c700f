//! Lists, enters and reads every account of a fleet. Reading starts before all accounts are listed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, FleetFile, FoundAccount, Member, Only, Regions};
use flowagg_core::id::{AccountId, Place, Region};
use flowagg_core::observed::RegionState;
use flowagg_core::plan::reduced;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use futures::{StreamExt, pin_mut};
use tokio::sync::{Semaphore, mpsc};

use super::{Detail, region};
use crate::Progress;
use crate::aws::access::{Account, Accounts, Session, Units, find_accounts, not_a_region};
use crate::aws::tasks::{AT_ONCE, outcome};

/// A fleet with the state of all its account-regions.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Survey {
    /// The fleet, with the accounts and regions that were looked up.
    pub fleet: Fleet,
    pub accounts: Accounts,
    /// The state of each account-region, or the failure.
    pub regions: BTreeMap<Place, Result<RegionState, Failure>>,
}

/// Lists, enters and reads all accounts concurrently. With `only`, other members are not entered.
///
/// Fails if the accounts of an organization cannot be listed.
pub async fn survey(
    file: FleetFile,
    session: &Session,
    only: &[Only],
    progress: &dyn Progress,
) -> Result<Survey, Failure> {
    survey_in(Detail::Whole, file, session, only, progress).await
}

/// The fleet with the accounts of its organization. No account is entered, and regions of `["all"]` stay unresolved.
#[cfg(feature = "query")]
pub(crate) async fn listed(file: FleetFile, session: &Session) -> Result<Fleet, Failure> {
    let discovery = file.discovery().map(|(organization, how)| (organization.clone(), how.clone()));
    let mut resolution = file.resolve();
    let none = BTreeSet::new();
    if let Some((organization, how)) = discovery {
        let (sender, mut found) = mpsc::unbounded_channel();
        let adding = async {
            while let Some(account) = found.recv().await {
                resolution.find(account);
            }
        };
        futures::join!(find_accounts(session, &organization, &how, &none, sender), adding).0?;
    }
    Ok(resolution.finish())
}

/// Like [`survey`], with the given detail for each region.
pub(crate) async fn survey_in(
    detail: Detail,
    file: FleetFile,
    session: &Session,
    only: &[Only],
    progress: &dyn Progress,
) -> Result<Survey, Failure> {
    let reader = Arc::new(MemberReader {
        session: session.clone(),
        only: only.to_vec(),
        at_once: Semaphore::new(AT_ONCE / 2),
        reads: detail.reads(),
        // The wanted flow logs do not depend on the accounts that are found.
        reduces_to: (detail == Detail::ToPlan).then(|| file.clone().resolve().finish()),
    });
    // One task for each member, so that all cores are used.
    let start = |member| outcome(tokio::spawn(Arc::clone(&reader).member(member)));
    let wanted = |member: &&Member| Only::member(only, member);
    let named: Vec<Member> = file.members.values().filter(wanted).cloned().collect();
    let mut total = named.len();
    let mut reading: FuturesUnordered<_> = named.into_iter().map(start).collect();

    let (sender, mut found) = mpsc::unbounded_channel::<FoundAccount>();
    let discovery = file.discovery().map(|(organization, how)| (organization.clone(), how.clone()));
    let of_exceptions = file.units_of_exceptions();
    let mut resolution = file.resolve();
    let finding = async {
        match &discovery {
            Some((organization, how)) => {
                find_accounts(session, organization, how, &of_exceptions, sender).await
            }
            None => Ok(Units::default()),
        }
    };
    pin_mut!(finding);
    let mut is_finding = true;
    let mut units = Units::default();
    let mut members = BTreeMap::new();
    let mut regions = BTreeMap::new();
    loop {
        tokio::select! {
            listed = &mut finding, if is_finding => {
                units = listed?;
                is_finding = false;
            }
            Some(account) = found.recv() => {
                let new = resolution.find(account).filter(wanted).cloned();
                total += usize::from(new.is_some());
                reading.extend(new.map(start));
            }
            Some(MemberState { account, entered, enabled, states }) = reading.next() => {
                progress.step("reading", members.len() + 1, total, &account.to_string());
                members.insert(account, entered);
                regions.extend(states);
                if let Some(enabled) = enabled {
                    resolution.enable(account, enabled);
                }
            }
            else => break,
        }
    }
    units.of_exceptions.iter().for_each(|(unit, accounts)| resolution.hold(unit, accounts));
    let accounts = Accounts { session: session.clone(), members, units: units.paths };
    Ok(Survey { fleet: resolution.finish(), accounts, regions })
}

struct MemberReader {
    session: Session,
    only: Vec<Only>,
    at_once: Semaphore,
    /// Whether regions are read.
    reads: bool,
    /// The fleet to reduce each region with, if it is reduced.
    reduces_to: Option<Fleet>,
}

/// The outcome of one member.
struct MemberState {
    account: AccountId,
    entered: Result<Account, Failure>,
    /// Its enabled regions, if they were looked up.
    enabled: Option<BTreeSet<Region>>,
    states: BTreeMap<Place, Result<RegionState, Failure>>,
}

impl MemberReader {
    async fn member(self: Arc<Self>, member: Member) -> MemberState {
        let found = MemberState {
            account: member.account,
            entered: self.enter(&member).await,
            enabled: None,
            states: BTreeMap::new(),
        };
        let (mut regions, enabled): (BTreeSet<Region>, _) = match (&member.regions, &found.entered) {
            (Regions::These(regions), _) => (regions.clone(), None),
            (Regions::All { .. }, Ok(account)) => match self.enabled(account).await {
                Ok(enabled) => (enabled.clone(), Some(enabled)),
                Err(failure) => return found.lost(failure),
            },
            (Regions::All { .. }, Err(failure)) => {
                let failure = failure.clone();
                return found.lost(failure);
            }
        };
        regions.retain(|region| Only::region(&self.only, region));
        let mut uncalled = match &found.entered {
            Ok(account) => self.uncalled(account, &regions).await,
            Err(_) => BTreeMap::new(),
        };
        let reading = regions.into_iter().map(|region| {
            let uncalled = uncalled.remove(&region);
            let place = Place { account: member.account, region };
            async {
                let state = match (uncalled, &found.entered) {
                    (Some(failure), _) => Err(failure),
                    (None, Ok(_)) if !self.reads => Ok(RegionState::new(Vec::new(), Vec::new())),
                    (None, Ok(account)) => {
                        let _permit = self.at_once.acquire().await;
                        let state = region::read(account, &place, &member.resources).await;
                        match &self.reduces_to {
                            Some(fleet) => state.map(|state| reduced(fleet, &member, &place.region, state)),
                            None => state,
                        }
                    }
                    (None, Err(failure)) => {
                        let mut failure = failure.clone();
                        failure.place = place.clone();
                        Err(failure)
                    }
                };
                (place, state)
            }
        });
        let states = join_all(reading).await.into_iter().collect();
        MemberState { enabled, states, ..found }
    }

    async fn enter(&self, member: &Member) -> Result<Account, Failure> {
        let _permit = self.at_once.acquire().await;
        self.session.enter(member.account, &member.role).await
    }

    /// Regions that flowagg does not know and that are not enabled in the account, each with the failure. A misspelled region has no
    /// endpoints, so calls there would be retried until they time out.
    async fn uncalled(&self, account: &Account, regions: &BTreeSet<Region>) -> BTreeMap<Region, Failure> {
        let unknown: Vec<&Region> = regions.iter().filter(|region| !region.is_known()).collect();
        if unknown.is_empty() {
            return BTreeMap::new();
        }
        let enabled = self.enabled(account).await;
        let why = |region: &Region| match &enabled {
            Ok(enabled) if enabled.contains(region) => None,
            Ok(_) => Some(not_a_region(account.id, region)),
            Err(failure) => {
                let mut failure = failure.clone();
                failure.place.region = region.clone();
                Some(failure)
            }
        };
        unknown.into_iter().filter_map(|region| Some((region.clone(), why(region)?))).collect()
    }

    async fn enabled(&self, account: &Account) -> Result<BTreeSet<Region>, Failure> {
        let _permit = self.at_once.acquire().await;
        account.enabled_regions().await
    }
}

impl MemberState {
    /// The outcome of a member whose regions are unknown: one account-region with the failure, so that it is reported.
    fn lost(self, failure: Failure) -> Self {
        let region = failure.place.region.clone();
        let place = Place::new(self.account, &region);
        Self {
            enabled: Some(BTreeSet::from([region])),
            states: BTreeMap::from([(place, Err(failure))]),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::mocked;

    #[test]
    fn member_with_unknown_regions_has_one_failure_and_stays_in_the_fleet() {
        let place = mocked::place();
        let mut failure = Failure::new(
            Place::new(place.account, &Region::parse("us-east-1").unwrap()),
            "DescribeRegions",
            "no",
            "allow it",
        );
        failure.code = Some("UnauthorizedOperation".into());
        let found = MemberState {
            account: place.account,
            entered: Err(failure.clone()),
            enabled: None,
            states: BTreeMap::new(),
        };
        let lost = found.lost(failure.clone());
        assert_eq!(
            lost.enabled,
            Some(BTreeSet::from([failure.place.region.clone()])),
            "the plan must include this region"
        );
        assert_eq!(lost.states, BTreeMap::from([(failure.place.clone(), Err(failure))]));
    }
}
