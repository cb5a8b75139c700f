//! Machine-readable events on standard error.

use std::fmt;
use std::io::{self, Write};

use flowagg_core::failure::Failure;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::aws::Calls;

/// An event on standard error, as one line of JSON.
#[derive(JsonSchema, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// A step of a longer task is done.
    Step {
        /// The task.
        #[schemars(extend("enum" = [
            "reading", "hub", "flow logs", "looking again", "asking", "counting", "finding idle", "delivering",
        ]))]
        what: &'a str,
        /// The number of completed steps.
        done: usize,
        /// The total number of steps.
        total: usize,
        /// The subject of the last step: an account, an account-region, a bucket, or other text.
        at: &'a str,
    },
    /// A message for people.
    Notice {
        /// The message.
        text: &'a str,
    },
    /// The number of calls of each AWS operation.
    Calls {
        /// The phase of the run.
        #[schemars(extend("enum" = ["reading", "applying", "looking again", "verifying", "reporting"]))]
        phase: &'a str,
        /// The number of calls by operation name.
        calls: &'a Calls,
    },
    /// An error in the command line or in a file, or output that could not be written.
    Error(Fault<'a>),
    /// A failed AWS call that stops the run.
    Failure(&'a Failure),
    /// A trace line from `--verbose`.
    Trace {
        /// The line.
        text: &'a str,
    },
}

/// An error and its fix.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Fault<'a> {
    /// The error.
    pub(super) what: &'a str,
    /// How to fix it.
    pub(super) help: &'a str,
    /// The fleet file that contains the error; null if the error is not in a fleet file.
    pub(super) path: Option<&'a str>,
    /// The line in that file, from 1.
    pub(super) line: Option<usize>,
    /// The column in that line, from 1.
    pub(super) column: Option<usize>,
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&Document::new(self)).map_err(|_| fmt::Error)?)
    }
}

/// Prints a line on standard error. Write errors are ignored: there is no other place to report them.
pub(super) fn print_line(line: &dyn fmt::Display) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// Turns each line of a trace into an event.
pub(crate) struct Trace;

impl Write for Trace {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        print_line(&Event::Trace { text: String::from_utf8_lossy(line).trim_end() });
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
