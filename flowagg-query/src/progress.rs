//! Counters of a query, to be polled from another task.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use flowagg_core::flow_log::RecordedField;

use crate::error::Broken;

/// A number of objects and their size as stored (compressed).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// The number of objects.
    pub objects: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

impl Totals {
    /// A number of objects and their size in bytes.
    pub fn new(objects: u64, bytes: u64) -> Self {
        Self { objects, bytes }
    }
}

impl Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.objects + other.objects, self.bytes + other.bytes)
    }
}

impl Sub for Totals {
    type Output = Self;

    /// The difference since `earlier`; zero if `earlier` is larger.
    fn sub(self, earlier: Self) -> Self {
        Self::new(self.objects.saturating_sub(earlier.objects), self.bytes.saturating_sub(earlier.bytes))
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), Self::add)
    }
}

/// A skipped object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Skipped {
    /// The object key.
    pub key: String,
    pub reason: Broken,
}

/// Counters of a [`FlowLogs`](crate::FlowLogs) table for all of its scans. Clones share the counters.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    listed: Count,
    pruned: Count,
    read: Count,
    records: AtomicU64,
    skipped: AtomicU64,
    scans: AtomicU64,
    listing: AtomicU64,
    named: Mutex<Vec<Skipped>>,
    missing: Mutex<BTreeMap<RecordedField, u64>>,
}

#[derive(Debug, Default)]
struct Count {
    objects: AtomicU64,
    bytes: AtomicU64,
}

impl Count {
    fn add(&self, bytes: u64) -> Totals {
        let objects = self.objects.fetch_add(1, Relaxed) + 1;
        Totals { objects, bytes: self.bytes.fetch_add(bytes, Relaxed) + bytes }
    }

    fn get(&self) -> Totals {
        Totals { objects: self.objects.load(Relaxed), bytes: self.bytes.load(Relaxed) }
    }
}

impl Progress {
    /// The maximum number of skipped objects whose keys are kept; all are counted.
    pub const NAMED: usize = 1_000;

    /// Listed objects that have to be read.
    pub fn listed(&self) -> Totals {
        self.0.listed.get()
    }

    /// Listed objects that cannot contain rows of the result, according to their keys.
    pub fn pruned(&self) -> Totals {
        self.0.pruned.get()
    }

    /// The number of started scans: zero if the statement reads no table or cannot return rows.
    pub fn scans(&self) -> u64 {
        self.0.scans.load(Relaxed)
    }

    /// Whether the listings of all started scans are complete; then [`Progress::listed`] is the total.
    pub fn is_listed(&self) -> bool {
        self.0.listing.load(Relaxed) == 0
    }

    /// Objects that were read, including skipped ones.
    pub fn read(&self) -> Totals {
        self.0.read.get()
    }

    /// Records in the objects that were read, before filtering.
    pub fn records(&self) -> u64 {
        self.0.records.load(Relaxed)
    }

    /// The number of skipped objects.
    pub fn skipped_objects(&self) -> u64 {
        self.0.skipped.load(Relaxed)
    }

    /// The first [`Progress::NAMED`] skipped objects, sorted by key.
    pub fn skipped(&self) -> Vec<Skipped> {
        let mut named = self.0.named.lock().unwrap_or_else(PoisonError::into_inner).clone();
        named.sort_by(|a, b| a.key.cmp(&b.key));
        named
    }

    /// The fields that the query reads and that some objects do not have, with the number of these objects. Skipped
    /// objects are not counted.
    pub fn missing(&self) -> BTreeMap<RecordedField, u64> {
        self.0.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add_missing(&self, fields: &[RecordedField]) {
        if fields.is_empty() {
            return;
        }
        let mut missing = self.0.missing.lock().unwrap_or_else(PoisonError::into_inner);
        for field in fields {
            *missing.entry(*field).or_default() += 1;
        }
    }

    pub(crate) fn add_listed(&self, bytes: u64) {
        self.0.listed.add(bytes);
    }

    pub(crate) fn add_pruned(&self, bytes: u64) {
        self.0.pruned.add(bytes);
    }

    pub(crate) fn add_read(&self, bytes: u64, records: u64) {
        self.0.read.add(bytes);
        self.0.records.fetch_add(records, Relaxed);
    }

    pub(crate) fn begin_listing(&self) {
        self.0.scans.fetch_add(1, Relaxed);
        self.0.listing.fetch_add(1, Relaxed);
    }

    pub(crate) fn end_listing(&self) {
        self.0.listing.fetch_sub(1, Relaxed);
    }

    pub(crate) fn skip(&self, key: String, reason: Broken) {
        self.0.skipped.fetch_add(1, Relaxed);
        let mut named = self.0.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() < Self::NAMED {
            named.push(Skipped { key, reason });
        }
    }
}
