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
    /// How long it took.
    pub(crate) took: Duration,
    /// What could not be looked up everywhere.
    pub(crate) unknown: Vec<Unknown>,
}

/// What a query looks up in the accounts of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// NAT gateways.
    Gateways,
    /// Names.
    Names,
}

impl Unknown {
    fn noun(self) -> &'static str {
        match self {
            Self::Gateways => "NAT gateways",
            Self::Names => "names",
        }
    }

    /// What it means for the rows.
    fn meaning(self) -> &'static str {
        match self {
            Self::Gateways => {
                "NAT gateways of account-regions that could not be looked up are treated as other network interfaces"
            }
            Self::Names => {
                "rows lack names that could not be looked up, and an address may also belong to a network interface there"
            }
        }
    }
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
        let (rows, read) = (self.rows, self.progress.read());
        let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
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
        if skipped == 0 && self.unknown.is_empty() {
            screen.say(&format!("ok: {what}"))?;
            return Ok(Exit::Done);
        }
        let mut why = String::new();
        if !self.unknown.is_empty() {
            self.unknown.iter().try_for_each(|unknown| screen.note(unknown.meaning()))?;
            let nouns: Vec<&str> = self.unknown.iter().map(|unknown| unknown.noun()).collect();
            why += &format!("not everything could be looked up: {}; ", nouns.join(" and "));
        }
        if skipped > 0 {
            let were = if skipped == 1 { "was" } else { "were" };
            why += &format!("not every object was read: {skipped} {were} skipped; ");
        }
        screen.say(&format!("query: {why}{what}"))?;
        Ok(if self.unknown.is_empty() { Exit::Differs } else { Exit::Failed })
    }
}

/// What to check if no object was found.
pub(crate) fn nothing_found(progress: &Progress, screen: &mut Screen<'_>) -> io::Result<()> {
    if progress.listed().objects + progress.pruned().objects > 0 || !progress.is_listed() {
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
