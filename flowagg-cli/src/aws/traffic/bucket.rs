use std::time::Duration;

use tokio::time::Instant;

/// AWS's request rate limit: a burst, and a refill per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rate {
    /// The service and the group of its calls.
    name: &'static str,
    burst: u32,
    each_second: u32,
}

const fn rate(name: &'static str, burst: u32, each_second: u32) -> Rate {
    Rate { name, burst, each_second }
}

/// The rate limit of a call. `None` for S3 and KMS, which accept thousands of calls per second.
///
/// Sources: "Request throttling for the Amazon EC2 API" (Amazon EC2 Developer Guide); "Quotas and service limits for AWS
/// Organizations" (AWS Organizations User Guide); "IAM and AWS STS quotas" (IAM User Guide).
pub(super) fn rate_of(service: &str, operation: &str) -> Option<Rate> {
    Some(match (service, operation) {
        ("EC2", read) if read.starts_with("Describe") => rate("EC2 reads", 100, 20),
        ("EC2", _) => rate("EC2 writes", 50, 5),
        ("Organizations", "ListAccounts") => rate("ListAccounts", 12, 8),
        ("Organizations", "DescribeAccount") => rate("DescribeAccount", 30, 20),
        ("Organizations", "ListAccountsForParent") => rate("ListAccountsForParent", 8, 5),
        ("Organizations", "ListOrganizationalUnitsForParent") => {
            rate("ListOrganizationalUnitsForParent", 8, 5)
        }
        ("STS", _) => rate("STS", 600, 600),
        _ => return None,
    })
}

/// A token bucket like the one that AWS uses.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: Rate,
    /// Negative while calls wait for future tokens.
    tokens: f64,
    at: Option<Instant>,
}

impl Bucket {
    pub(super) fn full(rate: Rate) -> Self {
        Self { rate, tokens: f64::from(rate.burst), at: None }
    }

    /// Takes a token and returns the time until it is available.
    pub(super) fn take(&mut self, now: Instant) -> Duration {
        let each_second = f64::from(self.rate.each_second);
        let since = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.at = Some(now);
        let full = f64::from(self.rate.burst);
        self.tokens = (self.tokens + since.as_secs_f64() * each_second).min(full) - 1.0;
        Duration::from_secs_f64((-self.tokens / each_second).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_is_sent_at_once_and_the_rest_at_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(rate("test", 3, 10));
        let waits: Vec<u128> = (0..6).map(|_| bucket.take(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        let later = start + Duration::from_secs(1);
        assert_eq!(bucket.take(later), Duration::ZERO, "tokens were refilled");
    }

    #[test]
    fn refill_is_limited_to_the_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::full(rate("test", 2, 10));
        bucket.take(start);
        let later = start + Duration::from_secs(3600);
        let waits: Vec<u128> = (0..3).map(|_| bucket.take(later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 100]);
    }

    #[test]
    fn ec2_reads_and_writes_have_separate_buckets_and_s3_has_none() {
        assert_ne!(rate_of("EC2", "DescribeVpcs"), rate_of("EC2", "CreateFlowLogs"));
        assert_eq!(rate_of("S3", "GetBucketPolicy"), None);
    }
}
