use std::fmt::{self, Display};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::commands::error::CommandError;

/// Where a policy or a list of requests is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input<'a> {
    /// Standard input, which the command line names `-`.
    Stdin,
    /// A file.
    File(&'a Path),
}

impl<'a> Input<'a> {
    /// The input that a command line argument names.
    pub(super) fn named(path: &'a Path) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::File(path) }
    }

    /// Reads all of its text. An empty text is an error: a command that failed before a pipe looks the same as a bucket without a
    /// policy.
    pub(super) fn text(self) -> Result<String, CommandError> {
        let text = self.read()?;
        if text.trim().is_empty() {
            return Err(CommandError::usage(
                format!("{self} is empty: nothing was read"),
                "check the command or the file that it comes from; if the bucket has no policy, use `flowagg policy build`",
            ));
        }
        Ok(text)
    }

    fn read(self) -> Result<String, CommandError> {
        let mut text = String::new();
        let read = match self {
            Self::Stdin => io::stdin().lock().read_to_string(&mut text),
            Self::File(path) => fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)),
        };
        read.map_err(|error| {
            CommandError::usage(
                format!("{self} cannot be read: {error}"),
                "name a file of UTF-8 text, or `-`",
            )
        })?;
        Ok(text)
    }

    /// The policy that was read from here cannot be used.
    pub(super) fn unusable(self, what: impl Display, help: impl Into<String>) -> CommandError {
        CommandError::usage(format!("the policy in {self}: {what}"), help)
    }
}

impl Display for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}
