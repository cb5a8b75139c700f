//! A JSON parser that keeps the position of every value, the order of members including duplicates, and numbers as
//! text. It never builds a map, so no part of the input is lost.

use std::borrow::Cow;
use std::ops::Range;

/// The maximum nesting depth of arrays and objects. AWS's grammar needs six levels.
pub(crate) const DEEPEST: usize = 64;

/// A value and its position in the text.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value<'a>,
}

/// A JSON value.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// The digits as written.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Vec<Member<'a>>),
}

/// A member of an object: its key, the position of the key, and the value.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: Node<'a>,
}

impl<'a> Node<'a> {
    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A string, number or Boolean as the text that a condition compares.
    ///
    /// Source: "Grammar of the IAM JSON policy language": quotation marks are optional for numbers and Booleans.
    pub(crate) fn as_scalar(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            Value::Number(digits) => Some(digits),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The members of an object.
    pub(crate) fn members(&self) -> Option<&[Member<'a>]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements of an array, or the value itself as the only element: AWS accepts both.
    pub(crate) fn elements(&self) -> &[Node<'a>] {
        match &self.value {
            Value::Array(elements) => elements,
            _ => std::slice::from_ref(self),
        }
    }

    /// The type of the value for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a Boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

/// A syntax error and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) at: usize,
    pub(crate) why: &'static str,
}

/// Parses a single value and rejects any text after it.
pub(crate) fn parse(text: &str) -> Result<Node<'_>, Malformed> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
    reader.space();
    let node = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.wrong("unexpected text after the end of the document"));
    }
    Ok(node)
}

/// The part of a text at a span that [`parse`] returned for the same text.
#[expect(
    clippy::string_slice,
    reason = "every span starts and ends next to an ASCII character; spans of other texts are not valid"
)]
pub(crate) fn part(text: &str, span: Range<usize>) -> &str {
    &text[span]
}

/// Line and column of a position in the text. Both start at 1; the column is in characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, why: &'static str) -> Malformed {
        Malformed { at: self.at, why }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, Malformed> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'"') => Value::String(self.string()?),
            Some(b'{' | b'[') if depth == DEEPEST => return Err(self.wrong("too many levels of nesting")),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => return Err(self.wrong("invalid JSON value")),
            None => return Err(self.wrong("unexpected end of text, expected a value")),
        };
        Ok(Node { span: start..self.at, value })
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Malformed> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong("invalid JSON value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong("expected a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::Number(part(self.text, start..self.at)))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let start = self.at;
        self.plain();
        if self.peek() == Some(b'"') {
            let text = part(self.text, start..self.at);
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        self.escaped(start).map(Cow::Owned)
    }

    /// Skips the characters of a string that represent themselves.
    fn plain(&mut self) {
        self.at += plain_bytes(&self.bytes[self.at..]);
    }

    /// Parses the rest of a string with escapes.
    fn escaped(&mut self, start: usize) -> Result<String, Malformed> {
        let mut text = part(self.text, start..self.at).to_owned();
        loop {
            let from = self.at;
            self.plain();
            text.push_str(part(self.text, from..self.at));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.wrong("unescaped control character in a string")),
                None => return Err(self.wrong("unterminated string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        const UNKNOWN: &str = "invalid escape sequence";
        self.at += 1;
        let plain = match self.peek() {
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.wrong(UNKNOWN)),
        };
        self.at += 1;
        Ok(plain)
    }

    /// Parses the character of `\uXXXX`, or of a surrogate pair.
    fn unicode(&mut self) -> Result<char, Malformed> {
        const ALONE: &str = "unpaired surrogate";
        let first = self.four_digits()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.wrong(ALONE));
        }
        if !self.bytes[self.at..].starts_with(b"\\u") {
            return Err(self.wrong(ALONE));
        }
        self.at += 2;
        let second = self.four_digits()?;
        if first >= 0xDC00 || !(0xDC00..0xE000).contains(&second) {
            return Err(self.wrong(ALONE));
        }
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            .ok_or_else(|| self.wrong(ALONE))
    }

    fn four_digits(&mut self) -> Result<u32, Malformed> {
        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        let mut number = 0;
        for digit in digits {
            let Some(value) = char::from(*digit).to_digit(16) else { break };
            number = number * 16 + value;
            self.at += 1;
        }
        if digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit) {
            Ok(number)
        } else {
            Err(self.wrong("expected four hexadecimal digits"))
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        let mut elements = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(elements));
        }
        loop {
            self.space();
            elements.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(elements));
                }
                _ => return Err(self.wrong("expected `,` or `]`")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        let mut members = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a key in quotation marks"));
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = start..self.at;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.wrong("expected `:`"));
            }
            self.at += 1;
            self.space();
            members.push(Member { key, key_span, value: self.value(depth + 1)? });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(members));
                }
                _ => return Err(self.wrong("expected `,` or `}`")),
            }
        }
    }
}

/// The number of bytes before the first quotation mark, backslash or control character.
fn plain_bytes(bytes: &[u8]) -> usize {
    let is_control = |b: &u8| *b < b' ';
    let end = memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    let plain = &bytes[..end];
    // Control characters are rare, and checking for their presence is faster than finding the first one: without an
    // early exit, the compiler compares many bytes at once.
    if plain.iter().fold(false, |found, b| found | is_control(b)) {
        plain.iter().position(is_control).unwrap_or(end)
    } else {
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_position_and_spelling() {
        let text = " {\"a\": [1.50, \"\\u00e9\\ud83d\\ude00\"], \"a\": true} ";
        let root = parse(text).unwrap();
        let members = root.members().unwrap();
        assert_eq!(members.len(), 2);
        let list = members[0].value.elements();
        assert_eq!(list[0].as_scalar(), Some("1.50"));
        assert_eq!(list[1].as_str(), Some("é😀"));
        assert_eq!(part(text, list[1].span.clone()), "\"\\u00e9\\ud83d\\ude00\"");
        assert_eq!(part(text, members[1].key_span.clone()), "\"a\"");
    }

    #[test]
    fn invalid_json_is_rejected_with_its_position() {
        for (text, at) in [
            ("", 0),
            ("{", 1),
            ("[1,]", 3),
            ("{\"a\":01}", 6),
            ("\"\\x\"", 2),
            ("\"\\ud800\"", 7),
            ("\"\n\"", 1),
            ("tru", 0),
            ("1 2", 2),
            ("{\"a\" 1}", 5),
            ("\u{feff}{}", 0),
        ] {
            assert_eq!(parse(text).map(|_| ()).unwrap_err().at, at, "{text:?}");
        }
    }

    #[test]
    fn plain_bytes_end_at_the_first_quotation_mark_backslash_or_control_character() {
        for odd in ['"', '\\', '\u{1f}', '\0'] {
            for other in ["a", "é", "\u{7f}", "!", "]", "😀"] {
                for at in 0..40 {
                    let text = format!("{}{odd}#\0#\"#\\", other.repeat(at));
                    assert_eq!(plain_bytes(text.as_bytes()), other.len() * at, "{text:?}");
                }
            }
        }
        assert_eq!(plain_bytes("é#".repeat(20).as_bytes()), 60);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(DEEPEST)).is_ok());
        assert!(parse(&nested(DEEPEST + 1)).is_err());
        assert!(parse(&"[".repeat(1_000_000)).is_err());
    }

    #[test]
    fn lines_and_columns_start_at_one_and_count_characters() {
        assert_eq!(line_and_column("ab", 1), (1, 2));
        assert_eq!(line_and_column("é\né\"x", 5), (2, 2));
    }
}
