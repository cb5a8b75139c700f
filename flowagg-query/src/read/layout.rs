//! The columns of a scan, and the record fields that they and the predicate need.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use flowagg_core::flow_log::RecordedField;

use crate::columns::Column;
use crate::filter::Predicate;

/// The columns and fields of a scan. Immutable, shared by its partitions.
#[derive(Debug)]
pub(crate) struct ReadLayout {
    /// The columns of the rows.
    pub(crate) outputs: Vec<Column>,
    /// The schema of these columns.
    pub(crate) schema: SchemaRef,
    /// The fields that are read, each once.
    pub(crate) fields: Vec<RecordedField>,
    /// The predicate that rows must pass.
    pub(crate) predicate: Predicate,
}

impl ReadLayout {
    pub(crate) fn new(outputs: Vec<Column>, schema: SchemaRef, predicate: Predicate) -> Self {
        let mut columns: BTreeSet<Column> = outputs.iter().copied().collect();
        predicate.columns(&mut columns);
        let fields: BTreeSet<RecordedField> = columns.into_iter().filter_map(Column::source).collect();
        Self { outputs, schema, fields: fields.into_iter().collect(), predicate }
    }

    /// The index of a field among those that are read.
    pub(crate) fn slot(&self, field: RecordedField) -> Option<usize> {
        self.fields.binary_search(&field).ok()
    }

    /// The fields that a file does not have, given their positions in it.
    pub(crate) fn missing(&self, places: &[Option<usize>]) -> Vec<RecordedField> {
        let fields = self.fields.iter().zip(places).filter(|(_, place)| place.is_none());
        fields.map(|(field, _)| *field).collect()
    }
}

/// Facts about an object that was read.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The number of records.
    pub(crate) records: u64,
    /// The requested fields that it does not have.
    pub(crate) missing: Vec<RecordedField>,
}
