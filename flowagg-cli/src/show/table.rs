//! Columns, each as wide as its widest cell.

use std::io;

use anstyle::Style;
use textwrap::core::display_width;

use super::sheet::Sheet;

/// Where stands what is below a row.
const BELOW: usize = 6;
/// The last column may be narrower than its text, which is wrapped then, but not narrower than this.
const ROOM: usize = 28;

/// A line: the style and text of its sign, then its cells. The last cell is as long as it is; what is too long for any
/// column stands on a line below.
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
            // What follows in its place is the text that people read.
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

/// Where a column begins, and how wide it is: nothing, where all its cells are empty.
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

/// How many columns stand side by side: all, where the last has room to be read; else as many as fit.
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
    fn where_there_is_no_width_a_row_is_one_line() {
        let expected = "  + 222222222222  shop  eu-west-1  no flow log to the hub, and many more words\n      below\n  \
                        + 222222222222  a\u{754c}   eu-west-1  short\n      below\n";
        assert_eq!(shown(None), expected);
    }

    #[test]
    fn the_last_cell_hangs_in_its_own_column_while_it_has_room() {
        let expected = "  + 222222222222  shop  eu-west-1  no flow log to the hub, and\n                                   many more words\n      \
                        below\n  + 222222222222  a\u{754c}   eu-west-1  short\n      below\n";
        assert_eq!(shown(Some(64)), expected);
    }

    #[test]
    fn what_has_no_room_beside_stands_below() {
        let expected = "  + 222222222222  shop  eu-west-1\n      no flow log to the hub, and many more\n      words\n      below\n  \
                        + 222222222222  a\u{754c}   eu-west-1\n      short\n      below\n";
        assert_eq!(shown(Some(44)), expected);
    }
}
