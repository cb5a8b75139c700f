//! What a scan reads: the columns of its rows, and the fields of records that these and the predicate need.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use flowagg_core::flow_log::RecordedField;

use crate::columns::Column;
use crate::filter::Predicate;

/// What a scan reads. Immutable, shared by its partitions.
#[derive(Debug)]
pub(crate) struct ReadLayout {
    /// The columns of the rows.
    pub(crate) outputs: Vec<Column>,
    /// The schema of these columns.
    pub(crate) schema: SchemaRef,
    /// The fields that are read, each once.
    pub(crate) fields: Vec<RecordedField>,
    /// What rows pass.
    pub(crate) predicate: Predicate,
}

impl ReadLayout {
    pub(crate) fn new(outputs: Vec<Column>, schema: SchemaRef, predicate: Predicate) -> Self {
        let mut columns: BTreeSet<Column> = outputs.iter().copied().collect();
        predicate.columns(&mut columns);
        let fields: BTreeSet<RecordedField> = columns.into_iter().filter_map(Column::source).collect();
        Self { outputs, schema, fields: fields.into_iter().collect(), predicate }
    }

    /// The place of a field among those that are read.
    pub(crate) fn slot(&self, field: RecordedField) -> Option<usize> {
        self.fields.binary_search(&field).ok()
    }

    /// The fields without a place in a file.
    pub(crate) fn missing(&self, places: &[Option<usize>]) -> Vec<RecordedField> {
        let fields = self.fields.iter().zip(places).filter(|(_, place)| place.is_none());
        fields.map(|(field, _)| *field).collect()
    }
}

/// What an object that was read has.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// How many records.
    pub(crate) records: u64,
    /// The fields that were to be read and that it does not have.
    pub(crate) missing: Vec<RecordedField>,
}
