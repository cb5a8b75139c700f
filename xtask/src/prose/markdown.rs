//! Markdown: its running text, and its headings. Fenced code blocks are left out.

use super::Prose;

/// The running text of a page, or of a doc comment, given as lines with their numbers.
pub(crate) fn read<'a>(lines: impl IntoIterator<Item = (usize, &'a str)>) -> Prose {
    let mut prose = Prose::default();
    for (number, line) in outside_fences(lines) {
        match line {
            Some(line) if !line.trim().is_empty() => {
                prose.push_str(line, number);
                prose.push(' ', number);
                // A heading is a paragraph of its own.
                if line.starts_with('#') {
                    prose.end_paragraph();
                }
            }
            _ => prose.end_paragraph(),
        }
    }
    prose
}

/// The text of each heading.
pub(crate) fn headings(text: &str) -> Vec<&str> {
    let lines = outside_fences((1..).zip(text.lines())).into_iter().filter_map(|(_, line)| line);
    let headings = lines.filter_map(|line| {
        let level = line.len() - line.trim_start_matches('#').len();
        let rest = line.get(level..)?;
        let is_heading = (1..=6).contains(&level) && rest.starts_with([' ', '\t']);
        is_heading.then(|| rest.trim().trim_end_matches('#').trim_end())
    });
    headings.collect()
}

/// The lines, with `None` for those of fenced code blocks.
fn outside_fences<'a>(lines: impl IntoIterator<Item = (usize, &'a str)>) -> Vec<(usize, Option<&'a str>)> {
    let mut open: Option<(char, usize)> = None;
    let mut outside = Vec::new();
    for (number, line) in lines {
        let found = fence(line);
        let text = match (open, found) {
            (Some((c, length)), Some((other, found, info))) => {
                // A closing fence is at least as long as the opening one and has no info string.
                if c == other && found >= length && info.is_empty() {
                    open = None;
                }
                None
            }
            (Some(_), None) => None,
            (None, Some((c, length, _))) => {
                open = Some((c, length));
                None
            }
            (None, None) => Some(line),
        };
        outside.push((number, text));
    }
    outside
}

/// The character, the length and the info string of a line that may open or close a code block. Blocks in lists and quotes are
/// indented.
///
/// Source: "Fenced code blocks" in the `CommonMark` specification.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim_start_matches([' ', '>']);
    let c = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = line.trim_start_matches(c);
    let length = line.len() - info.len();
    (length >= 3 && !(c == '`' && info.contains('`'))).then(|| (c, length, info.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(page: &str) -> String {
        read((1..).zip(page.lines())).text().to_owned()
    }

    #[test]
    fn fenced_blocks_are_left_out() {
        let page = "one\n```sh\ncode\n```\ntwo\n\n- item\n\n  ~~~~\n  ~~~\n  code\n  ~~~~\n  three\n````text\n```\ncode\n````\nfour";
        assert_eq!(text(page), "one\ntwo\n- item\nthree\nfour ");
    }

    #[test]
    fn inline_code_of_three_backticks_opens_no_block() {
        assert_eq!(text("```a``` b\nc"), "```a``` b c ");
    }

    #[test]
    fn headings_are_found_outside_of_blocks() {
        let page = "# One `a`\n```sh\n# no heading\n```\n#no heading\n### Two ##\n####### no heading\n";
        assert_eq!(headings(page), ["One `a`", "Two"]);
    }
}
