//! Details of an error response other than the code and the message.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use flowagg_core::id::Region;
use flowagg_core::text::one_line;

/// The bucket's region, from the header, the body or the message of an S3 error.
///
/// Source: "Error responses" (Amazon S3 API Reference): `AuthorizationHeaderMalformed` has the element `Region`.
pub(super) fn bucket_region(response: &HttpResponse, message: &str) -> Option<String> {
    let header = response.headers().get("x-amz-bucket-region").map(str::to_owned);
    let named = header.or_else(|| element(response, "Region")).or_else(|| {
        let (_, rest) = message.split_once("expecting '")?;
        rest.split_once('\'').map(|(region, _)| region.to_owned())
    })?;
    Region::parse(&named).ok().map(|region| region.to_string())
}

/// A suffix for the message of `RequestTimeTooSkewed`: the request time and AWS's time, from the body. Empty for other errors.
pub(super) fn times(response: &HttpResponse) -> String {
    match (element(response, "RequestTime"), element(response, "ServerTime")) {
        (Some(sent), Some(now)) => format!(" (request time {sent}, AWS time {now})"),
        _ => String::new(),
    }
}

/// The text of an XML element in the body.
fn element(response: &HttpResponse, name: &str) -> Option<String> {
    let body = std::str::from_utf8(response.body().bytes()?).ok()?;
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once('<')?;
    Some(one_line(text)).filter(|text| !text.is_empty() && text.len() < 100)
}
