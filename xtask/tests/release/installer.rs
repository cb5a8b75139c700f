//! Runs `install.sh` for a release whose program is a small script.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use snapbox::{assert_data_eq, str};

use crate::served::Served;
use crate::{Place, Ran, root, run};

const NAME: &str = "flowagg-1.2.3-x86_64-unknown-linux-musl";
/// The programs that the script needs, in addition to one for downloads and one for checksums.
const NEEDED: [&str; 11] = ["cat", "chmod", "cp", "gzip", "mkdir", "mktemp", "mv", "rm", "sed", "tar", "sh"];

/// A release on a local server, and its installer.
struct Release {
    place: Place,
    served: Served,
}

impl Release {
    /// A release with the archive for Linux on x86-64. `served` maps it to the response of a download.
    fn new(served: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>) -> Self {
        let archive = archive();
        let sum: String = Sha256::digest(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
        let template = fs::read_to_string(root().join("xtask/release/install.sh")).unwrap();
        let installer = template.replace("@VERSION@", "1.2.3");
        let installer = installer.replace("@CHECKSUMS@", &format!("{sum}  {NAME}.tar.gz"));
        let place = Place::new();
        place.write("install.sh", &installer);
        place.program("uname", "case $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac");
        let files = served(archive).map(|archive| (format!("{NAME}.tar.gz"), archive));
        Self { place, served: Served::new(BTreeMap::from_iter(files)) }
    }

    /// Runs the installer with only these programs on the PATH.
    fn install(&self, programs: &[&str], args: &[&str]) -> Ran {
        let path = self.place.only(&[&NEEDED, programs].concat());
        let temporary = self.place.path("temporary");
        fs::create_dir(&temporary).unwrap();
        let variables = [
            ("PATH", path),
            ("HOME", self.place.path("home").display().to_string()),
            ("TMPDIR", temporary.display().to_string()),
            ("FLOWAGG_DOWNLOAD_URL", self.served.url.clone()),
        ];
        let mut ran = run("/bin/sh", &self.place.path("install.sh"), args, variables);
        for text in [&mut ran.stdout, &mut ran.stderr] {
            *text = text.replace(&self.served.url, "[URL]");
            *text = text.replace(self.place.folder.path().to_str().unwrap(), "[PLACE]");
        }
        // The temporary folder is empty after every run.
        assert_eq!(self.place.names("temporary"), [""; 0]);
        ran
    }

    /// Runs the installer, which must fail without changes. Returns its standard error.
    fn fails(&self, programs: &[&str], args: &[&str]) -> String {
        let ran = self.install(programs, args);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(!self.place.path("home").exists());
        ran.stderr
    }
}

/// An archive in the format of `cargo xtask release`, with a script as the program.
fn archive() -> Vec<u8> {
    let program = b"#!/bin/sh\necho flowagg 1.2.3\n";
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o755);
    header.set_size(program.len() as u64);
    tar.append_data(&mut header, format!("{NAME}/flowagg"), &program[..]).unwrap();
    let mut gzip = tar.into_inner().unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
}

#[test]
fn program_is_installed_in_the_home_folder() {
    let release = Release::new(Some);
    let ran = release.install(&["curl", "sha256sum"], &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_data_eq!(
        ran.stdout,
        str![[r#"
installed: flowagg 1.2.3 in [PLACE]/home/.local/bin
next: add [PLACE]/home/.local/bin to PATH

"#]]
    );
    assert_eq!(release.place.names("home/.local/bin"), ["flowagg"]);
    let program = release.place.path("home/.local/bin/flowagg");
    assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(run("/bin/sh", &program, &[], [("LANG", "C")]).stdout, "flowagg 1.2.3\n");
    assert_eq!(release.served.requested(), [format!("{NAME}.tar.gz")]);
}

#[test]
fn earlier_version_in_another_folder_is_replaced() {
    let release = Release::new(Some);
    fs::create_dir(release.place.path("a folder")).unwrap();
    release.place.write("a folder/flowagg", "earlier");
    let to = release.place.path("a folder").display().to_string();
    let ran = release.install(&["curl", "sha256sum"], &["--to", &to]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(release.place.read("a folder/flowagg"), "#!/bin/sh\necho flowagg 1.2.3\n");
    assert_eq!(release.place.names("a folder"), ["flowagg"]);
}

#[test]
fn every_supported_program_for_downloads_and_checksums_works() {
    for programs in [["curl", "shasum"], ["curl", "openssl"], ["wget", "sha256sum"]] {
        let release = Release::new(Some);
        let ran = release.install(&programs, &[]);
        assert_eq!(ran.code, Some(0), "{programs:?}: {ran:?}");
        assert_eq!(release.place.names("home/.local/bin"), ["flowagg"]);
    }
}

#[test]
fn changed_archive_is_rejected_without_leftovers() {
    let release = Release::new(|mut archive| {
        archive.push(0);
        Some(archive)
    });
    let error = release.fails(&["curl", "sha256sum"], &[]);
    let (start, sums) = error.split_once(" is ").unwrap();
    assert_eq!(start, format!("error: the SHA-256 of [URL]/{NAME}.tar.gz"));
    let (actual, rest) = sums.split_once(", expected ").unwrap();
    let (expected, rest) = rest.split_once("; ").unwrap();
    assert!(actual != expected && actual.len() == 64 && expected.len() == 64, "{error}");
    assert_eq!(rest, "nothing was installed\n");
}

#[test]
fn missing_archive_is_rejected() {
    let release = Release::new(|_| None);
    let error = release.fails(&["curl", "sha256sum"], &[]);
    assert!(error.ends_with(&format!("\nerror: could not download [URL]/{NAME}.tar.gz\n")), "{error}");
}

#[test]
fn nothing_is_downloaded_without_a_program_for_checksums() {
    let release = Release::new(Some);
    assert_data_eq!(
        release.fails(&["curl"], &[]),
        str![[r#"
error: `sha256sum`, `shasum` or `openssl` is required to check the download; nothing was downloaded

"#]]
    );
    assert_eq!(release.served.requested(), [""; 0]);
}

#[test]
fn missing_program_for_downloads_is_an_error() {
    assert_data_eq!(
        Release::new(Some).fails(&["sha256sum"], &[]),
        str![[r#"
error: `curl` or `wget` is required to download the program

"#]]
    );
}

#[test]
fn platform_without_a_release_is_rejected() {
    let release = Release::new(Some);
    release.place.program("uname", "case $1 in -s) echo FreeBSD ;; -m) echo amd64 ;; esac");
    assert_data_eq!(
        release.fails(&["curl", "sha256sum"], &[]),
        str![[r#"
error: FreeBSD on amd64 is not supported

"#]]
    );
    let release = Release::new(Some);
    release.place.program("uname", "case $1 in -s) echo Linux ;; -m) echo arm64 ;; esac");
    assert_data_eq!(
        release.fails(&["curl", "sha256sum"], &[]),
        str![[r#"
error: this release has no archive for aarch64-unknown-linux-musl

"#]]
    );
}

#[test]
fn unknown_arguments_are_rejected() {
    for (args, expected) in [
        (&["--prefix"][..], "error: unknown argument `--prefix`; run with `--help` for usage\n"),
        (&["--to"], "error: `--to` requires a folder\n"),
    ] {
        assert_eq!(Release::new(Some).fails(&["curl", "sha256sum"], args), expected);
    }
}

#[test]
fn truncated_script_does_nothing() {
    let release = Release::new(Some);
    let script = release.place.read("install.sh");
    release.place.write("install.sh", script.strip_suffix("main \"$@\"\n").unwrap());
    let ran = release.install(&["curl", "sha256sum"], &[]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    assert!(!release.place.path("home").exists());
}
