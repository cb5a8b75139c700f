//! The output of the policy commands: decisions, findings and sizes.

use std::io;

use flowagg_policy::{Finding, Severity, Sizes};

use super::sheet::Sheet;
use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::table::{Row, table};

/// Writes a policy's decision about a request: a sign, the action, the decision, and below it the resource.
pub(crate) fn answer(
    action: &str,
    resource: &str,
    decision: &str,
    allowed: Option<bool>,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    let (style, sign) = match allowed {
        Some(true) => (GREEN, "+"),
        Some(false) => (RED, "!"),
        None => (YELLOW, "?"),
    };
    out.line(21, format_args!("  {style}{sign}{style:#} {action:16} {decision}"))?;
    out.aside(6, resource)
}

/// Writes the linter's findings about a policy.
pub(crate) fn findings(policy: &str, findings: &[Finding], out: &mut Sheet<'_>) -> io::Result<()> {
    for Finding { id, severity, statement, place, message, help, .. } in findings {
        let (style, word) = match severity {
            Severity::Error => (RED, "error"),
            Severity::Warning => (YELLOW, "warning"),
            Severity::Note => (DIM, "note"),
        };
        let statement =
            statement.as_ref().map(|statement| format!("statement {statement}: ")).unwrap_or_default();
        let place = format_args!("{BOLD}{}:{}{BOLD:#}", place.line, place.column);
        out.line(6, format_args!("{place}: {style}{word}{style:#} {id}: {statement}{message}"))?;
        out.aside(4, help)?;
    }
    match findings.len() {
        0 => writeln!(out, "{GREEN}ok{GREEN:#}: no findings in {policy}"),
        1 => writeln!(out, "\n1 finding in {policy}"),
        n => writeln!(out, "\n{n} findings in {policy}"),
    }
}

/// Writes the size of a policy, and the number of accounts that fit in each form.
pub(crate) fn sizes(sizes: &Sizes, out: &mut Sheet<'_>) -> io::Result<()> {
    let Sizes { limit, form, bytes, reserved, accounts, forms, .. } = sizes;
    writeln!(out, "{accounts} accounts in form `{form}`: {bytes} of {limit} bytes")?;
    if *reserved > 0 {
        let what = "are reserved for statements that AWS may append for flow logs in the hub account";
        out.line(0, format_args!("another {reserved} bytes {what}"))?;
    }
    writeln!(out)?;
    let rows: Vec<Row> = forms
        .iter()
        .map(|form| {
            let fits = form.accounts.map_or("any number of accounts".to_owned(), |n| format!("{n} accounts"));
            let each = match form.bytes_per_account {
                0 => "no account list".to_owned(),
                bytes => format!("{bytes} bytes per account"),
            };
            let (style, sign) =
                if form.accounts.is_none_or(|most| most >= *accounts) { (GREEN, "+") } else { (RED, "!") };
            Row { style, sign, cells: vec![form.form.to_owned(), fits, each], below: None }
        })
        .collect();
    table(&rows, out)
}
