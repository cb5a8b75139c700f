//! Flow logs of others on what the fleet logs, as a few lines for any number of accounts.

use std::io;

use flowagg_core::flow_log::Destination;
use flowagg_core::plan::{AlsoLogged, also_logged_groups};

use super::sheet::Sheet;
use super::style::{BOLD, DIM};
use super::view::View;

/// What it means.
pub(crate) const MEANING: &str = "flow logs of others: each records the same traffic, or part of it, again, and AWS charges for each delivery";

/// A line for each kind of destination, and the command that lists every flow log.
pub(super) fn also_logged(
    all: &[AlsoLogged],
    hub: &Destination,
    lists: &str,
    view: View<'_>,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}also logged{BOLD:#}")?;
    for group in also_logged_groups(all, hub) {
        out.line(4, format_args!("  {DIM}={DIM:#} {}", group.named(view.names())))?;
    }
    out.aside(4, format_args!("{MEANING}; `{lists}` lists them"))
}
