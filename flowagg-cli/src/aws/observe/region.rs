//! The VPCs and flow logs of one region of one account.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{self, Tag};
use flowagg_core::id::{AccountId, FlowLogId};
use flowagg_core::observed::{Failure, FileOptions, FlowLog, Place, RegionState, Vpc};
use jiff::Timestamp;

use crate::aws::Account;
use crate::aws::call::{DESCRIBE_FLOW_LOGS, DESCRIBE_VPCS};
use crate::aws::failure::At;

pub(super) async fn read(account: &Account, place: &Place) -> Result<RegionState, Failure> {
    let ec2 = account.ec2(&place.region);
    let at = At::new(place.account, &place.region);
    let (vpcs, flow_logs) = futures::try_join!(vpcs(&ec2, &at), flow_logs(&ec2, &at))?;
    Ok(RegionState { vpcs, flow_logs })
}

async fn vpcs(ec2: &aws_sdk_ec2::Client, at: &At) -> Result<Vec<Vpc>, Failure> {
    let mut pages = ec2.describe_vpcs().into_paginator().items().send();
    let mut vpcs = Vec::new();
    while let Some(vpc) = pages.next().await {
        let vpc = vpc.map_err(|error| at.failure(DESCRIBE_VPCS, &error))?;
        let owner = vpc.owner_id().and_then(|id| AccountId::parse(id).ok());
        let id = vpc.vpc_id().unwrap_or_default().to_owned();
        vpcs.push(Vpc { id, owner, is_default: vpc.is_default().unwrap_or(false), tags: tags(vpc.tags()) });
    }
    Ok(vpcs)
}

/// Flow logs to S3 that are active. A flow log that is being deleted is no longer there.
async fn flow_logs(ec2: &aws_sdk_ec2::Client, at: &At) -> Result<Vec<FlowLog>, Failure> {
    let to_s3 = types::Filter::builder().name("log-destination-type").values("s3").build();
    let mut pages = ec2.describe_flow_logs().filter(to_s3).into_paginator().items().send();
    let mut flow_logs = Vec::new();
    while let Some(log) = pages.next().await {
        let log = log.map_err(|error| at.failure(DESCRIBE_FLOW_LOGS, &error))?;
        if log.flow_log_status().is_none_or(|status| status == "ACTIVE") {
            flow_logs.extend(flow_log(&log));
        }
    }
    Ok(flow_logs)
}

fn flow_log(log: &types::FlowLog) -> Option<FlowLog> {
    let options = log.destination_options().map(|options| FileOptions {
        format: options.file_format().map_or("plain-text", |format| format.as_str()).to_owned(),
        hive: options.hive_compatible_partitions().unwrap_or(false),
        per_hour: options.per_hour_partition().unwrap_or(false),
    });
    Some(FlowLog {
        id: FlowLogId::parse(log.flow_log_id()?).ok()?,
        resource: log.resource_id()?.to_owned(),
        traffic: log.traffic_type()?.as_str().to_owned(),
        destination: log.log_destination()?.to_owned(),
        format: log.log_format().map(str::to_owned),
        interval: log.max_aggregation_interval(),
        options,
        tags: tags(log.tags()),
        created: log.creation_time().and_then(|time| Timestamp::from_second(time.secs()).ok()),
        deliver_status: log.deliver_logs_status().map(str::to_owned),
        deliver_error: log.deliver_logs_error_message().map(str::to_owned),
    })
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}
