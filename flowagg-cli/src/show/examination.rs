//! What a look before the roll-out found.

use std::io;

use super::failures::failures;
use super::sheet::Sheet;
use super::style::{BOLD, GREEN, RED, YELLOW};
use super::table::{Row, table};
use super::view::View;
use crate::doctor::{Examination, Health};

pub(crate) fn examination(examination: &Examination, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let rows: Vec<Row> = examination
        .checks
        .iter()
        .map(|check| {
            let (style, sign) = match check.health {
                Health::Good => (GREEN, "+"),
                Health::Doubtful => (YELLOW, "~"),
                Health::Unknown => (YELLOW, "?"),
                Health::Bad => (RED, "!"),
            };
            let cells =
                vec![check.what.as_str().to_owned(), check.health.as_str().to_owned(), check.found.clone()];
            Row { style, sign, cells, below: check.help.clone() }
        })
        .collect();
    table(&rows, out)?;
    if !examination.failures.is_empty() {
        writeln!(out)?;
        failures(&examination.failures, view, out)?;
    }
    let of = |health| examination.checks.iter().filter(|check| check.health == health).count();
    let looks = match of(Health::Doubtful) {
        0 => String::new(),
        n => format!("; {n} to look at"),
    };
    let topics: Vec<&str> = examination.not_checked.iter().map(|topic| topic.as_str()).collect();
    let not_checked =
        if topics.is_empty() { String::new() } else { format!("; not checked: {}", topics.join(", ")) };
    writeln!(out)?;
    let next = match (of(Health::Bad), of(Health::Unknown)) {
        (0, 0) if topics.is_empty() => "`flowagg plan` shows what would change",
        _ => "fix what is named above, then run `flowagg doctor` again",
    };
    match (of(Health::Bad), of(Health::Unknown)) {
        (0, 0) if topics.is_empty() => {
            let of = match (examination.is_part, looks.is_empty()) {
                (true, _) => " of what `--only` selects",
                (false, true) => " of `flowagg apply`",
                (false, false) => "",
            };
            out.line(
                4,
                format_args!("{BOLD}{GREEN}ok{GREEN:#}{BOLD:#}: nothing stands in the way{of}{looks}"),
            )
        }
        (0, n) => out.line(
            4,
            format_args!(
                "{BOLD}{YELLOW}not everything was checked{YELLOW:#}{BOLD:#}: {n} unknown{not_checked}{looks}"
            ),
        ),
        (n, _) => {
            let changed = match examination.is_executed {
                true => "the endpoint executed a dry run: remove what it made",
                false => "nothing was changed",
            };
            out.line(4, format_args!("{BOLD}{RED}{n} in the way{RED:#}{BOLD:#}: {changed}{not_checked}"))
        }
    }?;
    super::next(next, out)
}
