//! The output of `doctor`.

use std::io;

use super::failures::failures;
use super::sheet::Sheet;
use super::style::{BOLD, GREEN, RED, YELLOW};
use super::table::{Row, table};
use super::view::View;
use crate::doctor::{Examination, Health};
use crate::report::words::counted;

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
    let warnings = match of(Health::Doubtful) {
        0 => String::new(),
        n => format!(", {}", counted(n, "warning", "warnings")),
    };
    let topics: Vec<&str> = examination.not_checked.iter().map(|topic| topic.as_str()).collect();
    let not_checked =
        if topics.is_empty() { String::new() } else { format!("; not checked: {}", topics.join(", ")) };
    writeln!(out)?;
    let next = match (of(Health::Bad), of(Health::Unknown)) {
        (0, 0) if topics.is_empty() => "run `flowagg plan` to see the changes",
        _ => "fix the problems above, then run `flowagg doctor` again",
    };
    match (of(Health::Bad), of(Health::Unknown)) {
        (0, 0) if topics.is_empty() => {
            let part = if examination.is_part { " for the selection of `--only`" } else { "" };
            out.line(
                4,
                format_args!("{BOLD}{GREEN}ok{GREEN:#}{BOLD:#}: all checks passed{part}{warnings}"),
            )
        }
        (0, n) => out.line(
            4,
            format_args!(
                "{BOLD}{YELLOW}not everything was checked{YELLOW:#}{BOLD:#}: {n} unknown{warnings}{not_checked}"
            ),
        ),
        (n, _) => {
            let changed = match examination.is_executed {
                true => "the endpoint executed a dry run: delete what it created",
                false => "nothing was changed",
            };
            let failed = counted(n, "check failed", "checks failed");
            out.line(4, format_args!("{BOLD}{RED}{failed}{RED:#}{BOLD:#}; {changed}{not_checked}"))
        }
    }?;
    super::next(next, out)
}
