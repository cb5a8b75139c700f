//! `flowagg man`: man pages, one for each command.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::error::CommandError;
use super::files::write_all;
use crate::args::Args;
use crate::{Exit, Screen};

/// The source of the pages, for their footer.
const SOURCE: &str = concat!("flowagg ", env!("CARGO_PKG_VERSION"));

pub(super) fn man(folder: &Path, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    fs::create_dir_all(folder).map_err(|error| {
        let what = format!("man pages cannot be written to `{}`: {error}", folder.display());
        CommandError::file(what, "choose a writable folder")
    })?;
    let pages = pages()?;
    let pages: Vec<(PathBuf, Vec<u8>)> =
        pages.into_iter().map(|(name, page)| (folder.join(name), page)).collect();
    write_all(pages.iter().map(|(path, page)| (path.as_path(), page.as_slice())))?;
    writeln!(screen.out, "written: {}", folder.join("flowagg.1").display())?;
    Ok(Exit::Done)
}

/// The page of each command, with its file name.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(&command, &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        add(subcommand, pages)?;
    }
    // clap_mangen joins the lines of this text into paragraphs, in a section named EXTRA.
    let sections = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let man = Man::new(command.clone().after_help(None::<&'static str>)).source(SOURCE);
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend(render(&sections).into_bytes());
    pages.push((man.get_filename(), page));
    Ok(())
}

/// The sections of the help that follow the options, `Examples:` and `Exit codes:`, in roff.
fn render(help: &str) -> String {
    let mut roff = Roff::new();
    let mut is_list = false;
    for line in help.lines().filter(|line| !line.trim().is_empty()) {
        let indented = line.strip_prefix("  ");
        match (indented, line) {
            (None, "Examples:") => {
                roff.control("SH", ["EXAMPLES"]).control("nf", []);
            }
            (None, "Exit codes:") => {
                roff.control("fi", []).control("SH", ["EXIT STATUS"]);
                is_list = true;
            }
            (Some(line), _) if is_list && line.starts_with(|c: char| c.is_ascii_digit()) => {
                let (code, meaning) = line.split_once(' ').unwrap_or((line, ""));
                roff.control("TP", []).text([roman(code)]).text([roman(meaning.trim_start())]);
            }
            (_, line) if is_list => {
                roff.text([roman(line.trim_start())]);
            }
            (indented, line) => {
                roff.text([roman(indented.unwrap_or(line))]);
            }
        }
    }
    if !is_list && !help.is_empty() {
        roff.control("fi", []);
    }
    // Every text that roff renders starts with the same definitions, which the page has already.
    let definitions = Roff::new().render();
    let text = roff.render();
    text.strip_prefix(&definitions).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, file, str};

    use super::*;

    fn page(name: &str) -> String {
        let (_, page) = pages().unwrap().into_iter().find(|(found, _)| found == name).unwrap();
        String::from_utf8(page).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }

    #[test]
    fn man_page_contains_options_examples_and_exit_status() {
        assert_data_eq!(page("flowagg-verify.1"), file!["man/flowagg-verify.1"].raw());
    }

    #[test]
    fn examples_keep_their_lines() {
        let page = page("flowagg-policy-simulate.1");
        let (_, examples) = page.split_once(".SH EXAMPLES\n").unwrap();
        assert_data_eq!(
            examples,
            str![[r#"
.nf
flowagg policy simulate /-/-policy live.json /-/-account 222222222222
flowagg policy simulate /-/-policy live.json /-/-account 222222222222 //
  /-/-region eu/-west/-1 /-/-key AWSLogs/333333333333/x
flowagg policy simulate /-/-policy live.json /-/-requests requests.jsonl /-/-json
.fi

"#]]
        );
    }

    #[test]
    fn every_page_has_examples_and_no_extra_section() {
        for (name, page) in pages().unwrap() {
            let page = String::from_utf8(page).unwrap();
            assert!(!page.contains(".SH EXTRA"), "{name}");
            let is_parent = ["flowagg-export.1", "flowagg-policy.1"].contains(&name.as_str());
            assert_eq!(page.contains(".SH EXAMPLES\n.nf\n"), !is_parent, "{name}");
        }
    }
}
