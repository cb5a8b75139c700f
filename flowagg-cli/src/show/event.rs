//! What goes to standard error: words for people, or an event for each thing for a program.

use std::fmt;
use std::io::{self, Write};

use flowagg_core::failure::Failure;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::aws::Calls;

/// What a program that listens is told.
#[derive(JsonSchema, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// A step of a longer piece of work is done.
    Step {
        /// The piece of work.
        #[schemars(extend("enum" = [
            "reading", "hub", "flow logs", "looking again", "asking", "counting", "finding idle", "delivering",
        ]))]
        what: &'a str,
        /// How many steps of it are done.
        done: usize,
        /// How many it has.
        total: usize,
        /// Where the last one was: an account, an account and a region, a bucket, or words.
        at: &'a str,
    },
    /// A message to people.
    Notice {
        /// The words.
        text: &'a str,
    },
    /// How often each operation was sent.
    Calls {
        /// What they were sent for.
        #[schemars(extend("enum" = ["reading", "applying", "looking again", "verifying", "reporting"]))]
        phase: &'a str,
        /// The numbers, by the name of the operation.
        calls: &'a Calls,
    },
    /// Something is wrong with the command line or with a file; or the output cannot be written.
    Error(Fault<'a>),
    /// A call to AWS failed that the run cannot go on without.
    Failure(&'a Failure),
    /// A trace of `--verbose`.
    Trace {
        /// The line.
        text: &'a str,
    },
}

/// What is wrong, and what to do.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Fault<'a> {
    /// What is wrong.
    pub(super) what: &'a str,
    /// What to do about it.
    pub(super) help: &'a str,
    /// The fleet file that it is in; null where it is about no place in one.
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

/// Nobody is left to tell when standard error is gone.
pub(super) fn tell(line: &dyn fmt::Display) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// Makes an event of each line of a trace.
pub(crate) struct Trace;

impl Write for Trace {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        tell(&Event::Trace { text: String::from_utf8_lossy(line).trim_end() });
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
