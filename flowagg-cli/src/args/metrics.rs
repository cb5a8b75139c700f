//! Options of the commands that write metrics.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Metrics")]
pub(crate) struct MetricsArgs {
    /// Write Prometheus metrics to this file, replacing it
    #[arg(long, value_name = "FILE.prom")]
    pub(crate) metrics: Option<PathBuf>,
    /// Append CloudWatch metrics to this file; `-` is standard output
    ///
    /// The metrics are in CloudWatch embedded metric format. With `-`, all other output goes to standard error.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) metrics_emf: Option<Lines>,
}

impl MetricsArgs {
    /// The files to write.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.metrics.as_deref().into_iter().chain(self.metrics_emf.as_ref().and_then(Lines::path))
    }

    /// Whether metrics are written to standard output.
    pub(crate) fn is_on_stdout(&self) -> bool {
        self.metrics_emf.as_ref() == Some(&Lines::StandardOutput)
    }
}

/// The destination of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    StandardOutput,
    File(PathBuf),
}

impl Lines {
    /// The file, unless the destination is standard output.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::StandardOutput => None,
            Self::File(path) => Some(path),
        }
    }
}

impl FromStr for Lines {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" { Self::StandardOutput } else { Self::File(text.into()) })
    }
}
