//! Runs the same queries in Polars and DuckDB with a script. To handle different headers, the script groups files by
//! header and declares the columns.

use std::path::Path;
use std::process::Command;

use crate::Measured;
use crate::bucket::Bucket;
use crate::questions::Question;

/// Another query engine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    Polars,
    DuckDb,
}

impl Peer {
    pub(crate) const ALL: [Self; 2] = [Self::Polars, Self::DuckDb];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Polars => "Polars",
            Self::DuckDb => "DuckDB",
        }
    }

    /// Runs the script once and checks its answer.
    pub(crate) fn measure(
        self,
        python: &Path,
        script: &Path,
        bucket: &Bucket,
        question: Question,
    ) -> Measured {
        let mut command = Command::new(python);
        command.arg(script).arg(self.name()).arg(question.number().to_string()).arg(&bucket.root);
        let (rows, measured) = Measured::with_rows(&mut command);
        bucket.check(question, &rows);
        measured
    }
}
