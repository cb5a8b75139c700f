//! The outcome of a query.

use std::io;
use std::time::Duration;

use flowagg_query::Progress;

use super::super::screen::Screen;
use super::super::size::bytes;
use super::estimate::totals;
use crate::Exit;

/// The outcome of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The exit code of the run.
    pub(crate) exit: Exit,
    /// Whether the result had more rows than the threshold.
    pub(crate) has_excess: bool,
}

impl From<Exit> for Ended {
    /// The outcome of a run that did not count rows.
    fn from(exit: Exit) -> Self {
        Self { exit, has_excess: false }
    }
}

/// A completed query.
pub(crate) struct Done<'p> {
    /// The data that was read.
    pub(crate) progress: &'p Progress,
    /// The number of rows in the result.
    pub(crate) rows: usize,
    /// The maximum number of rows that is not a finding; `None` if any number is allowed.
    pub(crate) threshold: Option<u64>,
    pub(crate) took: Duration,
    /// The lookups that failed in at least one account-region.
    pub(crate) unknown: Vec<Unknown>,
}

/// The data that a query looks up in the accounts of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// NAT gateways.
    Gateways,
    /// Rules of security groups.
    Rules,
    /// Names.
    Names,
}

impl Unknown {
    fn noun(self) -> &'static str {
        match self {
            Self::Gateways => "NAT gateways",
            Self::Rules => "security group rules",
            Self::Names => "names",
        }
    }

    /// The effect on the rows.
    fn meaning(self) -> &'static str {
        match self {
            Self::Gateways => {
                "where NAT gateways could not be looked up, they are treated like other network interfaces"
            }
            Self::Rules => "the result does not include rules of account-regions that could not be looked up",
            Self::Names => {
                "names that could not be looked up are missing, and an address may also belong to a network interface in an \
                 account-region that was not looked up"
            }
        }
    }
}

impl Done<'_> {
    /// Prints the skipped objects and the totals, and returns how the run ends.
    pub(crate) fn print(&self, screen: &mut Screen<'_>) -> io::Result<Ended> {
        let skipped = self.progress.skipped_objects();
        let named = self.progress.skipped();
        for object in &named {
            screen.warning(
                &format!("`{}` was skipped: {}", object.key, object.reason),
                "delete or restore the object; `--strict` stops at objects like this one",
            )?;
        }
        let unnamed = skipped.saturating_sub(named.len() as u64);
        if unnamed > 0 {
            screen.note(&format!("{unnamed} more objects were skipped"))?;
        }
        let (rows, read) = (count(self.rows), self.progress.read());
        let pruned = match self.progress.pruned().objects {
            0 => String::new(),
            n => format!(", {n} listed but not needed"),
        };
        let took = self.took.as_secs_f64();
        let records = match self.progress.records() {
            1 => "1 record".to_owned(),
            n => format!("{n} records"),
        };
        let what = format!("{rows} from {records} in {}, in {took:.1} s{pruned}", totals(read));
        let mut findings = Vec::new();
        if skipped > 0 {
            let were = if skipped == 1 { "was" } else { "were" };
            findings.push(format!("not every object was read: {skipped} {were} skipped"));
        }
        ended((self.rows, self.threshold), &self.unknown, findings, &what, screen)
    }
}

/// Formats a number of rows: `1 row`.
pub(super) fn count(rows: usize) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

/// The message that the result has more rows than the threshold, if it has.
fn excess(rows: usize, threshold: Option<u64>) -> Option<String> {
    let threshold = threshold.filter(|threshold| rows as u64 > *threshold)?;
    Some(match threshold {
        0 => "the result is not empty".to_owned(),
        _ => format!("the result has more rows than the threshold of {threshold}"),
    })
}

/// Prints the last line, and returns the outcome.
pub(super) fn ended(
    (rows, threshold): (usize, Option<u64>),
    unknown: &[Unknown],
    others: Vec<String>,
    what: &str,
    screen: &mut Screen<'_>,
) -> io::Result<Ended> {
    let excess = excess(rows, threshold);
    let has_excess = excess.is_some();
    let mut findings = Vec::new();
    if !unknown.is_empty() {
        unknown.iter().try_for_each(|unknown| screen.note(unknown.meaning()))?;
        let nouns: Vec<&str> = unknown.iter().map(|unknown| unknown.noun()).collect();
        findings.push(format!("not everything could be looked up: {}", nouns.join(" and ")));
    }
    findings.extend(excess);
    findings.extend(others);
    if findings.is_empty() {
        screen.last_line(&format!("ok: {what}"))?;
        return Ok(Exit::Done.into());
    }
    screen.last_line(&format!("query: {}; {what}", findings.join("; ")))?;
    Ok(Ended { exit: if unknown.is_empty() { Exit::Differs } else { Exit::Failed }, has_excess })
}

/// Prints what to check if no object was found.
pub(crate) fn nothing_found(progress: &Progress, screen: &mut Screen<'_>) -> io::Result<()> {
    let was_listed = progress.scans() > 0 && progress.is_listed();
    if !was_listed || progress.listed().objects + progress.pruned().objects > 0 {
        return Ok(());
    }
    screen.note("no flow log objects were found: check `--from`, `--to`, `--only`, and `--prefix` if the logs are under a prefix")
}

/// Formats the progress: `1.2 MB of 3.0 MB, 0.6 MB/s`.
pub(crate) fn so_far(progress: &Progress, elapsed: Duration) -> String {
    let (read, listed) = (progress.read(), progress.listed());
    let more = if progress.is_listed() { "" } else { " listed so far" };
    // The rate is only an estimate.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "for a screen"
    )]
    let rate = (read.bytes as f64 / elapsed.as_secs_f64().max(0.001)) as u64;
    let (done, all) = (bytes(read.bytes), bytes(listed.bytes));
    format!("{done} of {all}{more}, {}/s", bytes(rate))
}
