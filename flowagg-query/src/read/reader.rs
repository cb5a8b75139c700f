//! The reader of a partition: converts objects to batches.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use bytes::Bytes;
use flowagg_core::flow_log::FileFormat;

use super::build::Batches;
use super::inflate::Inflater;
use super::layout::{Contents, ReadLayout};
use super::text::Lines;
use super::{parquet, text};
use crate::error::Broken;
use crate::object::Object;

/// Larger buffers are released after an unusually large object.
const KEPT: usize = 16 * 1024 * 1024;

/// Reads objects one after the other, reusing its buffers.
pub(crate) struct Reader {
    layout: Arc<ReadLayout>,
    inflater: Inflater,
    lines: Lines,
    batches: Batches,
}

impl Reader {
    /// A reader whose batches have this number of rows.
    pub(crate) fn new(layout: Arc<ReadLayout>, rows: usize) -> Self {
        let batches = Batches::new(Arc::clone(&layout.schema), rows.max(1));
        Self { layout, inflater: Inflater::new(), lines: Lines::default(), batches }
    }

    /// Reads an object. A broken object adds no rows.
    pub(crate) fn read(&mut self, object: &Object, data: Bytes) -> Result<Contents, Broken> {
        let Some(predicate) = self.layout.predicate.within(object) else { return Ok(Contents::default()) };
        match object.format {
            FileFormat::Parquet => {
                let read = || parquet::read(data, object, &predicate, &self.layout, &mut self.batches);
                // The parquet crate panics on some damaged files; batches are only added at the end.
                let read = std::panic::catch_unwind(AssertUnwindSafe(read));
                read.unwrap_or_else(|_| Err(Broken::Parquet("invalid metadata".to_owned())))
            }
            FileFormat::PlainText => {
                let text = self.inflater.inflate(&data)?;
                let contents =
                    text::read(text, object, &predicate, &self.layout, &mut self.lines, &mut self.batches);
                self.inflater.shrink(KEPT);
                contents
            }
        }
    }

    /// The next complete batch, if any.
    pub(crate) fn next(&mut self) -> Option<Result<RecordBatch, ArrowError>> {
        self.batches.pop()
    }

    /// Completes the last batch.
    pub(crate) fn finish(&mut self) {
        self.batches.flush();
    }
}
