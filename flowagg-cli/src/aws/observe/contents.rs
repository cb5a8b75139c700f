//! The contents of the fleet's log folder and the age of its flow log files, found by listing folders instead of objects.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, Hub};
use flowagg_core::layout;
use flowagg_core::observed::{Bucket, Contents, Oldest, Scope};
use flowagg_core::plan::folders_that_end_sooner;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;

use super::hub::{folders, last_segment, listing};
use crate::aws::Account;
use crate::aws::failure::At;

/// The number of folders of one bucket that are listed concurrently.
const AT_ONCE: usize = 16;

/// Everything two levels under `[prefix/]AWSLogs/`: one listing, and one for each account that has a folder.
pub(super) async fn contents(s3: &Client, hub: &Hub, at: &At) -> Contents {
    match listed(s3, hub, at).await {
        Ok(listed) => Contents::Listed(listed),
        Err(failure) => Contents::Unread(failure),
    }
}

async fn listed(s3: &Client, hub: &Hub, at: &At) -> Result<BTreeSet<String>, Failure> {
    let root = layout::root(hub.prefix.as_ref());
    let (below, keys) = listing(s3, hub, &root, at).await?;
    let is_of_account = |folder: &String| last_segment(folder).and_then(layout::account_of).is_some();
    let (accounts, others): (Vec<String>, Vec<String>) = below.into_iter().partition(is_of_account);
    let mut found: BTreeSet<String> = others.into_iter().chain(keys).collect();
    let reading = accounts.iter().map(|account| listing(s3, hub, account, at));
    let mut reading = stream::iter(reading).buffer_unordered(AT_ONCE);
    while let Some((folders, keys)) = reading.try_next().await? {
        found.extend(folders.into_iter().chain(keys));
    }
    Ok(found)
}

/// Adds the age of the oldest flow log files if the fleet's lifecycle rules would expire some of them sooner.
pub(super) async fn with_age(fleet: &Fleet, mut bucket: Bucket, scope: &Scope, account: &Account) -> Bucket {
    let mut sooner = folders_that_end_sooner(fleet, &bucket, scope);
    let is_change = !sooner.is_empty();
    if let Contents::Listed(listed) = &bucket.contents {
        sooner.retain(|folder| listed.contains(folder));
    }
    if sooner.is_empty() {
        let oldest = if is_change { Oldest::NoFiles } else { Oldest::NotRead };
        bucket.oldest = oldest;
        return bucket;
    }
    let hub = &fleet.hub;
    let s3 = account.s3(&hub.region);
    let at = At::new(hub.place()).about(&hub.bucket);
    let oldest = match oldest(&s3, hub, &sooner, &at).await {
        Ok(Some(day)) => Oldest::Day(day),
        Ok(None) => Oldest::NoFiles,
        Err(failure) => Oldest::Unread(failure),
    };
    bucket.oldest = oldest;
    bucket
}

/// The earliest day in these flow log folders.
async fn oldest(s3: &Client, hub: &Hub, under: &BTreeSet<String>, at: &At) -> Result<Option<Date>, Failure> {
    let regions = stream::iter(under.iter().map(|folder| folders(s3, hub, folder, at)));
    let regions: Vec<Vec<String>> = regions.buffer_unordered(AT_ONCE).try_collect().await?;
    let days = regions.iter().flatten().map(|region| first_day(s3, hub, region, at));
    let days: Vec<Option<Date>> = stream::iter(days).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(days.into_iter().flatten().min())
}

/// The earliest day in a region's folder: the first year, the first month in it, the first day in that.
async fn first_day(s3: &Client, hub: &Hub, region: &str, at: &At) -> Result<Option<Date>, Failure> {
    let mut folder = region.to_owned();
    let mut date = [0i16; 3];
    for part in &mut date {
        let below = folders(s3, hub, &folder, at).await?;
        let numbered = below.into_iter().filter_map(|folder| Some((number(last_segment(&folder)?)?, folder)));
        let Some((number, first)) = numbered.min() else { return Ok(None) };
        (*part, folder) = (number, first);
    }
    let [year, month, day] = date;
    Ok(i8::try_from(month)
        .ok()
        .zip(i8::try_from(day).ok())
        .and_then(|(month, day)| Date::new(year, month, day).ok()))
}

/// The number in the name of a folder, plain or Hive-compatible: `2026`, `year=2026`.
fn number(name: &str) -> Option<i16> {
    name.rsplit_once('=').map_or(name, |(_, value)| value).parse().ok()
}
