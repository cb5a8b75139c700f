//! Escaped text and JSON in HTML: names and messages never become markup or script.

use std::fmt::{self, Display, Write as _};

use serde_json::Value;

/// Formats JSON for a script element. No string in it can end the element.
pub(super) fn in_script(value: &Value) -> String {
    let text = value.to_string();
    // In JSON, these characters occur only in strings. Some JavaScript parsers treat the last two as line breaks.
    let escaped = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    escaped.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Escapes text for HTML; text in backticks becomes code.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.0.split('`').collect();
        // With an odd number of backticks, none of them marks code.
        let quotes = parts.len() % 2 == 1;
        for (n, part) in parts.iter().enumerate() {
            match (quotes, n % 2) {
                (true, 1) => write!(f, "<code>{}</code>", Escaped(part))?,
                (false, _) if n > 0 => write!(f, "`{}", Escaped(part))?,
                _ => write!(f, "{}", Escaped(part))?,
            }
        }
        Ok(())
    }
}

/// Escapes text for HTML and for attribute values.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}
