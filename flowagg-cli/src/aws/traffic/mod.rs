//! Counts and traces every AWS call, and keeps calls within AWS's published rate limits.

mod bucket;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowagg_core::id::{AccountId, Region};
use tokio::time::Instant;

pub(crate) use wire::{NameTheCall, Wire};

use self::bucket::{Bucket, Rate, rate_of};

/// The number of requests for each operation, including retries.
pub type Calls = BTreeMap<String, u64>;

/// State that all clients of a run share.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    calls: Mutex<Calls>,
    buckets: Mutex<BTreeMap<Key, Bucket>>,
}

/// AWS has one token bucket for each account, region and rate. There is no account until the caller is known.
type Key = (Option<AccountId>, Region, Rate);

impl Traffic {
    /// The calls since the previous `take`.
    pub(crate) fn take(&self) -> Calls {
        std::mem::take(&mut locked(&self.calls))
    }

    /// Counts a call and returns how long to delay it so that AWS does not throttle it.
    fn admit(&self, account: Option<AccountId>, region: &Region, service: &str, operation: &str) -> Duration {
        *locked(&self.calls).entry(operation.to_owned()).or_default() += 1;
        let Some(rate) = rate_of(service, operation) else { return Duration::ZERO };
        let mut buckets = locked(&self.buckets);
        let bucket = buckets.entry((account, region.clone(), rate)).or_insert_with(|| Bucket::full(rate));
        bucket.take(Instant::now())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
