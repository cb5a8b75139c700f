//! A text file: a header and a line for each record, compressed with gzip while it is written.

use std::io::{self, Write as _};
use std::net::IpAddr;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Columns;
use super::files::Writer;
use super::record::{Record, Value};

/// gzip's compression level: its default.
pub const LEVEL: u32 = 6;

/// Number of bytes of text that are buffered before compression.
const CHUNK: usize = 64 * 1024;

/// A text file that is being written. It holds the compressed part, and a chunk of uncompressed text.
pub(super) struct Text {
    encoder: GzEncoder<Vec<u8>>,
    chunk: Vec<u8>,
    compressed: u64,
}

impl Text {
    pub(super) fn new(columns: &Columns) -> Self {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let mut chunk = Vec::with_capacity(CHUNK + 1024);
        chunk.extend_from_slice(names.join(" ").as_bytes());
        chunk.push(b'\n');
        Self { encoder: GzEncoder::new(Vec::new(), Compression::new(LEVEL)), chunk, compressed: 0 }
    }

    fn compress(&mut self) -> io::Result<()> {
        self.encoder.write_all(&self.chunk)?;
        self.compressed += self.chunk.len() as u64;
        self.chunk.clear();
        Ok(())
    }
}

impl Writer for Text {
    fn write(&mut self, columns: &Columns, record: &Record<'_>, largest: u64) -> io::Result<bool> {
        let before = self.chunk.len();
        push_line(&mut self.chunk, columns, record);
        if self.compressed + self.chunk.len() as u64 > largest {
            self.chunk.truncate(before);
            return Ok(false);
        }
        if self.chunk.len() >= CHUNK {
            self.compress()?;
        }
        Ok(true)
    }

    fn finish(mut self) -> io::Result<Vec<u8>> {
        self.compress()?;
        self.encoder.finish()
    }
}

/// Appends a record as a line.
pub(super) fn push_line(text: &mut Vec<u8>, columns: &Columns, record: &Record<'_>) {
    for column in columns.iter() {
        push(text, (column.read)(record));
        text.push(b' ');
    }
    // Replaces the last separator with the line end.
    if let Some(last) = text.last_mut() {
        *last = b'\n';
    }
}

/// Appends a value.
pub(super) fn push(text: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::None => text.push(b'-'),
        Value::Number(number) => text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        Value::Text(word) => text.extend_from_slice(word.as_bytes()),
        Value::Address(IpAddr::V4(address)) => {
            for (n, octet) in address.octets().into_iter().enumerate() {
                if n > 0 {
                    text.push(b'.');
                }
                text.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
            }
        }
        Value::Address(IpAddr::V6(address)) => {
            // Writing to a vector does not fail.
            let _ = write!(text, "{address}");
        }
    }
}
