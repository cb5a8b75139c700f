//! The types of fields.

/// The type of a field's values in a table of records. In text files every value is text; Parquet files may have narrower
/// integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldKind {
    /// A 32-bit integer.
    Int32,
    /// A 64-bit integer. `start` and `end` are Unix seconds.
    Int64,
    /// Text. Addresses are text.
    Text,
}
