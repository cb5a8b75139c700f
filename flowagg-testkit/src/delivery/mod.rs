//! The log delivery service at one point in time: it evaluates the live policies of bucket and key, and writes the
//! objects that AWS would write.
//!
//! Source: "Flow log files" and "Amazon S3 bucket permissions for flow logs" (Amazon VPC User Guide).

mod access;
pub mod recording;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_ec2::types::{DestinationOptionsResponse, FlowLog, LogDestinationType};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectCannedAcl;
use flowagg_core::flow_log::{AggregationInterval, FileFormat, Files, TrafficType};
use flowagg_core::id::{AccountId, BucketName, FlowLogId, OrganizationId, Place, Prefix, Region, ResourceId};
use flowagg_core::layout::{FileName, Layout};
use flowagg_policy::Owner;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::aws::{Aws, AwsError};
pub(crate) use access::live_policy;
use access::{Access, File, Organization};
use recording::{Columns, LARGEST_FILE, PUBLISHED_EVERY, Recording, Shape, Traffic};

/// The delivery service at one point in time.
///
/// It writes the records that [`recording`] generates for [`Traffic`], with the fields, files and folders of the flow
/// log.
#[derive(Debug)]
pub struct DeliveryService {
    aws: Aws,
    owner: AccountId,
    at: Timestamp,
    traffic: Traffic,
    largest: u64,
    organization: Option<Organization>,
}

/// The result of publishing one flow log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Publication {
    /// The account and the region of the flow log.
    pub place: Place,
    pub flow_log: FlowLogId,
    /// The ARN that it publishes to.
    pub destination: String,
    /// The result.
    pub outcome: Outcome,
}

/// Whether files were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Files were written: usually one, none if there was nothing to record, several if there was much.
    Delivered(Vec<WrittenFile>),
    /// Nothing was written. AWS reports only `Access error`; this also contains the reason.
    AccessError {
        /// The reason.
        why: String,
    },
}

/// A file in the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenFile {
    /// The key of the object.
    pub key: String,
    /// Number of records.
    pub records: u64,
    /// Size in bytes.
    pub bytes: u64,
}

impl Outcome {
    /// The files that were written.
    pub fn files(&self) -> &[WrittenFile] {
        match self {
            Self::Delivered(files) => files,
            Self::AccessError { .. } => &[],
        }
    }

    /// The key of the first object that was written.
    pub fn key(&self) -> Option<&str> {
        self.files().first().map(|file| file.key.as_str())
    }

    /// Total number of records.
    pub fn records(&self) -> u64 {
        self.files().iter().map(|file| file.records).sum()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered(files) => match files.as_slice() {
                [file] => write!(f, "{} records in {}", file.records, file.key),
                files => write!(f, "{} records in {} files", self.records(), files.len()),
            },
            Self::AccessError { why } => write!(f, "Access error: {why}"),
        }
    }
}

impl DeliveryService {
    /// The service at this time, delivering to buckets of this owner.
    pub fn new(aws: Aws, owner: AccountId, at: Timestamp) -> Self {
        Self { aws, owner, at, traffic: Traffic::default(), largest: LARGEST_FILE, organization: None }
    }

    /// Uses another seed. The same seed, flow log and time produce the same records.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.traffic.seed = seed;
        self
    }

    /// Sets the amount of traffic.
    #[must_use]
    pub fn traffic(self, traffic: Traffic) -> Self {
        Self { traffic, ..self }
    }

    /// Limits files to `largest` bytes before compression; AWS's limit is [`LARGEST_FILE`].
    #[must_use]
    pub fn largest_file(self, largest: u64) -> Self {
        Self { largest, ..self }
    }

    /// Sets an organization and its accounts, which the service's requests name.
    #[must_use]
    pub fn in_organization(self, id: OrganizationId, accounts: BTreeSet<AccountId>) -> Self {
        Self { organization: Some((id, accounts)), ..self }
    }

    /// Publishes the last complete five minutes of every active flow log to S3 in these account-regions.
    pub async fn run(
        &self,
        places: impl IntoIterator<Item = (AccountId, Region)>,
    ) -> Result<Vec<Publication>, AwsError> {
        let mut publications = Vec::new();
        let mut accesses = BTreeMap::new();
        for (account, region) in places {
            for flow_log in flow_logs(&self.aws.ec2(account, &region), account, &region).await? {
                let to_s3 = flow_log.log_destination_type() == Some(&LogDestinationType::S3);
                let id = flow_log.flow_log_id().and_then(|id| FlowLogId::parse(id).ok());
                let (Some(id), true, Some("ACTIVE")) = (id, to_s3, flow_log.flow_log_status()) else {
                    continue;
                };
                let destination = flow_log.log_destination().unwrap_or_default().to_owned();
                let place = Place::new(account, &region);
                let recording = recording(place.clone(), &id, &flow_log);
                let outcome = match read_destination(&destination) {
                    Ok((bucket, prefix)) => {
                        let access = match accesses.entry(bucket.clone()) {
                            Entry::Occupied(known) => known.into_mut(),
                            Entry::Vacant(new) => {
                                new.insert(Access::to(&self.aws, self.owner, &bucket, &region).await?)
                            }
                        };
                        self.publish(&bucket, prefix.as_ref(), access, &recording, &flow_log).await?
                    }
                    Err(why) => Outcome::AccessError { why },
                };
                publications.push(Publication { place, flow_log: id, destination, outcome });
            }
        }
        publications.sort_by(|a, b| (&a.place, &a.flow_log).cmp(&(&b.place, &b.flow_log)));
        Ok(publications)
    }

    fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        self.aws.s3(self.owner, region)
    }

    /// Start of the last complete interval, in Unix seconds.
    fn interval(&self) -> i64 {
        self.at.as_second().div_euclid(PUBLISHED_EVERY) * PUBLISHED_EVERY - PUBLISHED_EVERY
    }

    fn bucket_owner(&self) -> Owner {
        let mut owner = Owner::new(self.owner);
        let organization = self.organization.as_ref().filter(|(_, within)| within.contains(&self.owner));
        owner.organization = organization.map(|(id, _)| id.clone());
        owner
    }

    /// Puts each file if that is allowed.
    async fn publish(
        &self,
        bucket: &BucketName,
        prefix: Option<&Prefix>,
        access: &Access,
        recording: &Recording,
        flow_log: &FlowLog,
    ) -> Result<Outcome, AwsError> {
        let files = flow_log.destination_options().map_or_else(Files::default, files);
        let layout = Layout::new(prefix.cloned(), files);
        let region = &recording.place.region;
        let network = recording.network(&self.traffic);
        let mut written = Vec::new();
        for file in network.files(self.interval(), Shape { format: files.format, largest: self.largest }) {
            let file = file.map_err(AwsError::during("PutObject", self.owner, region))?;
            let name = self.file_name(recording, file.hash, files.format);
            let key = layout.key(&name);
            let owner = Some(self.bucket_owner());
            let asked = File { bucket, layout: &layout, name: &name, key: &key, owner };
            if let Err(why) = access.admits(&asked, self.organization.as_ref()) {
                return Ok(Outcome::AccessError { why });
            }
            let bytes = file.body.len() as u64;
            let put = self.s3(region).put_object().bucket(bucket.as_str()).key(&key);
            let put = put.acl(ObjectCannedAcl::BucketOwnerFullControl).body(ByteStream::from(file.body));
            put.send().await.map_err(AwsError::during("PutObject", self.owner, region))?;
            written.push(WrittenFile { key, records: file.records, bytes });
        }
        Ok(Outcome::Delivered(written))
    }

    /// The name of a file. Its time is the start of the five minutes in which its records ended.
    fn file_name(&self, recording: &Recording, hash: String, format: FileFormat) -> FileName {
        let time = Timestamp::from_second(self.interval()).unwrap_or_default();
        let mut name = FileName::new(
            recording.place.clone(),
            recording.flow_log.clone(),
            time.to_zoned(TimeZone::UTC).datetime(),
            hash,
        );
        name.format = format;
        name
    }
}

/// Converts EC2's description of a flow log.
fn recording(place: Place, id: &FlowLogId, flow_log: &FlowLog) -> Recording {
    let usual = Recording::new(place, id.clone());
    let traffic_type = flow_log.traffic_type().map_or("", |kind| kind.as_str());
    Recording {
        resource: flow_log.resource_id().and_then(|id| ResourceId::parse(id).ok()),
        traffic_type: TrafficType::ALL
            .into_iter()
            .find(|kind| kind.as_api() == traffic_type)
            .unwrap_or(usual.traffic_type),
        aggregation_interval: AggregationInterval::ALL
            .into_iter()
            .find(|interval| Some(interval.seconds()) == flow_log.max_aggregation_interval())
            .unwrap_or(usual.aggregation_interval),
        columns: flow_log.log_format().map_or(usual.columns, Columns::parse),
        ..usual
    }
}

/// The file options of a flow log.
fn files(options: &DestinationOptionsResponse) -> Files {
    let format = options.file_format().map_or("", |format| format.as_str());
    let mut files =
        Files::new(FileFormat::ALL.into_iter().find(|known| known.as_str() == format).unwrap_or_default());
    files.hive_compatible_partitions = options.hive_compatible_partitions().unwrap_or(false);
    files.per_hour_partition = options.per_hour_partition().unwrap_or(false);
    files
}

/// The bucket and the prefix of `arn:aws:s3:::bucket/prefix/`.
fn read_destination(arn: &str) -> Result<(BucketName, Option<Prefix>), String> {
    let path = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let (bucket, folder) = path.split_once('/').unwrap_or((path, ""));
    let bucket = BucketName::parse(bucket).map_err(|error| error.to_string())?;
    let prefix = (!folder.is_empty()).then(|| Prefix::parse(folder)).transpose();
    Ok((bucket, prefix.map_err(|error| error.to_string())?))
}

/// Lists all flow logs of an account-region.
pub(crate) async fn flow_logs(
    ec2: &aws_sdk_ec2::Client,
    account: AccountId,
    region: &Region,
) -> Result<Vec<FlowLog>, AwsError> {
    let pages = ec2.describe_flow_logs().into_paginator().items().send().collect::<Result<_, _>>().await;
    pages.map_err(AwsError::during("DescribeFlowLogs", account, region))
}
