use std::cell::OnceCell;

/// The distance between two known positions in bytes, which bounds what a lookup reads.
const STEP: usize = 256;

/// Maps byte offsets to lines and columns without a scan from the start for each lookup.
pub(super) struct Positions<'t> {
    text: &'t str,
    /// In ascending order. Computed by the first lookup, because a text without errors needs none.
    known: OnceCell<Vec<Position>>,
}

/// A position in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// In bytes, starting at 0.
    offset: usize,
    /// Starting at 1.
    pub(super) line: usize,
    /// In characters, starting at 1.
    pub(super) column: usize,
}

impl Position {
    const START: Self = Self { offset: 0, line: 1, column: 1 };

    fn after(self, c: char) -> Self {
        let Self { offset, line, column } = self;
        let offset = offset + c.len_utf8();
        if c == '\n' {
            Self { offset, line: line + 1, column: 1 }
        } else {
            Self { offset, line, column: column + 1 }
        }
    }
}

impl<'t> Positions<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, known: OnceCell::new() }
    }

    /// The position of a byte. An offset that is not a character boundary counts as the end of the text.
    pub(super) fn of(&self, offset: usize) -> Position {
        let offset = if self.text.is_char_boundary(offset) { offset } else { self.text.len() };
        let known = self.known.get_or_init(|| self.known());
        let next = known.partition_point(|position| position.offset <= offset);
        let near = next.checked_sub(1).and_then(|last| known.get(last)).copied().unwrap_or(Position::START);
        self.text.get(near.offset..offset).unwrap_or_default().chars().fold(near, Position::after)
    }

    fn known(&self) -> Vec<Position> {
        let mut known = vec![Position::START];
        let mut position = Position::START;
        for c in self.text.chars() {
            position = position.after(c);
            if position.offset / STEP >= known.len() {
                known.push(position);
            }
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line and column by a scan from the start.
    fn scanned(text: &str, offset: usize) -> (usize, usize) {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    #[test]
    fn positions_match_a_scan_from_the_start() {
        let lines = "a = \"é\"\r\n\n# 漢字 🦀\n".repeat(40);
        let one_line = "ü1🦀".repeat(300);
        for text in ["", "x", "\n", &lines, &one_line, &format!("{one_line}\n{lines}{one_line}")] {
            let positions = Positions::new(text);
            // In descending order, so that no lookup depends on the one before, and including an offset past the end.
            for offset in (0..=text.len() + 1).rev() {
                let Position { line, column, .. } = positions.of(offset);
                assert_eq!((line, column), scanned(text, offset), "byte {offset} of {text:?}");
            }
        }
    }
}
