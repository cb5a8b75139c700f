//! The columns of the table.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use flowagg_core::flow_log::{FieldKind, RecordedField};

/// The time zone of `start_time` and `end_time`.
const UTC: &str = "+00:00";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// A field of the record itself.
    Field(RecordedField),
    /// `start` or `end` as a timestamp.
    Time(RecordedField),
    /// A part of the object key.
    Path(PathPart),
}

/// The parts of an object key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PathPart {
    Account,
    Region,
    /// `yyyy/MM/dd`, as in the table that `flowagg export athena` writes.
    Date,
    /// `00` to `23`.
    Hour,
    Key,
}

impl PathPart {
    const ALL: [(Self, &str); 5] = [
        (Self::Account, "log_account"),
        (Self::Region, "log_region"),
        (Self::Date, "log_date"),
        (Self::Hour, "log_hour"),
        (Self::Key, "object_key"),
    ];
}

/// All columns, in the order of the table.
static COLUMNS: LazyLock<Vec<(Column, Field)>> = LazyLock::new(|| {
    let fields = RecordedField::all().map(|field| {
        let kind = match field.kind() {
            FieldKind::Int32 => DataType::Int32,
            FieldKind::Int64 => DataType::Int64,
            FieldKind::Text => DataType::Utf8View,
        };
        (Column::Field(field), Field::new(field.column(), kind, true))
    });
    let times = RecordedField::all().filter(|field| matches!(field.as_str(), "start" | "end"));
    let times = times.map(|field| {
        let kind = DataType::Timestamp(TimeUnit::Second, Some(UTC.into()));
        (Column::Time(field), Field::new(format!("{}_time", field.column()), kind, true))
    });
    let parts = PathPart::ALL.map(|(part, name)| {
        let may_lack = matches!(part, PathPart::Date | PathPart::Hour);
        (Column::Path(part), Field::new(name, DataType::Utf8View, may_lack))
    });
    fields.chain(times).chain(parts).collect()
});

/// The schema of the table.
pub(crate) static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(COLUMNS.iter().map(|(_, field)| field.clone()).collect::<Vec<_>>()))
});

impl Column {
    /// The column at an index of the schema.
    pub(crate) fn at(index: usize) -> Option<Self> {
        COLUMNS.get(index).map(|(column, _)| *column)
    }

    /// The column with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        COLUMNS.iter().find(|(_, field)| field.name() == name).map(|(column, _)| *column)
    }

    /// The record field that the column is read from, if any.
    pub(crate) fn source(self) -> Option<RecordedField> {
        match self {
            Self::Field(field) | Self::Time(field) => Some(field),
            Self::Path(_) => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        COLUMNS.iter().find(|(column, _)| *column == self).map_or("?", |(_, field)| field.name().as_str())
    }
}
