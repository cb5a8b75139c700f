//! The part of a table that a query reads: as conditions on the partition columns, and as folders.

use std::collections::BTreeSet;

use flowagg_core::fleet::Only;
use flowagg_core::id::{AccountId, Place, Region};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::table::{ACCOUNT, DATE, DAY, MONTH, REGION, Table, YEAR};
use crate::export::ExportError;

/// The most accounts that a query of a table with injected accounts names.
///
/// Source: "Supported types for partition projection", injected type (Amazon Athena User Guide).
const MOST_INJECTED: usize = 1_000;
/// How many names stand on a line.
const IN_A_LINE: usize = 6;

/// Days, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// The day before the one on which the query is run.
    Yesterday,
    /// From the first to the last, both included.
    These(Date, Date),
}

/// Accounts, regions and days of a table.
#[derive(Clone, Debug)]
pub struct TablePart {
    accounts: BTreeSet<AccountId>,
    regions: BTreeSet<Region>,
    days: Days,
    /// Whether the query names its accounts; else it reads all that the table enumerates.
    names_accounts: bool,
    names_regions: bool,
}

impl TablePart {
    /// These accounts and regions of a table; where no account is named all count, and so with regions. Fails where the
    /// fleet has none of them, and where they are more than a query can name.
    pub fn new(table: &Table<'_>, only: &[Only], days: Days) -> Result<Self, ExportError> {
        Only::check(only, table.fleet())?;
        let members = table.fleet().members.values().filter(|member| Only::member(only, member));
        let accounts: BTreeSet<_> = members.map(|member| member.account).collect();
        let regions = table.regions().filter(|region| Only::region(only, region)).cloned().collect();
        let names_accounts = table.is_injected() || only.iter().any(Only::is_of_member);
        if names_accounts && accounts.len() > MOST_INJECTED {
            return Err(ExportError::TooManyAccounts { count: accounts.len(), limit: MOST_INJECTED });
        }
        let names_regions = !only.iter().all(Only::is_of_member);
        Ok(Self { accounts, regions, days, names_accounts, names_regions })
    }

    /// The conditions on the partition columns, of which Athena reads only what meets them.
    pub(super) fn conditions(&self, table: &Table<'_>) -> Vec<String> {
        let mut conditions = Vec::new();
        if self.names_accounts {
            conditions.push(among(ACCOUNT, self.accounts.iter()));
        }
        if self.names_regions {
            conditions.push(among(REGION, self.regions.iter()));
        }
        let is_hive = table.layout().files.hive_compatible_partitions;
        match (self.days, is_hive) {
            (Days::Yesterday, false) => conditions.push(yesterday(DATE, "%Y/%m/%d")),
            (Days::Yesterday, true) => {
                conditions.extend(
                    [(YEAR, "%Y"), (MONTH, "%m"), (DAY, "%d")].map(|(column, how)| yesterday(column, how)),
                );
            }
            (Days::These(from, to), false) => conditions.push(between(DATE, "%Y/%m/%d", from, to)),
            (Days::These(from, to), true) => conditions.push(months(from, to)),
        }
        conditions
    }

    /// The folders of the bucket that those conditions leave.
    pub fn folders(&self, table: &Table<'_>, from: Date, to: Date) -> Vec<String> {
        let layout = table.layout();
        let mut folders = Vec::new();
        for account in &self.accounts {
            for region in &self.regions {
                let place = Place::new(*account, region);
                folders.extend(each_day(from, to).map(|day| layout.day_folder(&place, day)));
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

/// Athena knows the day before it plans which partitions to read.
fn yesterday(column: &str, format: &str) -> String {
    format!("{column} = date_format(current_date - interval '1' day, '{format}')")
}

fn between(column: &str, format: &str, from: Date, to: Date) -> String {
    let [from, to] = [from, to].map(|day| day.strftime(format).to_string());
    if from == to { format!("{column} = '{from}'") } else { format!("{column} BETWEEN '{from}' AND '{to}'") }
}

/// The days of each month, where year, month and day are columns of their own.
fn months(from: Date, to: Date) -> String {
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
    match months.as_slice() {
        [one] => one.clone(),
        several => format!("(\n    {}\n  )", several.join("\n    OR ")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_of_one_month_are_one_condition() {
        let expected = "log_year = '2026' AND log_month = '11' AND log_day BETWEEN '01' AND '07'";
        assert_eq!(months(date(2026, 11, 1), date(2026, 11, 7)), expected);
    }

    #[test]
    fn days_over_the_end_of_a_year_are_a_condition_for_each_month() {
        let expected = "(\n    log_year = '2025' AND log_month = '12' AND log_day BETWEEN '30' AND '31'\n    \
                        OR log_year = '2026' AND log_month = '01' AND log_day = '01'\n  )";
        assert_eq!(months(date(2025, 12, 30), date(2026, 1, 1)), expected);
    }

    #[test]
    fn the_days_of_a_range_are_all_there() {
        let days: Vec<Date> = each_day(date(2026, 2, 27), date(2026, 3, 1)).collect();
        assert_eq!(days, [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]);
        assert_eq!(each_day(date(2026, 3, 1), date(2026, 2, 27)).count(), 0);
    }
}
