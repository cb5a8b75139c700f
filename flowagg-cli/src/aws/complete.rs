//! Checks that responses are complete. A truncated response could otherwise be read as "nothing exists".

use std::collections::BTreeSet;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::sender;

/// Why a successful response cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Incomplete {
    /// The body is empty.
    #[error("the response is empty")]
    Empty,
    /// The body does not end with this text.
    #[error("the response is incomplete: it does not end with `{0}`")]
    Unclosed(String),
    /// More pages follow, but the token for the next page is missing.
    #[error("the response is incomplete: it indicates another page but contains no token for it")]
    NoToken,
    /// The token for the next page is the token of an earlier page.
    #[error("the response is incomplete: it repeats the token of an earlier page")]
    RepeatedToken,
    /// The download of an object ended early.
    #[cfg(feature = "query")]
    #[error("the download ended early, after {received} bytes")]
    Cut {
        /// Bytes received.
        received: u64,
    },
    /// An item has no such value.
    #[error("the response is incomplete: it contains an item without {0}")]
    Missing(&'static str),
    /// An item has an ID that cannot be parsed.
    #[error("the response contains the ID `{0}`, which has an unknown format")]
    UnknownId(String),
}

impl Incomplete {
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::UnknownId(_) => "update flowagg; if this is the latest version, report a bug with this ID",
            _ => {
                "run the command again; if it fails again, check the proxy or endpoint between flowagg and AWS"
            }
        }
    }
}

/// Fails calls whose response AWS did not send, and successful calls whose body is incomplete.
#[derive(Debug)]
pub(crate) struct WholeResponses;

impl Intercept for WholeResponses {
    fn name(&self) -> &'static str {
        "WholeResponses"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        sender::check(response)?;
        // A streamed body is not in memory; its reader checks the length.
        let Some(body) = response.body().bytes().filter(|_| response.status().is_success()) else {
            return Ok(());
        };
        let needs_body = config.load::<Metadata>().is_some_and(needs_body);
        Ok(check(body, needs_body)?)
    }
}

/// Whether a response to this call always has a body. Writes to S3 and `HEAD` requests have none.
fn needs_body(call: &Metadata) -> bool {
    let is_read = |name: &str| ["Get", "List", "Describe"].iter().any(|read| name.starts_with(read));
    matches!(call.service(), "EC2" | "STS") || (is_read(call.name()) && call.name() != "GetObject")
}

/// Checks the end of a body to see whether it is complete. The cost does not depend on the size.
fn check(body: &[u8], needs_body: bool) -> Result<(), Incomplete> {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    match text {
        [] if needs_body => Err(Incomplete::Empty),
        [b'<', ..] => is_closed(&String::from_utf8_lossy(text)),
        [b'{', .., b'}'] => Ok(()),
        [b'{', ..] => Err(Incomplete::Unclosed("}".to_owned())),
        _ => Ok(()),
    }
}

/// Fails if an XML document does not end with its root element.
fn is_closed(text: &str) -> Result<(), Incomplete> {
    let mut rest = text;
    // Declarations and comments come before the root element.
    while let Some((end, after)) = [("<?", "?>"), ("<!--", "-->"), ("<!", ">")]
        .into_iter()
        .find_map(|(start, end)| Some((end, rest.strip_prefix(start)?)))
    {
        let Some((_, after)) = after.split_once(end) else {
            return Err(Incomplete::Unclosed(end.to_owned()));
        };
        rest = after.trim_start();
    }
    let name = rest.strip_prefix('<').unwrap_or_default();
    let name =
        name.split(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).next().unwrap_or_default();
    let unclosed = || Incomplete::Unclosed(format!("</{name}>"));
    let inner = rest.strip_suffix('>').ok_or_else(unclosed)?;
    let is_alone = inner.ends_with('/') && !inner.get(1..).is_some_and(|inner| inner.contains('<'));
    let is_ended = inner.trim_end().strip_suffix(name).is_some_and(|before| before.ends_with("</"));
    if is_alone || is_ended { Ok(()) } else { Err(unclosed()) }
}

/// Tracks the pages of one listing.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    tokens: BTreeSet<String>,
    last_key: String,
}

impl Pages {
    /// Records a page: the token for the next page, and whether the response announces one.
    ///
    /// The SDK would treat a page without a token, or with the token of the previous page, as the last one.
    pub(crate) fn turn(&mut self, next: Option<&str>, is_truncated: Option<bool>) -> Result<(), Incomplete> {
        match next.filter(|token| !token.is_empty()) {
            None if is_truncated == Some(true) => Err(Incomplete::NoToken),
            Some(token) if !self.tokens.insert(token.to_owned()) => Err(Incomplete::RepeatedToken),
            _ => Ok(()),
        }
    }

    /// Whether an object was not on an earlier page. S3 lists keys in byte order.
    pub(crate) fn is_new(&mut self, key: &str) -> bool {
        let is_new = *key > *self.last_key || self.last_key.is_empty();
        if is_new {
            key.clone_into(&mut self.last_key);
        }
        is_new
    }
}

/// Requests every page of an EC2 listing and reads each item; `$read` returns `Result<(), Incomplete>`. The SDK's paginator uses
/// more CPU time because of its channel and a plugin for each call.
macro_rules! each_page {
    ($request:expr, $items:ident, $at:expr, $call:expr, |$item:ident| $read:expr) => {{
        let incomplete = |why: $crate::aws::complete::Incomplete| $at.incomplete($call, &why);
        let (mut request, mut turned) = ($request, $crate::aws::complete::Pages::default());
        loop {
            let page = request.clone().send().await.map_err(|error| $at.failure($call, &error))?;
            turned.turn(page.next_token(), None).map_err(incomplete)?;
            for $item in page.$items() {
                let read: Result<(), $crate::aws::complete::Incomplete> = $read;
                read.map_err(incomplete)?;
            }
            let Some(next) = page.next_token().filter(|next| !next.is_empty()) else { break };
            request = request.next_token(next);
        }
    }};
}
pub(crate) use each_page;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn unclosed(body: &str, end: &str) {
        assert_eq!(check(body.as_bytes(), true), Err(Incomplete::Unclosed(end.to_owned())), "{body}");
    }

    #[test]
    fn complete_bodies_of_every_service_are_accepted() {
        for body in [
            "<DescribeVpcsResponse xmlns=\"http://ec2\"><vpcSet/></DescribeVpcsResponse>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult><Name>a</Name></ListBucketResult>\n",
            "\u{feff}<?xml version='1.0'?><!-- <a> --><LocationConstraint xmlns=\"x\"/>",
            "<LocationConstraint>eu-west-1</LocationConstraint >",
            "<VersioningConfiguration />",
            "<!DOCTYPE x><s3:Owner><ID>1</ID></s3:Owner>",
            "{\"Version\": \"2012-10-17\", \"Statement\": []}\n",
            "{}",
        ] {
            assert_eq!(check(body.as_bytes(), true), Ok(()), "{body}");
        }
    }

    #[test]
    fn truncated_body_is_detected_at_every_length() {
        let whole = "<?xml version=\"1.0\"?><A x=\"1\"><Owner/><B>b</B></A>";
        for end in 1..whole.len() {
            let (cut, _) = whole.split_at(end);
            assert!(check(cut.as_bytes(), true).is_err(), "{cut}");
        }
        unclosed("<DescribeVpcsResponse><vpcSet>", "</DescribeVpcsResponse>");
        unclosed("<Tags><Tag/>", "</Tags>");
        unclosed("{\"Version\": \"2012", "}");
    }

    #[test]
    fn body_is_required_only_where_aws_always_sends_one() {
        assert_eq!(check(b" \n", true), Err(Incomplete::Empty));
        assert_eq!(check(b"", false), Ok(()));
        for (name, service, expected) in [
            ("GetBucketPolicy", "S3", true),
            ("ListObjectsV2", "S3", true),
            ("CreateFlowLogs", "EC2", true),
            ("ListAccounts", "Organizations", true),
            ("PutBucketPolicy", "S3", false),
            ("HeadBucket", "S3", false),
            ("GetObject", "S3", false),
        ] {
            assert_eq!(needs_body(&Metadata::new(name, service)), expected, "{name}");
        }
    }

    #[test]
    fn missing_or_repeated_page_token_is_an_error() {
        let mut pages = Pages::default();
        for (next, is_truncated, expected) in [
            (Some("a"), Some(true), Ok(())),
            (Some("b"), None, Ok(())),
            (Some("a"), None, Err(Incomplete::RepeatedToken)),
            (None, Some(true), Err(Incomplete::NoToken)),
            (Some(""), Some(true), Err(Incomplete::NoToken)),
            (Some(""), None, Ok(())),
            (None, Some(false), Ok(())),
        ] {
            assert_eq!(pages.turn(next, is_truncated), expected, "{next:?} {is_truncated:?}");
        }
    }

    #[test]
    fn key_of_an_earlier_page_is_not_new() {
        let mut pages = Pages::default();
        let new: Vec<bool> = ["a", "b", "a", "b", "c"].iter().map(|key| pages.is_new(key)).collect();
        assert_eq!(new, [true, true, false, false, true]);
    }
}
