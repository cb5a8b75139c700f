//! Columns, each as wide as its widest cell.

use std::io;

use anstyle::Style;
use textwrap::core::display_width;

use super::sheet::Sheet;

/// The indent of text below a row.
const BELOW: usize = 6;
/// The minimum width of the last column. Longer text in it is wrapped.
const ROOM: usize = 28;

/// A row: the style and text of its sign, its cells, and text on a line below. The last cell may have any length.
pub(crate) struct Row {
    pub(crate) style: Style,
    pub(crate) sign: &'static str,
    pub(crate) cells: Vec<String>,
    pub(crate) below: Option<String>,
}

pub(crate) fn table(rows: &[Row], out: &mut Sheet<'_>) -> io::Result<()> {
    let columns = columns(rows);
    let kept = out.width().map_or(columns.len(), |width| fitting(&columns, width));
    for Row { style, sign, cells, below } in rows {
        let (above, rest) = cells.split_at(kept.min(cells.len()));
        let mut line = format!("  {style}{sign}{style:#}");
        let mut hang = BELOW;
        for (n, (cell, column)) in above.iter().zip(&columns).enumerate() {
            if cell.is_empty() {
                continue;
            }
            let padding = " ".repeat(column.at.saturating_sub(display_width(&line)));
            line.extend([&padding, cell.as_str()]);
            // The last column contains the explanation, so wrapped lines are aligned to it.
            if n + 1 == columns.len() {
                hang = column.at;
            }
        }
        out.line(hang, &line)?;
        let rest: Vec<&str> = rest.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        if !rest.is_empty() {
            out.line(BELOW, format_args!("{:BELOW$}{}", "", rest.join("  ")))?;
        }
        if let Some(below) = below {
            out.aside(BELOW, below)?;
        }
    }
    Ok(())
}

/// The position and the width of a column. The width is 0 if all cells are empty.
pub(super) struct Column {
    at: usize,
    pub(super) width: usize,
}

impl Column {
    pub(super) fn end(&self) -> usize {
        self.at + self.width
    }
}

pub(super) fn columns(rows: &[Row]) -> Vec<Column> {
    let count = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let sign = rows.iter().map(|row| row.sign.len()).max().unwrap_or(0);
    let mut at = 2 + sign + 1;
    let mut columns = Vec::new();
    for n in 0..count {
        let cells = rows.iter().filter_map(|row| row.cells.get(n));
        let width = cells.map(|cell| display_width(cell)).max().unwrap_or(0);
        columns.push(Column { at, width });
        at += if width > 0 { width + 2 } else { 0 };
    }
    columns
}

/// The number of columns on one line: all if the last one is wide enough, else as many as fit.
fn fitting(columns: &[Column], width: usize) -> usize {
    match columns.last() {
        Some(last) if last.at + last.width.min(ROOM) <= width => columns.len(),
        _ => columns.iter().take_while(|column| column.end() <= width).count().max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::GREEN;
    use super::*;

    fn shown(width: Option<usize>) -> String {
        let row = |name: &str, why: &str| Row {
            style: GREEN,
            sign: "+",
            cells: vec!["222222222222".into(), name.into(), "eu-west-1".into(), why.into()],
            below: Some("below".into()),
        };
        let mut out = Vec::new();
        let rows = [row("shop", "no flow log to the hub, and many more words"), row("a\u{754c}", "short")];
        table(&rows, &mut Sheet::new(&mut out, width)).unwrap();
        anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
    }

    #[test]
    fn row_is_one_line_without_a_width() {
        let expected = "  + 222222222222  shop  eu-west-1  no flow log to the hub, and many more words\n      below\n  \
                        + 222222222222  a\u{754c}   eu-west-1  short\n      below\n";
        assert_eq!(shown(None), expected);
    }

    #[test]
    fn last_cell_is_wrapped_in_its_column() {
        let expected = "  + 222222222222  shop  eu-west-1  no flow log to the hub, and\n                                   many more words\n      \
                        below\n  + 222222222222  a\u{754c}   eu-west-1  short\n      below\n";
        assert_eq!(shown(Some(64)), expected);
    }

    #[test]
    fn cells_that_do_not_fit_are_on_a_line_below() {
        let expected = "  + 222222222222  shop  eu-west-1\n      no flow log to the hub, and many more\n      words\n      below\n  \
                        + 222222222222  a\u{754c}   eu-west-1\n      short\n      below\n";
        assert_eq!(shown(Some(44)), expected);
    }
}
