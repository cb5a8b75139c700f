//! Detects responses that AWS did not send. A proxy, a sign-in page or another server may respond instead of AWS, and its `404`
//! must not be mistaken for a missing bucket.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use flowagg_core::text::one_line;

/// Headers that only AWS and its emulators send.
const OF_AWS: [&str; 4] = ["x-amzn-requestid", "x-amz-request-id", "x-amz-id-2", "x-amzn-errortype"];
/// Substrings of an AWS error body in XML and JSON.
const CODES: [&str; 4] = ["<Code>", "\"__type\"", "\"code\"", "\"Code\""];
/// "Proxy Authentication Required" and "Network Authentication Required" (RFC 9110, RFC 6585).
const SIGN_IN: [u16; 2] = [407, 511];

/// A response that AWS did not send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the response is not from AWS: HTTP {status}, {content_type}{}", target(location.as_deref()))]
pub(crate) struct NotFromAws {
    status: u16,
    content_type: String,
    /// The redirect target.
    location: Option<String>,
}

impl NotFromAws {
    pub(super) fn of(response: &HttpResponse) -> Self {
        let header = |name: &str| response.headers().get(name);
        let content_type = header("content-type").map(|it| format!("content type `{}`", shown(it)));
        Self {
            status: response.status().as_u16(),
            content_type: content_type.unwrap_or_else(|| "without a content type".to_owned()),
            location: header("location").map(|location| shown(without_query(location))),
        }
    }

    /// How to fix it.
    pub(super) fn help(&self) -> &'static str {
        match self.status {
            407 => {
                "the proxy requires authentication: sign in to it, or exclude the AWS endpoints with NO_PROXY"
            }
            500.. => "check the proxy or endpoint between flowagg and AWS, then run the command again",
            _ => {
                "check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there"
            }
        }
    }
}

fn target(location: Option<&str>) -> String {
    location.map(|location| format!(", redirect to `{location}`")).unwrap_or_default()
}

/// Removes the query: redirects to sign-in pages carry the original request and secrets in it.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

fn shown(header: &str) -> String {
    one_line(header).chars().take(100).collect()
}

/// Fails if AWS did not send the response.
pub(super) fn check(response: &HttpResponse) -> Result<(), NotFromAws> {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name);
    let is_marked = OF_AWS.into_iter().any(|name| header(name).is_some());
    // A streamed body is not in memory.
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    let body = body.trim_start_matches('\u{feff}').trim();
    let is_html_type = header("content-type").is_some_and(|it| it.trim_start().starts_with("text/html"));
    let is_foreign = if SIGN_IN.contains(&status) {
        true
    } else if is_marked {
        false
    } else if (300..400).contains(&status) {
        header("location").is_some() && !body.contains("<Code>")
    } else if body.is_empty() {
        is_html_type
    } else if status >= 400 {
        is_html(body) || !CODES.iter().any(|code| body.contains(code))
    } else {
        is_html(body) || !body.starts_with(['<', '{'])
    };
    if is_foreign { Err(NotFromAws::of(response)) } else { Ok(()) }
}

fn is_html(body: &str) -> bool {
    let start: String = body.chars().take("<!doctype html".len()).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;
    use snapbox::{assert_data_eq, str};

    use super::*;

    fn response(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> HttpResponse {
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        for (name, value) in headers {
            response.headers_mut().insert(*name, *value);
        }
        response
    }

    const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");

    #[test]
    fn response_of_a_proxy_is_reported_with_status_and_content_type() {
        let page = "<!DOCTYPE html><html><body>Sign in</body></html>";
        let location = ("location", "https://login.example.com/saml?request=abc");
        let json = ("content-type", "application/json");
        let mut shown = String::new();
        for (status, headers, body) in [
            (407, &[HTML][..], page),
            (407, &[], ""),
            (511, &[HTML], page),
            (302, &[HTML, location], page),
            (302, &[location], ""),
            (200, &[HTML], page),
            (404, &[HTML], ""),
            (404, &[HTML], page),
            (503, &[HTML], "<html><head/></html>"),
            (403, &[json], "{\"error\": \"blocked by policy\"}"),
            (403, &[("content-type", "text/xml")], "<error>blocked by policy</error>"),
            (200, &[("content-type", "text/plain")], "ok"),
        ] {
            let sender = check(&response(status, headers, body)).unwrap_err();
            shown += &format!("{sender}\n  {}\n", sender.help());
        }
        assert_data_eq!(
            shown,
            str![[r#"
the response is not from AWS: HTTP 407, content type `text/html; charset=utf-8`
  the proxy requires authentication: sign in to it, or exclude the AWS endpoints with NO_PROXY
the response is not from AWS: HTTP 407, without a content type
  the proxy requires authentication: sign in to it, or exclude the AWS endpoints with NO_PROXY
the response is not from AWS: HTTP 511, content type `text/html; charset=utf-8`
  check the proxy or endpoint between flowagg and AWS, then run the command again
the response is not from AWS: HTTP 302, content type `text/html; charset=utf-8`, redirect to `https://login.example.com/saml`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
the response is not from AWS: HTTP 302, without a content type, redirect to `https://login.example.com/saml`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
the response is not from AWS: HTTP 200, content type `text/html; charset=utf-8`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
the response is not from AWS: HTTP 404, content type `text/html; charset=utf-8`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
the response is not from AWS: HTTP 404, content type `text/html; charset=utf-8`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
the response is not from AWS: HTTP 503, content type `text/html; charset=utf-8`
  check the proxy or endpoint between flowagg and AWS, then run the command again
the response is not from AWS: HTTP 403, content type `application/json`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
the response is not from AWS: HTTP 403, content type `text/xml`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there
the response is not from AWS: HTTP 200, content type `text/plain`
  check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there

"#]]
        );
    }

    #[test]
    fn responses_of_aws_and_emulators_are_accepted() {
        let id = ("x-amzn-requestid", "a");
        for (status, headers, body) in [
            (200, &[HTML][..], "<DescribeVpcsResponse/>"),
            (200, &[], ""),
            (204, &[], ""),
            (200, &[], "{\"Version\": \"2012-10-17\"}"),
            (403, &[], ""),
            (404, &[("content-type", "application/xml")], ""),
            (404, &[HTML, ("x-amz-request-id", "a")], ""),
            (301, &[("x-amz-bucket-region", "us-east-1")], ""),
            (
                307,
                &[("location", "https://b.s3.amazonaws.com/")],
                "<Error><Code>TemporaryRedirect</Code></Error>",
            ),
            (400, &[], "{\"__type\": \"AccessDeniedException\"}"),
            (400, &[id], "{\"Message\": \"no\"}"),
            (503, &[id, HTML], "<html></html>"),
            (503, &[], "<Error><Code>SlowDown</Code></Error>"),
        ] {
            assert_eq!(check(&response(status, headers, body)), Ok(()), "{status} {body}");
        }
    }
}
