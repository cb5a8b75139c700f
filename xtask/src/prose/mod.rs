//! The prose of the repository: Markdown pages, and the string literals, doc comments and test names of Rust files. Each text
//! keeps the line of every character, so that a finding can name its line.

mod markdown;
mod rust;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub(crate) use markdown::{headings, read as read_markdown};
pub(crate) use rust::{Kind, read as read_rust};

/// Separates paragraphs in a [`Prose`]; no phrase and no code span crosses it.
pub(crate) const BREAK: char = '\n';
/// Replaces each byte of masked text.
const MASK: &str = "\u{1}";

/// Running text. Whitespace is collapsed to single spaces, and empty lines to a [`BREAK`].
#[derive(Debug, Default)]
pub(crate) struct Prose {
    text: String,
    /// Byte offsets at which a line starts, with its number, in ascending order.
    lines: Vec<(usize, usize)>,
}

impl Prose {
    /// Appends a character of a line of the file.
    fn push(&mut self, c: char, line: usize) {
        if c.is_whitespace() && self.text.ends_with([' ', BREAK]) {
            return;
        }
        if self.lines.last().is_none_or(|(_, last)| *last != line) {
            self.lines.push((self.text.len(), line));
        }
        self.text.push(if c.is_whitespace() { ' ' } else { c });
    }

    fn push_str(&mut self, text: &str, line: usize) {
        text.chars().for_each(|c| self.push(c, line));
    }

    fn end_paragraph(&mut self) {
        if self.text.ends_with(' ') {
            self.text.pop();
        }
        if !self.text.is_empty() && !self.text.ends_with(BREAK) {
            self.text.push(BREAK);
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The line of a byte offset in [`Self::text`].
    pub(crate) fn line(&self, offset: usize) -> usize {
        let after = self.lines.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).and_then(|at| self.lines.get(at)).map_or(1, |(_, line)| *line)
    }

    /// The text with code spans masked. Byte offsets stay the same.
    pub(crate) fn without_code(&self) -> String {
        let mut masked = String::with_capacity(self.text.len());
        for paragraph in self.text.split_inclusive(BREAK) {
            let mut rest = paragraph;
            while let Some(start) = rest.find('`') {
                let (before, code) = rest.split_at(start);
                let ticks = code.len() - code.trim_start_matches('`').len();
                let (fence, inside) = code.split_at(ticks);
                masked.push_str(before);
                // A run of another length is part of the code. Without a closing run the backticks are text.
                let Some(length) = closing(inside, ticks) else {
                    masked.push_str(fence);
                    rest = inside;
                    continue;
                };
                masked.push_str(&MASK.repeat(ticks + length + ticks));
                rest = inside.get(length + ticks..).unwrap_or_default();
            }
            masked.push_str(rest);
        }
        masked
    }
}

/// The number of bytes before a run of exactly this number of backticks.
fn closing(text: &str, ticks: usize) -> Option<usize> {
    let mut at = 0;
    loop {
        let run = text.get(at..)?;
        at += run.find('`')?;
        let run = text.get(at..)?;
        let length = run.len() - run.trim_start_matches('`').len();
        if length == ticks {
            return Some(at);
        }
        at += length;
    }
}

/// The Markdown pages of the root, of `docs` and the READMEs of the crates: paths from the root, sorted.
pub(crate) fn pages(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut pages = Vec::new();
    for folder in [root.to_owned(), root.join("docs")] {
        pages.extend(entries(&folder)?.into_iter().filter(|path| has_extension(path, "md")));
    }
    let folders = entries(root)?.into_iter().filter(|path| path.join("Cargo.toml").is_file());
    pages.extend(folders.map(|folder| folder.join("README.md")).filter(|page| page.is_file()));
    let mut pages = pages.iter().map(|page| relative(root, page)).collect::<anyhow::Result<Vec<_>>>()?;
    pages.sort();
    Ok(pages)
}

/// The Rust files in these folders of every crate: paths from the root, sorted. Recorded data is left out.
pub(crate) fn rust_files(root: &Path, folders: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut open: Vec<PathBuf> = Vec::new();
    for package in entries(root)?.into_iter().filter(|path| path.join("Cargo.toml").is_file()) {
        open.extend(folders.iter().map(|folder| package.join(folder)).filter(|folder| folder.is_dir()));
    }
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for path in entries(&folder)? {
            if path.is_dir() && !path.ends_with("tests/data") {
                open.push(path);
            } else if has_extension(&path, "rs") {
                files.push(relative(root, &path)?);
            }
        }
    }
    files.sort();
    Ok(files)
}

pub(crate) fn read(root: &Path, file: &str) -> anyhow::Result<String> {
    fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    Ok(entries.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?)
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|it| it == extension)
}

/// The path from the root, with `/` on every platform.
fn relative(root: &Path, path: &Path) -> anyhow::Result<String> {
    let parts: Vec<_> = path.strip_prefix(root)?.iter().map(|part| part.to_string_lossy()).collect();
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(lines: &[&str]) -> Prose {
        let mut prose = Prose::default();
        for (number, line) in (1..).zip(lines) {
            prose.push_str(line, number);
            prose.push(' ', number);
        }
        prose
    }

    #[test]
    fn whitespace_is_collapsed_and_lines_are_kept() {
        let mut prose = prose(&["one  two", "   three"]);
        prose.end_paragraph();
        prose.end_paragraph();
        prose.push_str("four", 9);
        assert_eq!(prose.text(), "one two three\nfour");
        let line = |word| prose.line(prose.text().find(word).unwrap());
        assert_eq!(["one", "two", "three", "four"].map(line), [1, 1, 2, 9]);
    }

    #[test]
    fn code_spans_are_masked_and_offsets_stay() {
        let text = "é `código` b ``c ` d`` e `f";
        let masked = prose(&[text]).without_code();
        assert_eq!(masked.replace(MASK, "_"), "é _________ b _________ e `f ");
        assert_eq!(masked.find("e `f"), text.find("e `f"));
    }

    #[test]
    fn code_span_ends_with_its_paragraph() {
        let mut prose = prose(&["a `b"]);
        prose.end_paragraph();
        prose.push_str("c` d", 3);
        assert_eq!(prose.without_code(), "a `b\nc` d");
    }
}
