//! The deliveries that bucket policies mention: the accounts and folders in their conditions and resources. A mention allows nothing;
//! the evaluation decides.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::flow_log::Files;
use flowagg_core::id::{AccountId, BucketName, Partition, Region};
use flowagg_core::layout::{self, AWS_LOGS, FileName, Layout};

use super::{Deliveries, unnamed_region};
use crate::document::{Document, DocumentError, Statement};
use crate::evaluate::Delivery;
use crate::service::DELIVERY_SERVICE;

/// What statements of a bucket policy mention.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mentioned {
    /// The partition of the first resource.
    pub partition: Option<Partition>,
    /// The buckets of the resources.
    pub buckets: BTreeSet<BucketName>,
    /// The accounts of `aws:SourceAccount`, of `aws:SourceArn` and of folders.
    pub accounts: BTreeSet<AccountId>,
    /// The regions of `aws:SourceArn`.
    pub regions: BTreeSet<Region>,
    folders: BTreeSet<(Partition, BucketName, LogFolder)>,
}

/// A folder under which the accounts have theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFolder {
    /// What comes before `AWSLogs/` in keys: empty, or a path that ends with `/`.
    start: String,
    hive: bool,
}

impl LogFolder {
    /// The key of a flow log file in the folder.
    pub fn key(&self, file: &FileName) -> String {
        let files = Files { hive_compatible_partitions: self.hive, ..Files::default() };
        format!("{}{}", self.start, Layout { prefix: None, files }.key(file))
    }
}

/// What the statements of a policy mention that name the log delivery service, whatever their effect.
pub fn mentioned(policy: &str) -> Result<Mentioned, DocumentError> {
    let document = Document::parse(policy)?;
    let mut mentioned = Mentioned::default();
    document.statements().filter(|statement| names_delivery(*statement)).for_each(|it| mentioned.read(it));
    if mentioned.buckets.is_empty() {
        let mut all = Mentioned::default();
        document.statements().for_each(|statement| all.read(statement));
        (mentioned.buckets, mentioned.partition) = (all.buckets, all.partition);
    }
    Ok(mentioned)
}

/// The deliveries of every account that these policies mention: to each folder that they mention, from each region that they
/// mention and from one that they do not.
pub(crate) fn named(policies: [&Document<'_>; 2]) -> Deliveries {
    let mut mentioned = Mentioned::default();
    for statement in policies.into_iter().flat_map(Document::statements) {
        mentioned.read(statement);
    }
    mentioned.deliveries()
}

fn names_delivery(statement: Statement<'_>) -> bool {
    let principals = statement.get("Principal").and_then(|node| node.members()).unwrap_or_default();
    let services = principals.iter().filter(|entry| entry.key == "Service");
    services.flat_map(|entry| entry.value.elements()).any(|node| node.as_str() == Some(DELIVERY_SERVICE))
}

impl Mentioned {
    /// The first folder in a bucket.
    pub fn folder(&self, bucket: &BucketName) -> Option<LogFolder> {
        let (_, _, folder) = self.folders.iter().find(|(_, of, _)| of == bucket)?;
        Some(folder.clone())
    }

    fn read(&mut self, statement: Statement<'_>) {
        let conditions = statement.get("Condition").and_then(|node| node.members()).unwrap_or_default();
        for key in conditions.iter().flat_map(|operator| operator.value.members().unwrap_or_default()) {
            for value in key.value.elements().iter().filter_map(|node| node.as_scalar()) {
                if key.key.eq_ignore_ascii_case("aws:SourceAccount") {
                    self.accounts.extend(AccountId::parse(value).ok());
                } else if key.key.eq_ignore_ascii_case("aws:SourceArn") {
                    let mut parts = value.split(':').skip(3);
                    self.regions.extend(parts.next().and_then(|region| Region::parse(region).ok()));
                    self.accounts.extend(parts.next().and_then(|account| AccountId::parse(account).ok()));
                }
            }
        }
        for name in ["Resource", "NotResource"] {
            for arn in statement.get(name).into_iter().flat_map(|node| node.elements()) {
                self.read_resource(arn.as_str().unwrap_or_default());
            }
        }
    }

    fn read_resource(&mut self, arn: &str) {
        let Some((partition, bucket, path)) = s3_resource(arn) else { return };
        self.partition.get_or_insert(partition);
        self.buckets.insert(bucket.clone());
        let Some(path) = path else { return };
        let (start, below) = match path.split_once(&format!("{AWS_LOGS}/")) {
            Some((start, below)) => (start, below),
            // Everything under a path.
            None => (path.trim_end_matches('*'), ""),
        };
        if start.contains(['*', '?', '$']) || !(start.is_empty() || start.ends_with('/')) {
            return;
        }
        let folder = below.split('/').next().unwrap_or_default();
        self.accounts.extend(layout::account_of(folder));
        let hive = folder.starts_with(layout::HIVE_ACCOUNT);
        self.folders.insert((partition, bucket, LogFolder { start: start.to_owned(), hive }));
    }

    fn deliveries(&self) -> Deliveries {
        let mut deliveries = BTreeMap::new();
        for account in &self.accounts {
            let of_folder = |(partition, bucket, folder): &(Partition, BucketName, LogFolder)| {
                let own = self.regions.iter().filter(|region| region.partition() == *partition).cloned();
                let requests = own.chain(unnamed_region(*partition)).map(|region| {
                    let key = folder.key(&FileName::example(*account, &region));
                    let delivery = Delivery::new(*account, region);
                    [delivery.acl_check(bucket), delivery.put_object(bucket, &key)]
                });
                requests.collect::<Vec<_>>()
            };
            deliveries.insert(*account, self.folders.iter().flat_map(of_folder).collect());
        }
        Deliveries(deliveries)
    }
}

/// The partition and the bucket of an ARN, and the path if it is one of objects.
fn s3_resource(arn: &str) -> Option<(Partition, BucketName, Option<&str>)> {
    let (partition, resource) = arn.strip_prefix("arn:")?.split_once(":s3:::")?;
    let (bucket, path) = match resource.split_once('/') {
        Some((bucket, path)) => (bucket, Some(path)),
        None => (resource, None),
    };
    Some((Partition::parse(partition).ok()?, BucketName::parse_in_policy(bucket).ok()?, path))
}
