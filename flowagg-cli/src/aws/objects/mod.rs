//! An `ObjectStore` over a bucket for queries. It uses the same clients as everything else, with the same credentials, roles,
//! proxies, retries, rate limits, traces and call counts.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::DateTime;
use chrono::Utc;
use flowagg_core::failure::Failure;
use flowagg_core::id::{AccountId, BucketName, Place, Region};
use flowagg_query::object_store::path::Path;
use flowagg_query::object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};

use super::Account;
use super::call::{GET_OBJECT, HEAD_OBJECT, LIST_OBJECTS};
use super::complete::{Incomplete, Pages};
use super::failure::At;
use super::observe::locate;

/// The name of this store in `object_store` errors.
const STORE: &str = "S3";
/// Attempts to download an object if the download breaks off. The SDK only retries until a response starts.
const DOWNLOADS: u32 = 3;

/// The region of a bucket. Another account may own the bucket.
pub async fn locate_bucket(account: &Account, bucket: &BucketName) -> std::result::Result<Region, Failure> {
    locate(account, bucket, None).await
}

/// The objects of one bucket. Supports listing and downloading whole objects; other operations return
/// [`Error::NotImplemented`].
///
/// The source of each error is a [`Failure`] with the call, AWS's code and the advice.
#[derive(Clone, Debug)]
pub struct BucketObjects {
    s3: Client,
    bucket: BucketName,
    owner: Option<String>,
    at: At,
    timeout: Option<Duration>,
}

impl BucketObjects {
    /// Opens a bucket in a region with the credentials of an account. If `owner` is set, calls fail if another account owns the
    /// bucket.
    pub fn new(account: &Account, region: &Region, bucket: BucketName, owner: Option<AccountId>) -> Self {
        let at = At::new(Place::new(account.id, region)).about(&bucket);
        let owner = owner.map(|owner| owner.to_string());
        Self { s3: account.s3(region), bucket, owner, at, timeout: account.call_timeout() }
    }

    /// The pages of a listing.
    fn pages(
        &self,
        folder: Option<&Path>,
        delimiter: Option<&str>,
    ) -> impl Stream<Item = Result<Page>> + Send + use<> {
        let folder = folder.map(|folder| format!("{folder}/")).filter(|folder| folder != "/");
        let request = self.s3.list_objects_v2().bucket(self.bucket.as_str());
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let request = request.set_prefix(folder.clone()).set_delimiter(delimiter.map(str::to_owned));
        let listing =
            Listing { folder: folder.unwrap_or_default(), at: self.at.clone(), turned: Pages::default() };
        stream::try_unfold((request.into_paginator().send(), listing), async |(mut pages, mut listing)| {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| listing.at.failure(LIST_OBJECTS, &error));
            let page = page.map_err(|failure| listing.error(failure))?;
            let read = listing.read(&page)?;
            Ok::<_, Error>(Some((read, (pages, listing))))
        })
    }

    /// Downloads an object.
    async fn download(&self, location: &Path) -> std::result::Result<Download, Failure> {
        let at = self.at.about(format!("{}/{location}", self.bucket));
        let mut downloads = 1;
        loop {
            let request = self.s3.get_object().bucket(self.bucket.as_str()).key(location.as_ref());
            let answer = request.set_expected_bucket_owner(self.owner.clone()).send().await;
            let answer = answer.map_err(|error| at.failure(GET_OBJECT, &error))?;
            match self.body(answer).await {
                Ok(download) => return Ok(download),
                Err(why) if downloads == DOWNLOADS => return Err(at.incomplete(GET_OBJECT, &why)),
                Err(_) => {}
            }
            downloads += 1;
        }
    }

    /// Reads the body of a response. Fails if it does not have the length in the header.
    async fn body(&self, mut answer: GetObjectOutput) -> std::result::Result<Download, Incomplete> {
        let expected = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let modified = answer.last_modified().map(time).unwrap_or_default();
        let mut bytes =
            Vec::with_capacity(expected.and_then(|it| usize::try_from(it).ok()).unwrap_or_default());
        loop {
            let next = answer.body.next();
            let next = match self.timeout {
                Some(timeout) => tokio::time::timeout(timeout, next).await,
                None => Ok(next.await),
            };
            match next {
                Ok(Some(Ok(part))) => bytes.extend_from_slice(&part),
                Ok(None) => break,
                Ok(Some(Err(_))) | Err(_) => return Err(Incomplete::Cut { received: bytes.len() as u64 }),
            }
        }
        let received = bytes.len() as u64;
        if expected.is_some_and(|expected| expected != received) {
            return Err(Incomplete::Cut { received });
        }
        Ok(Download { bytes, modified, e_tag: answer.e_tag })
    }
}

/// A downloaded object.
struct Download {
    bytes: Vec<u8>,
    modified: chrono::DateTime<Utc>,
    e_tag: Option<String>,
}

/// A page of a listing.
struct Page {
    folders: Vec<Path>,
    objects: Vec<ObjectMeta>,
}

/// A listing in progress.
struct Listing {
    folder: String,
    at: At,
    turned: Pages,
}

impl Listing {
    fn read(&mut self, page: &ListObjectsV2Output) -> Result<Page> {
        let turned = self.turned.turn(page.next_continuation_token(), page.is_truncated());
        turned.map_err(|why| self.error(self.at.incomplete(LIST_OBJECTS, &why)))?;
        let folders = page.common_prefixes().iter().filter_map(|folder| Path::parse(folder.prefix()?).ok());
        let mut objects = Vec::with_capacity(page.contents().len());
        for object in page.contents() {
            // Some tools create an object with the folder's name as a marker.
            let key = object.key().filter(|key| !key.ends_with('/') && self.turned.is_new(key));
            // A `Path` cannot contain empty segments; AWS never delivers to such keys.
            let Some(location) = key.and_then(|key| Path::parse(key).ok()) else { continue };
            let size = object.size().and_then(|size| u64::try_from(size).ok());
            let size = size.ok_or_else(|| {
                self.error(self.at.incomplete(LIST_OBJECTS, &Incomplete::Missing("the size of an object")))
            })?;
            objects.push(ObjectMeta {
                location,
                last_modified: object.last_modified().map(time).unwrap_or_default(),
                size,
                e_tag: object.e_tag().map(str::to_owned),
                version: None,
            });
        }
        Ok(Page { folders: folders.collect(), objects })
    }

    fn error(&self, failure: Failure) -> Error {
        error(failure, &self.folder)
    }
}

/// Converts a failure. Only missing objects become `NotFound`, because a missing bucket must not look like an empty listing.
fn error(failure: Failure, path: &str) -> Error {
    let (path, source) = (path.to_owned(), Box::new(failure));
    match source.code.as_deref() {
        Some("NoSuchKey") => Error::NotFound { path, source },
        Some("NotFound") if source.call == HEAD_OBJECT.name => Error::NotFound { path, source },
        Some("AccessDenied") => Error::PermissionDenied { path, source },
        _ => Error::Generic { store: STORE, source },
    }
}

fn refused(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.to_owned(), implementer: STORE.to_owned() }
}

fn time(time: &DateTime) -> chrono::DateTime<Utc> {
    chrono::DateTime::from_timestamp(time.secs(), time.subsec_nanos()).unwrap_or_default()
}

impl fmt::Display for BucketObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)
    }
}

#[async_trait]
impl ObjectStore for BucketObjects {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let has_conditions = options.if_match.is_some()
            || options.if_none_match.is_some()
            || options.if_modified_since.is_some()
            || options.if_unmodified_since.is_some();
        if has_conditions || options.range.is_some() || options.version.is_some() {
            return Err(refused("get with conditions, a range or a version"));
        }
        if options.head {
            let at = self.at.about(format!("{}/{location}", self.bucket));
            let request = self.s3.head_object().bucket(self.bucket.as_str()).key(location.as_ref());
            let found = request.set_expected_bucket_owner(self.owner.clone()).send().await;
            let found = found.map_err(|failed| error(at.failure(HEAD_OBJECT, &failed), location.as_ref()))?;
            let meta = ObjectMeta {
                location: location.clone(),
                last_modified: found.last_modified().map(time).unwrap_or_default(),
                size: found.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
                e_tag: found.e_tag,
                version: None,
            };
            let payload = GetResultPayload::Stream(stream::empty().boxed());
            return Ok(GetResult { payload, range: 0..0, meta, attributes: Attributes::default() });
        }
        let Download { bytes, modified, e_tag } =
            self.download(location).await.map_err(|failure| error(failure, location.as_ref()))?;
        let size = bytes.len() as u64;
        let location = location.clone();
        let payload = stream::once(async move { Ok(bytes.into()) });
        Ok(GetResult {
            payload: GetResultPayload::Stream(payload.boxed()),
            meta: ObjectMeta { location, last_modified: modified, size, e_tag, version: None },
            range: 0..size,
            attributes: Attributes::default(),
        })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let objects = |page: Page| stream::iter(page.objects.into_iter().map(Ok));
        self.pages(prefix, None).map_ok(objects).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let none = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
        let add = async |mut found: ListResult, page: Page| {
            found.common_prefixes.extend(page.folders);
            found.objects.extend(page.objects);
            Ok(found)
        };
        self.pages(prefix, Some("/")).try_fold(none, add).await
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(refused("put"))
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(refused("put"))
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { Err(refused("delete")) }).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(refused("copy"))
    }
}
