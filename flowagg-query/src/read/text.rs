//! Reads text files: the header, then the records, column by column.

use std::collections::BTreeSet;

use flowagg_core::flow_log::{FieldKind, RecordedField};

use super::build::{Batches, Builder, NONE};
use super::layout::{Contents, ReadLayout};
use super::number::parse;
use super::split::{Fields, clean};
use crate::columns::Column;
use crate::error::Broken;
use crate::filter::{Leaf, Numbers, Predicate, Test, Texts};
use crate::object::Object;

/// The size of text that is split at once, in bytes. Larger files are first validated as a whole before any row is
/// returned, and then read again in parts of this size.
const PART: usize = 4 * 1024 * 1024;
/// The maximum number of texts of a test that are searched for in the whole file before values are compared.
const FEW: usize = 4;

/// The positions of the fields in the lines of a file.
struct Header {
    /// The number of fields in a line.
    width: usize,
    /// The position in the line for each field that is read, if the file has it.
    places: Vec<Option<usize>>,
}

/// A number column of the current lines.
#[derive(Default)]
struct NumberColumn {
    values: Vec<i64>,
    nulls: Vec<bool>,
    has_nulls: bool,
}

/// The current lines.
#[derive(Default)]
pub(super) struct Lines {
    fields: Fields,
    /// For each field that is read; empty for text fields and for fields that the file does not have.
    numbers: Vec<NumberColumn>,
}

impl Header {
    fn read(line: &str, layout: &ReadLayout) -> Result<Self, Broken> {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut places = vec![None; layout.fields.len()];
        let mut known = BTreeSet::new();
        let mut width = 0;
        for name in line.split(' ') {
            let has_form = name.starts_with(|first: char| first.is_ascii_lowercase())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !has_form {
                return Err(Broken::Header);
            }
            if let Some(field) = RecordedField::all().find(|field| field.as_str() == name) {
                if !known.insert(field) {
                    return Err(Broken::Twice(field.as_str()));
                }
                if let Some(place) = layout.slot(field).and_then(|slot| places.get_mut(slot)) {
                    *place = Some(width);
                }
            }
            width += 1;
        }
        if known.is_empty() { Err(Broken::Header) } else { Ok(Self { width, places }) }
    }
}

/// Reads a text file and adds the rows that pass the predicate to the batches. If the file is broken, no rows are
/// added.
pub(super) fn read(
    text: &[u8],
    object: &Object,
    predicate: &Predicate,
    layout: &ReadLayout,
    lines: &mut Lines,
    batches: &mut Batches,
) -> Result<Contents, Broken> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let valid = text.get(..error.valid_up_to()).unwrap_or_default();
        Broken::Encoding { line: 1 + memchr::memchr_iter(b'\n', valid).count() }
    })?;
    let (first, records) = text.split_once('\n').unwrap_or((text, ""));
    if first.is_empty() && records.is_empty() {
        return Err(Broken::Empty);
    }
    let header = Header::read(first, layout)?;
    if let Some(line) = repeated(first, records) {
        return Err(Broken::Repeated { line });
    }
    let mut count = 0;
    if records.len() > PART {
        let mut line = 2;
        for part in parts(records) {
            let (_, rows) = lines.take(part, line, &header, layout)?;
            line += memchr::memchr_iter(b'\n', part.as_bytes()).count();
            count += rows as u64;
        }
        for part in parts(records) {
            let (cleaned, _) = lines.take(part, 2, &header, layout)?;
            lines.add(cleaned.as_deref().unwrap_or(part), &header, object, predicate, layout, batches);
        }
    } else {
        let (cleaned, rows) = lines.take(records, 2, &header, layout)?;
        count = rows as u64;
        lines.add(cleaned.as_deref().unwrap_or(records), &header, object, predicate, layout, batches);
    }
    Ok(Contents { records: count, missing: layout.missing(&header.places) })
}

/// The first line that repeats the header. Otherwise, text columns would treat it as a record.
fn repeated(header: &str, records: &str) -> Option<usize> {
    let is_start = |place: usize| place == 0 || records.as_bytes().get(place - 1) == Some(&b'\n');
    let is_end = |place: usize| matches!(records.as_bytes().get(place), None | Some(b'\n' | b'\r'));
    let header = header.trim_end_matches('\r');
    let places = memchr::memmem::find_iter(records.as_bytes(), header.as_bytes());
    let mut whole = places.filter(|&place| is_start(place) && is_end(place + header.len()));
    let before = records.get(..whole.next()?)?;
    Some(2 + memchr::memchr_iter(b'\n', before.as_bytes()).count())
}

/// Splits a text into parts of whole lines.
fn parts(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let after = text.as_bytes().get(PART..).unwrap_or_default();
        let length = memchr::memchr(b'\n', after).map_or(text.len(), |place| PART + place + 1);
        let (part, rest) = text.split_at_checked(length)?;
        text = rest;
        (!part.is_empty()).then_some(part)
    })
}

impl Lines {
    /// Loads lines: checks that each has the right number of fields, and parses the numbers. Returns the text that was
    /// split, if it differs from the given one, and the number of records.
    fn take(
        &mut self,
        text: &str,
        first_line: usize,
        header: &Header,
        layout: &ReadLayout,
    ) -> Result<(Option<String>, usize), Broken> {
        let mut cleaned = None;
        let mut line_numbers = None;
        if !self.fields.split(text.as_bytes(), header.width) {
            let (bytes, numbers) = clean(text.as_bytes(), header.width, first_line)?;
            self.fields.split(&bytes, header.width);
            // Only ASCII characters were removed.
            cleaned = String::from_utf8(bytes).ok();
            line_numbers = Some(numbers);
        }
        let text = cleaned.as_deref().unwrap_or(text).as_bytes();
        self.numbers.resize_with(layout.fields.len(), NumberColumn::default);
        for ((field, place), column) in layout.fields.iter().zip(&header.places).zip(&mut self.numbers) {
            column.clear();
            if field.kind() == FieldKind::Text {
                continue;
            }
            let bits = if field.kind() == FieldKind::Int32 { 32 } else { 64 };
            if let Some(place) = place {
                column.read(text, &self.fields, *place, bits).map_err(|row| {
                    let line = line_numbers.as_ref().and_then(|lines| lines.get(row).copied());
                    Broken::Number { line: line.unwrap_or(first_line + row), field: field.as_str(), bits }
                })?;
            }
        }
        Ok((cleaned, self.fields.rows()))
    }

    /// Adds the current rows that pass the predicate.
    fn add(
        &self,
        text: &str,
        header: &Header,
        object: &Object,
        predicate: &Predicate,
        layout: &ReadLayout,
        batches: &mut Batches,
    ) {
        let rows = self.fields.rows();
        let chosen = if predicate.is_trivial() {
            None
        } else {
            let mut sought = BTreeSet::new();
            predicate.sought(FEW, &mut sought);
            // Searching the whole text is much faster than comparing each value.
            sought.retain(|sought| memchr::memmem::find(text.as_bytes(), sought.as_bytes()).is_none());
            let passes = self.passes(predicate, &sought, text, header, layout);
            Some((0..rows).filter(|&row| passes.get(row) == Some(&true)).collect::<Vec<_>>())
        };
        let count = chosen.as_ref().map_or(rows, Vec::len);
        let mut from = 0;
        while from < count {
            let to = count.min(from + batches.room());
            for (output, builder) in layout.outputs.iter().zip(batches.columns()) {
                let rows = Rows { from, to, chosen: chosen.as_deref() };
                self.add_column(*output, builder, rows, text, header, object, layout);
            }
            batches.added(to - from);
            from = to;
        }
    }

    #[allow(clippy::too_many_arguments, reason = "these are the parts of one file")]
    fn add_column(
        &self,
        output: Column,
        builder: &mut Builder,
        rows: Rows<'_>,
        text: &str,
        header: &Header,
        object: &Object,
        layout: &ReadLayout,
    ) {
        let source = output.source().and_then(|field| layout.slot(field));
        let place = source.and_then(|slot| header.places.get(slot).copied().flatten());
        match (output, place, source.and_then(|slot| self.numbers.get(slot))) {
            (Column::Path(part), _, _) => builder.add_text(object.part(part).as_deref(), rows.len()),
            (_, Some(place), Some(_)) if matches!(builder, Builder::Text(_)) => {
                builder.add_texts(rows.of(&self.fields, place, text));
            }
            (_, Some(_), Some(numbers)) => numbers.add(builder, rows),
            _ => builder.add_nulls(rows.len()),
        }
    }

    /// Evaluates the predicate for each row. The texts in `absent` do not occur in the file.
    fn passes(
        &self,
        predicate: &Predicate,
        absent: &BTreeSet<&str>,
        text: &str,
        header: &Header,
        layout: &ReadLayout,
    ) -> Vec<bool> {
        let rows = self.fields.rows();
        let part = |part: &Predicate| self.passes(part, absent, text, header, layout);
        match predicate {
            Predicate::Unknown => vec![true; rows],
            Predicate::All(parts) => parts.iter().map(part).reduce(and).unwrap_or_else(|| vec![true; rows]),
            Predicate::Any(parts) => parts.iter().map(part).reduce(or).unwrap_or_else(|| vec![false; rows]),
            Predicate::Leaf(Leaf { column, test }) => {
                let slot = column.source().and_then(|field| layout.slot(field));
                let place = slot.and_then(|slot| header.places.get(slot).copied().flatten());
                let numbers = slot.and_then(|slot| self.numbers.get(slot));
                match (place, numbers) {
                    _ if test.needs(absent) => vec![false; rows],
                    (Some(place), Some(numbers)) => self.test(test, place, numbers, text),
                    // The file does not have the field, so all values are NULL.
                    _ => vec![*test == Test::IsNull; rows],
                }
            }
        }
    }

    fn test(&self, test: &Test, place: usize, numbers: &NumberColumn, text: &str) -> Vec<bool> {
        let is_text = numbers.values.len() != self.fields.rows();
        if let Test::Number(wanted) = test {
            return numbers.test(wanted);
        }
        let texts = self.fields.column(place).map(|place| text.get(place).unwrap_or_default());
        match test {
            Test::IsNull => texts.map(|value| value == NONE).collect(),
            Test::IsNotNull => texts.map(|value| value != NONE).collect(),
            Test::Text(Texts::In(wanted)) if is_text && wanted.len() == 1 => {
                let wanted = wanted.first().map(String::as_str).filter(|wanted| *wanted != NONE);
                texts.map(|value| Some(value) == wanted).collect()
            }
            test => texts.map(|value| test.of_text((value != NONE).then_some(value))).collect(),
        }
    }
}

fn and(mut a: Vec<bool>, b: Vec<bool>) -> Vec<bool> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a &= b);
    a
}

fn or(mut a: Vec<bool>, b: Vec<bool>) -> Vec<bool> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a |= b);
    a
}

/// A range of the current rows, or of the selected ones.
#[derive(Clone, Copy)]
struct Rows<'a> {
    from: usize,
    to: usize,
    chosen: Option<&'a [usize]>,
}

impl Rows<'_> {
    fn len(self) -> usize {
        self.to - self.from
    }

    fn chosen(&self) -> Option<&[usize]> {
        self.chosen.map(|chosen| chosen.get(self.from..self.to).unwrap_or_default())
    }

    fn of<'t>(&self, fields: &Fields, place: usize, text: &'t str) -> impl Iterator<Item = &'t str> {
        let row =
            move |n| self.chosen().map_or(self.from + n, |chosen| chosen.get(n).copied().unwrap_or_default());
        (0..self.len()).map(move |n| text.get(fields.at(row(n), place)).unwrap_or_default())
    }
}

impl NumberColumn {
    fn clear(&mut self) {
        self.values.clear();
        self.nulls.clear();
        self.has_nulls = false;
    }

    /// Parses a field of all lines; the error is the row of an invalid number.
    fn read(&mut self, text: &[u8], fields: &Fields, place: usize, bits: u8) -> Result<(), usize> {
        for (row, place) in fields.column(place).enumerate() {
            let is_null = place.len() == 1 && text.get(place.start) == Some(&b'-');
            let number = if is_null { 0 } else { parse(text, place).ok_or(row)? };
            if bits == 32 && i32::try_from(number).is_err() {
                return Err(row);
            }
            self.values.push(number);
            self.nulls.push(is_null);
            self.has_nulls |= is_null;
        }
        Ok(())
    }

    fn test(&self, wanted: &Numbers) -> Vec<bool> {
        let rows = self.values.iter().zip(&self.nulls);
        match wanted {
            Numbers::Range(first, last) => {
                rows.map(|(&value, &null)| (value >= *first) & (value <= *last) & !null).collect()
            }
            other => rows.map(|(&value, &null)| !null && other.has(value)).collect(),
        }
    }

    fn add(&self, builder: &mut Builder, rows: Rows<'_>) {
        match rows.chosen() {
            None => {
                let values = self.values.get(rows.from..rows.to).unwrap_or_default();
                let nulls = self.nulls.get(rows.from..rows.to).unwrap_or_default();
                builder.add_numbers(values.iter().copied(), self.has_nulls.then_some(nulls.iter().copied()));
            }
            Some(chosen) => {
                let values = chosen.iter().map(|&row| self.values.get(row).copied().unwrap_or_default());
                let nulls = chosen.iter().map(|&row| self.nulls.get(row).copied().unwrap_or_default());
                builder.add_numbers(values, self.has_nulls.then_some(nulls));
            }
        }
    }
}
