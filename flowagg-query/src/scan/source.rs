//! What all scans of a table share.

use std::sync::Arc;

use flowagg_core::id::Prefix;
use object_store::ObjectStore;

use crate::gate::Gatekeeper;
use crate::options::ScanOptions;
use crate::progress::Progress;

/// Where objects come from: what all scans of a table share.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The sub-folders in which there is a folder `AWSLogs/`; `None` is the top of the bucket.
    pub(crate) prefixes: Vec<Option<Prefix>>,
    pub(crate) options: ScanOptions,
    pub(crate) progress: Progress,
    pub(crate) gate: Gatekeeper,
}

impl Source {
    /// The same objects, with counters of their own and without a gate.
    pub(crate) fn uncounted(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            prefixes: self.prefixes.clone(),
            options: self.options.clone(),
            progress: Progress::default(),
            gate: Gatekeeper::default(),
        }
    }
}
