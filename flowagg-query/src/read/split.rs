//! Finds the fields of a text.

use std::ops::Range;

use wide::u8x16;

use crate::error::Broken;

/// The number of bytes that are compared at once.
const PART: usize = 16;
const BLOCK: usize = 64;
/// The number of positions that are written at once: most blocks have at most this many separators.
const GROUP: usize = 8;
const LAST: u64 = 1 << (BLOCK - 1);

/// The fields of lines with the same number of fields.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The start of the first field, followed for each field by the position after its separator. Only the first `used`
    /// elements are valid, so the vector need not be cleared between texts.
    starts: Vec<u32>,
    used: usize,
    width: usize,
    rows: usize,
}

impl Fields {
    /// The number of lines.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    fn starts(&self) -> &[u32] {
        self.starts.get(..self.used).unwrap_or_default()
    }

    /// The ranges of one field in each line.
    pub(super) fn column(&self, field: usize) -> impl Iterator<Item = Range<usize>> {
        let width = self.width.max(1);
        let from = self.starts().get(field..).unwrap_or_default();
        let starts = from.iter().step_by(width);
        let ends = from.get(1..).unwrap_or_default().iter().step_by(width);
        starts.zip(ends).map(|(&start, &end)| start as usize..end as usize - 1)
    }

    /// The range of one field in one line.
    pub(super) fn at(&self, row: usize, field: usize) -> Range<usize> {
        let place = row * self.width + field;
        match self.starts().get(place..place + 2) {
            Some(&[start, end]) => start as usize..end as usize - 1,
            _ => 0..0,
        }
    }

    /// Splits lines with single spaces and line feeds as separators, as AWS writes them. Returns false if the text
    /// contains anything else: then [`clean`] normalizes it or reports the error.
    pub(super) fn split(&mut self, text: &[u8], width: usize) -> bool {
        (self.used, self.width, self.rows) = (0, width, 0);
        if width == 0 || !text.is_empty() && text.last() != Some(&b'\n') {
            return false;
        }
        let controls = self.find(text);
        let starts = self.starts();
        let fields = starts.len() - 1;
        let rows = fields / width;
        // Check that no field is empty, each line has the right number of fields, and all other separators are spaces.
        let no_gaps = starts.windows(2).fold(true, |fine, pair| fine & (pair[1] > pair[0] + 1));
        let ends = starts.iter().skip(width).step_by(width);
        let line_feeds = ends.fold(true, |fine, &end| fine & (text.get(end as usize - 1) == Some(&b'\n')));
        let is_regular = fields.is_multiple_of(width) && no_gaps && line_feeds && controls == rows;
        if is_regular {
            self.rows = rows;
        }
        is_regular
    }

    /// Finds the positions after separators, and returns the number of separators below the space character.
    fn find(&mut self, text: &[u8]) -> usize {
        let (mut count, mut controls) = (1, Controls::default());
        let mut base = 0_u32;
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let mut last = [b'x'; BLOCK];
        for (slot, byte) in last.iter_mut().zip(rest) {
            *slot = *byte;
        }
        for block in blocks.iter().chain([&last]) {
            let mut mask = separators(block, &mut controls);
            if self.starts.len() < count + BLOCK {
                self.starts.resize(2 * count + BLOCK, 0);
            }
            let found = mask.count_ones() as usize;
            let rest = self.starts.get_mut(count..).and_then(<[u32]>::first_chunk_mut::<BLOCK>);
            let (groups, _) = rest.map(|rest| rest.as_chunks_mut::<GROUP>()).unwrap_or_default();
            // Groups are written as a whole, and positions after the last separator are overwritten later, which avoids
            // mispredicted branches.
            for group in groups.iter_mut().take(found.div_ceil(GROUP)) {
                for slot in group {
                    // The last bit keeps the mask from being zero: old processors cannot count the trailing zeros of zero.
                    *slot = base + (mask | LAST).trailing_zeros() + 1;
                    mask &= mask.wrapping_sub(1);
                }
            }
            count += found;
            base += BLOCK as u32;
        }
        self.used = count;
        controls.count()
    }
}

/// Counts bytes below the space character, per position in a part and then in total.
#[derive(Default)]
struct Controls {
    counts: u8x16,
    parts: u8,
    sum: usize,
}

impl Controls {
    fn add(&mut self, part: u8x16) {
        let most = u8x16::splat(b' ' - 1);
        // A true comparison is all ones, so subtracting it adds one. The minimum of two bytes equals the byte itself if
        // it is not greater than the other.
        self.counts -= part.min(most).simd_eq(part);
        self.parts += 1;
        if self.parts == u8::MAX {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.sum += self.counts.to_array().iter().map(|&count| usize::from(count)).sum::<usize>();
        (self.counts, self.parts) = (u8x16::default(), 0);
    }

    fn count(mut self) -> usize {
        self.flush();
        self.sum
    }
}

/// Normalizes lines for [`Fields::split`]: lines may end in LF or CRLF, the last one without either, and empty lines
/// are removed. Also returns the number of each line, starting at `first_line`.
pub(super) fn clean(text: &[u8], width: usize, first_line: usize) -> Result<(Vec<u8>, Vec<usize>), Broken> {
    let (mut cleaned, mut numbers) = (Vec::with_capacity(text.len() + 1), Vec::new());
    for (n, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let number = first_line + n;
        if line.iter().any(|&byte| byte < b' ') {
            return Err(Broken::Control { line: number });
        }
        let found = line.split(|&byte| byte == b' ').filter(|field| !field.is_empty()).count();
        let gaps = line.split(|&byte| byte == b' ').any(<[u8]>::is_empty);
        if found != width || gaps {
            return Err(Broken::Fields { line: number, found, expected: width });
        }
        cleaned.extend_from_slice(line);
        cleaned.push(b'\n');
        numbers.push(number);
    }
    Ok((cleaned, numbers))
}

/// A bitmask of the bytes up to the space character; counts those below it.
fn separators(block: &[u8; BLOCK], controls: &mut Controls) -> u64 {
    let space = u8x16::splat(b' ');
    let (parts, _) = block.as_chunks::<PART>();
    parts.iter().enumerate().fold(0, |separators, (n, part)| {
        let part = u8x16::new(*part);
        controls.add(part);
        separators | u64::from(part.min(space).simd_eq(part).to_bitmask()) << (n * PART)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(fields: &Fields, text: &[u8], width: usize) -> Vec<Vec<String>> {
        let of_row = |row| (0..width).map(move |field| fields.at(row, field));
        let text = |place: Range<usize>| String::from_utf8(text[place].to_vec()).unwrap();
        (0..fields.rows()).map(|row| of_row(row).map(text).collect()).collect()
    }

    #[test]
    fn separators_are_found_at_every_position() {
        for length in 0..200 {
            let long = "x".repeat(length);
            let text = format!("{long}a b\nc {long}\u{e9}\nd e\n");
            let mut fields = Fields::default();
            assert!(fields.split(text.as_bytes(), 2), "{length}");
            let expected: Vec<Vec<String>> =
                text.lines().map(|line| line.split(' ').map(str::to_owned).collect()).collect();
            assert_eq!(lines(&fields, text.as_bytes(), 2), expected);
            let second: Vec<&str> = fields.column(1).map(|place| text.get(place).unwrap()).collect();
            assert_eq!(second, ["b", &format!("{long}\u{e9}"), "e"]);
        }
    }

    #[test]
    fn irregular_lines_are_normalized_or_reported() {
        let mut fields = Fields::default();
        for odd in [
            "a b",
            "a b\r\n",
            "a b\n\nc d\n",
            "a  b\n",
            " a b\n",
            "a b \n",
            "a\tb\n",
            "a b\nc\n",
            "a\nb c\n",
            "\n",
            "\0\n",
        ] {
            assert!(!fields.split(odd.as_bytes(), 2), "{odd:?}");
        }
        assert_eq!(clean(b"a b\r\n\nc d", 2, 2), Ok((b"a b\nc d\n".to_vec(), vec![2, 4])));
        assert_eq!(clean(b"a b\nc\n", 2, 2), Err(Broken::Fields { line: 3, found: 1, expected: 2 }));
        assert_eq!(clean(b"a  b\n", 2, 2), Err(Broken::Fields { line: 2, found: 2, expected: 2 }));
        assert_eq!(clean(b"a b\nc\td e\n", 2, 2), Err(Broken::Control { line: 3 }));
        assert!(fields.split(b"", 2));
        assert_eq!(fields.rows(), 0);
    }
}
