//! The part of a table that a query reads, as conditions on the partition columns and as folders.

use std::collections::BTreeSet;

use flowagg_core::fleet::Only;
use flowagg_core::flow_log::Field;
use flowagg_core::id::{AccountId, Place, Region};
use flowagg_core::layout::FileName;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::table::{ACCOUNT, DATE, DAY, HOUR, MONTH, REGION, Table, YEAR};
use crate::export::ExportError;

/// The maximum number of accounts in a query of a table with injected accounts.
///
/// Source: "Supported types for partition projection", injected type (Amazon Athena User Guide).
const MOST_INJECTED: usize = 1_000;
/// The number of names per line.
const IN_A_LINE: usize = 6;

/// The records that a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The records in the folders of the day (UTC) before the query runs.
    Yesterday,
    /// The records that ended in a window.
    Window(Window),
}

/// A time window of records, by their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// Records that ended at this time or later.
    pub from: Timestamp,
    /// Records that ended before this time; `None` for no limit.
    pub to: Option<Timestamp>,
    /// The current time.
    pub now: Timestamp,
}

impl Window {
    /// Records that ended at `from` or later, and before `to`.
    pub fn new(from: Timestamp, to: Option<Timestamp>, now: Timestamp) -> Self {
        Self { from, to, now }
    }

    /// The first and last Unix seconds of `end`, both included.
    fn ends(&self) -> (i64, Option<i64>) {
        let ceiling = |time: Timestamp| time.as_second() + i64::from(time.subsec_nanosecond() > 0);
        (ceiling(self.from), self.to.map(|to| ceiling(to) - 1))
    }

    /// The first and last possible times in file names.
    fn names(&self) -> (DateTime, DateTime) {
        let (first, last) = self.ends();
        let last = last.unwrap_or(self.now.as_second());
        let time = |second: i64, shift: SignedDuration| {
            let time = Timestamp::from_second(second).unwrap_or(self.now);
            time.saturating_add(shift).unwrap_or(time).to_zoned(TimeZone::UTC).datetime()
        };
        (time(first, -FileName::INTERVAL), time(last, FileName::LATE))
    }

    /// The folders with files of the window: days, or hours if each hour has a folder.
    fn spans(&self, has_hours: bool) -> Vec<Span> {
        let (first, last) = self.names();
        let hours = |day: Date, from: i8, to: i8| {
            if (from, to) == (0, 23) { Span::Days(day, day) } else { Span::Hours(day, from, to) }
        };
        if !has_hours {
            return vec![Span::Days(first.date(), last.date())];
        }
        if first.date() == last.date() {
            return vec![hours(first.date(), first.hour(), last.hour())];
        }
        let mut spans = vec![hours(first.date(), first.hour(), 23)];
        let (second, last_but_one) =
            (first.date().saturating_add(1.day()), last.date().saturating_sub(1.day()));
        if second <= last_but_one {
            spans.push(Span::Days(second, last_but_one));
        }
        spans.push(hours(last.date(), 0, last.hour()));
        spans
    }
}

/// A range of day folders, or of hour folders of a day. Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Days(Date, Date),
    Hours(Date, i8, i8),
}

impl Span {
    /// The alternative conditions. A partition of the span meets one of them.
    fn alternatives(self, is_hive: bool) -> Vec<String> {
        let days = |from, to| {
            if is_hive { months(from, to) } else { vec![between(DATE, "%Y/%m/%d", from, to)] }
        };
        match self {
            Self::Days(from, to) => days(from, to),
            Self::Hours(day, from, to) => {
                let hours = if from == to {
                    format!("{HOUR} = '{from:02}'")
                } else {
                    format!("{HOUR} BETWEEN '{from:02}' AND '{to:02}'")
                };
                days(day, day).into_iter().map(|day| format!("{day} AND {hours}")).collect()
            }
        }
    }
}

/// A selection of accounts, regions and times of a table.
#[derive(Clone, Debug)]
pub struct TablePart {
    accounts: BTreeSet<AccountId>,
    regions: BTreeSet<Region>,
    times: Times,
    /// Whether the query names its accounts. Otherwise it reads all accounts that the table enumerates.
    names_accounts: bool,
    names_regions: bool,
}

impl TablePart {
    /// Selects accounts and regions of a table. Without an account, all accounts are selected, and without a region, all regions.
    ///
    /// # Errors
    ///
    /// If the fleet contains none of them, if they are more than a query can name, or if the records do not contain `end`, which a
    /// window needs.
    pub fn new(table: &Table<'_>, only: &[Only], times: Times) -> Result<Self, ExportError> {
        Only::check(only, table.fleet())?;
        let has_end = table.fields().iter().any(|field: &Field| field.as_str() == "end");
        if !has_end && times != Times::Yesterday {
            return Err(ExportError::NoEnd);
        }
        let members = table.fleet().members.values().filter(|member| Only::member(only, member));
        let accounts: BTreeSet<_> = members.map(|member| member.account).collect();
        let regions = table.regions().filter(|region| Only::region(only, region)).cloned().collect();
        let names_accounts = table.is_injected() || only.iter().any(Only::is_of_member);
        if names_accounts && accounts.len() > MOST_INJECTED {
            return Err(ExportError::TooManyAccounts { count: accounts.len(), limit: MOST_INJECTED });
        }
        let names_regions = !only.iter().all(Only::is_of_member);
        Ok(Self { accounts, regions, times, names_accounts, names_regions })
    }

    /// The conditions on the partition columns, which limit the objects that Athena reads, and on the time of records.
    pub(super) fn conditions(&self, table: &Table<'_>) -> Vec<String> {
        let mut conditions = Vec::new();
        if self.names_accounts {
            conditions.push(among(ACCOUNT, self.accounts.iter()));
        }
        if self.names_regions {
            conditions.push(among(REGION, self.regions.iter()));
        }
        let files = table.layout().files;
        match (self.times, files.hive_compatible_partitions) {
            (Times::Yesterday, false) => conditions.push(yesterday(DATE, "%Y/%m/%d")),
            (Times::Yesterday, true) => {
                conditions.extend(
                    [(YEAR, "%Y"), (MONTH, "%m"), (DAY, "%d")].map(|(column, how)| yesterday(column, how)),
                );
            }
            (Times::Window(window), is_hive) => {
                let spans = window.spans(files.per_hour_partition).into_iter();
                let alternatives: Vec<String> = spans.flat_map(|span| span.alternatives(is_hive)).collect();
                conditions.push(match alternatives.as_slice() {
                    [one] => one.clone(),
                    several => format!("(\n      {}\n    )", several.join("\n      OR ")),
                });
                conditions.push(match window.ends() {
                    (first, Some(last)) => format!("\"end\" BETWEEN {first} AND {last}"),
                    (first, None) => format!("\"end\" >= {first}"),
                });
            }
        }
        conditions
    }

    /// The folders of the bucket that meet the conditions. Empty for [`Times::Yesterday`], which is known only when the query runs.
    pub fn folders(&self, table: &Table<'_>) -> Vec<String> {
        let Times::Window(window) = self.times else { return Vec::new() };
        let layout = table.layout();
        let mut folders = Vec::new();
        for account in &self.accounts {
            for region in &self.regions {
                let place = Place::new(*account, region);
                for span in window.spans(layout.files.per_hour_partition) {
                    match span {
                        Span::Days(from, to) => {
                            folders.extend(each_day(from, to).map(|day| layout.day_folder(&place, day)));
                        }
                        Span::Hours(day, from, to) => {
                            let day = layout.day_folder(&place, day);
                            let hour =
                                |hour| format!("{day}{}", layout.hour_template(format_args!("{hour:02}")));
                            folders.extend((from..=to).map(hour));
                        }
                    }
                }
            }
        }
        folders
    }
}

fn each_day(from: Date, to: Date) -> impl Iterator<Item = Date> {
    from.series(1.day()).take_while(move |day| *day <= to)
}

fn among(column: &str, values: impl Iterator<Item = impl std::fmt::Display>) -> String {
    let values: Vec<String> = values.map(|value| format!("'{value}'")).collect();
    let lines: Vec<String> = values.chunks(IN_A_LINE).map(|line| line.join(", ")).collect();
    format!("{column} IN ({})", lines.join(",\n    "))
}

/// Athena evaluates the day before it selects partitions.
fn yesterday(column: &str, format: &str) -> String {
    format!("{column} = date_format(current_date - interval '1' day, '{format}')")
}

fn between(column: &str, format: &str, from: Date, to: Date) -> String {
    let [from, to] = [from, to].map(|day| day.strftime(format).to_string());
    if from == to { format!("{column} = '{from}'") } else { format!("{column} BETWEEN '{from}' AND '{to}'") }
}

/// A condition for each month, for tables with separate columns for year, month and day.
fn months(from: Date, to: Date) -> Vec<String> {
    let mut months = Vec::new();
    let mut first = from;
    while first <= to {
        let last = first.last_of_month().min(to);
        months.push(format!(
            "{} AND {} AND {}",
            between(YEAR, "%Y", first, first),
            between(MONTH, "%m", first, first),
            between(DAY, "%d", first, last)
        ));
        let Ok(next) = last.tomorrow() else { break };
        first = next;
    }
    months
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn window(from: &str, to: Option<&str>) -> Window {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        Window::new(time(from), to.map(time), time("2026-03-05T10:30:00Z"))
    }

    #[test]
    fn each_month_has_its_own_condition() {
        assert_eq!(
            months(date(2026, 11, 1), date(2026, 11, 7)),
            ["log_year = '2026' AND log_month = '11' AND log_day BETWEEN '01' AND '07'"]
        );
        assert_eq!(
            months(date(2025, 12, 30), date(2026, 1, 1)),
            [
                "log_year = '2025' AND log_month = '12' AND log_day BETWEEN '30' AND '31'",
                "log_year = '2026' AND log_month = '01' AND log_day = '01'"
            ]
        );
    }

    #[test]
    fn range_contains_each_day() {
        let days: Vec<Date> = each_day(date(2026, 2, 27), date(2026, 3, 1)).collect();
        assert_eq!(days, [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]);
        assert_eq!(each_day(date(2026, 3, 1), date(2026, 2, 27)).count(), 0);
    }

    #[test]
    fn adjacent_day_is_read_near_midnight() {
        let days = |from: &str, to: Option<&str>| window(from, to).spans(false);
        let (fourth, fifth, sixth) = (date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6));
        assert_eq!(days("2026-03-05T09:30:00Z", None), [Span::Days(fifth, fifth)]);
        assert_eq!(days("2026-03-05T00:04:00Z", None), [Span::Days(fourth, fifth)]);
        assert_eq!(days("2026-03-05T00:05:00Z", Some("2026-03-05T23:00:00Z")), [Span::Days(fifth, fifth)]);
        assert_eq!(days("2026-03-05T00:05:00Z", Some("2026-03-05T23:00:01Z")), [Span::Days(fifth, sixth)]);
    }

    #[test]
    fn hour_folders_limit_the_first_and_last_day() {
        let hours = |from: &str, to: Option<&str>| window(from, to).spans(true);
        let (fourth, fifth, sixth) = (date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6));
        assert_eq!(hours("2026-03-05T09:30:00Z", None), [Span::Hours(fifth, 9, 11)]);
        assert_eq!(
            hours("2026-03-04T00:05:00Z", Some("2026-03-05T23:00:00Z")),
            [Span::Days(fourth, fourth), Span::Days(fifth, fifth)]
        );
        assert_eq!(
            hours("2026-03-05T00:00:00Z", Some("2026-03-06T00:00:00Z")),
            [Span::Hours(fourth, 23, 23), Span::Days(fifth, fifth), Span::Hours(sixth, 0, 0)]
        );
        let condition = |hive| Span::Hours(fourth, 9, 11).alternatives(hive);
        assert_eq!(condition(false), ["log_date = '2026/03/04' AND log_hour BETWEEN '09' AND '11'"]);
        assert_eq!(
            condition(true),
            ["log_year = '2026' AND log_month = '03' AND log_day = '04' AND log_hour BETWEEN '09' AND '11'"]
        );
    }

    #[test]
    fn window_excludes_its_last_second() {
        assert_eq!(window("1970-01-01T00:00:10Z", Some("1970-01-01T00:00:20Z")).ends(), (10, Some(19)));
        assert_eq!(window("1970-01-01T00:00:10.5Z", Some("1970-01-01T00:00:20.5Z")).ends(), (11, Some(20)));
        assert_eq!(window("1970-01-01T00:00:10Z", None).ends(), (10, None));
    }
}
