//! What flowagg tells shells and `man` of its command line.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::{Exit, Screen};

pub(super) fn completions(shell: Shell, screen: &mut Screen<'_>) -> io::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "flowagg", &mut text);
    screen.out.write_all(&text)?;
    Ok(Exit::Done)
}

/// A page for the program and for each verb.
pub(super) fn man(folder: &Path, screen: &mut Screen<'_>) -> io::Result<Exit> {
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Args::command(), folder));
    if let Err(error) = written {
        let what = format!("the pages cannot be written to `{}`: {error}", folder.display());
        screen.error(&what, "name a folder in which files can be written")?;
        return Ok(Exit::Failed);
    }
    writeln!(screen.out, "written: {}", folder.join("flowagg.1").display())?;
    Ok(Exit::Done)
}
