//! Rows as JSON: each an object, with the types of SQL as far as JSON has them. Integers are never rounded.

use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::arrow::error::ArrowError;
use flowagg_query::datafusion::arrow::json::writer::{LineDelimited, WriterBuilder};

/// The rows of a batch, one on each line.
pub(super) fn lines(batch: &RecordBatch) -> Result<String, ArrowError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    String::from_utf8(writer.into_inner()).map_err(|error| ArrowError::JsonError(error.to_string()))
}
