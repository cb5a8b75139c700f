//! The types of fields.

/// The type of a field's values in a table of records. In a text file every value is text; a Parquet file may have a narrower
/// integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldKind {
    /// A 32-bit integer.
    Int32,
    /// A 64-bit integer. `start` and `end` are Unix seconds.
    Int64,
    /// Text, which addresses are as well.
    Text,
}
