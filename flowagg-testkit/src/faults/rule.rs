//! Which calls, and what becomes of them.

use std::fmt;
use std::time::Duration;

use flowagg_core::id::{AccountId, Region};
use futures::future::BoxFuture;

use crate::endpoint::Call;

/// Some of the calls: `CallFilter::operation("CreateFlowLogs").in_account(id).after(2).first(1)` is the third such call alone.
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

    /// The calls of an operation, by AWS's name: `CreateFlowLogs`, `AssumeRole`, `PutBucketPolicy`; or of all whose names
    /// begin alike: `Describe*`.
    pub fn operation(operation: &str) -> Self {
        let operation = operation.to_owned();
        Self { operation, writes_only: false, account: None, region: None, skipped: 0, most: usize::MAX }
    }

    /// The calls that are not known to be mere reads.
    pub fn writes() -> Self {
        Self { writes_only: true, ..Self::any() }
    }

    /// Only those in an account; an `AssumeRole` is in the account of the role.
    pub fn in_account(self, account: AccountId) -> Self {
        Self { account: Some(account), ..self }
    }

    /// Only those in a region.
    pub fn in_region(self, region: &Region) -> Self {
        Self { region: Some(region.clone()), ..self }
    }

    /// Only so many, after those that are left alone.
    pub fn first(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Leaves so many alone.
    pub fn after(self, skipped: usize) -> Self {
        Self { skipped, ..self }
    }

    /// Whether a call is one of these, if it were not for the number.
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

/// What becomes of a call.
#[derive(Debug)]
pub enum Answer {
    /// AWS says no, in the words of the service that is called.
    Error {
        /// The HTTP status.
        status: u16,
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// The call goes through, but not for one of its resources, which is named in an answer with HTTP status 200.
    ///
    /// For EC2 calls with a list of `ResourceId`, of which another is left.
    Unsuccessful {
        /// The id of the resource.
        resource: String,
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// The connection is reset, and the call does not reach the emulator.
    Reset,
    /// The connection is reset, but the call has had its effect.
    Lost,
    /// There never is an answer.
    Frozen(Freeze),
    /// The call goes through after so long.
    Late(Duration),
    /// Another process does something right before the call goes through.
    Meanwhile(Deed),
    /// For this long after each write of the document that the call reads, it returns what it returned before the write.
    ///
    /// For the calls that read a document of a bucket, such as `GetBucketPolicy`.
    ///
    /// Source: "Amazon S3 data consistency model" (Amazon S3 User Guide): bucket configurations are eventually consistent.
    Stale(Duration),
    /// The call is executed although it is a dry run, as by endpoints that ignore `DryRun`, such as MiniStack 1.5.
    Executed,
    /// The call goes through, and its response with HTTP status 200 has this flaw.
    Flawed(Flaw),
}

/// A flaw of a response with a success status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It ends before its last element is closed; a response in JSON ends in the middle.
    Cut,
    /// It has no body.
    Empty,
    /// It names a next page, whose token is always the same.
    SameToken,
    /// S3 says that there is a next page, and gives no token.
    NoToken,
    /// Each item is in it twice.
    Twice,
    /// The ids of its VPCs have a form that is not known.
    UnknownId,
    /// EC2 names a resource as unsuccessful that the call was not about.
    Stray,
}

impl Answer {
    /// AWS says no.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::Error { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// Another process does this right before the call goes through, each time.
    pub fn meanwhile<F>(deed: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Meanwhile(Deed(Box::new(move || Box::pin(deed()))))
    }
}

/// What becomes of a call that is never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeze {
    /// It does not reach the emulator.
    Before,
    /// It has its effect: only the answer is lost.
    After,
}

/// What another process does.
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

/// Calls, how many of them there have been, and what becomes of them.
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

    /// Whether the rule is for this call, which counts for it.
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
    fn calls_are_chosen_by_operation_account_and_region() {
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
    fn a_rule_is_for_as_many_calls_as_it_says_and_others_do_not_count() {
        let mut rule = Rule::new(CallFilter::operation("CreateFlowLogs").after(1).first(2), ());
        let mut is_for = |operation| rule.is_for(&call(operation, "444455556666", "eu-west-1"));
        assert!(!is_for("CreateFlowLogs"));
        assert!(!is_for("DescribeVpcs"));
        assert_eq!([(); 4].map(|()| is_for("CreateFlowLogs")), [true, true, false, false]);
    }
}
