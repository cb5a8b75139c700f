use std::io::{self, Write};
use std::sync::LazyLock;

use anstyle::{AnsiColor, Style};
use flowagg_core::arrival::State;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const RED: Style = AnsiColor::Red.on_default();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// The escape sequences that start and end the styles.
pub(super) static SEQUENCES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let written = |style: Style| [style.render().to_string(), style.render_reset().to_string()];
    [BOLD, DIM, RED, GREEN, YELLOW].into_iter().flat_map(written).collect()
});

pub(super) fn of_state(state: State) -> Style {
    match state {
        State::Delivering => GREEN,
        State::Waiting => YELLOW,
        State::Idle => DIM,
        State::Silent | State::Failing | State::Missing | State::Unknown => RED,
    }
}

pub(crate) fn heading(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{text}{BOLD:#}")
}
