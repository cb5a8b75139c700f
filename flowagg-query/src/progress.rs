//! What a query has done so far, to be polled from another task.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use flowagg_core::flow_log::RecordedField;

use crate::error::Broken;

/// Objects and their bytes, compressed as they are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Totals {
    /// A number of objects, and their size in bytes.
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

    /// What was added since `earlier`; zero if `earlier` is larger.
    fn sub(self, earlier: Self) -> Self {
        Self::new(self.objects.saturating_sub(earlier.objects), self.bytes.saturating_sub(earlier.bytes))
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), Self::add)
    }
}

/// An object that was skipped, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Its key.
    pub key: String,
    /// Why it was skipped.
    pub reason: Broken,
}

/// Counters of a [`FlowLogs`](crate::FlowLogs) table, over all its scans. Clones share them.
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
    /// How many skipped objects are kept by name; all are counted.
    pub const NAMED: usize = 1_000;

    /// Objects that were listed and have to be read.
    pub fn listed(&self) -> Totals {
        self.0.listed.get()
    }

    /// Objects that were listed and, by their keys, cannot contain rows of the result.
    pub fn pruned(&self) -> Totals {
        self.0.pruned.get()
    }

    /// Scans that were started: none if the statement reads no table, or can have no row.
    pub fn scans(&self) -> u64 {
        self.0.scans.load(Relaxed)
    }

    /// Whether the listings of all scans that were started are complete: [`Progress::listed`] is then the total.
    pub fn is_listed(&self) -> bool {
        self.0.listing.load(Relaxed) == 0
    }

    /// Objects that were read, skipped ones included.
    pub fn read(&self) -> Totals {
        self.0.read.get()
    }

    /// Records in the objects that were read, before filters.
    pub fn records(&self) -> u64 {
        self.0.records.load(Relaxed)
    }

    /// How many objects were skipped.
    pub fn skipped_objects(&self) -> u64 {
        self.0.skipped.load(Relaxed)
    }

    /// The first [`Progress::NAMED`] skipped objects, by key.
    pub fn skipped(&self) -> Vec<Skipped> {
        let mut named = self.0.named.lock().unwrap_or_else(PoisonError::into_inner).clone();
        named.sort_by(|a, b| a.key.cmp(&b.key));
        named
    }

    /// The fields that the query reads and that some objects do not have, each with how many objects that are. Skipped objects do not
    /// count.
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
