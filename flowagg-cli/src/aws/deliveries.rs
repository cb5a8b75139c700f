//! Deliveries in the bucket. Lists once per account, region and day; makes no calls for single objects.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::Client;
use flowagg_core::arrival::{
    Amount, Arrivals, Deliveries, InUse, Object, Patience, Verified, expected, judged,
};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, Hub};
use flowagg_core::id::{AccountId, FlowLogId, Place};
use flowagg_core::layout::{self, FileName, Layout};
use flowagg_core::observed::RegionState;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::Accounts;
use super::call::LIST_OBJECTS;
use super::complete::Pages;
use super::failure::At;
use super::observe::{folders, in_use, last_segment};
use super::tasks::AT_ONCE;
use crate::Progress;

/// Counts objects and bytes in the day folders of these account-regions: one listing per folder.
pub async fn deliveries(
    fleet: &Fleet,
    accounts: &Accounts,
    places: &BTreeSet<Place>,
    days: &[Date],
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Deliveries, Failure> {
    let reader = BucketReader::new(fleet, accounts, now);
    let folders = places.iter().flat_map(|place| days.iter().map(move |day| (place, *day)));
    let total = places.len() * days.len();
    let counting = stream::iter(folders).map(|(place, day)| reader.count(place, day));
    let counting = async {
        let mut counting = std::pin::pin!(counting.buffer_unordered(AT_ONCE));
        let (mut newest, mut found) = (BTreeMap::new(), BTreeMap::<Place, BTreeMap<Date, Amount>>::new());
        let mut done = 0;
        while let Some((place, day, counted)) = counting.next().await {
            let (amount, of_day) = counted?;
            done += 1;
            progress.step("counting", done, total, &place.to_string());
            for (log, object) in of_day {
                keep_newest(&mut newest, log, object);
            }
            if amount.objects > 0 {
                found.entry(place.clone()).or_default().insert(day, amount);
            }
        }
        Ok((newest, found))
    };
    let ((newest, days), strangers) = futures::try_join!(counting, reader.strangers(fleet))?;
    let mut deliveries = Deliveries::default();
    deliveries.arrivals.newest = newest;
    deliveries.arrivals.strangers = strangers;
    deliveries.days = days;
    Ok(deliveries)
}

/// The amount that each of these flow logs delivered on a day (UTC): one listing for each account-region. Omits flow logs without
/// deliveries.
pub async fn delivered_by_flow_log(
    fleet: &Fleet,
    accounts: &Accounts,
    flow_logs: &BTreeMap<Place, BTreeSet<FlowLogId>>,
    day: Date,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<BTreeMap<FlowLogId, Amount>, Failure> {
    let reader = &BucketReader::new(fleet, accounts, now);
    let listings = stream::iter(flow_logs).map(|(place, logs)| async move {
        let mut delivered = BTreeMap::<FlowLogId, Amount>::new();
        let folder = reader.layout.day_folder(place, day);
        let add = |log, bytes, _| {
            if logs.contains(&log) {
                *delivered.entry(log).or_default() += Amount::new(1, bytes);
            }
        };
        reader.each_file(&folder, add).await.map(|()| (place, delivered))
    });
    let mut listings = std::pin::pin!(listings.buffer_unordered(AT_ONCE));
    let (mut done, mut all) = (0, BTreeMap::new());
    while let Some(listed) = listings.next().await {
        let (place, delivered) = listed?;
        done += 1;
        progress.step("counting", done, flow_logs.len(), &place.to_string());
        all.extend(delivered);
    }
    Ok(all)
}

/// Finds the newest object of each requested flow log in today's folders, and in yesterday's if today has none.
pub async fn arrivals(
    fleet: &Fleet,
    accounts: &Accounts,
    asked: &BTreeMap<Place, BTreeSet<FlowLogId>>,
    now: Timestamp,
) -> Result<Arrivals, Failure> {
    let reader = BucketReader::new(fleet, accounts, now);
    let (newest, strangers) = futures::try_join!(reader.fleet(asked), reader.strangers(fleet))?;
    let mut arrivals = Arrivals::default();
    arrivals.newest = newest;
    arrivals.strangers = strangers;
    Ok(arrivals)
}

/// Reads which resources are in use where flow logs have no recent objects: one call per account-region and page. Skips what
/// `arrivals` already contains.
pub async fn find_idle(
    fleet: &Fleet,
    accounts: &Accounts,
    states: &BTreeMap<Place, Result<RegionState, Failure>>,
    arrivals: &mut Arrivals,
    patience: Patience,
    now: Timestamp,
    progress: &dyn Progress,
) {
    let mut asked = judged(fleet, states, arrivals, patience, now).silent();
    asked.retain(|of| !arrivals.in_use.contains_key(of));
    arrivals.in_use.extend(in_use(accounts, asked, progress).await);
}

/// Checks once whether the flow logs of these regions have delivered. `known` caches the resources in use between calls.
pub async fn verify(
    fleet: &Fleet,
    accounts: &Accounts,
    states: &BTreeMap<Place, Result<RegionState, Failure>>,
    known: &mut InUse,
    patience: Patience,
    now: Timestamp,
) -> Result<Verified, Failure> {
    let mut asked: BTreeMap<Place, BTreeSet<FlowLogId>> = BTreeMap::new();
    for (place, _, log) in expected(fleet, states) {
        if let Some(log) = log {
            asked.entry(place).or_default().insert(log.id.clone());
        }
    }
    let mut arrivals = arrivals(fleet, accounts, &asked, now).await?;
    arrivals.in_use = std::mem::take(known);
    find_idle(fleet, accounts, states, &mut arrivals, patience, now, &()).await;
    let verified = judged(fleet, states, &arrivals, patience, now);
    *known = arrivals.in_use;
    Ok(verified)
}

struct BucketReader<'a> {
    s3: Client,
    hub: &'a Hub,
    layout: Layout,
    at: At,
    today: Date,
}

/// Keeps the object with the latest modification time; listings are not in that order.
fn keep_newest(newest: &mut BTreeMap<FlowLogId, Object>, log: FlowLogId, object: Object) {
    if newest.get(&log).is_none_or(|found| found.stored <= object.stored) {
        newest.insert(log, object);
    }
}

impl<'a> BucketReader<'a> {
    fn new(fleet: &'a Fleet, accounts: &Accounts, now: Timestamp) -> Self {
        Self {
            s3: accounts.hub().s3(&fleet.hub.region),
            hub: &fleet.hub,
            layout: fleet.layout(),
            at: At::new(fleet.hub.place()).about(&fleet.hub.bucket),
            today: now.to_zoned(TimeZone::UTC).date(),
        }
    }
}

/// The amount in a day's folder, and the newest object of each flow log in it.
type Counted = Result<(Amount, BTreeMap<FlowLogId, Object>), Failure>;

impl BucketReader<'_> {
    async fn count<'p>(&self, place: &'p Place, day: Date) -> (&'p Place, Date, Counted) {
        let mut newest = BTreeMap::new();
        let folder = self.layout.day_folder(place, day);
        let amount = self.day(&folder, &mut newest).await;
        (place, day, amount.map(|amount| (amount, newest)))
    }

    fn days(&self) -> [Date; 2] {
        [self.today, self.today.saturating_sub(1.day())]
    }

    async fn fleet(
        &self,
        asked: &BTreeMap<Place, BTreeSet<FlowLogId>>,
    ) -> Result<BTreeMap<FlowLogId, Object>, Failure> {
        let places = asked.iter().filter(|(_, logs)| !logs.is_empty());
        let found = stream::iter(places).map(|(place, logs)| self.place(place, Some(logs)));
        let found: Vec<_> = found.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The newest object of each flow log of an account-region. Stops early when every requested flow log is found.
    async fn place(
        &self,
        place: &Place,
        asked: Option<&BTreeSet<FlowLogId>>,
    ) -> Result<BTreeMap<FlowLogId, Object>, Failure> {
        let mut newest = BTreeMap::new();
        for day in self.days() {
            self.day(&self.layout.day_folder(place, day), &mut newest).await?;
            let enough = match asked {
                Some(asked) => asked.iter().all(|log| newest.contains_key(log)),
                None => !newest.is_empty(),
            };
            if enough {
                break;
            }
        }
        Ok(newest)
    }

    async fn day(&self, folder: &str, newest: &mut BTreeMap<FlowLogId, Object>) -> Result<Amount, Failure> {
        let mut amount = Amount::default();
        let count = |log, bytes, object| {
            amount += Amount::new(1, bytes);
            keep_newest(newest, log, object);
        };
        self.each_file(folder, count).await?;
        Ok(amount)
    }

    /// Lists the flow log files of a folder: each with its flow log and its size in bytes.
    async fn each_file(
        &self,
        folder: &str,
        mut found: impl FnMut(FlowLogId, u64, Object),
    ) -> Result<(), Failure> {
        let mut turned = Pages::default();
        let request = self.s3.list_objects_v2().bucket(self.hub.bucket.as_str()).prefix(folder);
        let mut pages = request.expected_bucket_owner(self.hub.account.to_string()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.at.failure(LIST_OBJECTS, &error))?;
            let next = turned.turn(page.next_continuation_token(), page.is_truncated());
            next.map_err(|why| self.at.incomplete(LIST_OBJECTS, &why))?;
            for object in page.contents() {
                let (Some(key), Some(stored)) = (object.key(), object.last_modified()) else { continue };
                if !turned.is_new(key) {
                    continue;
                }
                let Some(name) = key.rsplit('/').next().and_then(|name| FileName::parse(name).ok()) else {
                    continue;
                };
                let Ok(stored) = Timestamp::from_second(stored.secs()) else { continue };
                let bytes = object.size().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
                found(name.flow_log, bytes, Object::new(key.to_owned(), stored));
            }
        }
        Ok(())
    }

    /// Accounts outside the fleet with flow logs in the bucket, each with its newest object.
    async fn strangers(&self, fleet: &Fleet) -> Result<BTreeMap<AccountId, Option<Object>>, Failure> {
        let accounts = folders(&self.s3, self.hub, &self.layout.root(), &self.at).await?;
        // An account can have a folder in each naming scheme.
        let accounts: BTreeSet<AccountId> = accounts
            .iter()
            .filter_map(|folder| layout::account_of(last_segment(folder)?))
            .filter(|account| !fleet.members.contains_key(account))
            .collect();
        let strangers = stream::iter(accounts);
        let found = strangers.map(|account| async move { Ok((account, self.stranger(account).await?)) });
        let found: Vec<_> = found.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().filter_map(|(account, newest)| Some((account, newest?))).collect())
    }

    /// The newest object of one such account; `None` if it has no flow logs in the bucket.
    async fn stranger(&self, account: AccountId) -> Result<Option<Option<Object>>, Failure> {
        let mut has_any = false;
        let mut newest: Option<Object> = None;
        for reader in self.in_each_way_of_naming() {
            let folder = reader.layout.flow_logs_folder(account);
            let regions = folders(&reader.s3, reader.hub, &folder, &reader.at).await?;
            has_any |= !regions.is_empty();
            for region in regions.iter().filter_map(|folder| layout::region_of(last_segment(folder)?)) {
                let found = reader.place(&Place::new(account, &region), None).await?.into_values();
                newest = found.chain(newest).max_by_key(|object| object.stored);
            }
        }
        Ok(has_any.then_some(newest))
    }

    /// Readers for plain and Hive-compatible folder names: accounts outside the fleet may use either.
    fn in_each_way_of_naming(&self) -> [Self; 2] {
        [false, true].map(|hive_compatible_partitions| {
            let mut layout = self.layout.clone();
            layout.files.hive_compatible_partitions = hive_compatible_partitions;
            BucketReader {
                s3: self.s3.clone(),
                hub: self.hub,
                layout,
                at: self.at.clone(),
                today: self.today,
            }
        })
    }
}
