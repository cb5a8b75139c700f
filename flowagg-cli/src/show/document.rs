//! Machine-readable output: documents on standard output, events on standard error. Each is an object whose first field is its
//! schema version.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

/// The schema version of every document and event. Programs that read them must check it.
pub use crate::report::SCHEMA;

/// A value with its schema version.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Document<T> {
    /// The schema version.
    #[schemars(extend("const" = SCHEMA))]
    schema: u32,
    #[serde(flatten)]
    body: T,
}

impl<T> Document<T> {
    pub(crate) fn new(body: T) -> Self {
        Self { schema: SCHEMA, body }
    }
}

/// Writes a document as indented JSON.
pub(crate) fn document(body: &(impl JsonSchema + Serialize), out: &mut dyn Write) -> io::Result<()> {
    json(&Document::new(body), out)
}

/// Writes a document on one line, for output with many documents.
pub(crate) fn line(body: &(impl JsonSchema + Serialize), out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Document::new(body))?;
    writeln!(out)
}

/// Writes a value as indented JSON without a schema version, for formats that are defined elsewhere.
pub(crate) fn json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}
