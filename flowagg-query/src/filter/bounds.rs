//! The folders and objects that can contain rows of the result, derived from a predicate.

use std::collections::BTreeSet;

use flowagg_core::layout::FileName;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

use super::{Leaf, Numbers, Predicate, Test, Texts};
use crate::columns::{Column, PathPart};
use crate::object::date_text;

/// The maximum duration of a record in seconds: the longest aggregation interval, plus one minute of inaccuracy.
///
/// Source: "Flow log records", aggregation interval, `start` and `end` (Amazon VPC User Guide).
const LONGEST_RECORD: i64 = 660;

/// Accounts, regions and times, where `None` means all. Every row that passes the predicate is within the bounds; other
/// rows may be as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) accounts: Option<BTreeSet<String>>,
    pub(crate) regions: Option<BTreeSet<String>>,
    /// Unix seconds of `end`, inclusive.
    ends: (i64, i64),
    /// `log_date` as text, inclusive.
    dates: (Option<String>, Option<String>),
}

impl Bounds {
    const ALL: Self = Self { accounts: None, regions: None, ends: (i64::MIN, i64::MAX), dates: (None, None) };

    /// The bounds of a predicate.
    pub(crate) fn of(predicate: &Predicate) -> Self {
        match predicate {
            Predicate::All(parts) => parts.iter().map(Self::of).fold(Self::ALL, Self::and),
            Predicate::Any(parts) => parts.iter().map(Self::of).reduce(Self::or).unwrap_or(Self::ALL),
            Predicate::Leaf(leaf) => Self::of_leaf(leaf),
            Predicate::Unknown => Self::ALL,
        }
    }

    fn of_leaf(Leaf { column, test }: &Leaf) -> Self {
        let mut bounds = Self::ALL;
        match (column, test) {
            (Column::Path(PathPart::Account), Test::Text(Texts::In(names))) => {
                bounds.accounts = Some(names.clone());
            }
            (Column::Path(PathPart::Region), Test::Text(Texts::In(names))) => {
                bounds.regions = Some(names.clone());
            }
            (Column::Path(PathPart::Date), Test::Text(texts)) => match texts {
                Texts::In(dates) => bounds.dates = (dates.first().cloned(), dates.last().cloned()),
                Texts::From(first, is_open) => bounds.dates.0 = Some(neighbour(first, *is_open, 1)),
                Texts::To(last, is_open) => bounds.dates.1 = Some(neighbour(last, *is_open, -1)),
                Texts::NotIn(_) => {}
            },
            (Column::Field(field) | Column::Time(field), Test::Number(numbers)) => {
                let (first, last) = match numbers {
                    Numbers::Range(first, last) => (*first, *last),
                    Numbers::In(numbers) => match (numbers.first(), numbers.last()) {
                        (Some(first), Some(last)) => (*first, *last),
                        _ => (i64::MAX, i64::MIN),
                    },
                    Numbers::NotIn(_) => (i64::MIN, i64::MAX),
                };
                match field.as_str() {
                    "end" => bounds.ends = (first, last),
                    // Records that start in this range end in it or shortly after.
                    "start" => bounds.ends = (first, last.saturating_add(LONGEST_RECORD)),
                    _ => {}
                }
            }
            _ => {}
        }
        bounds
    }

    fn and(self, other: Self) -> Self {
        let both = |a: Option<BTreeSet<String>>, b: Option<BTreeSet<String>>| match (a, b) {
            (Some(a), Some(b)) => Some(a.intersection(&b).cloned().collect()),
            (a, b) => a.or(b),
        };
        let first = match (self.dates.0, other.dates.0) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        let last = match (self.dates.1, other.dates.1) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            accounts: both(self.accounts, other.accounts),
            regions: both(self.regions, other.regions),
            ends: (self.ends.0.max(other.ends.0), self.ends.1.min(other.ends.1)),
            dates: (first, last),
        }
    }

    fn or(self, other: Self) -> Self {
        let either = |a: Option<BTreeSet<String>>, b: Option<BTreeSet<String>>| {
            Some(a?.union(&b?).cloned().collect::<BTreeSet<_>>())
        };
        let first = self.dates.0.zip(other.dates.0).map(|(a, b)| a.min(b));
        let last = self.dates.1.zip(other.dates.1).map(|(a, b)| a.max(b));
        Self {
            accounts: either(self.accounts, other.accounts),
            regions: either(self.regions, other.regions),
            ends: (self.ends.0.min(other.ends.0), self.ends.1.max(other.ends.1)),
            dates: (first, last),
        }
    }

    /// The times that file names can have. `late` is the maximum delay of a file name after `end`.
    pub(crate) fn window(&self, late: SignedDuration) -> Window {
        let time = |seconds: i64, shift: SignedDuration| {
            let time = jiff::Timestamp::from_second(seconds).ok()?;
            Some(time.checked_add(shift).ok()?.to_zoned(TimeZone::UTC).datetime())
        };
        let mut window =
            Window { first: time(self.ends.0, -FileName::INTERVAL), last: time(self.ends.1, late) };
        let is_empty = self.ends.0 > self.ends.1;
        if let Some(day) = self.dates.0.as_deref().and_then(self::date) {
            window.first = window.first.max(Some(day.at(0, 0, 0, 0)));
        }
        if let Some(day) = self.dates.1.as_deref().and_then(self::date) {
            let last = day.at(23, 59, 59, 0);
            window.last = Some(window.last.map_or(last, |other| other.min(last)));
        }
        if is_empty {
            window = Window { first: Some(DateTime::MAX), last: Some(DateTime::MIN) };
        }
        window
    }
}

/// Converts an exclusive bound to an inclusive one: the day after or before.
fn neighbour(text: &str, is_open: bool, days: i64) -> String {
    let day = date(text).filter(|_| is_open).and_then(|day| day.checked_add(days.days()).ok());
    day.map_or_else(|| text.to_owned(), date_text)
}

/// Parses a date in the format of `log_date`. Other texts are not used as bounds because the comparison is textual.
fn date(text: &str) -> Option<Date> {
    Date::strptime("%Y/%m/%d", text).ok().filter(|date| date_text(*date) == text)
}

/// An inclusive range of times in file names; `None` means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) first: Option<DateTime>,
    pub(crate) last: Option<DateTime>,
}

impl Window {
    /// Whether the range between these times overlaps the window.
    pub(crate) fn meets(&self, from: DateTime, to: DateTime) -> bool {
        self.first.is_none_or(|first| to >= first) && self.last.is_none_or(|last| from <= last)
    }

    /// Whether the window contains the whole range between these times.
    pub(crate) fn contains(&self, from: DateTime, to: DateTime) -> bool {
        self.first.is_none_or(|first| from >= first) && self.last.is_none_or(|last| to <= last)
    }

    /// Whether the window contains no time.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.zip(self.last).is_some_and(|(first, last)| first > last)
    }

    /// Whether the window has no limits.
    pub(crate) fn is_open(&self) -> bool {
        self.first.is_none() && self.last.is_none()
    }
}
