//! Results from Athena: typed rows and their cost.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use flowagg_query::Totals;
use flowagg_query::datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use flowagg_query::datafusion::arrow::compute::{CastOptions, cast_with_options};
use flowagg_query::datafusion::arrow::datatypes::{DataType, Field, Schema};
use flowagg_query::datafusion::arrow::error::ArrowError;

use super::super::screen::Screen;
use super::super::size::bytes;
use super::end::{Ended, Unknown, count, ended};
use super::estimate::totals;
use crate::aws::{ResultColumn, ResultPage};

/// The minimum number of bytes that Athena charges per query.
///
/// Source: "Amazon Athena pricing", SQL queries.
const LEAST_CHARGED: u64 = 10_000_000;

/// The amount that Athena charges for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AthenaCost {
    /// The scanned bytes.
    pub(crate) bytes: u64,
    /// The price in USD per 10^12 bytes.
    pub(crate) price: f64,
}

impl AthenaCost {
    /// Formats as a line what a query scans at most, in this number of objects.
    pub(crate) fn estimate(self, objects: u64) -> String {
        format!("Athena will scan up to {}: {}\n", totals(Totals::new(objects, self.bytes)), self.cost())
    }

    /// Prints the outcome of a query, and returns how the run ends.
    pub(crate) fn done(
        self,
        rows: usize,
        threshold: Option<u64>,
        unknown: &[Unknown],
        took: Duration,
        screen: &mut Screen<'_>,
    ) -> io::Result<Ended> {
        let (scanned, took) = (bytes(self.bytes), took.as_secs_f64());
        let what = format!("{} from Athena, {scanned} scanned in {took:.1} s: {}", count(rows), self.cost());
        ended((rows, threshold), unknown, Vec::new(), &what, screen)
    }

    fn cost(self) -> String {
        const TB: f64 = 1e12;
        // The number of bytes is far below the limit of exact integers.
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let cost = self.bytes.max(LEAST_CHARGED) as f64 / TB * self.price;
        let least = if self.bytes < LEAST_CHARGED { " (10 MB minimum)" } else { "" };
        format!("USD {cost:.4} at USD {} per TB{least}", self.price)
    }
}

/// Converts the rows to the types of their columns. Types that Arrow does not have become text. Fails if a value does not match its
/// type.
pub(crate) fn typed(page: &ResultPage) -> io::Result<RecordBatch> {
    let columns = page.columns.iter().enumerate().map(|(place, column)| {
        let values = page.rows.iter().map(|row| row.get(place).and_then(Option::as_deref));
        let texts: ArrayRef = Arc::new(values.collect::<StringArray>());
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let values = cast_with_options(&texts, &kind(column), &options).map_err(|error| {
            let ResultColumn { name, kind, .. } = column;
            io::Error::other(format!(
                "Athena returned a value for `{name}` that is not of type {kind}: {error}"
            ))
        })?;
        Ok((Field::new(&column.name, values.data_type().clone(), true), values))
    });
    let columns: Vec<(Field, ArrayRef)> = columns.collect::<io::Result<_>>()?;
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(page.rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options);
    batch.map_err(|error: ArrowError| io::Error::other(error))
}

/// Source: "Data types in Amazon Athena" (Amazon Athena User Guide).
fn kind(column: &ResultColumn) -> DataType {
    match column.kind.as_str() {
        "boolean" => DataType::Boolean,
        "tinyint" => DataType::Int8,
        "smallint" => DataType::Int16,
        "integer" | "int" => DataType::Int32,
        "bigint" => DataType::Int64,
        "real" | "float" => DataType::Float32,
        "double" => DataType::Float64,
        "decimal" => DataType::Decimal128(column.precision, column.scale),
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sheet::Sheet;
    use super::super::rows::{ResultFormat, ResultWriter};
    use super::*;
    use crate::Exit;

    fn shown(format: ResultFormat) -> String {
        let column = |name: &str, kind: &str| {
            let mut column = ResultColumn::new(name, kind);
            (column.precision, column.scale) = if kind == "decimal" { (18, 2) } else { (0, 0) };
            column
        };
        let row = |values: [Option<&str>; 6]| values.map(|value| value.map(str::to_owned)).to_vec();
        let page = ResultPage {
            columns: vec![
                column("account", "varchar"),
                column("bytes", "bigint"),
                column("usd", "decimal"),
                column("share", "double"),
                column("both_ends", "boolean"),
                column("largest", "double"),
            ],
            rows: vec![
                row([
                    Some("012345678901"),
                    Some("15"),
                    Some("0.10"),
                    Some("0.5"),
                    Some("true"),
                    Some("1.0E10"),
                ]),
                row([Some("=a,b"), None, None, None, Some("false"), Some("Infinity")]),
            ],
        };
        let mut out = Vec::new();
        let rows = typed(&page).unwrap();
        let mut writer = ResultWriter::text(format, rows.schema());
        let mut sheet = Sheet::new(&mut out, None);
        writer.write(&rows, &mut sheet).unwrap();
        writer.finish(&mut sheet).unwrap();
        anstream::adapter::strip_bytes(&out).into_vec().try_into().map(|text: String| text).unwrap()
    }

    #[test]
    fn values_have_the_types_of_their_columns_in_every_format() {
        snapbox::assert_data_eq!(
            shown(ResultFormat::Json),
            snapbox::str![[r#"
[
  {"account":"012345678901","bytes":15,"usd":0.10,"share":0.5,"both_ends":true,"largest":1.0e10},
  {"account":"=a,b","bytes":null,"usd":null,"share":null,"both_ends":false,"largest":null}
]

"#]]
        );
        snapbox::assert_data_eq!(
            shown(ResultFormat::Csv),
            snapbox::str![[r#"
account,bytes,usd,share,both_ends,largest
012345678901,15,0.10,0.5,true,10000000000.0
"'=a,b",,,,false,inf

"#]]
        );
        snapbox::assert_data_eq!(
            shown(ResultFormat::Table),
            snapbox::str![[r#"
   account       bytes   usd  share  both_ends        largest
   012345678901     15  0.10    0.5  true       10000000000.0
   =a,b              -     -      -  false                inf

"#]]
        );
    }

    #[test]
    fn value_of_the_wrong_type_is_an_error_that_names_the_column() {
        let rows = vec![vec![Some("many".to_owned())]];
        let page = ResultPage { columns: vec![ResultColumn::new("bytes", "bigint")], rows };
        snapbox::assert_data_eq!(
            typed(&page).unwrap_err().to_string(),
            snapbox::str![[
                r#"Athena returned a value for `bytes` that is not of type bigint: Cast error: Cannot cast string 'many' to value of Int64 type"#
            ]]
        );
    }

    #[test]
    fn cost_includes_the_athena_minimum() {
        let cost = |bytes| AthenaCost { bytes, price: 5.0 };
        assert_eq!(
            cost(500_000_000_000).estimate(3),
            "Athena will scan up to 3 objects with 500.0 GB: USD 2.5000 at USD 5 per TB\n"
        );
        let mut err = Vec::new();
        let mut done = |bytes, rows, threshold| {
            let (mut out, mut nowhere) = (Sheet::new(&mut err, None), std::io::sink());
            let mut nowhere = Sheet::new(&mut nowhere, None);
            let mut screen = Screen::new(&mut nowhere, &mut out);
            cost(bytes).done(rows, threshold, &[], Duration::from_millis(1_250), &mut screen).unwrap().exit
        };
        assert_eq!([done(0, 1, Some(1)), done(10_000_000, 2, Some(0))], [Exit::Done, Exit::Differs]);
        assert_eq!(
            String::from_utf8(err).unwrap(),
            "ok: 1 row from Athena, 0 bytes scanned in 1.2 s: USD 0.0001 at USD 5 per TB (10 MB minimum)\n\
             query: the result is not empty; 2 rows from Athena, 10.0 MB scanned in 1.2 s: USD 0.0001 at USD 5 per TB\n"
        );
    }
}
