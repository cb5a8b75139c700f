//! What a run has left behind on this machine, told from what others do on it: it has the run's own folder in its name, its
//! command line or its environment, or the run's label on it.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::emulator::Running;

/// Where to look.
pub(crate) struct Leftovers {
    folder: PathBuf,
    /// The process that a container of ours was started by.
    starter: u32,
    /// The host and port of the emulator, where it is ours to end.
    address: Option<String>,
    needs_docker: bool,
}

impl Leftovers {
    /// Those of a run in this folder, on this emulator, which was asked for by this backend.
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

    /// Fails where there is anything, and names it.
    pub(crate) fn look(&self) -> anyhow::Result<()> {
        let mut found = self.files()?;
        found.extend(processes(&self.folder)?);
        found.extend(self.containers()?);
        // Whoever listens at a port is a process or a container; that of the emulator is asked itself.
        found.extend(
            self.address
                .iter()
                .filter(|address| TcpStream::connect(address).is_ok())
                .map(|address| format!("something listens at {address}")),
        );
        if !found.is_empty() {
            bail!("left behind:\n  {}", found.join("\n  "));
        }
        Ok(())
    }

    fn files(&self) -> anyhow::Result<Vec<String>> {
        let entries = fs::read_dir(&self.folder)?.collect::<Result<Vec<_>, _>>()?;
        Ok(entries.iter().map(|entry| format!("the file or folder {}", entry.path().display())).collect())
    }

    fn containers(&self) -> anyhow::Result<Vec<String>> {
        let label = format!("label=flowagg.starter={}", self.starter);
        let listed = Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &label]).output();
        match listed {
            Ok(output) if output.status.success() => {
                let ids = String::from_utf8_lossy(&output.stdout);
                Ok(ids.lines().map(|id| format!("the container {id}")).collect())
            }
            // Without an engine, or the program that asks it, the emulator was none in a container.
            _ if !self.needs_docker => Ok(Vec::new()),
            Ok(output) => bail!("`docker ps`: {}", String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => Err(error).context("`docker ps`"),
        }
    }
}

/// The processes with this folder in their command line or environment. Only Linux tells; elsewhere none is found.
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
        // A process may end while it is looked at, and others' environments are not ours to read.
        let [line, environment] =
            ["cmdline", "environ"].map(|of| fs::read(process.join(of)).unwrap_or_default());
        if [&line, &environment].iter().any(|text| text.windows(name.len()).any(|part| part == name)) {
            let id = process.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(format!("the process {id}: {}", line.trim_end()));
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

    fn told(leftovers: &Leftovers) -> String {
        leftovers.look().map_or_else(|error| format!("{error:#}"), |()| "nothing".to_owned())
    }

    #[test]
    fn a_file_that_is_left_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(told(&leftovers(folder.path(), None)), "nothing");
        let file = folder.path().join("flowagg-world-x");
        fs::write(&file, "").unwrap();
        let left = format!("left behind:\n  the file or folder {}", file.display());
        assert_eq!(told(&leftovers(folder.path(), None)), left);
    }

    #[test]
    fn a_port_at_which_somebody_listens_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        let leftovers = leftovers(folder.path(), Some(address.clone()));
        assert_eq!(told(&leftovers), format!("left behind:\n  something listens at {address}"));
        drop(listener);
        assert_eq!(told(&leftovers), "nothing");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_knows_the_folder_is_named_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let mut cat = Command::new("cat");
        // It ends with its standard input.
        let cat = cat.env("TMPDIR", folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut cat = cat.spawn().unwrap();
        // Only when it answers has it surely become what it is: right after the start, Linux may not tell its name yet.
        cat.stdin.as_mut().unwrap().write_all(b"?").unwrap();
        cat.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let leftovers = leftovers(folder.path(), None);
        assert_eq!(told(&leftovers), format!("left behind:\n  the process {}: cat", cat.id()));
        drop(cat.stdin.take());
        cat.wait().unwrap();
        assert_eq!(told(&leftovers), "nothing");
    }
}
