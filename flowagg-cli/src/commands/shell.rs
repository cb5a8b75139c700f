//! `flowagg completions`.

use std::io::Write as _;

use clap::CommandFactory;
use clap_complete::Shell;

use super::error::CommandError;
use crate::args::Args;
use crate::{Exit, Screen};

pub(super) fn completions(shell: Shell, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "flowagg", &mut text);
    screen.out.write_all(&text)?;
    Ok(Exit::Done)
}
