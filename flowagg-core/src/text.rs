//! Text that others wrote, such as error messages of AWS.

/// The words of a text on one line, with one space between them. Control characters are left out.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_and_line_breaks_and_control_characters_are_not() {
        assert_eq!(one_line("  not\r\n\tallowed:\u{1b}[31m s3 \n"), "not allowed: [31m s3");
        assert_eq!(one_line(" \n"), "");
    }
}
