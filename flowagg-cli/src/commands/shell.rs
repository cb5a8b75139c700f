//! What flowagg tells shells and `man` of its command line.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use super::error::CommandError;
use super::files::write_all;
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
    let pages = fs::create_dir_all(folder).and_then(|()| pages(folder));
    let pages = pages.map_err(|error| {
        let what = format!("the pages cannot be written to `{}`: {error}", folder.display());
        CommandError::file(what, "name a folder in which files can be written")
    })?;
    write_all(pages.iter().map(|(path, page)| (path.as_path(), page.as_slice())))?;
    writeln!(screen.out, "written: {}", folder.join("flowagg.1").display())?;
    Ok(Exit::Done)
}

/// The pages with their places in this folder.
fn pages(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let made = tempfile::tempdir_in(folder)?;
    clap_mangen::generate_to(Args::command(), made.path())?;
    let page = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((folder.join(entry.file_name()), fs::read(entry.path())?))
    };
    fs::read_dir(made.path())?.map(page).collect()
}
