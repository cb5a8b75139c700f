//! What is written for programs: documents on standard output, events on standard error. Each is an object whose first
//! field is the version of its form.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

/// The version of every document and event: a program that reads them must know this number.
pub use crate::report::SCHEMA;

/// A value as it is written for programs.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Document<T> {
    /// The version of this form.
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

/// A document for programs, on lines for people.
pub(crate) fn document(body: &(impl JsonSchema + Serialize), out: &mut dyn Write) -> io::Result<()> {
    json(&Document::new(body), out)
}

/// A document on a line, where there is one for each of many things.
pub(crate) fn line(body: &(impl JsonSchema + Serialize), out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Document::new(body))?;
    writeln!(out)
}

/// A value whose form others define, on lines for people.
pub(crate) fn json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}
