//! The rows of a query: for people, for spreadsheets, for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::document;
use super::grid::grid;
use super::sheet::Sheet;
use crate::aws::{QueryResult, ResultColumn};

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// Columns for people
    Table,
    /// Comma-separated values, as in RFC 4180
    Csv,
    /// An array of objects
    Json,
}

pub(crate) fn rows(answer: &QueryResult, format: RowFormat, out: &mut Sheet<'_>) -> io::Result<()> {
    match format {
        RowFormat::Table => {
            let names: Vec<String> = answer.columns.iter().map(|column| column.name.clone()).collect();
            grid(&names, &answer.rows, &[], out)
        }
        RowFormat::Csv => csv(answer, out),
        RowFormat::Json => {
            let object = |row: &Vec<Option<String>>| -> Map<String, Value> {
                let cells = answer.columns.iter().zip(row);
                cells.map(|(column, value)| (column.name.clone(), json(column, value.as_deref()))).collect()
            };
            document::json(&answer.rows.iter().map(object).collect::<Vec<_>>(), out)
        }
    }
}

/// Source: RFC 4180. Lines end in a line feed alone, as programs of today take it; null is empty.
fn csv(answer: &QueryResult, out: &mut dyn Write) -> io::Result<()> {
    let names = answer.columns.iter().map(|column| quoted(&column.name));
    writeln!(out, "{}", names.collect::<Vec<_>>().join(","))?;
    for row in &answer.rows {
        let cells = row.iter().map(|value| quoted(value.as_deref().unwrap_or_default()));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join(","))?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A value in JSON's type for that of its column.
fn json(column: &ResultColumn, value: Option<&str>) -> Value {
    let Some(text) = value else { return Value::Null };
    let read = match column.kind.as_str() {
        "tinyint" | "smallint" | "integer" | "bigint" => text.parse::<i64>().ok().map(Value::from),
        "float" | "real" | "double" => text.parse::<f64>().ok().map(Value::from),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: RowFormat) -> String {
        let column = |name: &str, kind: &str| ResultColumn { name: name.to_owned(), kind: kind.to_owned() };
        let answer = QueryResult {
            columns: vec![column("account", "varchar"), column("total, \"all\"", "bigint")],
            rows: vec![
                vec![Some("012345678901".to_owned()), Some("15".to_owned())],
                vec![Some("a,b\"c".to_owned()), None],
            ],
            ..QueryResult::default()
        };
        let mut out = Vec::new();
        rows(&answer, format, &mut Sheet::new(&mut out, None)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_quotes_what_would_end_a_cell() {
        assert_eq!(shown(RowFormat::Csv), "account,\"total, \"\"all\"\"\"\n012345678901,15\n\"a,b\"\"c\",\n");
    }

    #[test]
    fn json_has_numbers_where_the_column_does_and_keeps_the_zero_of_an_account() {
        let rows: Value = serde_json::from_str(&shown(RowFormat::Json)).unwrap();
        assert_eq!(rows[0]["account"], "012345678901");
        assert_eq!(
            (&rows[0]["total, \"all\""], &rows[1]["total, \"all\""]),
            (&Value::from(15), &Value::Null)
        );
    }

    #[test]
    fn a_table_has_its_columns_one_under_the_other() {
        let plain = anstream::adapter::strip_str(&shown(RowFormat::Table)).to_string();
        let expected = "   account       total, \"all\"\n   012345678901  15\n   a,b\"c         -\n";
        assert_eq!(plain, expected);
    }

    #[test]
    fn a_table_that_is_too_wide_is_one_for_each_row() {
        let text = "a name of a column that nobody has room for";
        let column = |name: &str| ResultColumn { name: name.to_owned(), kind: "varchar".to_owned() };
        let answer = QueryResult {
            columns: vec![column("account"), column("why")],
            rows: vec![vec![Some("012345678901".into()), Some(text.into())], vec![None, None]],
            ..QueryResult::default()
        };
        let mut out = Vec::new();
        rows(&answer, RowFormat::Table, &mut Sheet::new(&mut out, Some(52))).unwrap();
        let expected = "   account  012345678901\n   why      a name of a column that nobody has room\n            for\n\n   \
                        account  -\n   why      -\n";
        assert_eq!(anstream::adapter::strip_bytes(&out).into_vec(), expected.as_bytes());
    }
}
