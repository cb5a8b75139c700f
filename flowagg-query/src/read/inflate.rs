//! Decompression of whole objects.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use libdeflater::Decompressor;
use memchr::memmem::Finder;

use crate::error::Broken;

/// The first bytes of each gzip member.
///
/// Source: RFC 1952, section 2.3.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// The size of header and trailer, and so of the smallest member.
const SMALLEST: usize = 18;
/// The maximum compression ratio of deflate.
const DENSEST: usize = 1_032;

/// Decompresses into a reusable buffer.
pub(super) struct Inflater {
    decompressor: Decompressor,
    magic: Finder<'static>,
    buffer: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            decompressor: Decompressor::new(),
            magic: Finder::new(&MAGIC).into_owned(),
            buffer: Vec::new(),
        }
    }

    /// The text of a gzip file with one or more members.
    pub(super) fn inflate(&mut self, data: &[u8]) -> Result<&[u8], Broken> {
        if data.is_empty() {
            return Err(Broken::Empty);
        }
        if let Some(length) = self.single(data) {
            return self.buffer.get(..length).ok_or(Broken::Gzip);
        }
        self.buffer.clear();
        let limit = data.len().saturating_mul(DENSEST) as u64;
        MultiGzDecoder::new(data).take(limit).read_to_end(&mut self.buffer).map_err(|_| Broken::Gzip)?;
        Ok(&self.buffer)
    }

    /// The length of the text if the file certainly has a single member: libdeflate is faster, but ignores all but the
    /// first member.
    fn single(&mut self, data: &[u8]) -> Option<usize> {
        if data.len() < SMALLEST || !data.starts_with(&MAGIC) || self.magic.find(&data[1..]).is_some() {
            return None;
        }
        let (_, trailer) = data.split_last_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*trailer)).ok()?;
        if length > data.len().saturating_mul(DENSEST) {
            return None;
        }
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        let written = self.decompressor.gzip_decompress(data, self.buffer.get_mut(..length)?).ok()?;
        (written == length).then_some(length)
    }

    /// Releases the memory of an unusually large object.
    pub(super) fn shrink(&mut self, most: usize) {
        if self.buffer.capacity() > most {
            self.buffer = Vec::new();
        }
    }
}
