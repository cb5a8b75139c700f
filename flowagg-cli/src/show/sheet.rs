//! An output stream with an optional width: a terminal has one, a file or a pipe does not. Lines are wrapped only here.

use std::fmt::{Arguments, Display};
use std::io::{self, Write};
use std::path::Path;

use textwrap::core::{Word, break_words, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;

use super::style::{self, DIM};

/// The minimum width. Tables on narrower terminals would be unreadable.
const NARROWEST: usize = 40;
/// The minimum width of wrapped text next to its indent.
const READABLE: usize = 20;
/// A space at which a line is never broken (no-break space, printed as a normal space).
pub(crate) const TIE: char = '\u{a0}';

/// An output stream and its width.
pub struct Sheet<'a> {
    to: &'a mut dyn Write,
    width: Option<usize>,
    /// The options that each flowagg command in the output needs to read the same fleet file.
    options: Option<String>,
}

impl<'a> Sheet<'a> {
    /// Creates a sheet with this terminal width. `None` disables wrapping: each item is written on one line, for tools such as `grep`
    /// and `diff`.
    pub fn new(to: &'a mut dyn Write, width: Option<usize>) -> Self {
        Self { to, width: width.map(|width| width.max(NARROWEST)), options: None }
    }

    /// Sets the fleet file of the run. Each flowagg command in the output gets `-c FILE`, so it can be copied.
    pub(crate) fn set_fleet_file(&mut self, path: &Path) {
        self.options = Some(format!("-c {}", in_a_shell(&path.display().to_string())));
    }

    /// Writes text unchanged, a part of a line or several lines. Called by `write!`.
    pub fn write_fmt(&mut self, text: Arguments<'_>) -> io::Result<()> {
        self.to.write_fmt(text)
    }

    /// The width in columns; `None` if there is none.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Writes text and wraps it. All lines after the first are indented by `indent` spaces. Words with a [`TIE`] between them stay on the
    /// same line.
    pub(crate) fn line(&mut self, indent: usize, text: impl Display) -> io::Result<()> {
        let text = text.to_string();
        let text = match &self.options {
            Some(options) => with_options(&text, options),
            None => text,
        };
        let text = visible(&text);
        let Some(width) = self.width else {
            let below = format!("\n{:indent$}", "");
            return writeln!(self.to, "{}", text.replace(TIE, " ").replace('\n', &below));
        };
        let indent = indent.min(width - READABLE);
        let room = width - indent;
        for (number, part) in text.split('\n').enumerate() {
            let words = break_words(words(part, room), room);
            let first = if number == 0 { width } else { room };
            // Columns are few enough for the numbers that the crate counts in.
            #[allow(clippy::cast_precision_loss, reason = "for a screen")]
            let widths = [first as f64, room as f64];
            for (below, line) in wrap_first_fit(&words, &widths).into_iter().enumerate() {
                let indent = if number + below == 0 { 0 } else { indent };
                let line: String = line.iter().flat_map(|word| [word.word, word.whitespace]).collect();
                writeln!(self.to, "{:indent$}{}", "", line.trim_end_matches(' ').replace(TIE, " "))?;
            }
        }
        Ok(())
    }

    /// Writes dimmed text below another line, such as a fix or an object key. All lines are indented by `indent` spaces.
    pub(super) fn aside(&mut self, indent: usize, text: impl Display) -> io::Result<()> {
        self.line(indent, format_args!("{:indent$}{DIM}{text}{DIM:#}", ""))
    }
}

impl Write for Sheet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Adds the options to each flowagg command in the text that does not name a fleet file.
fn with_options(text: &str, options: &str) -> String {
    let mut parts = text.split("`flowagg ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let options = if part.starts_with("-c ") { String::new() } else { format!("{options} ") };
        text + "`flowagg " + &options + part
    })
}

/// Quotes a path as one word of a shell command.
pub(crate) fn in_a_shell(path: &str) -> String {
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '\\' | ':' | '~' | '+' | '@');
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// Whether a character controls the terminal, or changes the direction or order of the surrounding text.
pub(super) fn controls(c: char) -> bool {
    let directs =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || directs || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Escapes every character that controls the terminal, or changes the direction or order of other text. An escape character becomes
/// `\u{1b}`. Line breaks and flowagg's own styles are kept.
///
/// Source: "Unicode Bidirectional Algorithm" (Unicode Standard Annex #9), for the directional characters.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) =
        rest.find(|c| c != '\n' && controls(c)).and_then(|at| rest.split_at_checked(at))
    {
        out.push_str(before);
        let own = style::SEQUENCES.iter().find_map(|own| Some((from.strip_prefix(own.as_str())?, own)));
        rest = match own {
            Some((after, own)) => {
                out.push_str(own);
                after
            }
            None => {
                let mut characters = from.chars();
                match characters.next() {
                    Some('\t') => out.push(' '),
                    first => out.extend(first.into_iter().flat_map(char::escape_unicode)),
                }
                characters.as_str()
            }
        };
    }
    out + rest
}

/// Splits text into the units that stay on one line of `room` columns: words, and commands in backticks, so they can be copied. A key,
/// a path or an ARN that is longer than the line is split at its separators.
fn words(text: &str, room: usize) -> Vec<Word<'_>> {
    let mut rest = text;
    let mut words = Vec::new();
    while !rest.is_empty() {
        let (word, after) = first_word(rest, room);
        rest = after;
        if display_width(word.trim_end_matches(' ')) > room {
            words.extend(word.split_inclusive(['/', '_']).map(Word::from));
        } else {
            words.push(Word::from(word));
        }
    }
    words
}

/// Splits text into its first word, including the spaces after it, and the rest.
fn first_word(text: &str, room: usize) -> (&str, &str) {
    let whole = (text, "");
    let mut parts = text.match_indices(' ').filter_map(|(at, space)| text.split_at_checked(at + space.len()));
    let closed = |(word, _): &(&str, &str)| word.matches('`').count().is_multiple_of(2);
    let first = parts.next().unwrap_or(whole);
    let part = if closed(&first) { first } else { parts.find(closed).unwrap_or(whole) };
    // A quotation longer than half a line is split like other text.
    let (_, after) = if display_width(part.0) > room / 2 { first } else { part };
    let after = after.trim_start_matches(' ');
    text.split_at_checked(text.len() - after.len()).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: Option<usize>, indent: usize, text: &str) -> String {
        let mut out = Vec::new();
        Sheet::new(&mut out, width).line(indent, text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn long_lines_are_wrapped_with_an_indent() {
        let text = "error: the bucket policy lets an account deliver without a fleet entry";
        assert_eq!(
            written(Some(40), 7, text),
            "error: the bucket policy lets an account\n       deliver without a fleet entry\n"
        );
    }

    #[test]
    fn lines_are_not_wrapped_without_a_width() {
        let text = "a ".repeat(500);
        assert_eq!(written(None, 7, &text), format!("{text}\n"));
    }

    #[test]
    fn styles_have_no_width() {
        let text = "\u{1b}[31merror\u{1b}[0m: 3456789 123456789 123456789 1234";
        assert_eq!(written(Some(40), 7, text), format!("{text}\n"));
    }

    #[test]
    fn control_characters_are_escaped() {
        let text = "a\u{1b}]8;;x\u{7}b\u{1b}[5mc\u{9b}d\u{202e}e\tf";
        assert_eq!(written(None, 0, text), "a\\u{1b}]8;;x\\u{7}b\\u{1b}[5mc\\u{9b}d\\u{202e}e f\n");
    }

    #[test]
    fn commands_include_the_fleet_file_option() {
        let mut out = Vec::new();
        let text = "next: `flowagg plan`, or `flowagg -c FILE destroy`; `apply` is the verb";
        for path in ["eu.toml", "my fleets/it's.toml"] {
            let mut sheet = Sheet::new(&mut out, None);
            sheet.set_fleet_file(Path::new(path));
            sheet.line(0, text).unwrap();
        }
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "next: `flowagg -c eu.toml plan`, or `flowagg -c FILE destroy`; `apply` is the verb\n\
             next: `flowagg -c 'my fleets/it'\\''s.toml' plan`, or `flowagg -c FILE destroy`; `apply` is the verb\n"
        );
    }

    #[test]
    fn command_in_backticks_stays_on_one_line() {
        let text = "to revoke what is not in the file, `apply --prune`";
        assert_eq!(written(Some(40), 2, text), "to revoke what is not in the file,\n  `apply --prune`\n");
    }

    #[test]
    fn unclosed_backtick_does_not_prevent_wrapping() {
        let text = "a ` and then words that go on and on until the line is full of them";
        assert!(written(Some(40), 2, text).lines().all(|line| line.len() <= 40));
    }

    #[test]
    fn arn_that_fits_is_not_split_and_a_longer_key_is_split_at_separators() {
        let arn = "arn:aws:iam::222222222222:role/audit";
        assert_eq!(written(Some(40), 2, &format!("error: {arn}")), format!("error:\n  {arn}\n"));
        let key = "AWSLogs/222222222222/vpcflowlogs/eu-west-1/222222222222_vpcflowlogs_eu-west-1_fl-0a1b2c3d.log.gz";
        let lines = [
            "AWSLogs/222222222222/vpcflowlogs/",
            "eu-west-1/222222222222_vpcflowlogs_",
            "eu-west-1_fl-0a1b2c3d.log.gz",
        ];
        assert_eq!(written(Some(40), 2, key), lines.join("\n  ") + "\n");
        let word = "0123456789".repeat(5);
        assert_eq!(written(Some(40), 2, &word).replace("\n  ", ""), format!("{word}\n"));
    }
}
