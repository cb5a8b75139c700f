//! Columns, each as wide as its widest cell.

use std::io::{self, Write};

use anstyle::Style;

use super::DIM;

/// A line: the style and text of its sign, then its cells. The last cell is as long as it is; what is too long for any
/// column stands on a line below.
pub(crate) struct Row {
    pub(crate) style: Style,
    pub(crate) sign: &'static str,
    pub(crate) cells: Vec<String>,
    pub(crate) below: Option<String>,
}

pub(crate) fn table(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.cells.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for Row { style, sign, cells, below } in rows {
        write!(out, "  {style}{sign}{style:#}")?;
        for (n, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let gap = if n == 0 { " " } else { "  " };
            if n + 1 == cells.len() {
                write!(out, "{gap}{cell}")?;
            } else if *width > 0 {
                write!(out, "{gap}{cell:width$}")?;
            }
        }
        writeln!(out)?;
        if let Some(below) = below {
            writeln!(out, "      {DIM}{below}{DIM:#}")?;
        }
    }
    Ok(())
}
