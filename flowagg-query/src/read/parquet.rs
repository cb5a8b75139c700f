//! Parquet files.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::errors::ParquetError;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, StringViewArray, new_null_array,
};
use arrow::compute::kernels::cast::{CastOptions, cast_with_options};
use arrow::compute::{filter_record_batch, nullif};
use arrow::datatypes::{DataType, Int64Type, Schema};
use arrow::error::ArrowError;
use bytes::Bytes;
use flowagg_core::flow_log::{FieldKind, RecordedField};

use super::build::{Batches, NONE};
use super::layout::{Contents, ReadLayout};
use crate::columns::Column;
use crate::error::Broken;
use crate::filter::{Leaf, Predicate, Test};
use crate::object::Object;

/// Reads a Parquet file and adds the rows that pass the predicate to the batches. If the file is broken, no rows are
/// added.
pub(super) fn read(
    data: Bytes,
    object: &Object,
    predicate: &Predicate,
    layout: &ReadLayout,
    batches: &mut Batches,
) -> Result<Contents, Broken> {
    if data.is_empty() {
        return Err(Broken::Empty);
    }
    let damaged = |error: ParquetError| Broken::Parquet(error.to_string());
    // Ignore the Arrow schema that the writer may have embedded; only Parquet's own types count.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(data, options).map_err(damaged)?;
    let schema = Arc::clone(builder.schema());
    check(&schema)?;
    // The column index in the file for each field that is read.
    let places: Vec<Option<usize>> = layout
        .fields
        .iter()
        .map(|field| schema.fields().iter().position(|column| is(*field, column.name())))
        .collect();
    let wanted: BTreeSet<usize> = places.iter().flatten().copied().collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
    let rows = builder.metadata().file_metadata().num_rows();
    let reader = builder.with_projection(mask).with_batch_size(batches.size()).build().map_err(damaged)?;
    let mut made = Vec::new();
    let mut first = 1;
    for batch in reader {
        let batch = batch.map_err(|error| Broken::Parquet(error.to_string()))?;
        let columns = layout.fields.iter().zip(&places).map(|(field, place)| {
            let column = place.and_then(|place| wanted.iter().position(|other| *other == place));
            let column = column.and_then(|column| batch.columns().get(column));
            column.map(|column| convert(*field, column, first)).transpose()
        });
        let columns = columns.collect::<Result<Vec<_>, Broken>>()?;
        first += batch.num_rows();
        let made_of = make(&columns, batch.num_rows(), object, predicate, layout);
        made.push(made_of.map_err(|error| Broken::Parquet(error.to_string()))?);
    }
    made.into_iter().filter(|batch| batch.num_rows() > 0).for_each(|batch| batches.push(batch));
    Ok(Contents { records: u64::try_from(rows).unwrap_or_default(), missing: layout.missing(&places) })
}

/// Whether a column of a file contains the values of a field.
fn is(field: RecordedField, column: &str) -> bool {
    column == field.as_str() || column == field.column()
}

/// Checks that the file is a flow log: it has at least one field, and no field twice.
fn check(schema: &Schema) -> Result<(), Broken> {
    let mut is_one = false;
    for field in RecordedField::all() {
        match schema.fields().iter().filter(|column| is(field, column.name())).count() {
            0 => {}
            1 => is_one = true,
            _ => return Err(Broken::Twice(field.as_str())),
        }
    }
    if is_one { Ok(()) } else { Err(Broken::Header) }
}

/// Converts a column to the type of the table.
fn convert(field: RecordedField, column: &ArrayRef, first_row: usize) -> Result<ArrayRef, Broken> {
    let found = column.data_type();
    let (kind, bits) = match field.kind() {
        FieldKind::Int32 => (DataType::Int32, 32),
        FieldKind::Int64 => (DataType::Int64, 64),
        FieldKind::Text => (DataType::Utf8View, 0),
    };
    let is_text = found.is_string() || *found == DataType::Binary;
    let is_number = kind != DataType::Utf8View && found.is_integer();
    if !is_text && !is_number {
        return Err(Broken::Type { column: field.column(), found: found.to_string() });
    }
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let damaged = |error: ArrowError| Broken::Parquet(error.to_string());
    let mut values = Arc::clone(column);
    if is_text {
        values = cast_with_options(&values, &DataType::Utf8View, &options).map_err(damaged)?;
        if values.null_count() != column.null_count() {
            let row = (0..values.len()).find(|&row| values.is_null(row) && column.is_valid(row));
            return Err(Broken::Encoding { line: first_row + row.unwrap_or_default() });
        }
        let texts = values.as_string_view();
        let none: BooleanArray = texts.iter().map(|text| text.map(|text| text == NONE)).collect();
        values = nullif(&values, &none).map_err(damaged)?;
    }
    let converted = cast_with_options(&values, &kind, &options).map_err(damaged)?;
    // A number that does not fit becomes NULL, which would be a wrong value.
    if converted.null_count() != values.null_count() {
        let row = (0..values.len()).find(|&row| converted.is_null(row) && values.is_valid(row));
        return Err(Broken::Number {
            line: first_row + row.unwrap_or_default(),
            field: field.as_str(),
            bits,
        });
    }
    Ok(converted)
}

/// The rows that pass the predicate, with the columns of the scan.
fn make(
    fields: &[Option<ArrayRef>],
    rows: usize,
    object: &Object,
    predicate: &Predicate,
    layout: &ReadLayout,
) -> Result<RecordBatch, ArrowError> {
    let columns = layout.outputs.iter().zip(layout.schema.fields()).map(|(output, target)| {
        let source = output.source().and_then(|field| layout.slot(field));
        let values = source.and_then(|slot| fields.get(slot)).and_then(Option::as_ref);
        match (output, values) {
            (Column::Path(part), _) => Ok(match object.part(*part) {
                Some(text) => Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(text, rows))),
                None => new_null_array(target.data_type(), rows),
            }),
            (Column::Field(_), Some(values)) => Ok(Arc::clone(values)),
            (Column::Time(_), Some(values)) => {
                cast_with_options(values, target.data_type(), &CastOptions::default())
            }
            (_, None) => Ok(new_null_array(target.data_type(), rows)),
        }
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&layout.schema), columns, &options)?;
    if predicate.is_trivial() {
        return Ok(batch);
    }
    let passes =
        BooleanArray::from((0..rows).map(|row| passes(predicate, fields, row, layout)).collect::<Vec<_>>());
    filter_record_batch(&batch, &passes)
}

fn passes(predicate: &Predicate, fields: &[Option<ArrayRef>], row: usize, layout: &ReadLayout) -> bool {
    match predicate {
        Predicate::Unknown => true,
        Predicate::All(parts) => parts.iter().all(|part| passes(part, fields, row, layout)),
        Predicate::Any(parts) => parts.iter().any(|part| passes(part, fields, row, layout)),
        Predicate::Leaf(Leaf { column, test }) => {
            let slot = column.source().and_then(|field| layout.slot(field));
            let values = slot.and_then(|slot| fields.get(slot)).and_then(Option::as_ref);
            let values = values.filter(|values| values.is_valid(row));
            match (test, values) {
                (Test::IsNull, values) => values.is_none(),
                (Test::IsNotNull, values) => values.is_some(),
                (_, None) => false,
                (Test::Text(texts), Some(values)) => {
                    values.as_string_view_opt().is_some_and(|values| texts.has(values.value(row)))
                }
                (Test::Number(numbers), Some(values)) => {
                    number(values, row).is_some_and(|number| numbers.has(number))
                }
            }
        }
    }
}

fn number(values: &ArrayRef, row: usize) -> Option<i64> {
    if let Some(values) = values.as_primitive_opt::<Int64Type>() {
        return Some(values.value(row));
    }
    let values = values.as_primitive_opt::<arrow::datatypes::Int32Type>()?;
    Some(i64::from(values.value(row)))
}
