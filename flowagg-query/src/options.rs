//! Options of a table.

use std::collections::BTreeSet;

use flowagg_core::id::{AccountId, Region};
use flowagg_core::layout::FileName;
use jiff::{SignedDuration, Timestamp};

/// Options for reading a table. The defaults are suited to S3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanOptions {
    /// Maximum number of concurrent downloads and of concurrent listings. Default: 64.
    pub concurrency: usize,
    /// Maximum size of objects downloaded ahead of the reader, in bytes. Default: 64 MiB.
    pub prefetch: u64,
    /// Whether a broken object ends the query. Otherwise it is skipped, counted and reported in the
    /// [`Progress`](crate::Progress).
    /// Default: false.
    pub strict: bool,
    /// Maximum delay between the end of a file's records and the time in its name: a query with a time window also
    /// reads the files of this period after the window. Default: one hour.
    pub late: SignedDuration,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { concurrency: 64, prefetch: 64 * 1024 * 1024, strict: false, late: FileName::LATE }
    }
}

impl ScanOptions {
    /// Options for local files: two downloads and listings per processor, because more only use memory.
    pub fn local() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { concurrency: 2 * processors, ..Self::default() }
    }
}

/// The part of a table that is visible to all queries. The default is everything.
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
