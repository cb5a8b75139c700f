//! Other flow logs on the fleet's resources, in a few lines for any number of accounts.

use std::io;

use flowagg_core::flow_log::Destination;
use flowagg_core::plan::{AlsoLogged, also_logged_groups};

use super::sheet::Sheet;
use super::style::{BOLD, DIM};
use super::view::View;

/// The explanation of the section.
pub(crate) const MEANING: &str =
    "other flow logs that record the same traffic, or part of it; AWS charges for each delivery";

/// Writes a line for each kind of destination, and the command that lists every flow log.
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
    out.aside(4, format_args!("{MEANING}; run `{lists}` to list them"))
}
