//! The archive of a platform: the program, its licences and pages, shell completions and manual pages. The same input gives the same
//! bytes, so that anyone can rebuild a release and compare.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

use super::target::{Format, Target, VERSION};
use super::zip;
use crate::cargo::root;

/// Files from the root of the repository in every archive.
const PAGES: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// The completions of each shell, under the file names that shells and Homebrew expect.
const COMPLETIONS: [(&str, &str); 4] = [
    ("bash", "completions/flowagg.bash"),
    ("zsh", "completions/_flowagg"),
    ("fish", "completions/flowagg.fish"),
    ("powershell", "completions/_flowagg.ps1"),
];

/// A file of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The path below the top folder of the archive.
    path: String,
    bytes: Vec<u8>,
    is_program: bool,
}

impl Entry {
    fn mode(&self) -> u32 {
        if self.is_program { 0o755 } else { 0o644 }
    }
}

/// The entries for a platform. `program` is packed, and `runnable` starts it on this machine.
pub(super) fn entries(target: Target, program: &Path, runnable: &Path) -> anyhow::Result<Vec<Entry>> {
    let entry = |path: &str, bytes| Entry { path: path.to_owned(), bytes, is_program: false };
    let mut entries = vec![Entry {
        is_program: true,
        ..entry(target.program(), fs::read(program).context("the program")?)
    }];
    for page in PAGES {
        entries.push(entry(page, fs::read(root().join(page)).context(page)?));
    }
    for (shell, path) in COMPLETIONS {
        let made = Command::new(runnable).args(["completions", shell]).output()?;
        ensure!(made.status.success() && !made.stdout.is_empty(), "`flowagg completions {shell}` failed");
        entries.push(entry(path, made.stdout));
    }
    let pages = tempfile::tempdir()?;
    let made = Command::new(runnable).arg("man").arg("--out").arg(pages.path()).output()?;
    ensure!(made.status.success(), "`flowagg man` failed: {}", String::from_utf8_lossy(&made.stderr));
    for page in fs::read_dir(pages.path())? {
        let page = page?;
        let name = page.file_name().into_string().ok().context("the name of a manual page is not UTF-8")?;
        entries.push(entry(&format!("man/{name}"), fs::read(page.path())?));
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

/// Writes the archive of a platform into a folder, with the same time for every file. Returns its path.
pub(super) fn write(
    target: Target,
    entries: &[Entry],
    moment: u64,
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    let path = folder.join(target.archive(VERSION));
    let stem = target.stem(VERSION);
    let file = File::create(&path)?;
    match target.format() {
        Format::TarGz => tar_gz(entries, &stem, moment, file)?,
        Format::Zip => zip(entries, &stem, file)?,
    }
    Ok(path)
}

fn tar_gz(entries: &[Entry], stem: &str, moment: u64, file: impl Write) -> io::Result<()> {
    // No name and no time in the header.
    let gzip = GzBuilder::new().write(file, Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_mode(entry.mode());
        header.set_mtime(moment);
        header.set_size(entry.bytes.len() as u64);
        tar.append_data(&mut header, format!("{stem}/{}", entry.path), &*entry.bytes)?;
    }
    tar.into_inner()?.finish()?.flush()
}

fn zip(entries: &[Entry], stem: &str, mut file: impl Write) -> io::Result<()> {
    let file_of = |entry| {
        let Entry { path, bytes, .. }: &Entry = entry;
        (format!("{stem}/{path}"), entry.mode(), &**bytes)
    };
    zip::write(&entries.iter().map(file_of).collect::<Vec<_>>(), &mut file)
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn sha256(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes `NAME.sha256` next to a file, in the format of `sha256sum --check`. Returns the line.
pub(super) fn write_checksum(path: &Path) -> anyhow::Result<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let line = format!("{}  {name}\n", sha256(path)?);
    fs::write(path.with_file_name(format!("{name}.sha256")), &line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let entry = |path: &str, bytes: &[u8], is_program| Entry {
            path: path.to_owned(),
            bytes: bytes.to_vec(),
            is_program,
        };
        vec![entry("flowagg", b"\x7fELF", true), entry("man/flowagg-policy-build.1", &[b'x'; 100_000], false)]
    }

    /// The paths, modes, times and contents of the files in an archive.
    fn unpacked(path: &Path) -> Vec<(String, u32, u64, Vec<u8>)> {
        let gzip = flate2::read::GzDecoder::new(File::open(path).unwrap());
        let mut tar = tar::Archive::new(gzip);
        let read = |entry: io::Result<tar::Entry<'_, _>>| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let (mode, time) = (entry.header().mode().unwrap(), entry.header().mtime().unwrap());
            let mut bytes = Vec::new();
            io::copy(&mut entry, &mut bytes).unwrap();
            (path, mode, time, bytes)
        };
        tar.entries().unwrap().map(read).collect()
    }

    #[test]
    fn archive_has_one_folder_and_an_executable_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(Target::LinuxX86, &entries(), 1_700_000_000, folder.path()).unwrap();
        let stem = format!("flowagg-{VERSION}-x86_64-unknown-linux-musl");
        assert_eq!(path, folder.path().join(format!("{stem}.tar.gz")));
        assert_eq!(
            unpacked(&path),
            [
                (format!("{stem}/flowagg"), 0o755, 1_700_000_000, b"\x7fELF".to_vec()),
                (format!("{stem}/man/flowagg-policy-build.1"), 0o644, 1_700_000_000, vec![b'x'; 100_000]),
            ]
        );
    }

    #[test]
    fn same_files_give_the_same_bytes() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for target in Target::ALL {
            let [one, other] = [&one, &other].map(|folder| {
                let path = write(target, &entries(), 1_700_000_000, folder.path()).unwrap();
                write_checksum(&path).unwrap()
            });
            assert_eq!(one, other);
        }
    }

    #[test]
    fn checksum_file_has_the_format_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flowagg.tar.gz");
        fs::write(&path, "abc").unwrap();
        write_checksum(&path).unwrap();
        let line = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  flowagg.tar.gz\n";
        assert_eq!(fs::read_to_string(folder.path().join("flowagg.tar.gz.sha256")).unwrap(), line);
    }
}
