//! How a table is read.

use std::collections::BTreeSet;

use flowagg_core::id::{AccountId, Region};
use flowagg_core::layout::FileName;
use jiff::{SignedDuration, Timestamp};

/// How a table is read. The default is right for S3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanOptions {
    /// Downloads at the same time, and listings. Default: 64.
    pub concurrency: usize,
    /// How many bytes of objects may be downloaded ahead of the reader. Default: 64 MiB.
    pub prefetch: u64,
    /// Whether a broken object ends the query. Otherwise it is skipped, counted and named in the [`Progress`](crate::Progress).
    /// Default: false.
    pub strict: bool,
    /// How long after the end of its records a file may be named: a query about a window of time reads the files of so much more.
    /// Default: one hour.
    pub late: SignedDuration,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { concurrency: 64, prefetch: 64 * 1024 * 1024, strict: false, late: FileName::LATE }
    }
}

impl ScanOptions {
    /// Options for the files of this machine: two downloads and listings for each processor, since more only take memory.
    pub fn local() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { concurrency: 2 * processors, ..Self::default() }
    }
}

/// The part of a table that is visible, whatever the query. The default is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scope {
    /// The accounts whose folders are read; `None` for all.
    pub accounts: Option<BTreeSet<AccountId>>,
    /// The regions whose folders are read; `None` for all.
    pub regions: Option<BTreeSet<Region>>,
    /// Records that ended at this time or later.
    pub from: Option<Timestamp>,
    /// Records that ended before this time.
    pub to: Option<Timestamp>,
}
