use std::fmt::{self, Display};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::commands::error::CommandError;

/// The source of a policy or a list of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input<'a> {
    /// Standard input, `-` on the command line.
    Stdin,
    File(&'a Path),
}

impl<'a> Input<'a> {
    /// The input that a command line argument names.
    pub(super) fn named(path: &'a Path) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::File(path) }
    }

    /// Reads the whole text. An empty text is an error, because the output of a failed command in a pipe looks like that of a bucket
    /// without a policy.
    pub(super) fn text(self) -> Result<String, CommandError> {
        let text = self.read()?;
        if text.trim().is_empty() {
            return Err(CommandError::usage(
                format!("{self} is empty"),
                "check the command or file that provides it; if the bucket has no policy, use `flowagg policy build`",
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
                "use a UTF-8 text file, or `-` for standard input",
            )
        })?;
        Ok(text)
    }

    /// The error for an invalid policy from this input.
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
