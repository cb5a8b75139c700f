//! Converts the rows of the security group rules query to values.

use std::net::IpAddr;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use flowagg_core::question::{Direction, RecordedPorts, RecordedTraffic};

use crate::error::QueryError;

/// Converts rows of [`Question::UnusedRules`](flowagg_core::question::Question::UnusedRules), which
/// [`RuleUsage`](flowagg_core::question::RuleUsage) compares with rules. Fails if a column is missing.
pub fn recorded_traffic(rows: &RecordBatch) -> Result<Vec<RecordedTraffic>, QueryError> {
    let text = |name| Column::read(rows, name, &DataType::Utf8);
    let number = |name| Column::read(rows, name, &DataType::Int64);
    let flag = |name| Column::read(rows, name, &DataType::Boolean);
    let (interface, direction) = (text("interface")?, text("direction")?);
    let sources = [text("source")?, text("packet_source")?];
    let destinations = [text("destination")?, text("packet_destination")?];
    let (protocol, lower, since) = (number("protocol")?, number("lower_port")?, number("since")?);
    let higher = [number("first_higher_port")?, number("last_higher_port")?];
    let (is_accepted, is_lower_destination) = (flag("is_accepted")?, flag("is_lower_destination")?);
    let (opens, answers, is_skipped) = (flag("opens")?, flag("answers")?, flag("is_skipped")?);
    let port = |column: &Column, row| column.number(row).and_then(|port| u16::try_from(port).ok());
    let traffic = |row| {
        let mut traffic = RecordedTraffic::new(interface.text(row)?);
        traffic.is_accepted = is_accepted.flag(row) == Some(true);
        traffic.is_skipped = is_skipped.flag(row) == Some(true);
        traffic.since = since.number(row);
        traffic.direction = direction.text(row).and_then(Direction::parse);
        traffic.sources = sources.each_ref().map(|column| column.address(row));
        traffic.destinations = destinations.each_ref().map(|column| column.address(row));
        traffic.protocol = protocol.number(row).and_then(|number| u8::try_from(number).ok());
        let ports = port(&lower, row)
            .zip(is_lower_destination.flag(row))
            .zip(port(&higher[0], row))
            .zip(port(&higher[1], row));
        traffic.ports = ports.map(|(((lower, is_destination), first), last)| {
            RecordedPorts::new(lower, is_destination, [first, last])
        });
        (traffic.opens, traffic.answers) = (opens.flag(row) == Some(true), answers.flag(row) == Some(true));
        Some(traffic)
    };
    Ok((0..rows.num_rows()).filter_map(traffic).collect())
}

/// A column of one of three types.
struct Column(ArrayRef);

impl Column {
    fn read(rows: &RecordBatch, name: &str, kind: &DataType) -> Result<Self, QueryError> {
        let column = rows.column_by_name(name);
        let column = column.ok_or_else(|| ArrowError::SchemaError(format!("no column `{name}`")));
        let column = column.and_then(|column| cast(column, kind));
        Ok(Self(column.map_err(|error| QueryError::from(datafusion::error::DataFusionError::from(error)))?))
    }

    fn text(&self, row: usize) -> Option<&str> {
        self.0.is_valid(row).then(|| self.0.as_string::<i32>().value(row))
    }

    fn address(&self, row: usize) -> Option<IpAddr> {
        self.text(row)?.parse().ok()
    }

    fn number(&self, row: usize) -> Option<i64> {
        self.0.is_valid(row).then(|| self.0.as_primitive::<Int64Type>().value(row))
    }

    fn flag(&self, row: usize) -> Option<bool> {
        self.0.is_valid(row).then(|| self.0.as_boolean().value(row))
    }
}
