use std::error::Error as _;

use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::list_objects_v2::{ListObjectsV2Error, ListObjectsV2Output};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::error::NoSuchKey;
use aws_sdk_s3::types::{CommonPrefix, Object};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;
use flowagg_query::object_store::ObjectStoreExt as _;

use super::*;
use crate::aws::mocked;

fn objects(rules: &[&Rule]) -> BucketObjects {
    let bucket = BucketName::parse("acme-logs").unwrap();
    let at = At::new(mocked::place()).about(&bucket);
    let owner = Some("222222222222".to_owned());
    BucketObjects { s3: mocked::s3(rules), bucket, owner, at, timeout: None }
}

fn object(key: &str) -> Object {
    Object::builder().key(key).size(7).last_modified(DateTime::from_secs(1_793_491_200)).build()
}

fn page(keys: &[&str], next: Option<&str>) -> ListObjectsV2Output {
    ListObjectsV2Output::builder()
        .set_contents(Some(keys.iter().map(|key| object(key)).collect()))
        .set_next_continuation_token(next.map(str::to_owned))
        .is_truncated(next.is_some())
        .build()
}

/// A page of the folder `AWSLogs/`, if the expected bucket owner is sent.
fn listed(
    token: Option<&'static str>,
    output: impl Fn() -> ListObjectsV2Output + Send + Sync + 'static,
) -> Rule {
    mock!(Client::list_objects_v2)
        .match_requests(move |request| {
            request.prefix() == Some("AWSLogs/")
                && request.expected_bucket_owner() == Some("222222222222")
                && request.continuation_token() == token
        })
        .then_output(output)
}

async fn keys(rules: &[&Rule]) -> Result<Vec<String>> {
    let folder = Path::from("AWSLogs");
    objects(rules).list(Some(&folder)).map_ok(|object| object.location.to_string()).try_collect().await
}

/// The source of an error.
fn failure(error: &Error) -> &Failure {
    error.source().unwrap().downcast_ref().unwrap()
}

#[tokio::test]
async fn listing_returns_each_object_once_without_folder_markers() {
    let first = listed(None, || page(&["AWSLogs/", "AWSLogs/a", "AWSLogs/b"], Some("next")));
    let second = listed(Some("next"), || page(&["AWSLogs/b", "AWSLogs/c//d", "AWSLogs/e"], None));
    assert_eq!(keys(&[&first, &second]).await.unwrap(), ["AWSLogs/a", "AWSLogs/b", "AWSLogs/e"]);
}

#[tokio::test]
async fn listing_with_a_repeated_page_token_fails() {
    let first = listed(None, || page(&["AWSLogs/a"], Some("next")));
    let second = listed(Some("next"), || page(&["AWSLogs/b"], Some("next")));
    let error = keys(&[&first, &second]).await.unwrap_err();
    assert_eq!(
        failure(&error).message,
        "the response is incomplete: it repeats the token of an earlier page"
    );
}

#[tokio::test]
async fn folders_and_objects_of_one_level_are_distinguished() {
    let level = mock!(Client::list_objects_v2)
        .match_requests(|request| request.delimiter() == Some("/") && request.prefix().is_none())
        .then_output(|| {
            let folder = CommonPrefix::builder().prefix("AWSLogs/").build();
            ListObjectsV2Output::builder().common_prefixes(folder).contents(object("readme")).build()
        });
    let found = objects(&[&level]).list_with_delimiter(None).await.unwrap();
    assert_eq!(found.common_prefixes, [Path::from("AWSLogs")]);
    assert_eq!(found.objects.iter().map(|it| it.location.as_ref()).collect::<Vec<_>>(), ["readme"]);
    assert_eq!(found.objects[0].last_modified.timestamp(), 1_793_491_200);
}

#[tokio::test]
async fn missing_bucket_is_an_error_not_an_empty_listing() {
    let missing = mock!(Client::list_objects_v2).then_error(|| {
        ListObjectsV2Error::generic(ErrorMetadata::builder().code("NoSuchBucket").message("no").build())
    });
    let error = keys(&[&missing]).await.unwrap_err();
    assert!(matches!(error, Error::Generic { store: "S3", .. }), "{error:?}");
}

fn body(bytes: &'static [u8], length: i64) -> Rule {
    mock!(Client::get_object)
        .match_requests(|request| {
            request.key() == Some("AWSLogs/a") && request.expected_bucket_owner() == Some("222222222222")
        })
        .then_output(move || {
            GetObjectOutput::builder().body(ByteStream::from_static(bytes)).content_length(length).build()
        })
}

#[tokio::test]
async fn whole_object_is_downloaded() {
    let found = objects(&[&body(b"records", 7)]).get(&Path::from("AWSLogs/a")).await.unwrap();
    assert_eq!((found.meta.size, found.range.clone()), (7, 0..7));
    assert_eq!(found.bytes().await.unwrap().as_ref(), b"records");
}

#[tokio::test]
async fn interrupted_download_is_retried_then_fails() {
    let cut = body(b"rec", 7);
    let error = objects(&[&cut]).get(&Path::from("AWSLogs/a")).await.unwrap_err();
    assert_eq!(cut.num_calls(), 3);
    let failure = failure(&error);
    assert_eq!(failure.message, "the download ended early, after 3 bytes");
    assert_eq!(failure.resource.as_deref(), Some("acme-logs/AWSLogs/a"));
}

#[tokio::test]
async fn missing_denied_and_archived_objects_have_their_own_errors() {
    let path = Path::from("AWSLogs/a");
    let deleted = mock!(Client::get_object)
        .then_error(|| GetObjectError::NoSuchKey(NoSuchKey::builder().meta(code("NoSuchKey")).build()));
    let error = objects(&[&deleted]).get(&path).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");

    let denied = mock!(Client::get_object).then_error(|| GetObjectError::generic(code("AccessDenied")));
    let error = objects(&[&denied]).get(&path).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    assert!(failure(&error).help().starts_with("allow s3:GetObject on the objects for "), "{error:?}");

    let archived =
        mock!(Client::get_object).then_error(|| GetObjectError::generic(code("InvalidObjectState")));
    let error = objects(&[&archived]).get(&path).await.unwrap_err();
    assert!(failure(&error).help().starts_with("the object is in an archive storage class"), "{error:?}");
}

fn code(code: &str) -> ErrorMetadata {
    ErrorMetadata::builder().code(code).message("no").build()
}

#[tokio::test]
async fn writes_and_range_reads_are_not_implemented() {
    let objects = objects(&[]);
    let path = Path::from("AWSLogs/a");
    for error in [
        objects.put(&path, PutPayload::new()).await.unwrap_err(),
        objects.delete(&path).await.unwrap_err(),
        objects.copy(&path, &path).await.unwrap_err(),
        objects.get_range(&path, 0..1).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::NotImplemented { .. }), "{error:?}");
    }
}
