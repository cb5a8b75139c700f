//! The other files of a release, from the checksums of its archives: `SHA256SUMS`, the installer and the Homebrew formula.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::archive::sha256;
use super::target::{Format, Target, VERSION};
use crate::cargo::{is_there, root, run};

/// The installer, with placeholders for the version and the checksums.
const INSTALLER: &str = include_str!("../../release/install.sh");
/// The formula, with placeholders for the version and the checksums.
const FORMULA: &str = include_str!("../../release/flowagg.rb");
const VERSION_PLACE: &str = "@VERSION@";
const CHECKSUMS_PLACE: &str = "@CHECKSUMS@";

/// The SHA-256 of the archive of each platform, in hexadecimal.
pub(super) type Checksums = BTreeMap<Target, String>;

/// The checksums of the archives in a folder. Each must match its `.sha256` file.
pub(super) fn checksums(folder: &Path, targets: &[Target]) -> anyhow::Result<Checksums> {
    let checksum = |target: &Target| {
        let name = target.archive(VERSION);
        let sum = sha256(&folder.join(&name))?;
        let written = folder.join(format!("{name}.sha256"));
        let written = fs::read_to_string(&written).with_context(|| format!("{}", written.display()))?;
        ensure!(written == format!("{sum}  {name}\n"), "{name} does not match {name}.sha256");
        Ok((*target, sum))
    };
    targets.iter().map(checksum).collect()
}

/// The checksums in the format of `sha256sum --check`.
pub(super) fn sums(checksums: &Checksums, version: &str) -> String {
    let line = |(target, sum): (&Target, &String)| format!("{sum}  {}\n", target.archive(version));
    checksums.iter().map(line).collect()
}

/// The installer of a version: a shell script, for platforms with a shell.
pub(super) fn installer(checksums: &Checksums, version: &str) -> String {
    let mut unix = checksums.clone();
    unix.retain(|target, _| target.format() == Format::TarGz);
    let sums = sums(&unix, version);
    INSTALLER.replace(VERSION_PLACE, version).replace(CHECKSUMS_PLACE, sums.trim_end())
}

/// The formula of a version; `None` if the archive of one of its platforms is missing.
pub(super) fn formula(checksums: &Checksums, version: &str) -> Option<String> {
    let mut formula = FORMULA.replace(VERSION_PLACE, version);
    for (target, sum) in checksums {
        formula = formula.replace(&place(*target), sum);
    }
    Target::ALL.into_iter().all(|target| !formula.contains(&place(target))).then_some(formula)
}

/// The placeholder for the checksum of a platform.
fn place(target: Target) -> String {
    format!("@{}@", target.triple())
}

/// Checks the syntax of the formula with Ruby. Returns whether Ruby is installed.
pub(super) fn is_ruby(formula: &Path) -> anyhow::Result<bool> {
    if !is_there("ruby") {
        eprintln!("NOT RUN: syntax check of the formula: `ruby` is not installed");
        return Ok(false);
    }
    run(Command::new("ruby").arg("-c").arg(formula).current_dir(root()).stdout(io::stderr()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_checksum() -> Checksums {
        let sum = |target: Target| (target, format!("{:064x}", target as u8 + 1));
        Target::ALL.into_iter().map(sum).collect()
    }

    #[test]
    fn every_placeholder_of_the_templates_is_replaced() {
        let sums = every_checksum();
        for text in [installer(&sums, "1.2.3"), formula(&sums, "1.2.3").unwrap()] {
            let mut words = text.split(|it: char| !(it.is_ascii_alphanumeric() || "@-_".contains(it)));
            assert_eq!(
                words.find(|word| word.starts_with('@') && word.ends_with('@') && word.len() > 1),
                None
            );
        }
    }

    #[test]
    fn formula_has_the_url_and_checksum_of_every_platform_with_a_shell() {
        let formula = formula(&every_checksum(), "1.2.3").unwrap();
        let of = |start: &str| {
            let values = formula.lines().filter_map(|line| line.trim().strip_prefix(start));
            values.map(|value| value.trim_matches('"').to_owned()).collect::<Vec<_>>()
        };
        let unix = [Target::MacArm, Target::MacX86, Target::LinuxArm, Target::LinuxX86];
        let release = "https://github.com/flowagg/flowagg/releases/download/v1.2.3";
        assert_eq!(of("url "), unix.map(|target| format!("{release}/{}", target.archive("1.2.3"))));
        assert_eq!(of("sha256 "), unix.map(|target| every_checksum()[&target].clone()));
        let mut partial = every_checksum();
        partial.remove(&Target::MacX86);
        assert_eq!(super::formula(&partial, "1.2.3"), None);
    }

    #[test]
    fn installer_has_the_checksum_of_every_platform_with_a_shell() {
        let installer = installer(&every_checksum(), "1.2.3");
        let (_, sums) = installer.split_once("checksums='\n").unwrap();
        let (sums, _) = sums.split_once("\n'\n").unwrap();
        let unix = [Target::LinuxX86, Target::LinuxArm, Target::MacArm, Target::MacX86];
        let expected = unix.map(|target| format!("{:064x}  {}", target as u8 + 1, target.archive("1.2.3")));
        assert_eq!(sums.lines().collect::<Vec<_>>(), expected);
        // The output of `uname` is mapped to these names.
        for target in unix {
            assert!(installer.contains(&format!(") echo {} ;;", target.triple())), "{target:?}");
        }
    }

    #[test]
    fn changed_archive_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join(Target::LinuxX86.archive(VERSION));
        fs::write(&archive, "one").unwrap();
        crate::release::archive::write_checksum(&archive).unwrap();
        assert!(checksums(folder.path(), &[Target::LinuxX86]).is_ok());
        fs::write(&archive, "other").unwrap();
        let error = checksums(folder.path(), &[Target::LinuxX86]).unwrap_err().to_string();
        let name = Target::LinuxX86.archive(VERSION);
        assert_eq!(error, format!("{name} does not match {name}.sha256"));
    }
}
