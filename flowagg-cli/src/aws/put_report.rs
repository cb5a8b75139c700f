//! Puts a report into a bucket without replacing foreign objects.
//!
//! Source: "How to prevent object overwrites with conditional writes" (Amazon S3 User Guide).

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use flowagg_core::failure::Failure;
use flowagg_core::id::{BucketName, Place};

use super::Account;
use super::call::{HEAD_OBJECT, PUT_OBJECT};
use super::failure::At;
use super::observe::locate;

/// The metadata that marks an object as a flowagg report.
const MARK: (&str, &str) = ("flowagg", "report");

/// A report and the object key to put it under.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct ReportObject<'a> {
    pub bucket: &'a BucketName,
    pub key: &'a str,
    /// The media type, e.g. `text/html; charset=utf-8`.
    pub media_type: &'a str,
    /// The content.
    pub body: &'a str,
}

impl<'a> ReportObject<'a> {
    /// A report to put under this key of a bucket.
    pub fn new(bucket: &'a BucketName, key: &'a str, media_type: &'a str, body: &'a str) -> Self {
        Self { bucket, key, media_type, body }
    }
}

/// Puts a report with the credentials of an account. Replaces an existing object if it is a flowagg report.
///
/// Fails if S3 denies the call, or if the key has a foreign object.
pub async fn put_report(account: &Account, report: ReportObject<'_>) -> Result<(), Failure> {
    let region = locate(account, report.bucket, None).await.map_err(advised)?;
    let at = At::new(Place::new(account.id, &region)).about(format!("s3://{}/{}", report.bucket, report.key));
    put(&account.s3(&region), &at, report).await.map_err(advised)
}

/// Replaces advice that is about the hub bucket: the report's bucket may be another.
fn advised(mut failure: Failure) -> Failure {
    let code = failure.code.clone().unwrap_or_default();
    let advice = match code.as_str() {
        "NoSuchBucket" | "NotFound" => "create the bucket, or use another one",
        code if code.contains("KMS") => {
            "allow the caller kms:GenerateDataKey on the bucket's default key, or use another bucket"
        }
        "AccessDenied" | "Forbidden" => {
            "allow the caller s3:ListBucket on the bucket and s3:PutObject and s3:GetObject on the object, or use another bucket"
        }
        _ => return failure,
    };
    failure.advice = advice.into();
    failure
}

async fn put(s3: &Client, at: &At, report: ReportObject<'_>) -> Result<(), Failure> {
    let request = || -> PutObjectFluentBuilder {
        s3.put_object()
            .bucket(report.bucket.as_str())
            .key(report.key)
            .content_type(report.media_type)
            .cache_control("no-cache")
            .metadata(MARK.0, MARK.1)
            .body(report.body.to_owned().into_bytes().into())
    };
    let error = match request().if_none_match("*").send().await {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    if error.code() != Some("PreconditionFailed") {
        return Err(at.failure(PUT_OBJECT, &error));
    }
    let head = s3.head_object().bucket(report.bucket.as_str()).key(report.key).send().await;
    let head = head.map_err(|error| at.failure(HEAD_OBJECT, &error))?;
    let is_ours = head.metadata().and_then(|it| it.get(MARK.0)).is_some_and(|value| value == MARK.1);
    let (true, Some(etag)) = (is_ours, head.e_tag()) else {
        let what = "the object exists and is not a flowagg report; it was not replaced";
        let help = "use another key, or move the object";
        return Err(at.failed(PUT_OBJECT, None, what, help));
    };
    // An object that was put there in the meantime is not replaced.
    let replaced = request().if_match(etag).send().await;
    replaced.map(drop).map_err(|error| at.failure(PUT_OBJECT, &error))
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::operation::head_object::HeadObjectOutput;
    use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
    use aws_smithy_mocks::{Rule, mock};
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;
    use crate::aws::mocked;

    async fn puts(rules: &[&Rule]) -> Result<(), Failure> {
        let bucket = BucketName::parse("acme-reports").unwrap();
        let at = At::new(mocked::place()).about("s3://acme-reports/report.html");
        put(&mocked::s3(rules), &at, ReportObject::new(&bucket, "report.html", "text/html", "<p>")).await
    }

    /// A put of a new object with the metadata.
    macro_rules! new {
        () => {
            mock!(Client::put_object).match_requests(|request| {
                let mark = request.metadata().and_then(|metadata| metadata.get("flowagg"));
                request.if_none_match() == Some("*") && mark.is_some_and(|mark| mark == "report")
            })
        };
    }

    fn taken() -> Rule {
        new!().then_error(|| {
            PutObjectError::generic(
                ErrorMetadata::builder().code("PreconditionFailed").message("At least one").build(),
            )
        })
    }

    fn found(mark: Option<&'static str>) -> Rule {
        mock!(Client::head_object).then_output(move || {
            let mut output = HeadObjectOutput::builder().e_tag("\"1\"");
            if let Some(mark) = mark {
                output = output.metadata("flowagg", mark);
            }
            output.build()
        })
    }

    #[tokio::test]
    async fn new_report_is_put_if_the_key_is_free() {
        let put = new!().then_output(|| PutObjectOutput::builder().build());
        puts(&[&put]).await.unwrap();
        assert_eq!(put.num_calls(), 1);
    }

    #[tokio::test]
    async fn earlier_report_is_replaced_if_unchanged() {
        let replace = mock!(Client::put_object)
            .match_requests(|request| request.if_match() == Some("\"1\""))
            .then_output(|| PutObjectOutput::builder().build());
        puts(&[&taken(), &found(Some("report")), &replace]).await.unwrap();
        assert_eq!(replace.num_calls(), 1);
    }

    #[tokio::test]
    async fn foreign_object_is_not_replaced() {
        for mark in [None, Some("other")] {
            let failure = puts(&[&taken(), &found(mark)]).await.unwrap_err();
            assert!(failure.message.contains("is not a flowagg report"), "{failure:?}");
        }
    }
}
