//! The Athena table: its columns follow the record format, and its partitions the folder layout.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use flowagg_core::fleet::{Fleet, Selection};
use flowagg_core::flow_log::{Field, FieldKind, FileFormat, RecordedField};
use flowagg_core::id::{AccountId, Region, ResourceKind};
use flowagg_core::layout::Layout;

use crate::export::ExportError;

/// The partition columns. No field of a flow log has one of these names in any record version. A conflict would be a problem because the
/// columns of a text file are matched by position, so none can be left out.
pub(super) const ACCOUNT: &str = "log_account";
pub(super) const REGION: &str = "log_region";
pub(super) const DATE: &str = "log_date";
pub(super) const YEAR: &str = "log_year";
pub(super) const MONTH: &str = "log_month";
pub(super) const DAY: &str = "log_day";
pub(super) const HOUR: &str = "log_hour";

/// The maximum number of accounts that the table enumerates. With more accounts, every query must name its accounts.
///
/// Source: "Supported types for partition projection", enum type: a few dozen (Amazon Athena User Guide).
const MOST_ENUMERATED: usize = 36;

/// A name of a database or of a table.
///
/// Source: "Name databases, tables, and columns" (Amazon Athena User Guide).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// The error for an invalid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a name of a-z, 0-9 and `_` that starts with a letter, at most {} bytes", Name::LONGEST)]
#[non_exhaustive]
pub struct NameError;

impl Name {
    /// The maximum length of a name, in bytes.
    pub const LONGEST: usize = 255;

    /// Parses a name: lowercase letters, digits and underscores, starting with a letter.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let of_names = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_one = text.len() <= Self::LONGEST
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(of_names);
        if is_one { Ok(Self(text.to_owned())) } else { Err(NameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of the table and of its database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Names {
    pub database: Name,
    pub table: Name,
}

impl Names {
    /// A table in a database.
    pub fn new(database: Name, table: Name) -> Self {
        Self { database, table }
    }
}

impl Default for Names {
    /// `flowagg` and `vpc_flow_logs`.
    fn default() -> Self {
        Self { database: Name("flowagg".to_owned()), table: Name("vpc_flow_logs".to_owned()) }
    }
}

/// A table of the whole bucket of a fleet.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    fleet: &'a Fleet,
    names: &'a Names,
    regions: BTreeSet<&'a Region>,
}

impl<'a> Table<'a> {
    /// The age of the oldest partition, in days, if objects are kept forever: ten years. Each day is a partition that Athena may have to
    /// list.
    const KEPT_FOREVER_DAYS: u32 = 3_650;

    /// The table of a fleet.
    ///
    /// # Errors
    ///
    /// If the records have more than one format, or if accounts or regions are unknown.
    pub fn new(fleet: &'a Fleet, names: &'a Names) -> Result<Self, ExportError> {
        if fleet.members.is_empty() {
            return Err(ExportError::NoAccounts);
        }
        if let Some(member) = fleet.members.values().find(|member| member.regions.iter().next().is_none()) {
            return Err(ExportError::UnknownRegions(member.account));
        }
        let found = fleet.organization.as_ref().and_then(|organization| organization.discovery.as_ref());
        let mut selections =
            fleet.members.values().map(|member| &member.resources).chain(found.map(|found| &found.resources));
        let has_gateways =
            |selection: &Selection| selection.kinds().any(|kind| kind == ResourceKind::TransitGateway);
        if selections.any(has_gateways) {
            return Err(ExportError::TwoFormats);
        }
        let regions = fleet.members.values().flat_map(|member| member.regions.iter()).collect();
        Ok(Self { fleet, names, regions })
    }

    /// The quoted database and table name for a query.
    pub fn name(&self) -> String {
        format!("\"{}\".\"{}\"", self.names.database.as_str(), self.names.table.as_str())
    }

    /// The statement that creates the database.
    pub fn create_database(&self) -> String {
        format!("CREATE DATABASE IF NOT EXISTS `{}`", self.names.database.as_str())
    }

    /// The statement that creates the table.
    ///
    /// Source: "CREATE TABLE" (Amazon Athena User Guide).
    pub fn create_table(&self) -> String {
        let (database, table) = (self.names.database.as_str(), self.names.table.as_str());
        let columns = self.fields().iter().map(|field| (field.column(), kind(*field)));
        let partitions =
            self.partitions().into_iter().map(|partition| (partition.column.to_owned(), "string"));
        let properties = self.properties();
        let properties = properties.iter().map(|(key, value)| format!("\"{key}\" = \"{value}\""));
        format!(
            "CREATE EXTERNAL TABLE IF NOT EXISTS `{database}`.`{table}` (\n{}\n)\nPARTITIONED BY (\n{}\n)\n{}\nLOCATION \
             \"s3://{}/{}\"\nTBLPROPERTIES (\n{}\n)",
            definitions(columns),
            definitions(partitions),
            match self.layout().files.format {
                FileFormat::PlainText => "ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '",
                FileFormat::Parquet => PARQUET,
            },
            self.fleet.hub.bucket,
            self.layout().root(),
            lines(properties),
        )
    }

    /// The location of a partition, with the partition columns as placeholders.
    pub fn location_template(&self) -> String {
        let layout = self.layout();
        let placeholder = |column: &str| format!("${{{column}}}");
        let days: Vec<String> = days(&layout).iter().map(|column| placeholder(column)).collect();
        let day = layout.day_template(placeholder(ACCOUNT), placeholder(REGION), &days);
        format!("s3://{}/{day}{}", self.fleet.hub.bucket, layout.hour_template(placeholder(HOUR)))
    }

    /// The fields that have columns.
    pub fn recorded(&self) -> Vec<RecordedField> {
        let has_column =
            |field: &RecordedField| self.fields().iter().any(|column| column.as_str() == field.as_str());
        RecordedField::all().filter(has_column).collect()
    }

    /// Whether every query has to name its accounts.
    pub fn is_injected(&self) -> bool {
        self.fleet.members.len() > MOST_ENUMERATED
    }

    /// The accounts of the fleet.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.fleet.members.keys().copied()
    }

    /// The union of the regions of all accounts.
    pub(super) fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter().copied()
    }

    /// The folder layout.
    pub(super) fn layout(&self) -> Layout {
        self.fleet.layout()
    }

    pub(super) fn fleet(&self) -> &Fleet {
        self.fleet
    }

    pub(super) fn fields(&self) -> &[Field] {
        self.fleet.flow_logs.format.fields()
    }

    /// The partition columns in the order of the folders, each with its projection.
    ///
    /// Source: "Supported types for partition projection" (Amazon Athena User Guide).
    fn partitions(&self) -> Vec<Partition> {
        // Objects expire at the midnight after their last day, and the last file of a day is written on the next day.
        let kept = self.fleet.hub.lifecycle.retention.in_new_bucket().unwrap_or(Self::KEPT_FOREVER_DAYS);
        let days = kept.saturating_add(1);
        let accounts = if self.is_injected() {
            vec![("type", "injected".to_owned())]
        } else {
            enumerated(self.accounts())
        };
        let mut partitions = vec![
            Partition { column: ACCOUNT, projection: accounts },
            Partition { column: REGION, projection: enumerated(self.regions()) },
        ];
        let layout = self.layout();
        if layout.files.hive_compatible_partitions {
            let years = format!("NOW-{}YEARS,NOW", days.div_ceil(365));
            partitions.push(Partition { column: YEAR, projection: dates("yyyy", years, "YEARS") });
            partitions.push(Partition { column: MONTH, projection: two_digits("1,12") });
            partitions.push(Partition { column: DAY, projection: two_digits("1,31") });
        } else {
            let range = format!("NOW-{days}DAYS,NOW");
            partitions.push(Partition { column: DATE, projection: dates("yyyy/MM/dd", range, "DAYS") });
        }
        if layout.files.per_hour_partition {
            partitions.push(Partition { column: HOUR, projection: two_digits("0,23") });
        }
        partitions
    }

    fn properties(&self) -> Vec<(String, String)> {
        let mut properties = Vec::new();
        if self.layout().files.format == FileFormat::PlainText {
            properties.push(("skip.header.line.count".to_owned(), "1".to_owned()));
        }
        properties.push(("projection.enabled".to_owned(), "true".to_owned()));
        for Partition { column, projection } in self.partitions() {
            properties.extend(
                projection.into_iter().map(|(key, value)| (format!("projection.{column}.{key}"), value)),
            );
        }
        properties.push(("storage.location.template".to_owned(), self.location_template()));
        properties
    }
}

/// The classes that read Parquet, whose columns are matched by name.
///
/// Source: "Create tables for flow logs in Apache Parquet format" (Amazon Athena User Guide).
const PARQUET: &str = "\
ROW FORMAT SERDE \"org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe\"
STORED AS INPUTFORMAT \"org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat\"
OUTPUTFORMAT \"org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat\"";

/// A partition column and the properties of its projection.
struct Partition {
    column: &'static str,
    projection: Vec<(&'static str, String)>,
}

/// The columns that together form a day.
pub(super) fn days(layout: &Layout) -> &'static [&'static str] {
    if layout.files.hive_compatible_partitions { &[YEAR, MONTH, DAY] } else { &[DATE] }
}

/// The type of a field's column.
///
/// Source: "Data types in Amazon Athena" (Amazon Athena User Guide).
fn kind(field: Field) -> &'static str {
    match field.kind() {
        FieldKind::Int32 => "int",
        FieldKind::Int64 => "bigint",
        FieldKind::Text => "string",
    }
}

fn enumerated<T: ToString>(values: impl Iterator<Item = T>) -> Vec<(&'static str, String)> {
    let values: Vec<String> = values.map(|value| value.to_string()).collect();
    vec![("type", "enum".to_owned()), ("values", values.join(","))]
}

fn dates(format: &str, range: String, unit: &str) -> Vec<(&'static str, String)> {
    vec![
        ("type", "date".to_owned()),
        ("format", format.to_owned()),
        ("range", range),
        ("interval", "1".to_owned()),
        ("interval.unit", unit.to_owned()),
    ]
}

fn two_digits(range: &str) -> Vec<(&'static str, String)> {
    vec![("type", "integer".to_owned()), ("range", range.to_owned()), ("digits", "2".to_owned())]
}

fn definitions(columns: impl Iterator<Item = (String, &'static str)>) -> String {
    lines(columns.map(|(name, kind)| format!("`{name}` {kind}")))
}

/// Joins items with commas, one per line.
pub(super) fn lines(items: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for (n, item) in items.enumerate() {
        // Writing to a String does not fail.
        let _ = write!(text, "{}  {item}", if n == 0 { "" } else { ",\n" });
    }
    text
}
