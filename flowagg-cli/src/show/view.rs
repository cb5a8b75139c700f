//! What a screen shows of many things: names next to ids, and lists that stay short unless everything is requested.

use std::io;

use flowagg_core::id::{AccountId, Place};
use flowagg_core::names::Names;
use textwrap::core::display_width;

use super::sheet::{Sheet, TIE};

/// Lines for a list.
const LINES: usize = 2;
/// The width of a list if the output has none.
const WIDTH: usize = 100;

/// How much is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What needs action, and numbers for the rest.
    Brief,
    /// Everything.
    All,
}

/// What is shown of a fleet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    names: &'a Names,
    extent: Extent,
}

impl<'a> View<'a> {
    /// With these names next to ids.
    pub(crate) fn of(names: &'a Names, extent: Extent) -> Self {
        Self { names, extent }
    }

    /// In short, before a fleet is known.
    pub(crate) const UNKNOWN: View<'static> = View { names: Names::NONE, extent: Extent::Brief };

    /// Whether everything is listed.
    pub(super) fn is_all(self) -> bool {
        self.extent == Extent::All
    }

    /// The names.
    pub(super) fn names(self) -> &'a Names {
        self.names
    }

    /// A resource with its name, which stays on one line.
    pub(super) fn resource(self, id: &str) -> String {
        named(id, self.names.resources.get(id).map(String::as_str))
    }

    /// The name of an account, if it has one.
    pub(super) fn name(self, account: AccountId) -> Option<&'a str> {
        self.names.accounts.get(&account).map(String::as_str)
    }

    /// An account with its name: `222222222222 (payments)`.
    pub(super) fn account(self, account: AccountId) -> String {
        named(account, self.name(account))
    }

    /// An account-region with the name of the account: `222222222222 (payments) eu-west-1`.
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

    /// Writes the entries after `start`, in up to two lines that begin after `indent` columns, unless everything is listed.
    /// What does not fit is counted as more of `what`, a plural. At least one entry is listed.
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

    /// As many entries as fit, and the number of the rest.
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

/// Something with its name: `vpc-0a1b2c3d (payments)`. It stays on one line.
pub(super) fn named(id: impl ToString, name: Option<&str>) -> String {
    let id = id.to_string();
    match name {
        Some(name) => format!("{id} ({name})").replace(' ', &TIE.to_string()),
        None => id,
    }
}

/// Lines that a text takes if it is wrapped at its spaces.
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
