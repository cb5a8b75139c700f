//! The state of one account-region: flow logs, and resources of the requested kinds.

mod resources;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, LogDestinationType, Tag};
use flowagg_core::arrival::Carrier;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Selection;
use flowagg_core::flow_log::{FileFormat, Files, LogDestination};
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

/// Reads only the flow logs.
pub(super) async fn flow_logs(account: &Account, place: &Place) -> Result<Vec<FlowLog>, Failure> {
    of_client(&account.ec2(&place.region), &At::new(place.clone())).await
}

/// Reads the resources that are in use.
pub(super) async fn in_use(
    account: &Account,
    place: &Place,
    carrier: Carrier,
) -> Result<BTreeSet<ResourceId>, Failure> {
    resources::in_use(&account.ec2(&place.region), carrier, &At::new(place.clone())).await
}

/// Active flow logs with any destination. Omits flow logs that are being deleted.
async fn of_client(ec2: &Client, at: &At) -> Result<Vec<FlowLog>, Failure> {
    let (mut request, mut turned) = (ec2.describe_flow_logs(), Pages::default());
    // A flow log can be on two pages.
    let mut flow_logs = BTreeMap::new();
    loop {
        let page = request.clone().send().await.map_err(|error| at.failure(DESCRIBE_FLOW_LOGS, &error))?;
        let incomplete = |why: Incomplete| at.incomplete(DESCRIBE_FLOW_LOGS, &why);
        turned.turn(page.next_token(), None).map_err(incomplete)?;
        let is_active = |log: &&types::FlowLog| log.flow_log_status().is_none_or(|status| status == "ACTIVE");
        for log in page.flow_logs().iter().filter(is_active) {
            let log = flow_log(log).map_err(incomplete)?;
            flow_logs.insert(log.id.clone(), log);
        }
        let Some(next) = page.next_token().filter(|next| !next.is_empty()) else { break };
        request = request.next_token(next);
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
    let id = log.flow_log_id().ok_or(Incomplete::Missing("the ID of a flow log"))?;
    let resource = log.resource_id().ok_or(Incomplete::Missing("the resource of a flow log"))?;
    let mut flow_log = FlowLog::new(
        FlowLogId::parse(id).map_err(|_| Incomplete::UnknownId(id.to_owned()))?,
        resource,
        destination(log)?,
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

/// The destination. If EC2 returns no type, it is taken from the ARN. A log group may be returned by name only.
fn destination(log: &types::FlowLog) -> Result<LogDestination, Incomplete> {
    let name = log.log_destination();
    let service = name.and_then(|arn| arn.strip_prefix("arn:")?.split(':').nth(1));
    let group = log.log_group_name().or_else(|| name?.split(":log-group:").nth(1)?.split(':').next());
    let group = group.filter(|group| !group.is_empty());
    let of_service = || match service {
        Some("s3") => Some(LogDestinationType::S3),
        Some("firehose") => Some(LogDestinationType::KinesisDataFirehose),
        _ => group.map(|_| LogDestinationType::CloudWatchLogs),
    };
    let other = |kind: Option<&str>| LogDestination::Other {
        kind: kind.map(str::to_owned),
        name: name.or(group).map(str::to_owned),
    };
    Ok(match (log.log_destination_type().cloned().or_else(of_service), name, group) {
        (Some(LogDestinationType::S3), Some(arn), _) => LogDestination::S3 { arn: arn.to_owned() },
        // It may belong to the fleet, so it must not be ignored.
        (Some(LogDestinationType::S3), None, _) => {
            return Err(Incomplete::Missing("the destination of a flow log"));
        }
        (Some(LogDestinationType::CloudWatchLogs), _, Some(group)) => {
            LogDestination::CloudWatchLogs { log_group: group.to_owned() }
        }
        (Some(LogDestinationType::KinesisDataFirehose), Some(arn), _) => {
            LogDestination::Firehose { arn: arn.to_owned() }
        }
        (kind, _, _) => other(kind.as_ref().map(LogDestinationType::as_str)),
    })
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}

#[cfg(test)]
mod tests;
