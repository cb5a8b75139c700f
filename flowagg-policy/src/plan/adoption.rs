//! Checks whether a statement can be adopted: no known delivery may stop.

use std::collections::BTreeSet;

use flowagg_core::fleet::Fleet;
use flowagg_core::flow_log::Files;
use flowagg_core::id::Place;
use flowagg_core::layout::{FileName, Layout};
use flowagg_core::observed::{Bucket, FlowLog, LogFolder, LogFolders, Observed, Scope, UpToDate};
use flowagg_core::plan::Concern;

use super::value::{Adoption, about_policy};
use crate::access::unnamed_region;
use crate::adopt::{Adopted, KnownDelivery, stopped, tested_regions};
use crate::document::DocumentError;
use crate::grant::Grant;

/// The number of deliveries that are listed; the rest are counted.
const LISTED: usize = 6;

/// Rejects an adoption that would stop a known delivery or, unless it is unchecked, one with unknown deliveries.
/// Returns the deliveries that were checked, so that they are checked again if the plan is repeated.
pub(super) fn check(
    fleet: &Fleet,
    observed: &Observed,
    grant: &Grant,
    after: &str,
    adopted: &Adopted,
    adoption: &Adoption,
) -> Result<BTreeSet<KnownDelivery>, Concern> {
    let names = adopted.names.join(", ");
    let mut deliveries = known(fleet, observed);
    match adoption {
        Adoption::Again { deliveries: earlier, .. } => deliveries.extend(earlier.iter().cloned()),
        Adoption::Named { unchecked: true, .. } => {}
        Adoption::Named { unchecked: false, .. } => {
            if let Some(unknown) = unknown(fleet, observed) {
                let what = format!("the deliveries that statement {names} serves are unknown: {unknown}");
                let help = "fix the failed reads and run without `--only`, or pass `--adopt-unchecked`";
                return Err(about_policy(fleet, what, help));
            }
        }
    }
    let unreadable = |error: DocumentError| about_policy(fleet, error.to_string(), error.help());
    let mut regions = tested_regions(adopted).map_err(unreadable)?;
    regions.extend(fleet.places().map(|(_, region)| region.clone()));
    regions.extend([fleet.hub.region.clone()].into_iter().chain(unnamed_region(fleet.partition())));
    let stopped = stopped(adopted, after, grant, &regions, &deliveries).map_err(unreadable)?;
    if stopped.is_empty() {
        return Ok(deliveries);
    }
    let mut list: Vec<String> = stopped.iter().take(LISTED).map(|delivery| delivery.name.clone()).collect();
    if stopped.len() > LISTED {
        list.push(format!("{} more", stopped.len() - LISTED));
    }
    let what = format!("adopting statement {names} would stop {}", list.join(", "));
    Err(about_policy(
        fleet,
        what,
        "keep the statement, or grant these deliveries with another statement first",
    ))
}

/// The reason why some deliveries are unknown, if any.
fn unknown(fleet: &Fleet, observed: &Observed) -> Option<String> {
    let mut places = fleet.places().map(|(member, region)| Place::new(member.account, region));
    let missing = places.any(|place| !observed.regions.contains_key(&place));
    let unread = observed.regions.values().filter(|state| state.is_err()).count();
    let bucket = observed.bucket.as_ref().ok().and_then(Option::as_ref);
    match (&observed.scope, unread, bucket.map(|bucket| &bucket.log_folders)) {
        (Scope::Part { .. }, ..) => Some("only part of the fleet was selected".to_owned()),
        (Scope::Whole, 0, _) if missing => Some("some account-regions were not read".to_owned()),
        (Scope::Whole, 1, _) => Some("1 account-region could not be read".to_owned()),
        (Scope::Whole, 2.., _) => Some(format!("{unread} account-regions could not be read")),
        (_, _, Some(LogFolders::Unread(failure))) => {
            Some(format!("the bucket could not be listed: {}", failure.what()))
        }
        (_, _, Some(LogFolders::NotListed)) => Some("the bucket was not listed".to_owned()),
        (_, _, Some(LogFolders::Listed(_)) | None) => None,
    }
}

/// Every known delivery to the bucket: flow logs, managed and foreign, and services whose folders exist.
fn known(fleet: &Fleet, observed: &Observed) -> BTreeSet<KnownDelivery> {
    let destination = fleet.destination();
    let mut known = BTreeSet::new();
    for (place, state) in &observed.regions {
        let logs = state.iter().flat_map(|state| &state.flow_logs);
        let to_bucket = logs.filter(|log| destination.is_in_bucket(&log.destination));
        known.extend(to_bucket.map(|log| of_flow_log(place, log)));
        let up_to_date = state.iter().flat_map(|state| &state.up_to_date);
        known.extend(up_to_date.map(|UpToDate { resource, flow_log, .. }| {
            let log = FlowLog::new(flow_log.clone(), resource.as_str(), destination.arn());
            of_flow_log(place, &log)
        }));
    }
    let bucket = observed.bucket.as_ref().ok().and_then(Option::as_ref);
    if let Some(Bucket { log_folders: LogFolders::Listed(folders), .. }) = bucket {
        known.extend(folders.iter().map(|LogFolder { account, folder, .. }| KnownDelivery {
            account: *account,
            region: None,
            keys: BTreeSet::from([format!("{folder}object")]),
            name: format!("log delivery to `{folder}`"),
        }));
    }
    known
}

fn of_flow_log(place: &Place, log: &FlowLog) -> KnownDelivery {
    let Place { account, region } = place.clone();
    let path = log.destination.s3_arn().and_then(|arn| arn.split_once('/'));
    let path = path.map(|(_, path)| path.trim_end_matches('/')).unwrap_or_default();
    // An endpoint may not return the file options; then both folder layouts are possible.
    let hive = log.files.as_ref().map_or(vec![false, true], |files| vec![files.hive_compatible_partitions]);
    let key = |hive_compatible_partitions: bool| {
        let mut files = Files::default();
        files.hive_compatible_partitions = hive_compatible_partitions;
        let key = Layout::new(None, files).key(&FileName::example(account, &region));
        if path.is_empty() { key } else { format!("{path}/{key}") }
    };
    KnownDelivery {
        account,
        keys: hive.into_iter().map(key).collect(),
        name: format!("flow log {} of {account} in {region}", log.id),
        region: Some(region),
    }
}
