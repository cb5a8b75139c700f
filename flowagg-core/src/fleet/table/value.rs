//! Values with their position in the file.

use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::str::FromStr;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::DeValue;

use super::path::{Path, Step};
use super::{Reader, Table, listed};
use crate::cost::Usd;
use crate::id::IdError;

/// A value with its path and position. The methods record an error and return `None` if the value does not have the type.
pub(in crate::fleet) struct Value<'r, 't> {
    reader: &'r Reader<'t>,
    path: Path<'r>,
    span: Range<usize>,
    value: &'r DeValue<'t>,
}

impl<'r, 't> Value<'r, 't> {
    pub(super) fn new(reader: &'r Reader<'t>, path: Path<'r>, value: &'r Spanned<DeValue<'t>>) -> Self {
        Self { reader, path, span: value.span(), value: value.get_ref() }
    }

    pub(in crate::fleet) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(in crate::fleet) fn reader(&self) -> &'r Reader<'t> {
        self.reader
    }

    pub(in crate::fleet) fn fault(&self, what: impl Into<String>, help: impl Into<String>) {
        self.reader.fault(self.span(), what, help);
    }

    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        self.wrong_type_with(wanted, None)
    }

    /// Like [`wrong_type`](Self::wrong_type), with the corrected line for the help.
    fn wrong_type_with<T>(&self, wanted: &str, meant: Option<String>) -> Option<T> {
        let found = match self.value {
            DeValue::Array(_) => "list",
            _ => self.value.type_str(),
        };
        let help = match meant {
            Some(meant) => format!("write `{meant}`"),
            None => format!("use {wanted}"),
        };
        self.fault(format!("`{}`: expected {wanted}, found {}", self.path, with_article(found)), help);
        None
    }

    /// `key = value`, or only the value if it is an item of a list.
    fn written(&self, value: &str) -> String {
        match self.path.step {
            Step::Key(key) => format!("{key} = {value}"),
            Step::Index(_) => value.to_owned(),
        }
    }

    pub(in crate::fleet) fn text(&self) -> Option<&'r str> {
        match self.value {
            DeValue::String(text) => Some(text.as_ref()),
            DeValue::Integer(number) => {
                let help = format!("put it in quotes: \"{}\"", number.as_str());
                self.fault(format!("`{}`: expected a string, found a number", self.path), help);
                None
            }
            DeValue::Array(values) => {
                let mut texts = values.iter().map(|value| value.get_ref().as_str());
                let one = if values.len() == 1 { texts.next().flatten() } else { None };
                let meant = one.map(|text| self.written(&quoted(text)));
                self.wrong_type_with("a string", meant)
            }
            DeValue::Boolean(value) => {
                self.wrong_type_with("a string", Some(self.written(&quoted(&value.to_string()))))
            }
            _ => self.wrong_type("a string"),
        }
    }

    /// A string that is one line and not empty.
    pub(in crate::fleet) fn words(&self) -> Option<&'r str> {
        let text = self.text()?;
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            self.fault(format!("`{}` must be one line of text", self.path), "set a value, or remove the key");
            return None;
        }
        Some(text)
    }

    /// A name that is validated by its type.
    pub(in crate::fleet) fn name<T: FromStr<Err = IdError>>(&self) -> Option<T> {
        let text = self.text()?;
        text.parse()
            .map_err(|error: IdError| self.fault(format!("`{}`: {error}", self.path), error.help()))
            .ok()
    }

    pub(in crate::fleet) fn boolean(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(value) => Some(*value),
            DeValue::String(text) => {
                let meant = text.parse::<bool>().ok().map(|value| self.written(&value.to_string()));
                self.wrong_type_with("true or false", meant)
            }
            _ => self.wrong_type("true or false"),
        }
    }

    /// An integer from 1 to `most`.
    pub(in crate::fleet) fn count(&self, most: u32) -> Option<u32> {
        self.number(1, most)
    }

    /// An integer from `least` to `most`.
    pub(in crate::fleet) fn number(&self, least: u32, most: u32) -> Option<u32> {
        let number = match self.value {
            DeValue::Integer(number) => number,
            DeValue::String(text) => {
                let meant = text.trim().parse::<u32>().ok().map(|number| self.written(&number.to_string()));
                return self.wrong_type_with("an integer", meant);
            }
            _ => return self.wrong_type("an integer"),
        };
        let count =
            u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| (least..=most).contains(n));
        if count.is_none() {
            let help = format!("use an integer from {least} to {most}");
            self.fault(format!("`{}` is out of range: {number}", self.path), help);
        }
        count
    }

    /// A date, as a TOML date or a string.
    pub(in crate::fleet) fn day(&self) -> Option<Date> {
        let text = match self.value {
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => return self.wrong_type_with("a date", Some(self.written("2027-01-31"))),
        };
        // `Date` also accepts a date with a time.
        let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
        if day.is_none() {
            let help = format!("use a valid date, e.g. `{}`", self.written("2027-01-31"));
            self.fault(format!("`{}`: `{}` is not a valid date", self.path, text.escape_debug()), help);
        }
        day
    }

    /// A price in US dollars.
    pub(in crate::fleet) fn price(&self) -> Option<Usd> {
        let text = match self.value {
            DeValue::Float(number) => number.as_str(),
            DeValue::Integer(number) => number.as_str(),
            DeValue::String(text) => {
                let meant = text.parse::<Usd>().ok().map(|_| self.written(text));
                return self.wrong_type_with("a number", meant);
            }
            _ => return self.wrong_type("a number"),
        };
        text.parse()
            .map_err(|error: IdError| self.fault(format!("`{}`: {error}", self.path), error.help()))
            .ok()
    }

    /// One of a fixed set of values.
    pub(in crate::fleet) fn one_of<T: Copy>(&self, choices: &[T], word: fn(T) -> &'static str) -> Option<T> {
        let text = self.text()?;
        let found = choices.iter().copied().find(|choice| word(*choice) == text);
        if found.is_none() {
            let help = format!("use one of {}", listed(choices.iter().map(|choice| word(*choice))));
            self.fault(format!("`{}`: invalid value `{}`", self.path, text.escape_debug()), help);
        }
        found
    }

    /// Whether it is this string. Records no error.
    pub(in crate::fleet) fn is_text(&self, text: &str) -> bool {
        matches!(self.value, DeValue::String(found) if found == text)
    }

    pub(in crate::fleet) fn is_string(&self) -> bool {
        matches!(self.value, DeValue::String(_))
    }

    pub(in crate::fleet) fn is_number_in_quotes(&self) -> bool {
        matches!(self.value, DeValue::String(text) if text.trim().parse::<u32>().is_ok())
    }

    pub(in crate::fleet) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub(in crate::fleet) fn is_list(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    pub(in crate::fleet) fn table(self) -> Option<Table<'r, 't>> {
        match self.value {
            DeValue::Table(entries) => {
                Some(Table::new(self.reader, Some(Rc::new(self.path)), self.span, entries))
            }
            DeValue::Array(_) => {
                let meant = self.path.parent.is_none().then(|| format!("[{}]", self.path));
                self.wrong_type_with("a table", meant)
            }
            _ => self.wrong_type("a table"),
        }
    }

    pub(in crate::fleet) fn list(&self) -> Option<Vec<Value<'r, 't>>> {
        let values = match self.value {
            DeValue::Array(values) => values,
            DeValue::String(text) => {
                // `eu-west-1, us-east-1` is two values.
                let values: Vec<String> = text.split(',').map(|value| quoted(value.trim())).collect();
                let meant = self.written(&format!("[{}]", values.join(", ")));
                return self.wrong_type_with("a list", Some(meant));
            }
            DeValue::Integer(number) => {
                let meant = self.written(&format!("[{}]", quoted(number.as_str())));
                return self.wrong_type_with("a list", Some(meant));
            }
            DeValue::Table(_) => {
                return self.wrong_type_with("a list", Some(format!("[[{}]]", self.path)));
            }
            _ => return self.wrong_type("a list"),
        };
        let parent = Rc::new(self.path.clone());
        let path = |n| Path { parent: Some(Rc::clone(&parent)), step: Step::Index(n) };
        let item = |(n, value)| Value::new(self.reader, path(n), value);
        Some(values.iter().enumerate().map(item).collect())
    }

    /// A list of names that is not empty and has no duplicates.
    pub(in crate::fleet) fn names<T: FromStr<Err = IdError> + Ord>(&self) -> Option<BTreeSet<T>> {
        self.names_in(&self.list()?)
    }

    /// Like [`names`](Self::names), for values that [`list`](Self::list) returned.
    pub(in crate::fleet) fn names_in<T: FromStr<Err = IdError> + Ord>(
        &self,
        values: &[Self],
    ) -> Option<BTreeSet<T>> {
        if values.is_empty() {
            self.fault(format!("`{}` is empty", self.path), "list at least one value");
            return None;
        }
        let mut names = BTreeSet::new();
        for value in values {
            if let Some(name) = value.name()
                && !names.insert(name)
            {
                let what = format!("duplicate value `{}`", value.text().unwrap_or_default());
                value.fault(what, "remove the duplicate");
            }
        }
        Some(names)
    }
}

/// A text as a TOML string for a message.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i', 'o', 'u', 'e']) { "an" } else { "a" };
    format!("{article} {kind}")
}
