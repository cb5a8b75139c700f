//! A Parquet file with a column for each field, compressed with gzip internally.
//!
//! Sources: "Flow log records" for the types, "Flow log files" for the compression (Amazon VPC User Guide), "Create a
//! table for Amazon VPC flow logs" for the column names, which have `_` instead of `-` (Amazon Athena User Guide).

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, GzipLevel, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::Columns;
use super::columns::{Column, ColumnType};
use super::files::Writer;
use super::record::{Record, Value};
use super::text;

/// Number of records in a row group. They are buffered until they are encoded.
const ROW_GROUP: usize = 100_000;

/// A Parquet file that is being written. It holds the encoded row groups, and the values of the current one.
pub(super) struct Parquet {
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Values>,
    rows: usize,
    /// Size of the values as text, including the header, so that both formats split files at the same records.
    bytes: u64,
    /// Buffer for a record or a value as text, reused.
    line: Vec<u8>,
}

/// The values of one column in a row group.
struct Values {
    of: Typed,
    /// One level for each record: 1 if it has a value, 0 if that is null.
    levels: Vec<i16>,
}

enum Typed {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Text(Vec<ByteArray>),
}

impl Parquet {
    pub(super) fn new(columns: &Columns) -> io::Result<Self> {
        let level = GzipLevel::try_new(text::LEVEL)?;
        // No dictionaries: flowlogs-reader, which reads AWS's files, does not support the encoding that this writer
        // uses for them.
        let properties = WriterProperties::builder()
            .set_compression(Compression::GZIP(level))
            .set_dictionary_enabled(false)
            .build();
        let file = SerializedFileWriter::new(Vec::new(), schema(columns)?, Arc::new(properties))?;
        let bytes = columns.iter().map(|column| column.name.len() as u64 + 1).sum();
        let columns = columns.iter().map(|column| Values { of: Typed::new(column.kind), levels: Vec::new() });
        Ok(Self { file, columns: columns.collect(), rows: 0, bytes, line: Vec::new() })
    }

    /// Encodes the buffered row group.
    fn encode(&mut self) -> Result<(), ParquetError> {
        self.rows = 0;
        let mut group = self.file.next_row_group()?;
        for values in &mut self.columns {
            if let Some(column) = group.next_column()? {
                values.encode(column)?;
            }
        }
        group.close().map(drop)
    }
}

impl Writer for Parquet {
    fn write(&mut self, columns: &Columns, record: &Record<'_>, largest: u64) -> io::Result<bool> {
        self.line.clear();
        text::push_line(&mut self.line, columns, record);
        let bytes = self.bytes + self.line.len() as u64;
        if bytes > largest {
            return Ok(false);
        }
        self.bytes = bytes;
        for (column, values) in columns.iter().zip(&mut self.columns) {
            values.push((column.read)(record), &mut self.line);
        }
        self.rows += 1;
        if self.rows == ROW_GROUP {
            self.encode()?;
        }
        Ok(true)
    }

    fn finish(mut self) -> io::Result<Vec<u8>> {
        if self.rows > 0 {
            self.encode()?;
        }
        Ok(self.file.into_inner()?)
    }
}

impl Values {
    fn push(&mut self, value: Value<'_>, text: &mut Vec<u8>) {
        self.levels.push(i16::from(value != Value::None));
        match (&mut self.of, value) {
            (_, Value::None) => {}
            // Fields of this type have 8 or 16 bits; the others are counts and times.
            (Typed::Int32(values), Value::Number(number)) => values.push(number as i32),
            (Typed::Int64(values), Value::Number(number)) => values.push(number.cast_signed()),
            (Typed::Text(values), value) => {
                text.clear();
                text::push(text, value);
                values.push(ByteArray::from(text.as_slice()));
            }
            (Typed::Int32(_) | Typed::Int64(_), Value::Text(_) | Value::Address(_)) => {
                debug_assert!(false, "numeric fields have numeric values");
            }
        }
    }

    fn encode(&mut self, mut column: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        fn write<T: DataType>(
            column: &mut SerializedColumnWriter<'_>,
            values: &mut Vec<T::T>,
            levels: &[i16],
        ) -> Result<(), ParquetError> {
            column.typed::<T>().write_batch(values, Some(levels), None)?;
            values.clear();
            Ok(())
        }
        match &mut self.of {
            Typed::Int32(values) => write::<Int32Type>(&mut column, values, &self.levels)?,
            Typed::Int64(values) => write::<Int64Type>(&mut column, values, &self.levels)?,
            Typed::Text(values) => write::<ByteArrayType>(&mut column, values, &self.levels)?,
        }
        self.levels.clear();
        column.close()
    }
}

impl Typed {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Int32 => Self::Int32(Vec::new()),
            ColumnType::Int64 => Self::Int64(Vec::new()),
            ColumnType::Text => Self::Text(Vec::new()),
        }
    }
}

fn schema(columns: &Columns) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("flow_log").with_fields(fields).build().map(Arc::new)
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.kind {
        ColumnType::Int32 => (Physical::INT32, None),
        ColumnType::Int64 => (Physical::INT64, None),
        ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let name = column.name.replace('-', "_");
    let builder = Type::primitive_type_builder(&name, physical);
    builder.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build().map(Arc::new)
}
