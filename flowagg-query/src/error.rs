//! What can go wrong: with a query, and with one object.

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use flowagg_core::near::meant;

/// Why one object cannot be read. Such an object contributes no rows: it is counted and named, or with
/// [`ScanOptions::strict`](crate::ScanOptions::strict) it ends the query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// It was deleted between the listing and the download.
    #[error("it no longer exists")]
    Missing,
    /// It is not gzip, or it is cut or damaged.
    #[error("the gzip data is cut or damaged")]
    Gzip,
    /// It holds no line.
    #[error("it is empty")]
    Empty,
    /// The text is not UTF-8.
    #[error("line {line} is not UTF-8")]
    Encoding {
        /// The line, from 1: the header; in a Parquet file the row, from 1.
        line: usize,
    },
    /// The first line is not a list of fields.
    #[error("the first line does not list fields of a flow log")]
    Header,
    /// The header names a field twice.
    #[error("the header lists `{0}` twice")]
    Twice(&'static str),
    /// The header is repeated: the file was joined from several.
    #[error("line {line} is the header again")]
    Repeated {
        /// The line, from 1: the header.
        line: usize,
    },
    /// A record has more or fewer fields than the header.
    #[error("line {line} does not have one value for each of the {expected} fields")]
    Fields {
        /// The line, from 1: the header.
        line: usize,
        /// The values of the line.
        found: usize,
        /// The fields of the header.
        expected: usize,
    },
    /// A line contains a control character, such as a tab.
    #[error("line {line} contains a control character")]
    Control {
        /// The line, from 1: the header.
        line: usize,
    },
    /// A number is not one, or does not fit.
    #[error("line {line}: `{field}` is not a {bits}-bit integer")]
    Number {
        /// The line, from 1: the header; in a Parquet file the row, from 1.
        line: usize,
        /// The field.
        field: &'static str,
        /// The bits that it has.
        bits: u8,
    },
    /// The Parquet file cannot be read.
    #[error("the Parquet data is damaged: {0}")]
    Parquet(String),
    /// A Parquet column has a type that the field cannot have.
    #[error("column `{column}` has type {found}")]
    Type {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
}

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The statement may change something.
    #[error("`{0}` is not a statement that only reads")]
    NotRead(String),
    /// There is not exactly one statement.
    #[error("expected one SQL statement, found {0}")]
    Statements(usize),
    /// A folder cannot be listed.
    #[error("cannot list `{folder}`")]
    List {
        /// The folder.
        folder: String,
        /// Why.
        source: object_store::Error,
    },
    /// An object cannot be downloaded.
    #[error("cannot read `{key}`")]
    Get {
        /// Its key.
        key: String,
        /// Why.
        source: object_store::Error,
    },
    /// An object is broken, and the scan is strict.
    #[error("`{key}` cannot be read as a flow log: {reason}")]
    Broken {
        /// Its key.
        key: String,
        /// Why.
        reason: Broken,
    },
    /// The [`Gate`](crate::Gate) did not let the query go on.
    #[error("stopped before reading {objects} objects with {bytes} bytes")]
    Declined {
        /// Objects listed until then.
        objects: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// A sum of integers does not fit in 64 bits.
    #[error("a sum is larger than the largest 64-bit integer, 9223372036854775807")]
    SumTooLarge,
    /// A task that lists or downloads ended before its work was done, because it panicked.
    #[error("a task that lists or downloads objects ended early, so the result would be incomplete")]
    Incomplete,
    /// DataFusion cannot parse, plan or run the statement.
    #[error("{}", message(.0))]
    Sql(#[source] Box<DataFusionError>),
}

impl QueryError {
    /// What to do about it, as an imperative sentence.
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
                "leave out the records with impossible numbers, as in `WHERE bytes < 1000000000000000`, or sum `CAST(bytes AS decimal(38, 0))`",
            ),
            Self::Incomplete => {
                Some("run it again; if it happens again, report it as a bug with the panic above")
            }
            Self::Sql(error) => match error.find_root() {
                DataFusionError::ResourcesExhausted(_) => Some("narrow the query, or raise the memory limit"),
                DataFusionError::SchemaError(..) => Some("run `DESCRIBE vpc_flow_logs` for the columns"),
                _ => None,
            },
        }
    }
}

impl QueryError {
    /// The error of the table, if DataFusion only passed it on: several partitions may share it.
    pub fn root(&self) -> &Self {
        let Self::Sql(error) = self else { return self };
        match error.find_root() {
            DataFusionError::External(inner) => inner.downcast_ref().unwrap_or(self),
            _ => self,
        }
    }
}

/// DataFusion wraps the errors of a table: this takes them out again.
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
    /// An error that several partitions share cannot be taken out of its `Arc` if another partition holds it as well.
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

/// The message without the prefixes of DataFusion and its parser, which name their own parts.
fn message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::SQL(error, _) => match error.as_ref() {
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message.clone(),
            ParserError::RecursionLimitExceeded => "the statement is nested too deeply".to_owned(),
        },
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let near = meant(field.name(), valid_fields.iter().map(Column::name));
                let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
                format!("no column is called `{}`{near}", field.name())
            }
            error => error.to_string(),
        },
        other => other.message().trim().to_owned(),
    }
}
