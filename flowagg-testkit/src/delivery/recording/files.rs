//! Splits records into files of a maximum size.

use std::fmt;
use std::io;
use std::iter::Peekable;

use flowagg_core::flow_log::FileFormat;

use super::parquet_file::Parquet;
use super::random::digest;
use super::record::Record;
use super::text::Text;
use super::{Columns, Network};

/// Maximum size of a file, in bytes before compression.
///
/// Source: "Flow log files" (Amazon VPC User Guide, until 2023) and "Transit Gateway Flow Logs records in Amazon S3" (Amazon
/// VPC Transit Gateways), which both state 75 MB.
pub const LARGEST_FILE: u64 = 75_000_000;

/// Format and size of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shape {
    /// Text or Parquet.
    pub format: FileFormat,
    /// Maximum size of a file, in bytes before compression. A file contains at least one record, whatever its size.
    pub largest: u64,
}

impl Default for Shape {
    /// Text with AWS's limit.
    fn default() -> Self {
        Self { format: FileFormat::default(), largest: LARGEST_FILE }
    }
}

/// A file as the service delivers it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogFile {
    /// Distinguishes files with otherwise identical names: eight hexadecimal digits.
    pub hash: String,
    /// The compressed contents.
    pub body: Vec<u8>,
    /// Number of records.
    pub records: u64,
}

impl fmt::Debug for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hash, body, records } = self;
        write!(f, "LogFile {hash}: {records} records in {} bytes", body.len())
    }
}

/// The files of an interval.
pub(super) struct Files<'a, R: Iterator<Item = Record<'a>>> {
    columns: &'a Columns,
    records: Peekable<R>,
    shape: Shape,
    /// The digits of the next file's name, as a number.
    hash: u32,
}

impl<'a> Files<'a, std::iter::Empty<Record<'a>>> {
    /// The files of a network's records.
    pub(super) fn new(
        network: &'a Network,
        start: i64,
        shape: Shape,
    ) -> Files<'a, impl Iterator<Item = Record<'a>>> {
        let seed = digest(&format!("{} {} {start}", network.traffic.seed, network.recording.flow_log));
        let records = network.records(start).peekable();
        Files { columns: &network.recording.columns, records, shape, hash: (seed >> 32) as u32 }
    }
}

impl<'a, R: Iterator<Item = Record<'a>>> Files<'a, R> {
    fn file(&mut self, mut writer: impl Writer) -> io::Result<(Vec<u8>, u64)> {
        let mut records = 0;
        while let Some(record) = self.records.peek() {
            let largest = if records == 0 { u64::MAX } else { self.shape.largest };
            if !writer.write(self.columns, record, largest)? {
                break;
            }
            records += 1;
            self.records.next();
        }
        Ok((writer.finish()?, records))
    }

    fn body(&mut self) -> io::Result<(Vec<u8>, u64)> {
        match self.shape.format {
            FileFormat::PlainText => self.file(Text::new(self.columns)),
            FileFormat::Parquet => self.file(Parquet::new(self.columns)?),
        }
    }
}

impl<'a, R: Iterator<Item = Record<'a>>> Iterator for Files<'a, R> {
    type Item = io::Result<LogFile>;

    fn next(&mut self) -> Option<io::Result<LogFile>> {
        self.records.peek()?;
        let (body, records) = match self.body() {
            Ok(made) => made,
            Err(error) => return Some(Err(error)),
        };
        let hash = format!("{:08x}", self.hash);
        // An odd step visits every number before repeating one, so no two files of an interval have the same name.
        self.hash = self.hash.wrapping_add(0x9e37_79b1);
        Some(Ok(LogFile { hash, body, records }))
    }
}

/// A file that is being written.
pub(super) trait Writer {
    /// Adds a record, unless the file would then exceed `largest` bytes. Returns whether it was added.
    fn write(&mut self, columns: &Columns, record: &Record<'_>, largest: u64) -> io::Result<bool>;

    /// Returns the contents of the file.
    fn finish(self) -> io::Result<Vec<u8>>;
}
