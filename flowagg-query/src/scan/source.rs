//! State that all scans of a table share.

use std::sync::Arc;

use flowagg_core::id::Prefix;
use object_store::ObjectStore;

use crate::gate::Gatekeeper;
use crate::options::ScanOptions;
use crate::progress::Progress;

/// The object store and the state that all scans of a table share.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Whether the objects are local files.
    pub(crate) is_local: bool,
    /// The prefixes that contain a folder `AWSLogs/`; `None` is the root of the bucket.
    pub(crate) prefixes: Vec<Option<Prefix>>,
    pub(crate) options: ScanOptions,
    pub(crate) progress: Progress,
    pub(crate) gate: Gatekeeper,
}

impl Source {
    /// The same objects with different counters and without a gate.
    pub(crate) fn counted_by(&self, progress: Progress) -> Self {
        Self {
            store: Arc::clone(&self.store),
            is_local: self.is_local,
            prefixes: self.prefixes.clone(),
            options: self.options.clone(),
            progress,
            gate: Gatekeeper::default(),
        }
    }
}
