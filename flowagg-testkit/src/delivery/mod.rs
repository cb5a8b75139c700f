//! The log delivery service, for one moment: it obeys the live policies of bucket and key, and writes what it would have
//! written.
//!
//! Source: "Flow log files" and "Amazon S3 bucket permissions for flow logs" (Amazon VPC User Guide).

mod access;
mod records;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;

use aws_sdk_ec2::types::{FlowLog, LogDestinationType};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectCannedAcl;
use flate2::Compression;
use flate2::write::GzEncoder;
use flowagg_core::flow_log::{FileFormat, Files};
use flowagg_core::id::{AccountId, BucketName, FlowLogId, OrganizationId, Region};
use flowagg_core::layout::{FileName, Layout, Prefix};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::aws::{Aws, AwsError};
pub(crate) use access::live_policy;
use access::{Access, File, Organization};
use records::Traffic;

/// Every how many seconds the service publishes.
pub(crate) const EVERY: i64 = 300;

/// The service, come by at one moment.
///
/// The fields of version 2 have values, in the order that the flow log asks for; those of later versions are `-`.
#[derive(Debug)]
pub struct Delivery {
    aws: Aws,
    owner: AccountId,
    at: Timestamp,
    seed: u64,
    organization: Option<Organization>,
}

/// What became of one flow log's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The account of the flow log.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// The flow log.
    pub flow_log: FlowLogId,
    /// Where to it publishes, as an ARN.
    pub destination: String,
    /// Whether it did.
    pub outcome: Outcome,
}

/// Whether a file was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It lies in the bucket.
    Delivered {
        /// Its key.
        key: String,
        /// The lines after the header.
        records: usize,
    },
    /// Nothing was written. AWS says `Access error` and no more; here is also why.
    AccessError {
        /// What stood against it.
        why: String,
    },
}

impl Outcome {
    /// The key of the object that was written.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Delivered { key, .. } => Some(key),
            Self::AccessError { .. } => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered { key, records } => write!(f, "{records} records in {key}"),
            Self::AccessError { why } => write!(f, "Access error: {why}"),
        }
    }
}

impl Delivery {
    /// The service at this moment, delivering into buckets of this owner.
    pub fn new(aws: Aws, owner: AccountId, at: Timestamp) -> Self {
        Self { aws, owner, at, seed: 0, organization: None }
    }

    /// Another traffic; the same seed, flow log and moment give the same records.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// For an organization and the accounts that belong to it, which the service names in its calls.
    #[must_use]
    pub fn in_organization(self, id: OrganizationId, accounts: BTreeSet<AccountId>) -> Self {
        Self { organization: Some((id, accounts)), ..self }
    }

    /// Publishes, for every active flow log to S3 of these accounts and regions, the last five minutes that are over.
    pub async fn run(
        &self,
        places: impl IntoIterator<Item = (AccountId, Region)>,
    ) -> Result<Vec<Report>, AwsError> {
        let mut reports = Vec::new();
        let mut accesses = BTreeMap::new();
        for (account, region) in places {
            for flow_log in flow_logs(&self.aws.ec2(account, &region), account, &region).await? {
                let to_s3 = flow_log.log_destination_type() == Some(&LogDestinationType::S3);
                let id = flow_log.flow_log_id().and_then(|id| FlowLogId::parse(id).ok());
                let (Some(id), true, Some("ACTIVE")) = (id, to_s3, flow_log.flow_log_status()) else {
                    continue;
                };
                let destination = flow_log.log_destination().unwrap_or_default().to_owned();
                let name = self.file_name(account, &region, &id);
                let outcome = match read_destination(&destination) {
                    Ok((bucket, prefix)) => {
                        let access = match accesses.entry(bucket.clone()) {
                            Entry::Occupied(known) => known.into_mut(),
                            Entry::Vacant(new) => {
                                new.insert(Access::to(&self.aws, self.owner, &bucket, &region).await?)
                            }
                        };
                        self.publish(&bucket, prefix.as_ref(), access, &name, &flow_log).await?
                    }
                    Err(why) => Outcome::AccessError { why },
                };
                reports.push(Report { account, region: region.clone(), flow_log: id, destination, outcome });
            }
        }
        reports.sort_by(|a, b| (a.account, &a.region, &a.flow_log).cmp(&(b.account, &b.region, &b.flow_log)));
        Ok(reports)
    }

    fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        self.aws.s3(self.owner, region)
    }

    /// The name of the file, whose time is the start of the five minutes in which its records ended.
    fn file_name(&self, account: AccountId, region: &Region, flow_log: &FlowLogId) -> FileName {
        let start = self.interval();
        let hash = records::hash(self.seed, flow_log, start);
        let time = Timestamp::from_second(start).unwrap_or_default().to_zoned(TimeZone::UTC).datetime();
        FileName {
            account,
            region: region.clone(),
            flow_log: flow_log.clone(),
            time,
            hash: format!("{hash:08x}"),
            format: FileFormat::PlainText,
        }
    }

    /// The start, in Unix seconds, of the last interval that is over.
    fn interval(&self) -> i64 {
        self.at.as_second().div_euclid(EVERY) * EVERY - EVERY
    }

    /// Puts the object, where that is allowed.
    async fn publish(
        &self,
        bucket: &BucketName,
        prefix: Option<&Prefix>,
        access: &Access,
        name: &FileName,
        flow_log: &FlowLog,
    ) -> Result<Outcome, AwsError> {
        let files = flow_log.destination_options().map_or_else(Files::default, |options| Files {
            hive_compatible_partitions: options.hive_compatible_partitions().unwrap_or(false),
            per_hour_partition: options.per_hour_partition().unwrap_or(false),
            ..Files::default()
        });
        let key = Layout { prefix: prefix.cloned(), files }.key(name);
        let file = File { bucket, prefix, name, key: &key };
        if let Err(why) = access.admits(&file, self.organization.as_ref()) {
            return Ok(Outcome::AccessError { why });
        }
        let traffic = Traffic {
            account: name.account,
            flow_log: &name.flow_log,
            kind: flow_log.traffic_type().map(aws_sdk_ec2::types::TrafficType::as_str),
            start: self.interval(),
            seed: self.seed,
        };
        let (text, records) = traffic.text(flow_log.log_format());
        let put = self.s3(&name.region).put_object().bucket(bucket.as_str()).key(&key);
        let put = put.acl(ObjectCannedAcl::BucketOwnerFullControl).body(ByteStream::from(gzip(&text)));
        put.send().await.map_err(AwsError::of("PutObject", self.owner, &name.region))?;
        Ok(Outcome::Delivered { key, records })
    }
}

/// The bucket and the sub-folder of `arn:aws:s3:::bucket/folder/`.
fn read_destination(arn: &str) -> Result<(BucketName, Option<Prefix>), String> {
    let path = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let (bucket, folder) = path.split_once('/').unwrap_or((path, ""));
    let bucket = BucketName::parse(bucket).map_err(|error| error.to_string())?;
    let prefix = (!folder.is_empty()).then(|| Prefix::parse(folder)).transpose();
    Ok((bucket, prefix.map_err(|error| error.to_string())?))
}

/// All flow logs of an account and region.
pub(crate) async fn flow_logs(
    ec2: &aws_sdk_ec2::Client,
    account: AccountId,
    region: &Region,
) -> Result<Vec<FlowLog>, AwsError> {
    let pages = ec2.describe_flow_logs().into_paginator().items().send().collect::<Result<_, _>>().await;
    pages.map_err(AwsError::of("DescribeFlowLogs", account, region))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}
