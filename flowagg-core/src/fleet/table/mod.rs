//! TOML tables and values with their position in the file. Errors are collected instead of stopping at the first.

mod path;
mod unquoted;
mod value;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use self::path::{Path, Step};
use self::unquoted::account_at;
use super::Fault;
use super::position::{Position, Positions};
use crate::near::meant;

pub(super) use self::value::Value;

/// Maps byte offsets to positions and collects the errors.
pub(super) struct Reader<'t> {
    positions: Positions<'t>,
    faults: RefCell<Vec<Fault>>,
}

impl<'t> Reader<'t> {
    /// Parses the text. Syntax errors are recorded, and the valid parts are returned.
    pub(super) fn parse(text: &'t str) -> (Self, Spanned<DeTable<'t>>) {
        let (document, errors) = DeTable::parse_recoverable(text);
        let reader = Self { positions: Positions::new(text), faults: RefCell::default() };
        let mut unquoted = BTreeSet::new();
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            if let Some((start, account)) = account_at(text, span.start) {
                // One value may have several errors.
                if unquoted.insert(start) {
                    reader.fault(
                        start..start,
                        "account IDs must be in quotes",
                        format!("put it in quotes: \"{account}\""),
                    );
                }
                continue;
            }
            reader.fault(
                span,
                format!("invalid TOML: {}", error.message()),
                "see https://toml.io for the syntax",
            );
        }
        (reader, document)
    }

    pub(super) fn top<'r>(&'r self, document: &'r Spanned<DeTable<'t>>) -> Table<'r, 't> {
        Table::new(self, None, 0..0, document.get_ref())
    }

    pub(super) fn fault(&self, span: Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        let Position { line, column, .. } = self.positions.of(span.start);
        self.faults.borrow_mut().push(Fault { line, column, what: what.into(), help: help.into() });
    }

    pub(super) fn is_faultless(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    /// The line of a span, starting at 1.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.positions.of(span.start).line
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults
    }
}

/// A table and the keys that were read from it; [`refuse_unknown`](Self::refuse_unknown) reports all others.
pub(super) struct Table<'r, 't> {
    reader: &'r Reader<'t>,
    /// `None` for the file as a whole.
    path: Option<Rc<Path<'r>>>,
    span: Range<usize>,
    entries: &'r DeTable<'t>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r, 't> Table<'r, 't> {
    fn new(
        reader: &'r Reader<'t>,
        path: Option<Rc<Path<'r>>>,
        span: Range<usize>,
        entries: &'r DeTable<'t>,
    ) -> Self {
        Self { reader, path, span, entries, asked: RefCell::default() }
    }

    fn path_of(&self, key: &'r str) -> Path<'r> {
        Path { parent: self.path.clone(), step: Step::Key(key) }
    }

    /// The value of an optional key.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'r, 't>> {
        if !self.asked.borrow().contains(&key) {
            self.asked.borrow_mut().push(key);
        }
        let value = self.entries.get(key)?;
        Some(Value::new(self.reader, self.path_of(key), value))
    }

    /// The value of a required key. If it is missing, an error with this help is recorded.
    pub(super) fn needed(&self, key: &'static str, help: &str) -> Option<Value<'r, 't>> {
        let value = self.get(key);
        if value.is_none() {
            self.reader.fault(self.span.clone(), format!("`{}` is missing", self.path_of(key)), help);
        }
        value
    }

    /// The table under an optional key.
    pub(super) fn table(&self, key: &'static str) -> Option<Table<'r, 't>> {
        self.get(key)?.table()
    }

    /// Every key with its value, for tables with arbitrary keys.
    pub(super) fn texts(self) -> BTreeMap<String, (String, Range<usize>)> {
        let entry = |(key, value): (&'r Spanned<_>, &'r Spanned<DeValue<'t>>)| {
            let key: &std::borrow::Cow<'t, str> = key.get_ref();
            let value = Value::new(self.reader, self.path_of(key), value);
            Some((key.to_string(), (value.text()?.to_owned(), value.span())))
        };
        self.entries.iter().filter_map(entry).collect()
    }

    /// Records an error at the start of the table.
    pub(super) fn fault(&self, what: impl Into<String>, help: impl Into<String>) {
        self.reader.fault(self.span.clone(), what, help);
    }

    /// Records an error for each key that was not read.
    pub(super) fn refuse_unknown(self) {
        let asked = self.asked.into_inner();
        for key in self.entries.keys() {
            let name = key.get_ref().as_ref();
            if asked.contains(&name) {
                continue;
            }
            let whose = self.path.as_ref().map(|path| format!(" in `{path}`")).unwrap_or_default();
            let help = match meant(name, asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("valid keys: {}", listed(asked.iter().copied())),
            };
            self.reader.fault(key.span(), format!("unknown key `{}`{whose}", name.escape_debug()), help);
        }
    }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
