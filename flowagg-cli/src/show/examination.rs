//! What a look before the roll-out found.

use std::io;

use super::failures::failures;
use super::sheet::Sheet;
use super::style::{BOLD, GREEN, RED, YELLOW};
use super::table::{Row, table};
use crate::doctor::{Examination, Health};

pub(crate) fn examination(examination: &Examination, out: &mut Sheet<'_>) -> io::Result<()> {
    let rows: Vec<Row> = examination
        .checks
        .iter()
        .map(|check| {
            let (style, sign) = match check.health {
                Health::Good => (GREEN, "+"),
                Health::Doubtful => (YELLOW, "~"),
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
        failures(&examination.failures, out)?;
    }
    let of = |health| examination.checks.iter().filter(|check| check.health == health).count();
    writeln!(out)?;
    match (of(Health::Bad), of(Health::Doubtful)) {
        (0, 0) => {
            writeln!(out, "{BOLD}{GREEN}ok{GREEN:#}{BOLD:#}: nothing stands in the way of `flowagg apply`")
        }
        (0, n) => {
            writeln!(out, "{BOLD}{GREEN}ok{GREEN:#}{BOLD:#}: nothing stands in the way; {n} to look at")
        }
        (n, _) => writeln!(out, "{BOLD}{RED}{n} in the way{RED:#}{BOLD:#}: nothing was changed"),
    }
}
