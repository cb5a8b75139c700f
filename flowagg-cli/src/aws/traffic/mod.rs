//! Every call on its way to AWS: counted, traced, and kept within the rates that AWS publishes.

mod bucket;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowagg_core::id::{AccountId, Region};
use tokio::time::Instant;

pub(crate) use wire::{NameTheCall, Wire};

use self::bucket::{Bucket, Rate, rate_of};

/// How often each operation was sent, tries of the same call included.
pub type Calls = BTreeMap<String, u64>;

/// What all clients of one run share.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    calls: Mutex<Calls>,
    buckets: Mutex<BTreeMap<Key, Bucket>>,
}

/// AWS keeps one bucket for each account, region and rate. Before the caller is known there is no account.
type Key = (Option<AccountId>, Region, Rate);

impl Traffic {
    /// The calls since this was last asked.
    pub(crate) fn take(&self) -> Calls {
        std::mem::take(&mut locked(&self.calls))
    }

    /// Counts a call, and says how long it has to wait so that AWS does not refuse it.
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
