//! The deliveries that bucket policies mention: the accounts and folders in their conditions and resources. A mention
//! does not grant access; only the evaluation decides.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::flow_log::Files;
use flowagg_core::id::{AccountId, BucketName, Partition, Region};
use flowagg_core::layout::{self, AWS_LOGS, FileName, Layout};
use flowagg_core::names::Names;

use super::{Asked, Deliveries, unnamed_region};
use crate::document::{Document, DocumentError, Statement};
use crate::evaluate::Delivery;
use crate::service::names_delivery;

/// The accounts, buckets, regions and folders that the statements of a bucket policy mention.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mentioned {
    /// The partition of the first resource.
    pub partition: Option<Partition>,
    /// The buckets of the resources.
    pub buckets: BTreeSet<BucketName>,
    /// The accounts in `aws:SourceAccount`, `aws:SourceArn` and folders.
    pub accounts: BTreeSet<AccountId>,
    /// The regions in `aws:SourceArn`.
    pub regions: BTreeSet<Region>,
    folders: BTreeSet<(Partition, BucketName, LogRoot)>,
}

/// The folder of a bucket that contains the log folders of the accounts: `[prefix/]AWSLogs/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogRoot {
    /// The part of keys before `AWSLogs/`: empty, or a path that ends with `/`.
    start: String,
    hive: bool,
}

impl LogRoot {
    /// The key of a flow log file in the folder.
    pub fn key(&self, file: &FileName) -> String {
        let mut files = Files::default();
        files.hive_compatible_partitions = self.hive;
        format!("{}{}", self.start, Layout::new(None, files).key(file))
    }
}

/// Collects the mentions in the statements for the log delivery service, regardless of their effect.
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

/// The maximum number of deliveries to evaluate.
const MOST: usize = 50_000;

/// The deliveries of every account that these policies mention: to each mentioned folder, from each mentioned region
/// and one other region. If there are too many to evaluate in a reasonable time, each account is only combined with the
/// folders and regions of its own statements. Also returns a description of the part that is not evaluated.
pub(crate) fn named(policies: [&Document<'_>; 2]) -> (Deliveries, Option<String>) {
    let statements = || policies.into_iter().flat_map(Document::statements);
    let mut all = Mentioned::default();
    statements().for_each(|statement| all.read(statement));
    let places = all.places().count();
    if places == 0 && !all.accounts.is_empty() {
        let accounts = Names::NONE.accounts(&all.accounts);
        return (Deliveries::default(), Some(format!("no statement names a folder for {accounts}")));
    }
    if all.accounts.len() * places <= MOST {
        return (deliveries([all]), None);
    }
    let each = statements().map(|statement| {
        let mut mentioned = Mentioned::default();
        mentioned.read(statement);
        mentioned
    });
    let why = "each account was only evaluated for the folders and regions of the statements that name it";
    (deliveries(each), Some(why.to_owned()))
}

/// Combines the accounts of each item with all of its folders and regions.
fn deliveries(mentioned: impl IntoIterator<Item = Mentioned>) -> Deliveries {
    let mut asked: BTreeMap<AccountId, BTreeSet<Place>> = BTreeMap::new();
    for mentioned in mentioned {
        let places: BTreeSet<Place> = mentioned.places().collect();
        for account in mentioned.accounts {
            asked.entry(account).or_default().extend(places.iter().cloned());
        }
    }
    let of = |(account, places): (AccountId, BTreeSet<Place>)| {
        let asked = places.into_iter().map(|(region, bucket, folder)| Asked {
            key: folder.key(&FileName::example(account, &region)),
            delivery: Delivery::new(account, region),
            bucket,
        });
        (account, asked.collect())
    };
    Deliveries(asked.into_iter().map(of).collect())
}

/// A source region, and the destination folder.
type Place = (Region, BucketName, LogRoot);

impl Mentioned {
    /// The first mentioned folder of a bucket.
    pub fn folder(&self, bucket: &BucketName) -> Option<LogRoot> {
        let (_, _, folder) = self.folders.iter().find(|(_, of, _)| of == bucket)?;
        Some(folder.clone())
    }

    fn read(&mut self, statement: Statement<'_>) {
        for key in statement.condition_keys() {
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
        let (start, below) = match (path.split_once(&format!("{AWS_LOGS}/")), path.strip_suffix("AWSLogs*")) {
            (Some((start, below)), _) => (start, below),
            // Everything under a path.
            (None, start) => (start.unwrap_or(path.trim_end_matches('*')), ""),
        };
        if start.contains(['*', '?', '$']) || !(start.is_empty() || start.ends_with('/')) {
            return;
        }
        let folder = below.split('/').next().unwrap_or_default();
        self.accounts.extend(layout::account_of(folder));
        let hive = folder.starts_with(layout::HIVE_ACCOUNT);
        self.folders.insert((partition, bucket, LogRoot { start: start.to_owned(), hive }));
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        self.folders.iter().flat_map(|(partition, bucket, folder)| {
            let own = self.regions.iter().filter(move |region| region.partition() == *partition).cloned();
            let regions = own.chain(unnamed_region(*partition));
            regions.map(|region| (region, bucket.clone(), folder.clone()))
        })
    }
}

/// The partition and bucket of an ARN, and the path if it is an object ARN.
fn s3_resource(arn: &str) -> Option<(Partition, BucketName, Option<&str>)> {
    let (partition, resource) = arn.strip_prefix("arn:")?.split_once(":s3:::")?;
    let (bucket, path) = match resource.split_once('/') {
        Some((bucket, path)) => (bucket, Some(path)),
        // `bucket*` is the bucket and everything in it.
        None => resource.strip_suffix('*').map_or((resource, None), |bucket| (bucket, Some("*"))),
    };
    Some((Partition::parse(partition).ok()?, BucketName::parse_in_policy(bucket).ok()?, path))
}
