//! What one region of one account has: resources of the kinds that are asked for, and flow logs.

mod resources;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, Tag};
use flowagg_core::arrival::Carrier;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Selection;
use flowagg_core::flow_log::{FileFormat, Files};
use flowagg_core::id::{FlowLogId, Place, ResourceId};
use flowagg_core::observed::{FlowLog, RegionState};
use futures::future::try_join_all;
use jiff::Timestamp;

use crate::aws::Account;
use crate::aws::call::DESCRIBE_FLOW_LOGS;
use crate::aws::complete::{Incomplete, Pages};
use crate::aws::failure::At;

pub(super) async fn read(
    account: &Account,
    place: &Place,
    selection: &Selection,
) -> Result<RegionState, Failure> {
    let ec2 = account.ec2(&place.region);
    let at = At::new(place.clone());
    let resources = try_join_all(selection.kinds().map(|kind| resources::of_kind(&ec2, kind, &at)));
    let (resources, flow_logs) = futures::try_join!(resources, of_client(&ec2, &at))?;
    Ok(RegionState::new(resources.into_iter().flatten().collect(), flow_logs))
}

/// The flow logs alone.
pub(super) async fn flow_logs(account: &Account, place: &Place) -> Result<Vec<FlowLog>, Failure> {
    of_client(&account.ec2(&place.region), &At::new(place.clone())).await
}

/// The resources that are in use.
pub(super) async fn in_use(
    account: &Account,
    place: &Place,
    carrier: Carrier,
) -> Result<BTreeSet<ResourceId>, Failure> {
    resources::in_use(&account.ec2(&place.region), carrier, &At::new(place.clone())).await
}

/// Flow logs to S3 that are active. A flow log that is being deleted is no longer there.
async fn of_client(ec2: &Client, at: &At) -> Result<Vec<FlowLog>, Failure> {
    let to_s3 = types::Filter::builder().name("log-destination-type").values("s3").build();
    let mut pages = ec2.describe_flow_logs().filter(to_s3).into_paginator().send();
    let mut turned = Pages::default();
    // A flow log that is on two pages is one flow log.
    let mut flow_logs = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| at.failure(DESCRIBE_FLOW_LOGS, &error))?;
        let incomplete = |why: Incomplete| at.incomplete(DESCRIBE_FLOW_LOGS, &why);
        turned.turn(page.next_token(), None).map_err(incomplete)?;
        let is_active = |log: &&types::FlowLog| log.flow_log_status().is_none_or(|status| status == "ACTIVE");
        for log in page.flow_logs().iter().filter(is_active) {
            let log = flow_log(log).map_err(incomplete)?;
            flow_logs.insert(log.id.clone(), log);
        }
    }
    Ok(flow_logs.into_values().collect())
}

fn flow_log(log: &types::FlowLog) -> Result<FlowLog, Incomplete> {
    let files = log.destination_options().map(|options| {
        let mut written = Files::new(
            options.file_format().map_or(FileFormat::default().as_str(), |format| format.as_str()).to_owned(),
        );
        written.hive_compatible_partitions = options.hive_compatible_partitions().unwrap_or(false);
        written.per_hour_partition = options.per_hour_partition().unwrap_or(false);
        written
    });
    let id = log.flow_log_id().ok_or(Incomplete::Missing("the id of a flow log"))?;
    let resource = log.resource_id().ok_or(Incomplete::Missing("the resource of a flow log"))?;
    let destination = log.log_destination().ok_or(Incomplete::Missing("the destination of a flow log"))?;
    let mut flow_log = FlowLog::new(
        FlowLogId::parse(id).map_err(|_| Incomplete::UnknownId(id.to_owned()))?,
        resource,
        destination.to_owned(),
    );
    flow_log.traffic = log.traffic_type().map(|traffic| traffic.as_str().to_owned());
    flow_log.format = log.log_format().map(str::to_owned);
    flow_log.interval = log.max_aggregation_interval();
    flow_log.files = files;
    flow_log.tags = tags(log.tags());
    flow_log.created = log.creation_time().and_then(|time| Timestamp::from_second(time.secs()).ok());
    flow_log.deliver_status = log.deliver_logs_status().map(str::to_owned);
    flow_log.deliver_error = log.deliver_logs_error_message().map(str::to_owned);
    Ok(flow_log)
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}

#[cfg(test)]
mod tests;
