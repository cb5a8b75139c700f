//! The smoke test: the first commands of a user, run with the program from the archive.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::target::{Format, Target, VERSION};
use crate::cargo::{self, is_there, run};
use crate::e2e;

/// The number of starts that are timed.
const STARTS: usize = 50;
/// Programs that run binaries of another architecture, by their Debian names, the static one first.
const EMULATORS: [&str; 2] = ["qemu-aarch64-static", "qemu-aarch64"];
/// The variable with the path of the program, for the testkit.
const PROGRAM_VARIABLE: &str = "FLOWAGG_BIN";

/// A fleet file of one hub and one member.
pub(super) const FLEET: &str = r#"[hub]
account = "111122223333"
region = "eu-west-1"
bucket = "acme-flow-logs"

[[members]]
account = "222222222222"
regions = ["eu-west-1", "us-east-1"]
"#;

/// The path that starts a program of a platform: the program, or a script that runs it in an emulator.
pub(super) fn runnable(target: Target, program: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    if target.is_native() {
        return Ok(program.to_owned());
    }
    let emulator = EMULATORS.into_iter().find(|emulator| target == Target::LinuxArm && is_there(emulator));
    let Some(emulator) = emulator.filter(|_| cfg!(target_os = "linux")) else {
        bail!("this machine cannot run programs for {}", target.triple());
    };
    script(folder, &format!("exec {emulator} '{}' \"$@\"", program.display()))
}

/// Writes an executable script that replaces the program.
pub(super) fn script(folder: &Path, lines: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join("flowagg.sh");
    fs::write(&path, format!("#!/bin/sh\n{lines}\n"))?;
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(path)
}

/// An unpacked archive.
pub(super) struct Unpacked {
    _unpacked: TempDir,
    /// The top folder of the archive.
    folder: PathBuf,
    /// Starts the program; see [`runnable`].
    pub(super) runnable: PathBuf,
}

impl Unpacked {
    /// Unpacks an archive, and prepares its program for this machine.
    pub(super) fn new(target: Target, archive: &Path) -> anyhow::Result<Self> {
        let (unpacked, folder) = unpack(target, archive)?;
        let runnable = runnable(target, &folder.join(target.program()), unpacked.path())?;
        Ok(Self { _unpacked: unpacked, folder, runnable })
    }

    /// Runs commands that need no AWS, including one that must fail. Returns the number of commands.
    pub(super) fn offline(&self, target: Target) -> anyhow::Result<usize> {
        if target.is_static() {
            is_static(&self.folder.join(target.program()))?;
        }
        let commands = offline(&self.runnable)?;
        let packed = fs::read_to_string(self.folder.join("completions").join("flowagg.bash"))?;
        let printed = ends(&self.runnable, &self.folder, ["completions", "bash"], 0)?;
        ensure!(packed == printed, "the completions in the archive differ from those of its program");
        ensure!(self.folder.join("man").join("flowagg-plan.1").is_file(), "the archive has no manual pages");
        Ok(commands + 1)
    }
}

/// Unpacks an archive with the system's `tar`, which on Windows also reads ZIP files. Returns its top folder.
pub(super) fn unpack(target: Target, archive: &Path) -> anyhow::Result<(TempDir, PathBuf)> {
    let unpacked = TempDir::with_prefix("flowagg-archive-")?;
    let tar = match target.format() {
        Format::TarGz => PathBuf::from("tar"),
        Format::Zip => {
            let windows = env::var_os("SystemRoot").context("`SystemRoot` is not set")?;
            PathBuf::from(windows).join("System32").join("tar.exe")
        }
    };
    run(Command::new(tar).arg("-xf").arg(archive).arg("-C").arg(unpacked.path()))?;
    let folder = unpacked.path().join(target.stem(VERSION));
    Ok((unpacked, folder))
}

/// Runs commands that need no AWS, in a new folder. Returns the number of commands.
pub(super) fn offline(program: &Path) -> anyhow::Result<usize> {
    let place = TempDir::with_prefix("flowagg-fleet-")?;
    let place = place.path();
    fs::write(place.join("flowagg.toml"), FLEET)?;
    fs::write(place.join("invalid.toml"), FLEET.replace("eu-west-1", "eu west 1"))?;
    let version = ends(program, place, ["--version"], 0)?;
    ensure!(version == format!("flowagg {VERSION}\n"), "`--version` prints `{version}`");
    let help = ends(program, place, ["--help"], 0)?;
    ensure!(help.contains("Usage: flowagg"), "`--help` prints `{help}`");
    let policy: serde_json::Value = serde_json::from_str(&ends(program, place, ["policy", "build"], 0)?)?;
    let statements = policy["Statement"].as_array().map_or(0, Vec::len);
    ensure!(
        statements > 0 && policy.to_string().contains("222222222222"),
        "the policy has no grant: {policy}"
    );
    let hub = ends(program, place, ["export", "cloudformation", "--hub"], 0)?;
    ensure!(hub.contains("AWS::S3::Bucket"), "the hub's template has no bucket: {hub}");
    ends(program, place, ["plan", "--config", "invalid.toml"], 2)?;
    Ok(5)
}

/// Rolls out a fleet on an AWS emulator with this program: plan, apply, deliver, verify.
pub(super) fn rehearse(program: &Path, backend: Option<&str>) -> anyhow::Result<()> {
    // Standard output contains only the record.
    run(e2e::rehearsal("story", backend).env(PROGRAM_VARIABLE, program).stdout(io::stderr()))
}

/// Builds the programs that `rehearse` runs.
pub(super) fn build_rehearsal() -> anyhow::Result<()> {
    cargo::build()
}

/// Runs the program in a folder, and requires this exit code. Returns its standard output.
pub(super) fn ends(
    program: &Path,
    place: &Path,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    code: i32,
) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    let ended = command.args(args).current_dir(place).stdin(Stdio::null()).output();
    let ended = ended.with_context(|| format!("could not start {}", program.display()))?;
    ensure!(
        ended.status.code() == Some(code),
        "{command:?} ended with {}, expected {code}\n{}",
        ended.status,
        String::from_utf8_lossy(&ended.stderr)
    );
    Ok(String::from_utf8(ended.stdout)?)
}

/// Fails if a program has an interpreter, which loads shared libraries.
///
/// Source: "Program Header" in the ELF specification.
fn is_static(program: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(program)?;
    ensure!(!has_interpreter(&bytes).context("not a 64-bit ELF file")?, "the program needs shared libraries");
    Ok(())
}

/// Whether a 64-bit little-endian ELF file has a program header of the type `PT_INTERP`; `None` for other files.
fn has_interpreter(elf: &[u8]) -> Option<bool> {
    const INTERPRETER: u32 = 3;
    let number = |at: usize, length: usize| {
        let bytes = elf.get(at..at.checked_add(length)?)?;
        bytes.iter().rev().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()))
    };
    if elf.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let mut types = (0..count).map(|index| number(table.checked_add(index.checked_mul(size)?)?, 4));
    types.try_fold(false, |found, kind| Some(found || kind? == INTERPRETER as usize))
}

/// The time that an empty program takes.
pub(super) fn nothing() -> anyhow::Result<Duration> {
    if cfg!(windows) {
        start(Command::new("cmd").args(["/C", "exit"]))
    } else {
        start(&mut Command::new("true"))
    }
}

/// The median time of several runs.
pub(super) fn start(command: &mut Command) -> anyhow::Result<Duration> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let start = Instant::now();
        let ended = command.stdout(Stdio::null()).status().context("could not start the program")?;
        times.push(start.elapsed());
        ensure!(ended.success(), "the program ended with {ended}");
    }
    times.sort();
    Ok(times[STARTS / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with program headers of these types, and nothing else.
    fn elf(types: &[u32]) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[32] = 64;
        file[54] = 56;
        file[56] = u8::try_from(types.len()).unwrap();
        for kind in types {
            file.extend(kind.to_le_bytes());
            file.extend([0; 52]);
        }
        file
    }

    #[test]
    fn interpreter_is_found_in_the_program_headers() {
        assert_eq!(has_interpreter(&elf(&[1, 2])), Some(false));
        assert_eq!(has_interpreter(&elf(&[6, 3, 1])), Some(true));
        assert_eq!(has_interpreter(b"#!/bin/sh\n"), None);
        assert_eq!(has_interpreter(&elf(&[1])[..80]), Some(false));
        assert_eq!(has_interpreter(&elf(&[1, 1])[..100]), None);
    }
}
