//! What goes to standard error: words for people, or an event for each thing for a program.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use flowagg_core::fleet::FleetError;
use flowagg_core::observed::Failure;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Document, Screen};
use crate::aws::Calls;

/// What a program that listens is told.
#[derive(JsonSchema, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// A step of a longer piece of work is done.
    Step {
        /// The piece of work.
        #[schemars(extend("enum" = [
            "reading", "hub", "flow logs", "looking again", "asking", "counting", "delivering",
        ]))]
        what: &'a str,
        /// How many steps of it are done.
        done: usize,
        /// How many it has.
        total: usize,
        /// Where the last one was: an account, an account and a region, a bucket, or words.
        at: &'a str,
    },
    /// Something that a person would be told.
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
    /// What `--verbose` tells.
    Trace {
        /// The line.
        text: &'a str,
    },
}

/// What is wrong, and what to do.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Fault<'a> {
    /// What is wrong.
    what: &'a str,
    /// What to do about it.
    help: &'a str,
    /// The fleet file that it is in; null where it is about no place in one.
    path: Option<&'a str>,
    /// The line in that file, from 1.
    line: Option<usize>,
    /// The column in that line, from 1.
    column: Option<usize>,
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&Document::of(self)).map_err(|_| fmt::Error)?)
    }
}

/// Nobody is left to tell when standard error is gone.
pub(super) fn tell(line: &dyn fmt::Display) {
    drop(writeln!(io::stderr(), "{line}"));
}

impl Screen<'_> {
    /// What is wrong, and what to do.
    pub(crate) fn error(&mut self, what: &str, help: &str) -> io::Result<()> {
        if !self.events {
            return super::error(what, help, self.err);
        }
        let fault = Fault { what, help, path: None, line: None, column: None };
        writeln!(self.err, "{}", Event::Error(fault))
    }

    /// Every fault of a fleet file, with its place.
    pub(crate) fn faults(&mut self, path: &Path, error: &FleetError) -> io::Result<()> {
        if !self.events {
            return super::faults(path, error, self.err);
        }
        let path = path.display().to_string();
        error.faults.iter().try_for_each(|fault| {
            let (line, column) = (Some(fault.line), Some(fault.column));
            let fault = Fault { what: &fault.what, help: &fault.help, path: Some(&path), line, column };
            writeln!(self.err, "{}", Event::Error(fault))
        })
    }

    /// The failures that keep a run from going on.
    pub(crate) fn failures(&mut self, failures: &[Failure]) -> io::Result<()> {
        if !self.events {
            return super::failures(failures, self.err);
        }
        failures.iter().try_for_each(|failure| writeln!(self.err, "{}", Event::Failure(failure)))
    }

    /// Something that is worth knowing.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        if self.events { self.say(text) } else { self.err.line(6, format_args!("note: {text}")) }
    }

    /// Something that is to be known beside the result, as it stands.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        match text.trim_end() {
            "" => Ok(()),
            text if self.events => writeln!(self.err, "{}", Event::Notice { text }),
            text => writeln!(self.err, "{text}"),
        }
    }

    /// How often each operation was sent, where a program listens.
    pub(crate) fn calls(&mut self, phase: &str, calls: &Calls) -> io::Result<()> {
        if self.events { writeln!(self.err, "{}", Event::Calls { phase, calls }) } else { Ok(()) }
    }
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
