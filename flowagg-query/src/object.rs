//! Objects as described by their keys.

use std::sync::Arc;

use flowagg_core::flow_log::FileFormat;
use flowagg_core::id::{AccountId, Region};
use flowagg_core::layout::{FileName, number_of};
use jiff::civil::{Date, DateTime};

use crate::columns::PathPart;

/// A folder with objects. The objects of a folder share it to keep long queues small.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// The prefix of the keys, including the last slash.
    pub(crate) path: String,
    pub(crate) account: String,
    pub(crate) region: String,
    day: Option<Date>,
    hour: Option<i8>,
    date: Option<String>,
}

impl Folder {
    /// A folder below an account-region, given the rest of its path: `2026/03/01/`, `year=2026/…/hour=10/`.
    pub(crate) fn new(account: AccountId, region: &Region, path: String, below: &str) -> Self {
        let mut numbers = below.split('/').filter(|part| !part.is_empty()).map(number_of);
        let mut next = || numbers.next().flatten();
        let (year, month, day, hour) = (next(), next(), next(), next());
        let narrow = |number: i16| i8::try_from(number).ok();
        let day = match (year, month.and_then(narrow), day.and_then(narrow)) {
            (Some(year), Some(month), Some(day)) => Date::new(year, month, day).ok(),
            _ => None,
        };
        let hour = hour.and_then(narrow).filter(|hour| (0..24).contains(hour));
        let date = day.map(date_text);
        Self { path, account: account.to_string(), region: region.as_str().to_owned(), day, hour, date }
    }
}

/// Formats a day for `log_date`.
pub(crate) fn date_text(day: Date) -> String {
    format!("{:04}/{:02}/{:02}", day.year(), day.month(), day.day())
}

/// An object to read.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) folder: Arc<Folder>,
    name: Box<str>,
    pub(crate) size: u64,
    pub(crate) format: FileFormat,
    /// The hour of the folder, or else of the time in the file name.
    hour: Option<i8>,
}

impl Object {
    /// An object of a folder, with the time in its name. `None` if its name does not have the suffix of a flow log
    /// file.
    pub(crate) fn new(folder: &Arc<Folder>, name: &str, size: u64) -> Option<(Self, Option<DateTime>)> {
        let format = FileFormat::ALL.into_iter().find(|format| name.ends_with(format.suffix()))?;
        let time = FileName::parse(name).ok().map(|name| name.time);
        let hour = folder.hour.or_else(|| time.map(DateTime::hour));
        let object = Self { folder: Arc::clone(folder), name: name.into(), size, format, hour };
        Some((object, time))
    }

    /// The full key.
    pub(crate) fn key(&self) -> String {
        format!("{}{}", self.folder.path, self.name)
    }

    /// The value of a column that is part of the key.
    pub(crate) fn part(&self, part: PathPart) -> Option<String> {
        match part {
            PathPart::Account => Some(self.folder.account.clone()),
            PathPart::Region => Some(self.folder.region.clone()),
            PathPart::Date => self.folder.date.clone(),
            PathPart::Hour => self.hour.map(|hour| format!("{hour:02}")),
            PathPart::Key => Some(self.key()),
        }
    }

    /// The range of times that the folder allows for the file.
    pub(crate) fn folder_times(&self) -> Option<(DateTime, DateTime)> {
        let day = self.folder.day?;
        let (first, last) = self.folder.hour.map_or((0, 23), |hour| (hour, hour));
        Some((day.at(first, 0, 0, 0), day.at(last, 59, 59, 0)))
    }
}
