//! The folders of an account-region: years, months, days and hours.

use flowagg_core::flow_log::Files;
use flowagg_core::id::{AccountId, Place, Region};
use flowagg_core::layout::Layout;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};

use crate::filter::Window;

/// Up to this number of days are listed directly, without checking which days exist.
const FEW_DAYS: i32 = 3;

/// The folder of an account-region, or a folder below it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) account: AccountId,
    pub(super) region: Region,
    /// Whether the folders are Hive-compatible.
    is_hive: bool,
    /// The path of the account-region, with a trailing slash.
    pub(super) region_path: String,
    /// The rest of the path with a trailing slash, or empty.
    pub(super) below: String,
    /// Year, month, day and hour, as far as the path contains them.
    numbers: Vec<i16>,
}

/// How a folder is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// All objects below the folder.
    Whole,
    /// Only its direct objects and subfolders.
    Level,
}

impl Node {
    /// The folder of an account-region below `root` (`AWSLogs/`, with or without a prefix).
    pub(super) fn region(root: &Layout, account: AccountId, region: &Region) -> Self {
        Self {
            account,
            region: region.clone(),
            is_hive: root.files.hive_compatible_partitions,
            region_path: root.region_folder(account, region),
            below: String::new(),
            numbers: Vec::new(),
        }
    }

    /// A subfolder, if its name is valid and its times overlap the window.
    pub(super) fn child(&self, name: &str, window: &Window) -> Option<Self> {
        let number = flowagg_core::layout::number_of(name)?;
        let mut child = self.clone();
        child.numbers.push(number);
        child.below.push_str(name);
        child.below.push('/');
        let (first, last) = child.span()?;
        window.meets(first, last).then_some(child)
    }

    /// The path with a trailing slash.
    pub(super) fn path(&self) -> String {
        format!("{}{}", self.region_path, self.below)
    }

    /// Decides how the folder is listed.
    pub(super) fn how(&self, window: &Window) -> How {
        let is_within = || self.span().is_some_and(|(first, last)| window.contains(first, last));
        if window.is_open() || self.numbers.len() >= 4 || is_within() { How::Whole } else { How::Level }
    }

    /// The folders of the days, if this is an account-region and there are few days.
    pub(super) fn days(&self, window: &Window) -> Option<Vec<Self>> {
        let (first, last) = (window.first?.date(), window.last?.date());
        let few = first.checked_add(FEW_DAYS.days()).ok()?;
        if !self.numbers.is_empty() || last >= few {
            return None;
        }
        let days = first.series(1.day()).take_while(|day| *day <= last);
        Some(days.map(|day| self.day(day)).collect())
    }

    fn day(&self, day: Date) -> Self {
        let mut layout = Layout::new(None, Files::default());
        layout.files.hive_compatible_partitions = self.is_hive;
        let place = Place::new(self.account, &self.region);
        // Day folders have the same names in every bucket.
        let folder = layout.day_folder(&place, day);
        let below =
            folder.strip_prefix(&layout.region_folder(self.account, &self.region)).unwrap_or_default();
        let numbers = vec![day.year(), i16::from(day.month()), i16::from(day.day())];
        Self { below: below.to_owned(), numbers, ..self.clone() }
    }

    /// The range of times in the file names of the folder; `None` if the folder is not a valid time.
    fn span(&self) -> Option<(DateTime, DateTime)> {
        let narrow = |number: i16| i8::try_from(number).ok();
        let month = |year, month| Date::new(year, narrow(month)?, 1).ok();
        let (first, last) = match *self.numbers.as_slice() {
            [] => return Some((DateTime::MIN, DateTime::MAX)),
            [year] => (Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?),
            [year, of_year] => (month(year, of_year)?, month(year, of_year)?.last_of_month()),
            [year, of_year, day, ..] => {
                let day = Date::new(year, narrow(of_year)?, narrow(day)?).ok()?;
                (day, day)
            }
        };
        let (from, to) = match self.numbers.get(3) {
            Some(hour) => (narrow(*hour).filter(|hour| (0..24).contains(hour))?, narrow(*hour)?),
            None => (0, 23),
        };
        Some((first.at(from, 0, 0, 0), last.at(to, 59, 59, 0)))
    }
}
