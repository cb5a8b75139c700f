//! Values as text, for terminals and spreadsheets.

use std::borrow::Cow;

use flowagg_query::datafusion::arrow::array::{Array as _, RecordBatch};
use flowagg_query::datafusion::arrow::error::ArrowError;
use flowagg_query::datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::super::sheet::controls;

/// Calls `row` for each row of a batch, with its values as text; `None` is null.
pub(super) fn each_row(
    batch: &RecordBatch,
    mut row: impl FnMut(Vec<Option<String>>) -> Result<(), ArrowError>,
) -> Result<(), ArrowError> {
    let options = FormatOptions::new();
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    // Dictionary values and columns of type NULL have no null buffer.
    let nulls: Vec<_> = batch.columns().iter().map(|column| column.logical_nulls()).collect();
    for index in 0..batch.num_rows() {
        let cells = columns.iter().zip(&nulls).map(|(column, nulls)| {
            let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(index));
            if is_null { Ok(None) } else { column.value(index).try_to_string().map(Some) }
        });
        row(cells.collect::<Result<Vec<_>, ArrowError>>()?)?;
    }
    Ok(())
}

/// Escapes every character in a value that would control the terminal or end the line.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, controls)
}

/// Formats a value as a CSV cell. Line feeds are kept; other control characters are escaped. Text that a spreadsheet would treat
/// as a formula is prefixed with an apostrophe.
///
/// Source: "CSV Injection" (OWASP), and RFC 4180.
pub(super) fn csv(text: &str, is_number: bool) -> String {
    let text = escaped(text, |c| c != '\n' && controls(c));
    let mark = if !is_number && text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if text.contains([',', '"', '\n']) {
        format!("\"{mark}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{mark}{text}")
    }
}

fn escaped(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_cells_contain_no_formulas_and_no_control_characters() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-", "'-"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("a=b", "a=b"),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("a,b", "\"a,b\""),
            ("a\nb", "\"a\nb\""),
            ("\u{1b}[31m\r\tx\u{202e}", "\\u{1b}[31m\\u{d}\\u{9}x\\u{202e}"),
        ] {
            assert_eq!(csv(text, false), expected);
        }
        assert_eq!(csv("-12", true), "-12");
    }

    #[test]
    fn values_stay_on_one_line_of_a_terminal() {
        assert_eq!(visible("a\nb\u{7}"), "a\\u{a}b\\u{7}");
        assert_eq!(visible("=1 \u{e9}"), "=1 \u{e9}");
    }
}
