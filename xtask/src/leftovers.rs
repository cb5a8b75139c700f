//! Finds files, processes and containers that a run left behind. They are recognized by the run's own folder in their name, command
//! line or environment, or by the run's label, so other work on the machine does not count.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::emulator::Running;

/// The traces of one run.
pub(crate) struct Leftovers {
    folder: PathBuf,
    /// The process that started a container of the run.
    starter: u32,
    /// The host and port of the emulator, if the run started it.
    address: Option<String>,
    needs_docker: bool,
}

impl Leftovers {
    /// The traces of a run in this folder on this emulator, which was started with this backend.
    pub(crate) fn of(folder: &Path, emulator: &Running, backend: Option<&str>) -> Self {
        let is_ours = !backend.is_some_and(|backend| backend.contains("://"));
        let address = emulator.url.split("://").nth(1).filter(|_| is_ours);
        Self {
            folder: folder.to_owned(),
            starter: emulator.id(),
            address: address.map(str::to_owned),
            needs_docker: backend == Some("docker"),
        }
    }

    /// Fails if anything is left, and lists it.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let mut found = self.files()?;
        found.extend(processes(&self.folder)?);
        found.extend(self.containers()?);
        // A process or container that listens on another port is already in the list.
        found.extend(
            self.address
                .iter()
                .filter(|address| TcpStream::connect(address).is_ok())
                .map(|address| format!("a listener on {address}")),
        );
        if !found.is_empty() {
            bail!("leftovers:\n  {}", found.join("\n  "));
        }
        Ok(())
    }

    fn files(&self) -> anyhow::Result<Vec<String>> {
        let entries = fs::read_dir(&self.folder)?.collect::<Result<Vec<_>, _>>()?;
        Ok(entries.iter().map(|entry| format!("file or folder {}", entry.path().display())).collect())
    }

    fn containers(&self) -> anyhow::Result<Vec<String>> {
        let label = format!("label=flowagg.starter={}", self.starter);
        let listed = Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &label]).output();
        match listed {
            Ok(output) if output.status.success() => {
                let ids = String::from_utf8_lossy(&output.stdout);
                Ok(ids.lines().map(|id| format!("container {id}")).collect())
            }
            // Without Docker, the emulator did not run in a container.
            _ if !self.needs_docker => Ok(Vec::new()),
            Ok(output) => bail!("`docker ps`: {}", String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => Err(error).context("`docker ps`"),
        }
    }
}

/// The processes with this folder in their command line or environment. Other systems than Linux return none.
fn processes(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = match fs::read_dir("/proc") {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).context("/proc"),
    };
    let name = folder.as_os_str().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in entries {
        let process = entry?.path();
        // A process may end in the meantime, and environments of other users are not readable.
        let [line, environment] =
            ["cmdline", "environ"].map(|of| fs::read(process.join(of)).unwrap_or_default());
        if [&line, &environment].iter().any(|text| text.windows(name.len()).any(|part| part == name)) {
            let id = process.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(format!("process {id}: {}", line.trim_end()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::process::Stdio;

    use super::*;

    fn leftovers(folder: &Path, address: Option<String>) -> Leftovers {
        Leftovers { folder: folder.to_owned(), starter: 0, address, needs_docker: false }
    }

    fn checked(leftovers: &Leftovers) -> String {
        leftovers.check().map_or_else(|error| format!("{error:#}"), |()| "nothing".to_owned())
    }

    #[test]
    fn leftover_file_is_listed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(checked(&leftovers(folder.path(), None)), "nothing");
        let file = folder.path().join("flowagg-world-x");
        fs::write(&file, "").unwrap();
        let left = format!("leftovers:\n  file or folder {}", file.display());
        assert_eq!(checked(&leftovers(folder.path(), None)), left);
    }

    #[test]
    fn open_port_of_the_emulator_is_listed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        let leftovers = leftovers(folder.path(), Some(address.clone()));
        assert_eq!(checked(&leftovers), format!("leftovers:\n  a listener on {address}"));
        drop(listener);
        assert_eq!(checked(&leftovers), "nothing");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn process_with_the_folder_in_its_environment_is_listed_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let mut cat = Command::new("cat");
        // It ends at the end of its standard input.
        let cat = cat.env("TMPDIR", folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut cat = cat.spawn().unwrap();
        // Wait for output: right after the start, Linux may not report the command line of the new program yet.
        cat.stdin.as_mut().unwrap().write_all(b"?").unwrap();
        cat.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let leftovers = leftovers(folder.path(), None);
        assert_eq!(checked(&leftovers), format!("leftovers:\n  process {}: cat", cat.id()));
        drop(cat.stdin.take());
        cat.wait().unwrap();
        assert_eq!(checked(&leftovers), "nothing");
    }
}
