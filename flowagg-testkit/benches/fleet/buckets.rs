//! AWS's token buckets: which one a call uses, and whether it has a token left.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flowagg_testkit::simulation::{Call, Service};

/// A published limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Limit {
    /// The name of the limit.
    pub(crate) name: &'static str,
    /// Number of calls that can be made at once.
    pub(crate) burst: u32,
    /// Number of calls per second after that.
    pub(crate) refill: u32,
}

/// Source: "Request throttling for the Amazon EC2 API", non-mutating actions; for each account and region.
pub(crate) const EC2_READS: Limit = Limit { name: "EC2 reads", burst: 100, refill: 20 };
/// Source: the same, mutating actions.
pub(crate) const EC2_WRITES: Limit = Limit { name: "EC2 writes", burst: 50, refill: 5 };
/// Source: "IAM and AWS STS quotas", STS requests per second for each account.
pub(crate) const STS: Limit = Limit { name: "STS", burst: 600, refill: 600 };
/// Source: "Quotas for AWS Organizations", throttle limits, for an account.
pub(crate) const LIST_ACCOUNTS: Limit = Limit { name: "ListAccounts", burst: 12, refill: 8 };
/// Source: the same.
pub(crate) const LIST_ROOTS: Limit = Limit { name: "ListRoots", burst: 2, refill: 1 };
/// Source: the same.
pub(crate) const DESCRIBE_ORGANIZATION: Limit = Limit { name: "DescribeOrganization", burst: 2, refill: 1 };
/// Source: the same.
pub(crate) const ACCOUNTS_FOR_PARENT: Limit = Limit { name: "ListAccountsForParent", burst: 8, refill: 5 };
/// Source: the same.
pub(crate) const UNITS_FOR_PARENT: Limit =
    Limit { name: "ListOrganizationalUnitsForParent", burst: 8, refill: 5 };

impl Limit {
    /// The published limit of a call, if there is one. S3's is far above the calls for a bucket's settings.
    pub(crate) fn of(service: Service, operation: &str) -> Option<Self> {
        match (service, operation) {
            (Service::Ec2, read) if read.starts_with("Describe") => Some(EC2_READS),
            (Service::Ec2, _) => Some(EC2_WRITES),
            (Service::Sts, _) => Some(STS),
            (Service::Organizations, operation) => {
                [LIST_ACCOUNTS, LIST_ROOTS, DESCRIBE_ORGANIZATION, ACCOUNTS_FOR_PARENT, UNITS_FOR_PARENT]
                    .into_iter()
                    .find(|limit| limit.name == operation)
            }
            (Service::S3, _) => None,
        }
    }

    /// The earliest time at which the last of `calls` calls is accepted, after the first one.
    pub(crate) fn wait(self, calls: usize) -> Duration {
        let over = calls.saturating_sub(self.burst as usize);
        Duration::from_secs_f64(over as f64 / f64::from(self.refill))
    }
}

/// The owner of a token bucket: a limit, and the account or account-region that it applies to.
type Holder = (Limit, String);

/// Every bucket that was used.
#[derive(Debug, Default)]
pub(crate) struct Buckets(BTreeMap<Holder, Bucket>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Buckets {
    /// Takes a token for a call; `false` if none is left.
    pub(crate) fn take(&mut self, call: &Call, now: Instant) -> bool {
        let Some(limit) = Limit::of(call.service, &call.operation) else { return true };
        let holder = match call.service {
            Service::Ec2 => format!("{} {}", call.account, call.region),
            _ => call.account.clone(),
        };
        let full = || Bucket { tokens: f64::from(limit.burst), filled: now };
        let bucket = self.0.entry((limit, holder)).or_insert_with(full);
        let refilled = now.duration_since(bucket.filled).as_secs_f64() * f64::from(limit.refill);
        bucket.tokens = (bucket.tokens + refilled).min(f64::from(limit.burst));
        bucket.filled = now;
        let lets_through = bucket.tokens >= 1.0;
        if lets_through {
            bucket.tokens -= 1.0;
        }
        lets_through
    }
}
