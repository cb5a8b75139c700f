//! The identifiers and punctuation of a Rust source, without comments, literals and test code.

/// An identifier, `::`, or one punctuation character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// The line, from 1.
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(is_start)
    }
}

/// A source without its test code.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) tokens: Vec<Token>,
    /// Test-only modules in separate files.
    pub(crate) test_modules: Vec<String>,
}

impl Source {
    pub(crate) fn read(text: &str) -> Self {
        without_tests(&tokens(text))
    }
}

fn is_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(c) = reader.peek(0) {
        let line = reader.line;
        let token = match c {
            '/' if reader.peek(1) == Some('/') => reader.comment(),
            '/' if reader.peek(1) == Some('*') => reader.block_comment(),
            '"' => reader.quoted('"'),
            '\'' => reader.char_or_lifetime(),
            _ if is_start(c) => reader.word(),
            _ if c.is_ascii_digit() => reader.number(),
            ':' if reader.peek(1) == Some(':') => {
                reader.skip(2);
                Some("::".to_owned())
            }
            _ => {
                reader.skip(1);
                (!c.is_whitespace()).then(|| c.to_string())
            }
        };
        tokens.extend(token.map(|text| Token { text, line }));
    }
    tokens
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.line += usize::from(self.peek(0) == Some('\n'));
            self.at += 1;
        }
    }

    fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek(0).filter(|c| accepts(*c)) {
            taken.push(c);
            self.skip(1);
        }
        taken
    }

    fn comment(&mut self) -> Option<String> {
        self.take_while(|c| c != '\n');
        None
    }

    fn block_comment(&mut self) -> Option<String> {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.skip(2);
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.skip(2);
                }
                (Some(_), _) => self.skip(1),
                (None, _) => return None,
            }
            if depth == 0 {
                return None;
            }
        }
    }

    /// A literal between two quotes, with escapes.
    fn quoted(&mut self, quote: char) -> Option<String> {
        self.skip(1);
        while let Some(c) = self.peek(0) {
            self.skip(if c == '\\' { 2 } else { 1 });
            if c == quote {
                break;
            }
        }
        None
    }

    /// A raw string, starting at its hashes or its quote.
    fn raw(&mut self) -> Option<String> {
        let hashes = self.take_while(|c| c == '#').len();
        self.skip(1);
        while let Some(c) = self.peek(0) {
            self.skip(1);
            if c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.skip(hashes);
                break;
            }
        }
        None
    }

    fn char_or_lifetime(&mut self) -> Option<String> {
        if self.peek(1) == Some('\\') || self.peek(2) == Some('\'') {
            return self.quoted('\'');
        }
        self.skip(1);
        self.take_while(is_part);
        None
    }

    /// An identifier, or a literal with a prefix: `b"…"`, `r#"…"#`, `b'…'`.
    fn word(&mut self) -> Option<String> {
        let word = self.take_while(is_part);
        let hashes = (0..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        match (word.as_str(), self.peek(0), self.peek(hashes)) {
            ("r" | "br" | "cr", _, Some('"')) => self.raw(),
            ("r", Some('#'), Some(c)) if is_start(c) => {
                self.skip(1);
                Some(self.take_while(is_part))
            }
            ("b" | "c", Some('"'), _) => self.quoted('"'),
            ("b", Some('\''), _) => self.quoted('\''),
            _ => Some(word),
        }
    }

    fn number(&mut self) -> Option<String> {
        self.take_while(is_part);
        None
    }
}

fn without_tests(tokens: &[Token]) -> Source {
    let mut source = Source::default();
    let mut at = 0;
    while at < tokens.len() {
        let Some((end, is_inner)) = test_attribute(tokens, at) else {
            source.tokens.push(tokens[at].clone());
            at += 1;
            continue;
        };
        if is_inner {
            return Source::default();
        }
        at = end;
        while let Some(end) = attribute(tokens, at) {
            at = end;
        }
        let item = at;
        at = end_of_item(tokens, at);
        let item = &tokens[item..at];
        if let Some(place) = item.iter().position(|token| token.is("mod")).filter(|place| *place < 6) {
            let is_declaration = item.last().is_some_and(|token| token.is(";"));
            source.test_modules.extend(is_declaration.then(|| item[place + 1].text.clone()));
        }
    }
    source
}

/// The end of an attribute that starts at this token.
fn attribute(tokens: &[Token], at: usize) -> Option<usize> {
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.is(text));
    let open = if is(at + 1, "!") { at + 2 } else { at + 1 };
    (is(at, "#") && is(open, "[")).then(|| closed(tokens, open))
}

/// The end of a `#[cfg(test)]` that starts at this token, and whether it applies to the whole file.
fn test_attribute(tokens: &[Token], at: usize) -> Option<(usize, bool)> {
    let end = attribute(tokens, at)?;
    let inside = &tokens[at..end];
    let has = |text: &str| inside.iter().any(|token| token.is(text));
    (has("cfg") && has("test") && !has("not") && !has("any")).then(|| (end, inside[1].is("!")))
}

/// The position after the closing bracket of the one at `open`.
pub(crate) fn closed(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The position after an item: after its `;`, or after the closing brace of its body.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    let is_use =
        tokens[start..].iter().take(6).take_while(|token| !token.is("{")).any(|token| token.is("use"));
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            ";" => return at + 1,
            "{" if !is_use => return closed(tokens, at),
            "(" | "[" | "{" => at = closed(tokens, at),
            _ => at += 1,
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        Source::read(text).tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_not_tokens() {
        let text = r####"
            // crate::a
            /* crate::b /* crate::c */ crate::d */
            x("crate::e \" crate::f", r#"crate::g " crate::h"#, b"crate::i", '"', '\'', b'"', 'life, 1_000u64)
        "####;
        assert_eq!(words(text), ["x", "(", ",", ",", ",", ",", ",", ",", ",", ")"]);
    }

    #[test]
    fn raw_identifiers_have_no_prefix() {
        assert_eq!(words("r#type::x"), ["type", "::", "x"]);
    }

    #[test]
    fn lines_are_counted_through_literals_and_comments() {
        let source = Source::read("/*\n*/ \"\n\" a\n// b\nc");
        let lines: Vec<_> = source.tokens.iter().map(|token| (token.text.as_str(), token.line)).collect();
        assert_eq!(lines, [("a", 3), ("c", 5)]);
    }

    #[test]
    fn test_code_is_skipped() {
        let text = "
            #[cfg(test)] #[allow(x)] mod a { fn b() {} }
            #[cfg(test)] mod c;
            #[cfg(all(test, unix))] pub(crate) use d::{e, f};
            #[cfg(test)] fn g(x: [u8; 3]) -> u8 { 1 }
            #[cfg(not(test))] fn h() {}
        ";
        let source = Source::read(text);
        assert_eq!(source.test_modules, ["c"]);
        let kept: Vec<_> = source.tokens.into_iter().map(|token| token.text).collect();
        assert_eq!(kept.join(" "), "# [ cfg ( not ( test ) ) ] fn h ( ) { }");
        assert!(words("#![cfg(test)] fn a() {}").is_empty());
    }
}
