//! How a query ended.

use std::io;
use std::time::Duration;

use flowagg_query::Progress;

use super::super::screen::Screen;
use super::super::size::bytes;
use super::estimate::totals;
use crate::Exit;

/// A query that has run.
pub(crate) struct Done<'p> {
    /// What was read.
    pub(crate) progress: &'p Progress,
    /// The rows of the result.
    pub(crate) rows: usize,
    /// The most rows that are no finding; `None` if any number is none.
    pub(crate) threshold: Option<u64>,
    /// The account-regions and other things that could not be read. Each has been printed.
    pub(crate) unread: usize,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Done<'_> {
    /// Names the skipped objects, prints what was read, and returns how the run ends.
    pub(crate) fn print(&self, screen: &mut Screen<'_>) -> io::Result<Exit> {
        let skipped = self.progress.skipped_objects();
        let named = self.progress.skipped();
        for object in &named {
            screen.warning(
                &format!("`{}` was skipped: {}", object.key, object.reason),
                "delete it or restore it if it matters; `--strict` stops at such objects",
            )?;
        }
        let unnamed = skipped.saturating_sub(named.len() as u64);
        if unnamed > 0 {
            screen.note(&format!("{unnamed} more objects were skipped"))?;
        }
        let (rows, read) = (count(self.rows), self.progress.read());
        let pruned = match self.progress.pruned().objects {
            0 => String::new(),
            n => format!(", {n} listed and not needed"),
        };
        let took = self.took.as_secs_f64();
        let what = format!(
            "{rows} from {} records in {}, in {took:.1} s{pruned}",
            self.progress.records(),
            totals(read)
        );
        let mut findings: Vec<String> = excess(self.rows, self.threshold).into_iter().collect();
        if skipped > 0 {
            let were = if skipped == 1 { "was" } else { "were" };
            findings.push(format!("not every object was read: {skipped} {were} skipped"));
        }
        if self.unread > 0 {
            let calls = if self.unread == 1 { "call" } else { "calls" };
            findings.insert(0, format!("the answer is incomplete: {} {calls} failed", self.unread));
            ended(findings, &what, screen)?;
            return Ok(Exit::Failed);
        }
        ended(findings, &what, screen)
    }
}

/// `1 row`.
pub(super) fn count(rows: usize) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

/// That there are more rows than a threshold, if there are.
pub(super) fn excess(rows: usize, threshold: Option<u64>) -> Option<String> {
    let threshold = threshold.filter(|threshold| rows as u64 > *threshold)?;
    Some(match threshold {
        0 => "there are rows".to_owned(),
        _ => format!("there are more rows than the threshold of {threshold}"),
    })
}

/// Prints the last line, and returns how the run ends.
pub(super) fn ended(findings: Vec<String>, what: &str, screen: &mut Screen<'_>) -> io::Result<Exit> {
    if findings.is_empty() {
        screen.say(&format!("ok: {what}"))?;
        return Ok(Exit::Done);
    }
    screen.say(&format!("query: {}; {what}", findings.join("; ")))?;
    Ok(Exit::Differs)
}

/// What to check if no object was found.
pub(crate) fn nothing_found(progress: &Progress, screen: &mut Screen<'_>) -> io::Result<()> {
    let was_listed = progress.scans() > 0 && progress.is_listed();
    if !was_listed || progress.listed().objects + progress.pruned().objects > 0 {
        return Ok(());
    }
    screen.note("no flow log object was found: check `--from`, `--to`, `--only`, and `--prefix` if the logs are in a sub-folder")
}

/// `1.2 MB of 3.0 MB, 0.6 MB/s`.
pub(crate) fn so_far(progress: &Progress, elapsed: Duration) -> String {
    let (read, listed) = (progress.read(), progress.listed());
    let more = if progress.is_listed() { "" } else { " listed so far" };
    // A rate is a rough number.
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
