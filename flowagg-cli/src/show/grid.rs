//! Prints rows of values as one table, or as one table per row if they are too wide.

use std::io;

use textwrap::core::display_width;

use super::sheet::Sheet;
use super::style::{BOLD, DIM};
use super::table::{Column, Row, columns, table};

/// Prints rows, each with a value for every column; `None` is null. The columns in `right` are right-aligned.
pub(super) fn grid(
    names: &[String],
    rows: &[Vec<Option<String>>],
    right: &[usize],
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    let row = |style, cells| Row { style, sign: "", cells, below: None };
    let cells = |values: &Vec<Option<String>>| -> Vec<String> {
        values.iter().map(|value| value.clone().unwrap_or_else(|| "-".to_owned())).collect()
    };
    let mut table_cells: Vec<Vec<String>> = vec![names.to_vec()];
    table_cells.extend(rows.iter().map(cells));
    for column in right {
        let widths = table_cells.iter().filter_map(|row| row.get(*column)).map(|cell| display_width(cell));
        let width = widths.max().unwrap_or_default();
        for cell in table_cells.iter_mut().filter_map(|row| row.get_mut(*column)) {
            let missing = width.saturating_sub(display_width(cell));
            cell.insert_str(0, &" ".repeat(missing));
        }
    }
    let styles = std::iter::once(BOLD).chain(std::iter::repeat(DIM));
    let whole: Vec<Row> = styles.zip(table_cells).map(|(style, cells)| row(style, cells)).collect();
    let end = columns(&whole).last().map_or(0, Column::end);
    if out.width().is_none_or(|width| end <= width) {
        return table(&whole, out);
    }
    for (n, values) in rows.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        let pairs = names.iter().cloned().zip(cells(values));
        table(&pairs.map(|(name, value)| row(DIM, vec![name, value])).collect::<Vec<_>>(), out)?;
    }
    Ok(())
}
