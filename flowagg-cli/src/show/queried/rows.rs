//! Writes the rows of a result in the selected format, batch by batch.

use std::fs::File;
use std::io;

use clap::ValueEnum;
use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::arrow::datatypes::SchemaRef;
use flowagg_query::datafusion::arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel};
use parquet::file::properties::WriterProperties;

use super::super::grid::grid;
use super::super::sheet::Sheet;
use super::{cells, json};

/// The maximum number of rows in one table. A larger result is printed as several tables.
const TABLE_ROWS: usize = 10_000;

/// The format of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// Aligned columns; null is `-`
    Table,
    /// Comma-separated values (RFC 4180); null is empty
    Csv,
    /// One JSON array of objects
    Json,
    /// One JSON object per line
    Ndjson,
    /// A Parquet file; requires `--out`
    Parquet,
}

/// Writes the rows of a result.
pub(crate) struct ResultWriter {
    schema: SchemaRef,
    form: Form,
    is_begun: bool,
    rows: usize,
}

enum Form {
    Table(Vec<Vec<Option<String>>>),
    Csv,
    Json,
    Ndjson,
    Parquet(Box<ArrowWriter<File>>),
}

impl ResultWriter {
    /// Creates a writer for text, which each call writes to its sheet.
    pub(crate) fn text(format: ResultFormat, schema: SchemaRef) -> Self {
        let form = match format {
            ResultFormat::Table | ResultFormat::Parquet => Form::Table(Vec::new()),
            ResultFormat::Csv => Form::Csv,
            ResultFormat::Json => Form::Json,
            ResultFormat::Ndjson => Form::Ndjson,
        };
        Self { schema, form, is_begun: false, rows: 0 }
    }

    /// Creates a writer for a Parquet file. It writes nothing to the sheets.
    pub(crate) fn parquet(schema: SchemaRef, file: File) -> io::Result<Self> {
        let level = GzipLevel::default();
        let properties = WriterProperties::builder().set_compression(Compression::GZIP(level)).build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
        Ok(Self { schema, form: Form::Parquet(Box::new(writer)), is_begun: false, rows: 0 })
    }

    /// The number of rows written so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Writes the rows of a batch.
    pub(crate) fn write(&mut self, batch: &RecordBatch, out: &mut Sheet<'_>) -> io::Result<()> {
        self.begin(out)?;
        let before = self.rows;
        self.rows += batch.num_rows();
        match &mut self.form {
            Form::Table(rows) => {
                cells::each_row(batch, |cells| {
                    let visible = |cell: Option<String>| cell.map(|cell| cells::visible(&cell).into_owned());
                    rows.push(cells.into_iter().map(visible).collect());
                    Ok(())
                })
                .map_err(unwritten)?;
                if rows.len() >= TABLE_ROWS { self.print_table(out) } else { Ok(()) }
            }
            Form::Csv => {
                let fields = self.schema.fields();
                let is_number: Vec<bool> =
                    fields.iter().map(|field| field.data_type().is_numeric()).collect();
                cells::each_row(batch, |cells| {
                    let cells = cells.iter().zip(&is_number);
                    let cells =
                        cells.map(|(cell, number)| cells::csv(cell.as_deref().unwrap_or_default(), *number));
                    let cells: Vec<String> = cells.collect();
                    // Many CSV readers ignore empty lines.
                    let line = if cells.len() == 1 && cells[0].is_empty() {
                        "\"\"".to_owned()
                    } else {
                        cells.join(",")
                    };
                    writeln!(out, "{line}")?;
                    Ok(())
                })
                .map_err(unwritten)
            }
            Form::Json => {
                let lines = json::lines(batch).map_err(unwritten)?;
                lines.lines().enumerate().try_for_each(|(n, line)| {
                    let comma = if before + n > 0 { "," } else { "" };
                    write!(out, "{comma}\n  {line}")
                })
            }
            Form::Ndjson => write!(out, "{}", json::lines(batch).map_err(unwritten)?),
            Form::Parquet(writer) => Ok(writer.write(batch)?),
        }
    }

    /// Writes the end of the output, after all rows.
    pub(crate) fn finish(&mut self, out: &mut Sheet<'_>) -> io::Result<()> {
        self.begin(out)?;
        match &mut self.form {
            // A result without rows is printed with its column names.
            Form::Table(rows) if rows.is_empty() && self.rows > 0 => Ok(()),
            Form::Table(_) => self.print_table(out),
            Form::Csv | Form::Ndjson => Ok(()),
            Form::Json if self.rows == 0 => writeln!(out, "]"),
            Form::Json => writeln!(out, "\n]"),
            Form::Parquet(writer) => Ok(writer.finish().map(drop)?),
        }
    }

    /// Writes the start of the output once. Nothing is written before the query has a result.
    fn begin(&mut self, out: &mut Sheet<'_>) -> io::Result<()> {
        if std::mem::replace(&mut self.is_begun, true) {
            return Ok(());
        }
        match &self.form {
            Form::Csv => {
                let names = self.names().map(|name| cells::csv(name, false)).collect::<Vec<_>>();
                writeln!(out, "{}", names.join(","))
            }
            Form::Json => write!(out, "["),
            Form::Table(_) | Form::Ndjson | Form::Parquet(_) => Ok(()),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// Prints the buffered rows as a table.
    fn print_table(&mut self, out: &mut Sheet<'_>) -> io::Result<()> {
        let names: Vec<String> = self.names().map(|name| cells::visible(name).into_owned()).collect();
        let fields = self.schema.fields().iter().enumerate();
        let numbers: Vec<usize> =
            fields.filter(|(_, field)| field.data_type().is_numeric()).map(|(n, _)| n).collect();
        let Form::Table(rows) = &mut self.form else { return Ok(()) };
        let rows = std::mem::take(rows);
        if self.rows > rows.len() {
            writeln!(out)?;
        }
        grid(&names, &rows, &numbers, out)
    }
}

/// Keeps the kind of a write error: a closed pipe ends a run without an error.
fn unwritten(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
