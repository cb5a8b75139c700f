//! Whether a statement can be adopted: no delivery that is known may stop.

use std::collections::BTreeSet;

use flowagg_core::fleet::Fleet;
use flowagg_core::flow_log::Files;
use flowagg_core::id::Region;
use flowagg_core::layout::Layout;
use flowagg_core::observed::{Bucket, FlowLog, LogFolder, LogFolders, Observed, Place, Scope};
use flowagg_core::plan::Concern;

use super::value::{Adoption, about_policy};
use crate::adopt::{Adopted, KnownDelivery, stopped};

/// More deliveries than this are counted.
const LISTED: usize = 6;

/// Refuses an adoption after which a known delivery would stop, or, unless it is unchecked, one whose deliveries are not known.
pub(super) fn check(
    fleet: &Fleet,
    observed: &Observed,
    live: Option<&str>,
    after: &str,
    adopted: &Adopted,
    adoption: &Adoption,
) -> Result<(), Concern> {
    let names = adopted.names.join(", ");
    // An adoption that is made again was checked like this when it was first planned.
    if let (Adoption::Named { unchecked: false, .. }, Some(unknown)) = (adoption, unknown(observed)) {
        let what = format!("it is not known which deliveries statement {names} serves: {unknown}");
        let help = "make everything readable and leave `--only` out, or pass `--adopt-unchecked`";
        return Err(about_policy(fleet, what, help));
    }
    let deliveries = known(fleet, observed);
    let stopped = stopped(live.unwrap_or_default(), Some(after), &fleet.hub.bucket, &deliveries)
        .map_err(|error| about_policy(fleet, error.to_string(), error.help()))?;
    if stopped.is_empty() {
        return Ok(());
    }
    let mut list: Vec<String> = stopped.iter().take(LISTED).map(|delivery| delivery.name.clone()).collect();
    if stopped.len() > LISTED {
        list.push(format!("{} more", stopped.len() - LISTED));
    }
    let what = format!("adopting statement {names} would stop {}", list.join(", "));
    Err(about_policy(
        fleet,
        what,
        "leave the statement, or grant these deliveries with another statement first",
    ))
}

/// What keeps the deliveries from being known.
fn unknown(observed: &Observed) -> Option<String> {
    let unread = observed.regions.values().filter(|state| state.is_err()).count();
    let bucket = observed.bucket.as_ref().ok().and_then(Option::as_ref);
    match (observed.scope, unread, bucket.map(|bucket| &bucket.log_folders)) {
        (Scope::Part, ..) => Some("only part of the fleet was selected".to_owned()),
        (Scope::Whole, 1, _) => Some("1 account-region could not be read".to_owned()),
        (Scope::Whole, 2.., _) => Some(format!("{unread} account-regions could not be read")),
        (_, _, Some(LogFolders::Unread(failure))) => {
            Some(format!("the bucket could not be listed: {}", failure.what()))
        }
        (_, _, Some(LogFolders::NotListed)) => Some("the bucket was not listed".to_owned()),
        (_, _, Some(LogFolders::Listed(_)) | None) => None,
    }
}

/// Every delivery to the bucket that is known: of flow logs, whoever made them, and of services whose folders exist.
fn known(fleet: &Fleet, observed: &Observed) -> BTreeSet<KnownDelivery> {
    let destination = fleet.destination();
    let mut known = BTreeSet::new();
    for (place, state) in &observed.regions {
        let logs = state.iter().flat_map(|state| &state.flow_logs);
        known.extend(
            logs.filter(|log| destination.is_in_bucket(&log.destination)).map(|log| of_flow_log(place, log)),
        );
    }
    let bucket = observed.bucket.as_ref().ok().and_then(Option::as_ref);
    if let Some(Bucket { log_folders: LogFolders::Listed(folders), .. }) = bucket {
        let regions: BTreeSet<Region> = fleet.places().map(|(_, region)| region.clone()).collect();
        let regions = &regions | &BTreeSet::from([fleet.hub.region.clone()]);
        known.extend(folders.iter().map(|LogFolder { account, folder }| KnownDelivery {
            account: *account,
            regions: regions.clone(),
            folder: folder.clone(),
            name: format!("log delivery to `{folder}`"),
        }));
    }
    known
}

fn of_flow_log(place: &Place, log: &FlowLog) -> KnownDelivery {
    let Place { account, region } = place.clone();
    let path =
        log.destination.split_once('/').map(|(_, path)| path.trim_end_matches('/')).unwrap_or_default();
    let hive_compatible_partitions = log.options.as_ref().is_some_and(|options| options.hive);
    let files = Files { hive_compatible_partitions, ..Files::default() };
    let folder = Layout { prefix: None, files }.flow_logs_folder(account);
    let folder = if path.is_empty() { folder } else { format!("{path}/{folder}") };
    let name = format!("flow log {} of {account} in {region}", log.id);
    KnownDelivery { account, regions: BTreeSet::from([region]), folder, name }
}
