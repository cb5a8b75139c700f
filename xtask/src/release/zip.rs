//! ZIP files, for Windows: deflated files with modes and one fixed time. A crate for this would enable a feature of a crate below the
//! AWS SDK, which cargo would then compile again.
//!
//! Source: "APPNOTE.TXT - .ZIP File Format Specification" (PKWARE), 4.3.7, 4.3.12 and 4.3.16.

use std::io::{self, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// The ZIP version that readers need: folders and deflated files.
const VERSION_NEEDED: u16 = 20;
/// Created on Unix: the upper half of the attributes is a mode.
const MADE_BY: u16 = (3 << 8) | VERSION_NEEDED;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
const DEFLATED: u16 = 8;
/// 1980-01-01 00:00, the earliest time.
const TIME: u16 = 0;
const DATE: u16 = (1 << 5) | 1;
const REGULAR_FILE: u32 = 0o100_000;

/// A file of an archive: path, mode and contents.
pub(super) type File<'a> = (String, u32, &'a [u8]);

/// Writes an archive of these files. Files of 4 GiB or more are an error.
pub(super) fn write(files: &[File<'_>], out: &mut impl Write) -> io::Result<()> {
    let mut written = Vec::new();
    let mut directory = Vec::new();
    for (path, mode, bytes) in files {
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
        deflated.write_all(bytes)?;
        let deflated = deflated.finish()?;
        let offset = number(written.len())?;
        // The common part of the file header and its directory entry.
        let mut common = Vec::new();
        for half in [VERSION_NEEDED, FLAGS, DEFLATED, TIME, DATE] {
            common.extend(half.to_le_bytes());
        }
        for word in [crc.sum(), number(deflated.len())?, number(bytes.len())?] {
            common.extend(word.to_le_bytes());
        }
        common.extend(short(path.len())?.to_le_bytes());
        // No extra field.
        common.extend(0_u16.to_le_bytes());

        written.extend(b"PK\x03\x04");
        written.extend(&common);
        written.extend(path.as_bytes());
        written.extend(deflated);

        directory.extend(b"PK\x01\x02");
        directory.extend(MADE_BY.to_le_bytes());
        directory.extend(&common);
        // No comment, the first disk, not a text file.
        directory.extend([0; 6]);
        directory.extend(((REGULAR_FILE | mode) << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(path.as_bytes());
    }
    let (count, start, size) = (short(files.len())?, number(written.len())?, number(directory.len())?);
    written.extend(directory);
    written.extend(b"PK\x05\x06\0\0\0\0");
    written.extend(count.to_le_bytes());
    written.extend(count.to_le_bytes());
    written.extend(size.to_le_bytes());
    written.extend(start.to_le_bytes());
    // No comment.
    written.extend(0_u16.to_le_bytes());
    out.write_all(&written)?;
    out.flush()
}

fn number(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(io::Error::other)
}

fn short(length: usize) -> io::Result<u16> {
    u16::try_from(length).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use snapbox::{assert_data_eq, str};

    use super::*;

    /// Reads each file, checks its checksum, and prints its mode, size, path and contents.
    const READER: &str = "\
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for file in archive.infolist():
        print(oct(file.external_attr >> 16), file.date_time, file.file_size, file.filename, archive.read(file)[:5])
";

    #[test]
    fn python_reads_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.zip");
        let page = vec![b'x'; 100_000];
        let files = [
            ("stem/flowagg.exe".to_owned(), 0o755, &b"MZ\x90"[..]),
            ("stem/empty".to_owned(), 0o644, b""),
            ("stem/man/flowagg-policy-build.1".to_owned(), 0o644, &page),
        ];
        write(&files, &mut fs::File::create(&path).unwrap()).unwrap();
        assert!(fs::metadata(&path).unwrap().len() < 1000);
        let read = Command::new("python3").arg("-c").arg(READER).arg(&path).output().unwrap();
        assert_data_eq!(String::from_utf8(read.stderr).unwrap(), "");
        assert_data_eq!(
            String::from_utf8(read.stdout).unwrap(),
            str![[r#"
0o100755 (1980, 1, 1, 0, 0, 0) 3 stem/flowagg.exe b'MZ/x90'
0o100644 (1980, 1, 1, 0, 0, 0) 0 stem/empty b''
0o100644 (1980, 1, 1, 0, 0, 0) 100000 stem/man/flowagg-policy-build.1 b'xxxxx'

"#]]
        );
    }
}
