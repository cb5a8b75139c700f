//! Collects rows from many objects into batches of a fixed size.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::builder::{NullBufferBuilder, StringViewBuilder};
use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, TimestampSecondArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;

/// The placeholder for a missing value.
pub(super) const NONE: &str = "-";

/// Builds record batches.
pub(super) struct Batches {
    schema: SchemaRef,
    columns: Vec<Builder>,
    /// The number of rows in a batch.
    size: usize,
    rows: usize,
    ready: VecDeque<Result<RecordBatch, ArrowError>>,
}

/// A column of the current batch.
pub(super) enum Builder {
    Int32(Vec<i32>, NullBufferBuilder),
    Int64(Vec<i64>, NullBufferBuilder),
    Time(Vec<i64>, NullBufferBuilder, DataType),
    Text(StringViewBuilder),
}

impl Batches {
    pub(super) fn new(schema: SchemaRef, size: usize) -> Self {
        let columns = schema.fields().iter().map(|field| Builder::new(field.data_type(), size)).collect();
        Self { schema, columns, size, rows: 0, ready: VecDeque::new() }
    }

    /// The number of rows that still fit in the current batch.
    pub(super) fn room(&self) -> usize {
        self.size - self.rows
    }

    /// The number of rows in a batch.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The columns of the current batch.
    pub(super) fn columns(&mut self) -> &mut [Builder] {
        &mut self.columns
    }

    /// Counts rows that were added to every column; at most [`Batches::room`].
    pub(super) fn added(&mut self, rows: usize) {
        self.rows += rows;
        if self.rows >= self.size {
            self.flush();
        }
    }

    /// Completes the current batch.
    pub(super) fn flush(&mut self) {
        if self.rows > 0 {
            let size = self.size;
            let columns = self.columns.iter_mut().map(|column| column.finish(size)).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
            self.rows = 0;
            let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
            self.ready.push_back(batch);
        }
    }

    /// Adds a batch that was built elsewhere.
    pub(super) fn push(&mut self, batch: RecordBatch) {
        self.ready.push_back(Ok(batch));
    }

    /// The next complete batch, if any.
    pub(super) fn pop(&mut self) -> Option<Result<RecordBatch, ArrowError>> {
        self.ready.pop_front()
    }
}

impl Builder {
    fn new(kind: &DataType, size: usize) -> Self {
        let nulls = || NullBufferBuilder::new(size);
        match kind {
            DataType::Int32 => Self::Int32(Vec::with_capacity(size), nulls()),
            DataType::Int64 => Self::Int64(Vec::with_capacity(size), nulls()),
            DataType::Timestamp(..) => Self::Time(Vec::with_capacity(size), nulls(), kind.clone()),
            _ => Self::Text(StringViewBuilder::with_capacity(size)),
        }
    }

    pub(super) fn add_nulls(&mut self, count: usize) {
        match self {
            Self::Int32(values, nulls) => {
                values.resize(values.len() + count, 0);
                nulls.append_n_nulls(count);
            }
            Self::Int64(values, nulls) | Self::Time(values, nulls, _) => {
                values.resize(values.len() + count, 0);
                nulls.append_n_nulls(count);
            }
            Self::Text(builder) => (0..count).for_each(|_| builder.append_null()),
        }
    }

    /// Adds the same text, or NULL, to this number of rows.
    pub(super) fn add_text(&mut self, text: Option<&str>, count: usize) {
        match (self, text) {
            (Self::Text(builder), Some(text)) => add_run(builder, text, count),
            (builder, _) => builder.add_nulls(count),
        }
    }

    /// Adds texts; `-` is NULL. Values often repeat, so a value that equals the previous one is not copied again.
    pub(super) fn add_texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        let Self::Text(builder) = self else { return };
        let mut last = NONE;
        let mut count = 0;
        for text in texts {
            if text != last {
                add_run(builder, last, count);
                (last, count) = (text, 0);
            }
            count += 1;
        }
        add_run(builder, last, count);
    }

    /// Adds numbers, with NULL flags if there are any NULLs.
    pub(super) fn add_numbers(
        &mut self,
        numbers: impl ExactSizeIterator<Item = i64>,
        is_null: Option<impl Iterator<Item = bool>>,
    ) {
        let count = numbers.len();
        let nulls = match self {
            Self::Int32(values, nulls) => {
                // The numbers were checked to fit.
                values.extend(numbers.map(|number| number as i32));
                nulls
            }
            Self::Int64(values, nulls) | Self::Time(values, nulls, _) => {
                values.extend(numbers);
                nulls
            }
            Self::Text(_) => return,
        };
        match is_null {
            None => nulls.append_n_non_nulls(count),
            Some(is_null) => is_null.for_each(|is_null| nulls.append(!is_null)),
        }
    }

    fn finish(&mut self, size: usize) -> ArrayRef {
        match self {
            Self::Int32(values, nulls) => {
                let values = std::mem::replace(values, Vec::with_capacity(size));
                Arc::new(Int32Array::new(values.into(), nulls.finish()))
            }
            Self::Int64(values, nulls) => {
                let values = std::mem::replace(values, Vec::with_capacity(size));
                Arc::new(Int64Array::new(values.into(), nulls.finish()))
            }
            Self::Time(values, nulls, kind) => {
                let values = std::mem::replace(values, Vec::with_capacity(size));
                let times = TimestampSecondArray::new(values.into(), nulls.finish());
                Arc::new(times.with_data_type(kind.clone()))
            }
            Self::Text(builder) => {
                let array = builder.finish();
                *builder = StringViewBuilder::with_capacity(size);
                Arc::new(array)
            }
        }
    }
}

/// Appends a text to this number of rows; `-` is NULL.
fn add_run(builder: &mut StringViewBuilder, text: &str, count: usize) {
    if text == NONE {
        (0..count).for_each(|_| builder.append_null());
    } else if count == 1 {
        builder.append_value(text);
    } else {
        // This only fails for texts of 4 GiB, and files are smaller.
        let _ = builder.try_append_value_n(text, count);
    }
}
