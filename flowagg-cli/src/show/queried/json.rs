//! Rows as JSON objects, with SQL types mapped to JSON types where possible. Integers are never rounded.

use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::arrow::error::ArrowError;
use flowagg_query::datafusion::arrow::json::writer::{LineDelimited, WriterBuilder};

/// Formats the rows of a batch, one per line.
pub(super) fn lines(batch: &RecordBatch) -> Result<String, ArrowError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    String::from_utf8(writer.into_inner()).map_err(|error| ArrowError::JsonError(error.to_string()))
}
