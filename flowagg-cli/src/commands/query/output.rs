//! Writes rows to standard output or to a file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use anstream::StripStream;
use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::arrow::datatypes::SchemaRef;

use super::super::error::CommandError;
use super::super::files::NewFile;
use crate::Screen;
use crate::show::{ResultFormat, ResultWriter, Sheet};

/// Clears a terminal and moves the cursor to its top.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// The destination of rows: standard output or a file.
pub(super) struct Output {
    writer: ResultWriter,
    file: Option<OutFile>,
    /// The text before the first row.
    heading: Option<String>,
}

struct OutFile {
    new: NewFile,
    /// Without the escape sequences of a terminal.
    text: BufWriter<StripStream<File>>,
}

impl Output {
    pub(super) fn new(
        format: ResultFormat,
        schema: SchemaRef,
        out: Option<NewFile>,
        heading: Option<String>,
    ) -> Result<Self, CommandError> {
        let Some(new) = out else {
            return Ok(Self { writer: ResultWriter::text(format, schema), file: None, heading });
        };
        let writer = match format {
            ResultFormat::Parquet => {
                let writer = ResultWriter::parquet(schema, new.file()?);
                writer.map_err(|error| new.unwritten(&error))?
            }
            format => ResultWriter::text(format, schema),
        };
        let text = BufWriter::new(StripStream::new(new.file()?));
        Ok(Self { writer, file: Some(OutFile { new, text }), heading })
    }

    pub(super) fn rows(&self) -> usize {
        self.writer.rows()
    }

    /// Whether rows and progress share a terminal.
    pub(super) fn is_on_terminal(&self, screen: &Screen<'_>) -> bool {
        self.file.is_none() && screen.out.width().is_some()
    }

    pub(super) fn write(&mut self, batch: &RecordBatch, screen: &mut Screen<'_>) -> Result<(), CommandError> {
        self.to(screen, |writer, sheet| writer.write(batch, sheet))
    }

    /// Writes the end of the output, and moves the file to its path.
    pub(super) fn finish(&mut self, screen: &mut Screen<'_>) -> Result<(), CommandError> {
        self.to(screen, |writer, sheet| writer.finish(sheet))?;
        let Some(OutFile { new, mut text }) = self.file.take() else { return Ok(()) };
        text.flush().map_err(|error| new.unwritten(&error))?;
        new.put()
    }

    fn to(
        &mut self,
        screen: &mut Screen<'_>,
        write: impl FnOnce(&mut ResultWriter, &mut Sheet<'_>) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        if let Some(heading) = self.heading.take() {
            // The previous rows stay on the screen until new ones arrive.
            let is_on_terminal = self.is_on_terminal(screen);
            if is_on_terminal {
                write!(screen.out, "{CLEAR}{heading}\n\n")?;
            } else {
                screen.say(&heading)?;
            }
        }
        match &mut self.file {
            None => Ok(write(&mut self.writer, screen.out)?),
            Some(OutFile { new, text }) => {
                let written = write(&mut self.writer, &mut Sheet::new(text, None));
                written.map_err(|error| new.unwritten(&error))
            }
        }
    }
}
