//! The prose of a Rust file: string literals, doc comments, and the names of tests.

use std::str::Chars;

use anyhow::anyhow;
use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};

use super::{Prose, markdown};

/// The kind of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string literal, unescaped.
    Literal,
    /// The lines of a doc comment, as Markdown.
    Doc,
    /// The name of a test, with spaces between its words.
    TestName,
}

/// Reads the texts of a file, in order.
pub(crate) fn read(source: &str) -> anyhow::Result<Vec<(Kind, Prose)>> {
    let tokens: TokenStream =
        source.parse().map_err(|error: proc_macro2::LexError| anyhow!("not Rust: {error}"))?;
    let mut reader = Reader { source, found: Vec::new(), doc: Vec::new() };
    reader.stream(tokens, false);
    reader.end_doc();
    Ok(reader.found)
}

struct Reader<'a> {
    source: &'a str,
    found: Vec<(Kind, Prose)>,
    /// The lines of the current doc comment.
    doc: Vec<(usize, &'a str)>,
}

impl<'a> Reader<'a> {
    /// Reads the tokens of a file or a group. In the braces of a macro such as `stories!`, an entry that starts with `NAME:` is a
    /// test of that name.
    fn stream(&mut self, tokens: TokenStream, is_macro: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut is_test = false;
        for (at, token) in tokens.iter().enumerate() {
            let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
            match token {
                TokenTree::Group(group) => {
                    if is_punct(before(1), '#') || (is_punct(before(1), '!') && is_punct(before(2), '#')) {
                        is_test |= is_test_attribute(group);
                    }
                    let is_macro = group.delimiter() == Delimiter::Brace
                        && is_punct(before(1), '!')
                        && matches!(before(2), Some(TokenTree::Ident(_)));
                    self.stream(group.stream(), is_macro);
                }
                TokenTree::Literal(literal) => self.literal(literal),
                TokenTree::Ident(name) => {
                    let is_function = matches!(before(1), Some(TokenTree::Ident(word)) if word == "fn");
                    let starts_entry = before(1).is_none_or(|token| is_punct(Some(token), ';'));
                    let is_entry = is_macro
                        && starts_entry
                        && is_punct(tokens.get(at + 1), ':')
                        && !is_punct(tokens.get(at + 2), ':');
                    if (is_function && is_test) || is_entry {
                        self.test_name(name);
                    }
                    is_test &= !is_function;
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn test_name(&mut self, name: &Ident) {
        let mut prose = Prose::default();
        prose.push_str(&name.to_string().replace('_', " "), name.span().start().line);
        self.found.push((Kind::TestName, prose));
    }

    fn literal(&mut self, literal: &Literal) {
        let line = literal.span().start().line;
        let Some(written) = self.source.get(literal.span().byte_range()) else { return };
        if written.starts_with("//") || written.starts_with("/*") {
            self.doc_comment(written, line);
        } else if let Some(text) = written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            let mut prose = Prose::default();
            unescape(text, line, &mut prose);
            self.found.push((Kind::Literal, prose));
        } else if let Some(raw) = written.strip_prefix('r') {
            let text = raw.trim_matches('#');
            let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
            let mut prose = Prose::default();
            push_lines(text, line, &mut prose);
            self.found.push((Kind::Literal, prose));
        }
        // Everything else is a number, a character or a byte string.
    }

    fn doc_comment(&mut self, written: &'a str, line: usize) {
        if self.doc.last().is_some_and(|(last, _)| last + 1 != line) {
            self.end_doc();
        }
        let block = written.strip_prefix("/**").or(written.strip_prefix("/*!"));
        if let Some(block) = block.and_then(|block| block.strip_suffix("*/")) {
            let lines = block.lines().map(|line| line.trim_start().trim_start_matches('*'));
            self.doc.extend((line..).zip(lines.map(without_space)));
        } else {
            self.doc.push((line, without_space(written.trim_start_matches(['/', '!']))));
        }
    }

    fn end_doc(&mut self) {
        if !self.doc.is_empty() {
            let prose = markdown::read(std::mem::take(&mut self.doc));
            self.found.push((Kind::Doc, prose));
        }
    }
}

fn without_space(line: &str) -> &str {
    line.strip_prefix(' ').unwrap_or(line)
}

fn is_punct(token: Option<&TokenTree>, c: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

/// Whether an attribute marks a test: `#[test]`, `#[tokio::test]`, and not `#[cfg(test)]`.
fn is_test_attribute(group: &Group) -> bool {
    let path = group.stream().into_iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    path.last().is_some_and(|token| matches!(&token, TokenTree::Ident(word) if word == "test"))
}

/// Appends the value of a string literal. An empty line in it ends a paragraph.
fn unescape(text: &str, mut line: usize, prose: &mut Prose) {
    let mut chars = text.chars();
    let mut is_line_empty = false;
    while let Some(c) = chars.next() {
        let value = match c {
            '\\' => match chars.next() {
                Some('\n') => {
                    // A continuation: the line break and the indentation are not in the value.
                    line += 1;
                    let rest = chars.as_str().trim_start();
                    line += chars.as_str().matches('\n').count() - rest.matches('\n').count();
                    chars = rest.chars();
                    continue;
                }
                Some(escaped) => escape(escaped, &mut chars),
                None => break,
            },
            c => c,
        };
        if value == '\n' && is_line_empty {
            prose.end_paragraph();
        }
        is_line_empty = value == '\n' || (is_line_empty && value.is_whitespace());
        prose.push(value, line);
        line += usize::from(c == '\n');
    }
}

/// The value of an escape, from the character behind the backslash.
fn escape(escaped: char, chars: &mut Chars<'_>) -> char {
    let code = match escaped {
        'n' => return '\n',
        'r' | 't' | '0' => return ' ',
        'x' => chars.by_ref().take(2).collect::<String>(),
        'u' => chars.by_ref().take_while(|c| *c != '}').filter(char::is_ascii_hexdigit).collect(),
        _ => return escaped,
    };
    let code = u32::from_str_radix(&code, 16).ok();
    code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Appends the lines of a raw string.
fn push_lines(text: &str, first: usize, prose: &mut Prose) {
    for (number, line) in (first..).zip(text.split('\n')) {
        if line.trim().is_empty() {
            prose.end_paragraph();
        }
        prose.push_str(line, number);
        prose.push(' ', number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each text with its kind and the line of its last character.
    fn texts(source: &str) -> Vec<(Kind, String, usize)> {
        let found = read(source).unwrap().into_iter();
        found
            .map(|(kind, prose)| {
                let text = prose.text().trim_end().to_owned();
                let line = prose.line(text.len().saturating_sub(1));
                (kind, text, line)
            })
            .collect()
    }

    fn one(kind: Kind, text: &str, line: usize) -> (Kind, String, usize) {
        (kind, text.to_owned(), line)
    }

    #[test]
    fn string_literals_are_unescaped() {
        let source = r#"a("one \"two\" \u{e9}\x41\tthree", 'c', b"bytes", 1);"#;
        assert_eq!(texts(source), [one(Kind::Literal, "one \"two\" éA three", 1)]);
    }

    #[test]
    fn raw_strings_keep_backslashes_and_quotes() {
        let source = "a(\n  r\"one \\n\", r##\"two \"# three\"##);";
        assert_eq!(texts(source), [one(Kind::Literal, "one \\n", 2), one(Kind::Literal, "two \"# three", 2)]);
    }

    #[test]
    fn string_over_several_lines_keeps_each_line() {
        let source = "\n\"one \\\n     two\nthree\n\nfour\"";
        let found = read(source).unwrap();
        let [(Kind::Literal, prose)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(prose.text(), "one two three\nfour");
        let line = |word| prose.line(prose.text().find(word).unwrap());
        assert_eq!(["one", "two", "three", "four"].map(line), [2, 3, 4, 6]);
        let raw = texts("r\"one\ntwo\"");
        assert_eq!(raw, [one(Kind::Literal, "one two", 2)]);
    }

    #[test]
    fn doc_comment_is_one_text_without_its_code_blocks() {
        let source = "//! Module.\n\n/// One\n/// two.\n///\n/// ```\n/// code();\n/// ```\n/// three\nstruct A;\n// comment\n/** Four\n * five */\nstruct B;";
        assert_eq!(
            texts(source),
            [
                one(Kind::Doc, "Module.", 1),
                one(Kind::Doc, "One two.\nthree", 9),
                one(Kind::Doc, "Four five", 13)
            ]
        );
    }

    #[test]
    fn names_of_tests_and_stories_are_read_as_words() {
        let source = "#[cfg(test)] mod tests {\n#[test]\n#[ignore = \"slow\"]\nfn one_two() {}\nfn helper_name() {}\n\
                      #[tokio::test(start_paused = true)]\nasync fn three_four() {} }\n\
                      stories! { five_six: \"page\" => a::b; seven_eight: c; }\nmacro_rules! m { nine_ten: x }";
        let names: Vec<_> = texts(source).into_iter().filter(|(kind, ..)| *kind == Kind::TestName).collect();
        let name = |text, line| one(Kind::TestName, text, line);
        assert_eq!(
            names,
            [name("one two", 4), name("three four", 7), name("five six", 8), name("seven eight", 8)]
        );
    }

    #[test]
    fn invalid_source_is_an_error() {
        assert_eq!(
            read("fn a( {").unwrap_err().to_string(),
            "not Rust: cannot parse string into token stream"
        );
    }
}
