//! Rules: which calls they match, and the answers to them.

use std::fmt;
use std::time::Duration;

use flowagg_core::id::{AccountId, Region};
use futures::future::BoxFuture;

use crate::endpoint::Call;

/// Selects calls: `CallFilter::operation("CreateFlowLogs").in_account(id).after(2).first(1)` matches only the third
/// such call.
#[derive(Clone, Debug)]
pub struct CallFilter {
    operation: String,
    writes_only: bool,
    account: Option<AccountId>,
    region: Option<Region>,
    skipped: usize,
    most: usize,
}

impl CallFilter {
    /// Every call.
    pub fn any() -> Self {
        Self::operation("*")
    }

    /// The calls of an operation, by AWS's name (`CreateFlowLogs`, `AssumeRole`, `PutBucketPolicy`), or of all
    /// operations with a prefix (`Describe*`).
    pub fn operation(operation: &str) -> Self {
        let operation = operation.to_owned();
        Self { operation, writes_only: false, account: None, region: None, skipped: 0, most: usize::MAX }
    }

    /// The calls that are not known to be read-only.
    pub fn writes() -> Self {
        Self { writes_only: true, ..Self::any() }
    }

    /// Only calls in this account. An `AssumeRole` belongs to the account of the role.
    pub fn in_account(self, account: AccountId) -> Self {
        Self { account: Some(account), ..self }
    }

    /// Only calls in this region.
    pub fn in_region(self, region: &Region) -> Self {
        Self { region: Some(region.clone()), ..self }
    }

    /// Only the first `most` calls, after the skipped ones.
    pub fn first(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Skips the first `skipped` calls.
    pub fn after(self, skipped: usize) -> Self {
        Self { skipped, ..self }
    }

    /// Whether a call matches, regardless of the numbers.
    pub(super) fn hold(&self, call: &Call) -> bool {
        let named = match self.operation.strip_suffix('*') {
            Some(start) => call.operation.starts_with(start),
            None => call.operation == self.operation,
        };
        named
            && !(self.writes_only && call.is_read())
            && self.account.is_none_or(|account| call.account == Some(account))
            && self.region.as_ref().is_none_or(|region| call.region.as_deref() == Some(region.as_str()))
    }
}

/// The answer to a call.
#[derive(Debug)]
pub enum Answer {
    /// An error of AWS, in the format of the called service.
    Error {
        /// The HTTP status.
        status: u16,
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// The call is forwarded without one of its resources, which the response with HTTP status 200 reports as
    /// unsuccessful.
    ///
    /// For EC2 calls with a list of `ResourceId` that contains other resources.
    Unsuccessful {
        /// The ID of the resource.
        resource: String,
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// The connection is reset, and the call does not reach the emulator.
    Reset,
    /// The connection is reset after the call was executed.
    Lost,
    /// The call is never answered.
    Frozen(Freeze),
    /// The call is forwarded after this delay.
    Late(Duration),
    /// Another process acts right before the call is forwarded.
    Meanwhile(Deed),
    /// For this long after each write of the document that the call reads, the response is the one from before the
    /// write.
    ///
    /// For calls that read a document of a bucket, such as `GetBucketPolicy`.
    ///
    /// Source: "Amazon S3 data consistency model" (Amazon S3 User Guide): bucket configurations are eventually consistent.
    Stale(Duration),
    /// The call is executed although it is a dry run, as by endpoints that ignore `DryRun`, such as MiniStack 1.5.
    Executed,
    /// The call is forwarded, and its response with HTTP status 200 has this flaw.
    Flawed(Flaw),
}

/// A flaw of a response with a success status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It ends before its last element is closed; a JSON response ends in the middle.
    Cut,
    /// It has no body.
    Empty,
    /// It names a next page, always with the same token.
    SameToken,
    /// S3 indicates a next page without a token.
    NoToken,
    /// Each item occurs twice.
    Twice,
    /// The IDs of its VPCs have an unknown form.
    UnknownId,
    /// EC2 reports a resource as unsuccessful that the call did not name.
    Stray,
}

impl Answer {
    /// An error of AWS.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::Error { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// Another process does this right before each matching call is forwarded.
    pub fn meanwhile<F>(deed: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Meanwhile(Deed(Box::new(move || Box::pin(deed()))))
    }
}

/// What happens to a call that is never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeze {
    /// It does not reach the emulator.
    Before,
    /// It is executed, and only the response is lost.
    After,
}

/// An action of another process.
pub struct Deed(Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>);

impl Deed {
    pub(super) async fn done(&self) {
        (self.0)().await;
    }
}

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deed")
    }
}

/// A filter, the number of calls it has matched, and the answer.
#[derive(Debug)]
pub(super) struct Rule<A> {
    calls: CallFilter,
    seen: usize,
    pub(super) answer: A,
}

impl<A> Rule<A> {
    pub(super) fn new(calls: CallFilter, answer: A) -> Self {
        Self { calls, seen: 0, answer }
    }

    /// Whether the rule applies to this call, which is counted.
    pub(super) fn is_for(&mut self, call: &Call) -> bool {
        if !self.calls.hold(call) {
            return false;
        }
        self.seen += 1;
        self.seen > self.calls.skipped && self.seen - self.calls.skipped <= self.calls.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Wire;

    fn call(operation: &str, account: &str, region: &str) -> Call {
        Call {
            line: operation.to_owned(),
            operation: operation.to_owned(),
            wire: Wire::Ec2,
            is_head: false,
            account: AccountId::parse(account).ok(),
            region: Some(region.to_owned()),
        }
    }

    #[test]
    fn filters_match_operation_account_and_region() {
        let shop = AccountId::parse("444455556666").unwrap();
        let ireland = Region::parse("eu-west-1").unwrap();
        let create = call("CreateFlowLogs", "444455556666", "eu-west-1");
        assert!(CallFilter::operation("CreateFlowLogs").in_account(shop).in_region(&ireland).hold(&create));
        assert!(CallFilter::writes().hold(&create) && CallFilter::any().hold(&create));
        assert!(!CallFilter::operation("Create").hold(&create));
        assert!(!CallFilter::operation("Describe*").hold(&create));
        assert!(!CallFilter::any().in_account(shop).hold(&call(
            "CreateFlowLogs",
            "111122223333",
            "eu-west-1"
        )));
        assert!(!CallFilter::any().in_region(&ireland).hold(&call(
            "CreateFlowLogs",
            "444455556666",
            "us-east-1"
        )));
        let read = call("DescribeVpcs", "444455556666", "eu-west-1");
        assert!(CallFilter::operation("Describe*").hold(&read) && !CallFilter::writes().hold(&read));
    }

    #[test]
    fn rule_applies_to_its_number_of_matching_calls() {
        let mut rule = Rule::new(CallFilter::operation("CreateFlowLogs").after(1).first(2), ());
        let mut is_for = |operation| rule.is_for(&call(operation, "444455556666", "eu-west-1"));
        assert!(!is_for("CreateFlowLogs"));
        assert!(!is_for("DescribeVpcs"));
        assert_eq!([(); 4].map(|()| is_for("CreateFlowLogs")), [true, true, false, false]);
    }
}
