//! Cleans up text from other sources, such as error messages of AWS.

/// The text on one line, with its words separated by single spaces. Control characters are removed.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_and_control_characters_are_removed() {
        assert_eq!(one_line("  not\r\n\tallowed:\u{1b}[31m s3 \n"), "not allowed: [31m s3");
        assert_eq!(one_line(" \n"), "");
    }
}
