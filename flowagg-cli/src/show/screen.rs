//! The output streams of a run, and the output that all commands share.

use std::cell::OnceCell;
use std::io::{self, BufRead, Write};
use std::path::Path;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::FleetError;
use flowagg_core::plan::Concern;
use flowagg_core::text::one_line;
use tokio_util::sync::CancellationToken;

use super::event::{Event, Fault};
use super::failures::{self, error, faults, warning};
use super::plan::at;
use super::progress::{Watch, end, signal};
use super::sheet::Sheet;
use super::view::View;
use crate::aws::Calls;
use crate::{Exit, Progress};

/// The output streams of a run. Styles are always written; the writers remove them if necessary.
#[non_exhaustive]
pub struct Screen<'a> {
    /// Results.
    pub out: &'a mut Sheet<'a>,
    /// Progress, prompts and errors.
    pub err: &'a mut Sheet<'a>,
    /// The answers to prompts, one per line.
    pub input: Option<&'a mut dyn BufRead>,
    /// Whether a terminal is available for prompts and progress.
    pub interactive: bool,
    /// Whether progress is machine-readable: one line of JSON on standard error for each event.
    pub events: bool,
}

impl<'a> Screen<'a> {
    /// Creates a screen without prompts.
    pub fn new(out: &'a mut Sheet<'a>, err: &'a mut Sheet<'a>) -> Self {
        Self { out, err, input: None, interactive: false, events: false }
    }

    /// Runs read-only work. A signal ends the program immediately.
    pub(crate) async fn reading<T>(&self, work: impl AsyncFnOnce(&dyn Progress) -> T) -> T {
        self.watching(async |watch| work(watch).await).await.unwrap_or_else(|exit| {
            Watch::new(false, self.events).say(&ended(exit, "nothing was changed"));
            end(exit)
        })
    }

    /// Runs read-only work until it ends or a signal arrives.
    pub(crate) async fn watching<T>(&self, work: impl AsyncFnOnce(&Watch) -> T) -> Result<T, Exit> {
        let watch = Watch::new(self.interactive, self.events);
        let result = tokio::select! {
            result = work(&watch) => Ok(result),
            exit = signal() => Err(exit),
        };
        watch.finish();
        result
    }

    /// Runs work that must not be interrupted during a call. The first signal cancels the token. Returns the exit code of that signal, if
    /// there was one.
    pub(crate) async fn writing<T>(
        &self,
        work: impl AsyncFnOnce(CancellationToken, &dyn Progress) -> T,
    ) -> (T, Option<Exit>) {
        let watch = Watch::new(self.interactive, self.events);
        let (cancel, first) = (CancellationToken::new(), OnceCell::new());
        let result = tokio::select! {
            result = work(cancel.clone(), &watch) => result,
            never = watch.interrupts(&cancel, &first) => never,
        };
        watch.finish();
        (result, first.into_inner())
    }

    /// Writes that a signal ended the run, and returns its exit code.
    pub(crate) fn ended(&mut self, exit: Exit, what: &str) -> io::Result<Exit> {
        self.say(&ended(exit, what))?;
        Ok(exit)
    }

    /// Prompts for confirmation. Any answer except `y` and `yes` means no, and so does the end of the input.
    pub(crate) fn agreed(&mut self, question: &str) -> io::Result<bool> {
        let answer = self.answer(&format!("\n{question} [y/N] "))?;
        Ok(answer.is_some_and(|answer| is_yes(&answer)))
    }

    /// Prompts for a line and returns it without surrounding whitespace; `None` at the end of the input.
    pub(crate) fn answer(&mut self, prompt: &str) -> io::Result<Option<String>> {
        write!(self.err, "{prompt}")?;
        self.err.flush()?;
        let Some(input) = &mut self.input else { return Ok(None) };
        let mut answer = String::new();
        if input.read_line(&mut answer)? == 0 {
            // Without an answer, nothing has ended the line of the prompt.
            writeln!(self.err)?;
            return Ok(None);
        }
        Ok(Some(answer.trim().to_owned()))
    }

    /// Prints an error and its fix.
    pub(crate) fn error(&mut self, what: &str, help: &str) -> io::Result<()> {
        if !self.events {
            return error(what, help, self.err);
        }
        let fault = Fault { what, help, path: None, line: None, column: None };
        writeln!(self.err, "{}", Event::Error(fault))
    }

    /// Prints a warning and its fix.
    pub(crate) fn warning(&mut self, what: &str, help: &str) -> io::Result<()> {
        if self.events {
            return self.say(&format!("warning: {what}; {help}"));
        }
        warning(what, help, self.err)
    }

    /// Prints every error in a fleet file, with its position.
    pub(crate) fn faults(&mut self, path: &Path, error: &FleetError) -> io::Result<()> {
        if !self.events {
            return faults(path, error, self.err);
        }
        let path = path.display().to_string();
        error.faults.iter().try_for_each(|fault| {
            let (line, column) = (Some(fault.line), Some(fault.column));
            let fault = Fault { what: &fault.what, help: &fault.help, path: Some(&path), line, column };
            writeln!(self.err, "{}", Event::Error(fault))
        })
    }

    /// Prints the failures that stop a run.
    pub(crate) fn failures(&mut self, failures: &[Failure]) -> io::Result<()> {
        if !self.events {
            return failures::failures(failures, View::UNKNOWN, self.err);
        }
        failures.iter().try_for_each(|failure| writeln!(self.err, "{}", Event::Failure(failure)))
    }

    /// Prints the obstacles that block changes.
    pub(crate) fn obstacles(&mut self, obstacles: &[Concern]) -> io::Result<()> {
        obstacles.iter().try_for_each(|obstacle| {
            self.error(&format!("{}: {}", at(obstacle, View::UNKNOWN), obstacle.what), &obstacle.help)
        })
    }

    /// Prints a note.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        if self.events { self.say(text) } else { self.err.line(6, format_args!("note: {text}")) }
    }

    /// Prints the last line of a run.
    #[cfg(feature = "query")]
    pub(crate) fn last_line(&mut self, text: &str) -> io::Result<()> {
        if self.events { self.say(text) } else { self.err.line(4, text) }
    }

    /// Prints a message next to the result, without any prefix.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        match text.trim_end() {
            "" => Ok(()),
            text if self.events => writeln!(self.err, "{}", Event::Notice { text }),
            text => writeln!(self.err, "{text}"),
        }
    }

    /// Prints the number of calls of each operation, if the output is machine-readable.
    pub(crate) fn calls(&mut self, phase: &str, calls: &Calls) -> io::Result<()> {
        if self.events { writeln!(self.err, "{}", Event::Calls { phase, calls }) } else { Ok(()) }
    }
}

/// Whether an answer to a prompt means yes.
pub(crate) fn is_yes(answer: &str) -> bool {
    matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")
}

/// Formats the last line of a run that a signal ended.
fn ended(exit: Exit, what: &str) -> String {
    format!("{}: {what}", exit.by_signal())
}

/// Prints a command line error, or the requested help.
pub(crate) fn usage(error: &clap::Error, screen: &mut Screen<'_>) -> Exit {
    let text = error.render();
    if !error.use_stderr() {
        let _ = write!(screen.out, "{}", text.ansi());
        return Exit::Done;
    }
    let _ = if screen.events {
        let (what, help) = parts(&text.to_string());
        screen.error(&what, &help)
    } else {
        write!(screen.err, "{}", text.ansi())
    };
    Exit::Usage
}

/// Splits clap's text into the error and its tips, each on one line. The usage is left out.
fn parts(text: &str) -> (String, String) {
    let mut paragraphs = text.trim().split("\n\n");
    let what = one_line(paragraphs.next().unwrap_or_default());
    let of_usage = ["Usage:", "For more information"];
    let tips = paragraphs.filter(|part| !of_usage.iter().any(|start| part.trim_start().starts_with(start)));
    let tips: Vec<String> = tips.flat_map(str::lines).map(one_line).collect();
    let tips: Vec<&str> = tips.iter().map(|tip| tip.trim_start_matches("tip: ")).collect();
    let help = if tips.is_empty() {
        "run the command with `--help` to see its usage".to_owned()
    } else {
        tips.join("; ")
    };
    (what.trim_start_matches("error: ").to_owned(), help)
}
