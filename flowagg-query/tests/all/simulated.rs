//! A computed bucket with any number of accounts and days that uses no memory for objects and records all calls.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use flowagg_core::flow_log::FileFormat;
use flowagg_query::object_store::path::Path;
use flowagg_query::object_store::{
    Attributes, CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures::stream::{self, BoxStream, StreamExt as _};
use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::bucket::{Home, gzip};

/// The recorded calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    calls: Arc<Mutex<Vec<Call>>>,
    /// The number of calls that succeed; the next one panics.
    most: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Get(String),
    List(String),
}

impl Calls {
    pub(crate) fn panic_after(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    fn add(&self, call: Call) {
        let mut calls = self.calls.lock().unwrap();
        calls.push(call);
        let count = calls.len();
        drop(calls);
        assert!(self.most.is_none_or(|most| count <= most), "this call panics");
    }

    /// The keys that were downloaded, sorted.
    pub(crate) fn gets(&self) -> Vec<String> {
        self.sorted(|call| if let Call::Get(key) = call { Some(key.clone()) } else { None })
    }

    /// The folders that were listed, sorted.
    pub(crate) fn lists(&self) -> Vec<String> {
        self.sorted(|call| if let Call::List(folder) = call { Some(folder.clone()) } else { None })
    }

    fn sorted(&self, select: impl Fn(&Call) -> Option<String>) -> Vec<String> {
        let mut selected: Vec<String> = self.calls.lock().unwrap().iter().filter_map(select).collect();
        selected.sort();
        selected
    }
}

/// Accounts from 100000000000, each with flow logs in eu-west-1 and us-east-1, and files at equal intervals on each
/// day.
#[derive(Debug)]
pub(crate) struct Simulated {
    pub(crate) accounts: u64,
    pub(crate) first: Date,
    pub(crate) days: i32,
    pub(crate) files_a_day: i64,
    pub(crate) calls: Calls,
}

const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// The contents of each object: one record.
static BODY: LazyLock<Bytes> = LazyLock::new(|| gzip(b"srcaddr bytes end\n10.0.0.1 5 1772323200\n").into());

impl Simulated {
    fn days(&self) -> impl Iterator<Item = Date> {
        (0..self.days).map(|day| self.first.checked_add(day.days()).unwrap())
    }

    fn names(&self) -> Vec<String> {
        (0..self.accounts).map(|number| (100_000_000_000 + number).to_string()).collect()
    }

    /// The objects of a day's folder.
    fn objects(&self, account: &str, region: &str, day: Date) -> Vec<ObjectMeta> {
        let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second();
        let account: &'static str = String::leak(account.to_owned());
        let region = REGIONS.into_iter().find(|known| *known == region).unwrap();
        let home = Home { account, region, ..Home::PLAIN };
        let every = 86_400 / self.files_a_day;
        let key = |number| home.key(midnight + number * every, 0, FileFormat::PlainText);
        (0..self.files_a_day).map(|number| meta(Path::parse(key(number)).unwrap())).collect()
    }

    /// The subfolders of a folder.
    fn folders(&self, parts: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = match parts {
            [_] => self.names(),
            [_, _] => vec!["CloudTrail".to_owned(), "vpcflowlogs".to_owned()],
            [_, _, _] => REGIONS.map(str::to_owned).to_vec(),
            [.., region] if REGIONS.contains(region) => {
                self.days().map(|day| format!("{:04}", day.year())).collect()
            }
            [_, _, _, _, year] => {
                let days = self.days().filter(|day| format!("{:04}", day.year()) == *year);
                days.map(|day| format!("{:02}", day.month())).collect()
            }
            [_, _, _, _, year, month] => {
                let days = self.days().filter(|day| {
                    format!("{:04}/{:02}", day.year(), day.month()) == format!("{year}/{month}")
                });
                days.map(|day| format!("{:02}", day.day())).collect()
            }
            _ => Vec::new(),
        };
        names.dedup();
        names
    }
}

fn meta(location: Path) -> ObjectMeta {
    let last_modified = Default::default();
    ObjectMeta { location, last_modified, size: BODY.len() as u64, e_tag: None, version: None }
}

impl fmt::Display for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a simulated bucket")
    }
}

#[async_trait]
impl ObjectStore for Simulated {
    async fn get_opts(&self, location: &Path, _: GetOptions) -> Result<GetResult> {
        self.calls.add(Call::Get(location.to_string()));
        let body = BODY.clone();
        let range: Range<u64> = 0..body.len() as u64;
        let payload = GetResultPayload::Stream(stream::iter([Ok(body)]).boxed());
        Ok(GetResult { payload, meta: meta(location.clone()), range, attributes: Attributes::new() })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.unwrap().to_string();
        self.calls.add(Call::List(prefix.clone()));
        let parts: Vec<&str> = prefix.split('/').collect();
        let (account, region) = (parts[1], parts[3]);
        let within = |day: &Date| {
            format!("{}/{}", parts[..4].join("/"), day.strftime("%Y/%m/%d")).starts_with(&prefix)
        };
        let objects: Vec<ObjectMeta> =
            self.days().filter(within).flat_map(|day| self.objects(account, region, day)).collect();
        stream::iter(objects.into_iter().map(Ok)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.unwrap();
        self.calls.add(Call::List(prefix.to_string()));
        let parts: Vec<&str> = prefix.as_ref().split('/').collect();
        let common_prefixes =
            self.folders(&parts).into_iter().map(|name| prefix.clone().join(name)).collect();
        let objects = match parts.as_slice() {
            [_, account, _, region, year, month, day] => {
                let day = Date::strptime("%Y/%m/%d", format!("{year}/{month}/{day}")).unwrap();
                let exists = self.days().any(|other| other == day);
                if exists { self.objects(account, region, day) } else { Vec::new() }
            }
            _ => Vec::new(),
        };
        Ok(ListResult { common_prefixes, objects })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        unreachable!("nothing is written")
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("nothing is written")
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        unreachable!("nothing is deleted")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("nothing is copied")
    }
}
