//! A call parsed from an HTTP request, and its response.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, header};

use super::{s3, sts};

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Amazon EC2.
    Ec2,
    /// AWS STS.
    Sts,
    /// Amazon S3.
    S3,
    /// AWS Organizations.
    Organizations,
}

/// A call.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Call {
    pub service: Service,
    /// AWS's name of the operation.
    pub operation: String,
    /// The account of the signing credentials.
    pub account: String,
    /// The region of the signature.
    pub region: String,
    /// The query of the URL, or the form in the body.
    form: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

impl Call {
    /// Parses a request; `None` if it is not a signed call to a known service.
    pub fn read(head: &Parts, body: Bytes) -> Option<Self> {
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        // `AWS4-HMAC-SHA256 Credential=KEY/20260102/eu-west-1/ec2/aws4_request, …`
        let credential = text(header::AUTHORIZATION.as_str())?.split_once("Credential=")?.1;
        let mut scope = credential.split('/');
        let (key, region, service) = (scope.next()?, scope.nth(1)?, scope.next()?);
        let account = key.strip_prefix(sts::ROLE_KEY).unwrap_or(key).to_owned();
        let (service, form) = match service {
            "ec2" => (Service::Ec2, form(&body)),
            "sts" => (Service::Sts, form(&body)),
            "s3" => (Service::S3, form(head.uri.query().unwrap_or_default().as_bytes())),
            "organizations" => (Service::Organizations, BTreeMap::new()),
            _ => return None,
        };
        let operation = match service {
            Service::Ec2 | Service::Sts => form.get("Action")?.clone(),
            Service::Organizations => text("x-amz-target")?.rsplit('.').next()?.to_owned(),
            Service::S3 => s3::operation(&head.method, &form)?,
        };
        Some(Self { service, operation, account, region: region.to_owned(), form, body })
    }

    /// The call that creates the bucket.
    #[cfg(test)]
    pub(super) fn bucket() -> Self {
        Self {
            service: Service::S3,
            operation: "CreateBucket".to_owned(),
            account: super::HUB.to_owned(),
            region: super::REGIONS[0].to_owned(),
            form: BTreeMap::new(),
            body: Bytes::new(),
        }
    }

    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str)
    }

    /// A parameter, or an empty string.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.optional(name).unwrap_or_default()
    }

    /// Whether a parameter is present, with or without a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.form.contains_key(name)
    }

    /// The values of `Name.1`, `Name.2` and so on.
    pub(super) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        (1..).map_while(move |n| self.optional(&format!("{name}.{n}")))
    }
}

fn form(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

/// The verb in S3's operation names for each method.
pub(super) fn verb(method: &Method) -> Option<&'static str> {
    match *method {
        Method::GET => Some("Get"),
        Method::PUT => Some("Put"),
        Method::DELETE => Some("Delete"),
        _ => None,
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A response.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    /// A successful response with this body.
    pub fn ok(body: impl Into<String>) -> Self {
        Self::new(200, body)
    }

    /// A response with this status and body.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// An error in the format of the service.
    pub fn error(service: Service, status: u16, code: &str, message: &str) -> Self {
        let error = format!("<Code>{}</Code><Message>{}</Message>", escaped(code), escaped(message));
        Self::new(
            status,
            match service {
                Service::Ec2 => {
                    format!(
                        "<Response><Errors><Error>{error}</Error></Errors><RequestID>0</RequestID></Response>"
                    )
                }
                Service::Sts => format!(
                    "<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>0</RequestId></ErrorResponse>"
                ),
                Service::S3 => format!("<Error>{error}<RequestId>0</RequestId></Error>"),
                Service::Organizations => format!("{{\"__type\":\"{code}\",\"Message\":\"{message}\"}}"),
            },
        )
    }

    /// The error of the service for a throttled call.
    pub fn throttled(service: Service) -> Self {
        match service {
            Service::Ec2 => Self::error(service, 503, "RequestLimitExceeded", "Request limit exceeded."),
            Service::Organizations => Self::error(service, 400, "TooManyRequestsException", "Rate exceeded"),
            Service::Sts | Service::S3 => Self::error(service, 400, "Throttling", "Rate exceeded"),
        }
    }
}
