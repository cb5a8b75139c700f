use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use flowagg_core::arrival::State;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const RED: Style = AnsiColor::Red.on_default();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Every style of a screen.
pub(super) const ALL: [Style; 5] = [BOLD, DIM, RED, GREEN, YELLOW];

/// The style of a state.
pub(super) fn of_state(state: State) -> Style {
    match state {
        State::Delivering => GREEN,
        State::Waiting => YELLOW,
        State::Idle => DIM,
        State::Silent | State::Failing | State::Missing | State::Unknown => RED,
    }
}

/// A heading.
pub(crate) fn heading(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{text}{BOLD:#}")
}
