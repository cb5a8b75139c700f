//! How much the output shows: names next to IDs, and lists that stay short unless everything is requested.

use std::io;

use flowagg_core::id::{AccountId, Place};
use flowagg_core::names::Names;
use textwrap::core::display_width;

use super::sheet::{Sheet, TIE};

/// The maximum number of lines for a list.
const LINES: usize = 2;
/// The width of a list if the output has none.
const WIDTH: usize = 100;

/// How much is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Items that need action, and counts for the rest.
    Brief,
    /// Everything.
    All,
}

/// The names and the extent of the output for a fleet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    names: &'a Names,
    extent: Extent,
}

impl<'a> View<'a> {
    /// Creates a view with these names next to IDs.
    pub(crate) fn of(names: &'a Names, extent: Extent) -> Self {
        Self { names, extent }
    }

    /// A brief view without names, for output before the fleet is known.
    pub(crate) const UNKNOWN: View<'static> = View { names: Names::NONE, extent: Extent::Brief };

    /// Whether everything is listed.
    pub(super) fn is_all(self) -> bool {
        self.extent == Extent::All
    }

    /// The names of accounts and resources.
    pub(super) fn names(self) -> &'a Names {
        self.names
    }

    /// Formats a resource with its name. The result is never broken across lines.
    pub(super) fn resource(self, id: &str) -> String {
        named(id, self.names.resources.get(id).map(String::as_str))
    }

    /// The name of an account, if it has one.
    pub(super) fn name(self, account: AccountId) -> Option<&'a str> {
        self.names.accounts.get(&account).map(String::as_str)
    }

    /// Formats an account with its name: `222222222222 (payments)`.
    pub(super) fn account(self, account: AccountId) -> String {
        named(account, self.name(account))
    }

    /// Formats an account-region with the name of the account: `222222222222 (payments) eu-west-1`.
    pub(super) fn place(self, Place { account, region }: &Place) -> String {
        format!("{}{TIE}{region}", self.account(*account))
    }

    /// Writes accounts with their names as a [`list`](Self::list).
    pub(super) fn accounts(
        self,
        start: &str,
        accounts: impl IntoIterator<Item = AccountId>,
        indent: usize,
        out: &mut Sheet<'_>,
    ) -> io::Result<()> {
        let entries: Vec<String> = accounts.into_iter().map(|account| self.account(account)).collect();
        self.list(start, &entries, "accounts", indent, out)
    }

    /// Writes `start` and the entries on up to two lines with this indent, or on any number of lines with `--all`. Entries that do not
    /// fit are counted, as in `and 3 more accounts`, where `what` is the plural noun. At least one entry is listed.
    pub(super) fn list(
        self,
        start: &str,
        entries: &[String],
        what: &str,
        indent: usize,
        out: &mut Sheet<'_>,
    ) -> io::Result<()> {
        let width = out.width().unwrap_or(WIDTH).saturating_sub(indent);
        out.line(indent, self.fitted(start, entries, what, width))
    }

    /// Formats as many entries as fit, and the number of remaining entries.
    fn fitted(self, start: &str, entries: &[String], what: &str, width: usize) -> String {
        let more = |left: usize| {
            let what = if left == 1 { what.trim_end_matches('s') } else { what };
            format!(" and{TIE}{left}{TIE}more{TIE}{what}")
        };
        let mut list = start.to_owned();
        for (n, entry) in entries.iter().enumerate() {
            let left = entries.len() - n - 1;
            let comma = if left == 0 { "" } else { "," };
            let longer = format!("{list} {entry}{comma}");
            let rest = if left == 0 { String::new() } else { more(left) };
            if n > 0 && !self.is_all() && lines(&format!("{longer}{rest}"), width) > LINES {
                return list + &more(left + 1);
            }
            list = longer;
        }
        list
    }
}

/// Formats an ID with its name: `vpc-0a1b2c3d (payments)`. The result is never broken across lines.
pub(super) fn named(id: impl ToString, name: Option<&str>) -> String {
    let id = id.to_string();
    match name {
        Some(name) => format!("{id} ({name})").replace(' ', &TIE.to_string()),
        None => id,
    }
}

/// The number of lines that a text takes if it is wrapped at spaces.
fn lines(text: &str, width: usize) -> usize {
    let (mut lines, mut used) = (1, 0);
    for word in text.split(' ').map(display_width) {
        if used > 0 && used + 1 + word > width {
            lines += 1;
            used = word;
        } else {
            used += word + usize::from(used > 0);
        }
    }
    lines
}
