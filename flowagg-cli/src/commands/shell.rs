//! What flowagg tells shells and `man` of its command line.

use std::fs;
use std::io::Write as _;
use std::path::Path;

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

/// A page for the program and for each verb.
pub(super) fn man(folder: &Path, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Args::command(), folder));
    written.map_err(|error| {
        let what = format!("the pages cannot be written to `{}`: {error}", folder.display());
        CommandError::file(what, "name a folder in which files can be written")
    })?;
    writeln!(screen.out, "written: {}", folder.join("flowagg.1").display())?;
    Ok(Exit::Done)
}
