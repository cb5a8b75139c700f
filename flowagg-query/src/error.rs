//! Errors of queries and of single objects.

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use flowagg_core::near::meant;

/// Why an object cannot be read. A broken object contributes no rows: it is counted and reported, or with
/// [`ScanOptions::strict`](crate::ScanOptions::strict) it ends the query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The object was deleted between listing and download.
    #[error("the object no longer exists")]
    Missing,
    /// The data is not gzip, or is truncated or damaged.
    #[error("the gzip data is truncated or damaged")]
    Gzip,
    /// The object has no lines.
    #[error("the object is empty")]
    Empty,
    /// The text is not UTF-8.
    #[error("line {line} is not UTF-8")]
    Encoding {
        /// The line, starting at 1 with the header; in a Parquet file the row, starting at 1.
        line: usize,
    },
    /// The first line is not a list of fields.
    #[error("the first line does not list fields of a flow log")]
    Header,
    /// The header contains a field twice.
    #[error("the header lists `{0}` twice")]
    Twice(&'static str),
    /// The header is repeated because several files were concatenated.
    #[error("line {line} repeats the header")]
    Repeated {
        /// The line, starting at 1 with the header.
        line: usize,
    },
    /// A record has more or fewer fields than the header.
    #[error("line {line} does not have one value for each of the {expected} fields")]
    Fields {
        /// The line, starting at 1 with the header.
        line: usize,
        /// The number of values in the line.
        found: usize,
        /// The number of fields in the header.
        expected: usize,
    },
    /// A line contains a control character, such as a tab.
    #[error("line {line} contains a control character")]
    Control {
        /// The line, starting at 1 with the header.
        line: usize,
    },
    /// A number is invalid or does not fit.
    #[error("line {line}: `{field}` is not a {bits}-bit integer")]
    Number {
        /// The line, starting at 1 with the header; in a Parquet file the row, starting at 1.
        line: usize,
        /// The field.
        field: &'static str,
        /// The size of the field in bits.
        bits: u8,
    },
    /// The Parquet file cannot be read.
    #[error("the Parquet data is damaged: {0}")]
    Parquet(String),
    /// A Parquet column has a type that is not supported for the field.
    #[error("column `{column}` has type {found}")]
    Type {
        /// The column.
        column: String,
        /// The type of the column.
        found: String,
    },
}

/// An error of a query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The statement may make changes.
    #[error("`{0}` is not a read-only statement")]
    NotRead(String),
    /// The text does not contain exactly one statement.
    #[error("expected one SQL statement, found {0}")]
    Statements(usize),
    /// A folder cannot be listed.
    #[error("cannot list `{folder}`")]
    List {
        /// The folder.
        folder: String,
        /// The cause.
        source: object_store::Error,
    },
    /// An object cannot be downloaded.
    #[error("cannot read `{key}`")]
    Get {
        /// The object key.
        key: String,
        /// The cause.
        source: object_store::Error,
    },
    /// An object is broken, and the scan is strict.
    #[error("`{key}` cannot be read as a flow log: {reason}")]
    Broken {
        /// The object key.
        key: String,
        /// The cause.
        reason: Broken,
    },
    /// The [`Gate`](crate::Gate) declined the query.
    #[error("stopped before reading {objects} objects with {bytes} bytes")]
    Declined {
        /// The number of objects listed until then.
        objects: u64,
        /// The size of these objects in bytes.
        bytes: u64,
    },
    /// A sum of integers does not fit in 64 bits.
    #[error("a sum is larger than the largest 64-bit integer, 9223372036854775807")]
    SumTooLarge,
    /// A task that lists or downloads objects panicked.
    #[error("a task that lists or downloads objects ended early, so the result would be incomplete")]
    Incomplete,
    /// DataFusion cannot parse, plan or run the statement.
    #[error("{}", message(.0))]
    Sql(#[source] Box<DataFusionError>),
}

impl QueryError {
    /// How to fix it, as an imperative sentence.
    pub fn help(&self) -> Option<&'static str> {
        match self.root() {
            Self::NotRead(_) => Some("use SELECT, WITH, EXPLAIN, DESCRIBE or SHOW"),
            Self::Statements(_) => Some("run one statement at a time"),
            Self::List { .. } => Some("check the bucket and the prefix, and allow `s3:ListBucket`"),
            Self::Get { .. } => Some(
                "allow `s3:GetObject` on the objects, and `kms:Decrypt` if the bucket encrypts with a KMS key",
            ),
            Self::Broken { .. } => Some("run without strict mode to skip broken objects"),
            Self::Declined { .. } => Some("narrow the accounts, regions or times, or raise the limit"),
            Self::SumTooLarge => Some(
                "exclude records with impossible numbers, e.g. `WHERE bytes < 1000000000000000`, or sum `CAST(bytes AS decimal(38, 0))`",
            ),
            Self::Incomplete => {
                Some("run the query again; if the error persists, report a bug with the panic message above")
            }
            Self::Sql(error) => match error.find_root() {
                DataFusionError::ResourcesExhausted(_) => Some("narrow the query, or raise the memory limit"),
                DataFusionError::SchemaError(..) => Some("run `DESCRIBE vpc_flow_logs` to list the columns"),
                _ => None,
            },
        }
    }
}

impl QueryError {
    /// The table error inside an error that DataFusion passed on. Several partitions may share it.
    pub fn root(&self) -> &Self {
        let Self::Sql(error) = self else { return self };
        match error.find_root() {
            DataFusionError::External(inner) => inner.downcast_ref().unwrap_or(self),
            _ => self,
        }
    }
}

/// Unwraps table errors that DataFusion wrapped.
impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Sql(Box::new(DataFusionError::External(other))),
            },
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) if is_ours(&inner) => {
                Self::from(*inner)
            }
            other => Self::shared(other),
        }
    }
}

impl QueryError {
    /// Unwraps a shared error. This is not possible if another partition still holds its `Arc`.
    fn shared(error: DataFusionError) -> Self {
        match error {
            DataFusionError::Shared(inner) => match std::sync::Arc::try_unwrap(inner) {
                Ok(inner) => Self::from(inner),
                Err(inner) => Self::Sql(Box::new(DataFusionError::Shared(inner))),
            },
            other => Self::Sql(Box::new(other)),
        }
    }
}

fn is_ours(error: &DataFusionError) -> bool {
    match error {
        DataFusionError::External(inner) => inner.is::<QueryError>(),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => is_ours(inner),
        _ => false,
    }
}

impl From<QueryError> for DataFusionError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Sql(inner) => *inner,
            other => Self::External(Box::new(other)),
        }
    }
}

/// The message without the prefixes of DataFusion and its parser, which name internal components.
fn message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::SQL(error, _) => match error.as_ref() {
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message.clone(),
            ParserError::RecursionLimitExceeded => "too many levels of nesting in the statement".to_owned(),
        },
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let near = meant(field.name(), valid_fields.iter().map(Column::name));
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                format!("unknown column `{}`{near}", field.name())
            }
            error => error.to_string(),
        },
        other => other.message().trim().to_owned(),
    }
}
