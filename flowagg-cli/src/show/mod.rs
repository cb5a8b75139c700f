//! How things look on a screen: one column for each kind of fact, a sign and a word for each state, colour on top.

mod document;
mod event;
mod examination;
mod failures;
mod markdown;
mod plan;
mod progress;
mod report;
mod rows;
mod sheet;
mod table;
mod verified;

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use flowagg_core::fleet::FleetError;
use flowagg_policy::{Finding, Severity};

use crate::commands::SizeReport;
use crate::show::failures::HANG;
use crate::show::progress::Watch;
use crate::{Exit, Progress};

pub use document::SCHEMA;
pub(crate) use document::{Document, document, json, line};
pub(crate) use event::{Event, Trace};
pub(crate) use examination::examination;
pub(crate) use failures::failures;
pub(crate) use markdown::markdown;
pub(crate) use plan::{applied, plan};
pub use report::{Glyphs, report};
pub(crate) use rows::{bytes, rows};
pub use sheet::Sheet;
pub(crate) use verified::verified;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Where a run writes to. Styles are written always; the writers take them out where they are not wanted.
pub struct Screen<'a> {
    /// Results.
    pub out: &'a mut Sheet<'a>,
    /// Progress, questions and errors.
    pub err: &'a mut Sheet<'a>,
    /// Whether somebody is there to be asked and shown progress.
    pub interactive: bool,
    /// Whether progress is told to a program: a line of JSON on standard error for each event.
    pub events: bool,
}

impl Screen<'_> {
    /// Does a piece of work that only reads: it may end at any moment.
    pub(crate) async fn reading<T>(&self, work: impl AsyncFnOnce(&dyn Progress) -> T) -> T {
        let watch = Watch::new(self, None);
        let result = work(&watch).await;
        watch.finish();
        result
    }

    /// Does a piece of work that writes: Ctrl-C, or so many failures, keep what has not begun from beginning.
    pub(crate) async fn writing<T>(
        &self,
        max_failures: Option<usize>,
        work: impl AsyncFnOnce(&dyn Progress) -> T,
    ) -> T {
        let watch = Watch::new(self, max_failures);
        let interrupts = async {
            watch.interrupts().await;
            // Where there are no signals, there is nothing to wait for.
            std::future::pending().await
        };
        let result = tokio::select! { result = work(&watch) => result, never = interrupts => never };
        watch.finish();
        result
    }
}

/// A mistake on the command line, or the help that was asked for.
pub(crate) fn usage(error: &clap::Error, screen: &mut Screen<'_>) -> Exit {
    let text = error.render();
    if !error.use_stderr() {
        let _ = write!(screen.out, "{}", text.ansi());
        return Exit::Done;
    }
    let _ = match (screen.events, text.to_string().trim_end().split_once('\n')) {
        (true, Some((what, help))) => screen.error(what.trim_start_matches("error: "), help.trim()),
        _ => write!(screen.err, "{}", text.ansi()),
    };
    Exit::Usage
}

/// A heading.
pub(crate) fn heading(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{text}{BOLD:#}")
}

/// What is wrong, and what to do.
fn error(what: &str, help: &str, err: &mut Sheet<'_>) -> io::Result<()> {
    err.line(HANG + 2, format_args!("{RED}error{RED:#}: {what}"))?;
    err.aside(HANG, help)
}

/// Every fault of a fleet file, with its place.
fn faults(path: &Path, error: &FleetError, err: &mut Sheet<'_>) -> io::Result<()> {
    let path = path.display();
    let count = match error.faults.len() {
        1 => "a fault".to_owned(),
        n => format!("{n} faults"),
    };
    err.line(HANG, format_args!("{RED}error{RED:#}: `{path}` has {count}; nothing was read or written"))?;
    for fault in &error.faults {
        err.line(6, format_args!("{BOLD}{path}:{}:{}{BOLD:#}: {}", fault.line, fault.column, fault.what))?;
        err.aside(4, &fault.help)?;
    }
    Ok(())
}

/// What a policy says to a question: a sign, the answer, and below it what was asked.
pub(crate) fn answer(
    action: &str,
    resource: &str,
    told: &str,
    yes: bool,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    let (style, sign) = if yes { (GREEN, "+") } else { (RED, "!") };
    out.line(21, format_args!("  {style}{sign}{style:#} {action:16} {told}"))?;
    out.aside(6, resource)
}

/// What the linter found in a policy.
pub(crate) fn findings(policy: &str, findings: &[Finding], out: &mut Sheet<'_>) -> io::Result<()> {
    for Finding { id, severity, statement, place, message, help } in findings {
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
        0 => writeln!(out, "{GREEN}ok{GREEN:#}: nothing found in {policy}"),
        1 => writeln!(out, "\n1 finding in {policy}"),
        n => writeln!(out, "\n{n} findings in {policy}"),
    }
}

/// How large a policy is, and how many accounts fit in each form.
pub(crate) fn sizes(report: &SizeReport, out: &mut Sheet<'_>) -> io::Result<()> {
    let SizeReport { limit, form, bytes, accounts, forms } = report;
    writeln!(out, "{accounts} accounts in form `{form}`: {bytes} of {limit} bytes\n")?;
    let rows: Vec<table::Row> = forms
        .iter()
        .map(|form| {
            let fits = form.accounts.map_or("any number of accounts".to_owned(), |n| format!("{n} accounts"));
            let each = match form.bytes_per_account {
                0 => "no list of accounts".to_owned(),
                bytes => format!("{bytes} bytes an account"),
            };
            let (style, sign) =
                if form.accounts.is_none_or(|most| most >= *accounts) { (GREEN, "+") } else { (RED, "!") };
            table::Row { style, sign, cells: vec![form.form.to_owned(), fits, each], below: None }
        })
        .collect();
    table::table(&rows, out)
}
