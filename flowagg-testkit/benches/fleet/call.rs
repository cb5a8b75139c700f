//! A call as it came over the wire, and the answer to it.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, header};

/// Which service was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Ec2,
    Sts,
    S3,
    Organizations,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: String,
    /// Whose credentials signed it.
    pub(crate) account: String,
    pub(crate) region: String,
    /// The query of the URL, or the form in the body.
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

impl Call {
    /// Reads a request; `None` where it is no signed call of a known service.
    pub(crate) fn read(head: &Parts, body: Bytes) -> Option<Self> {
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        // `AWS4-HMAC-SHA256 Credential=KEY/20260102/eu-west-1/ec2/aws4_request, …`
        let credential = text(header::AUTHORIZATION.as_str())?.split_once("Credential=")?.1;
        let mut scope = credential.split('/');
        let (key, region, service) = (scope.next()?, scope.nth(1)?, scope.next()?);
        let account = key.strip_prefix(crate::sts::ROLE_KEY).unwrap_or(key).to_owned();
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
            Service::S3 => crate::s3::operation(&head.method, &form)?,
        };
        Some(Self { service, operation, account, region: region.to_owned(), form, body })
    }

    /// A parameter, empty where it was not given.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// `Name.1`, `Name.2` and so on.
    pub(crate) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        (1..).map_while(move |n| self.form.get(&format!("{name}.{n}"))).map(String::as_str)
    }
}

fn form(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

/// The name of an S3 call for each method.
pub(crate) fn verb(method: &Method) -> Option<&'static str> {
    match *method {
        Method::GET => Some("Get"),
        Method::PUT => Some("Put"),
        Method::DELETE => Some("Delete"),
        _ => None,
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Success, with this body.
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::new(200, body)
    }

    /// An answer with this status and body.
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// The service's error, in the service's own form.
    pub(crate) fn error(service: Service, status: u16, code: &str, message: &str) -> Self {
        let error = format!("<Code>{code}</Code><Message>{message}</Message>");
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

    /// What AWS says over the limit.
    pub(crate) fn throttled(service: Service) -> Self {
        match service {
            Service::Ec2 => Self::error(service, 503, "RequestLimitExceeded", "Request limit exceeded."),
            Service::Organizations => Self::error(service, 400, "TooManyRequestsException", "Rate exceeded"),
            Service::Sts | Service::S3 => Self::error(service, 400, "Throttling", "Rate exceeded"),
        }
    }
}
