//! The platforms of a release, and the names of their files. Tests compare every other file that names an archive with these: the
//! installer, the formula, the metadata of `cargo binstall`, the workflow and the action.

use std::env::consts::{ARCH, OS};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

/// The version of the workspace and of the release.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A platform of a release. Its smoke test is a job of the workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Target {
    #[value(name = "x86_64-unknown-linux-musl")]
    LinuxX86,
    #[value(name = "aarch64-unknown-linux-musl")]
    LinuxArm,
    #[value(name = "aarch64-apple-darwin")]
    MacArm,
    #[value(name = "x86_64-apple-darwin")]
    MacX86,
    #[value(name = "x86_64-pc-windows-msvc")]
    WindowsX86,
}

/// The archive format of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    TarGz,
    Zip,
}

impl Target {
    pub(super) const ALL: [Self; 5] =
        [Self::LinuxX86, Self::LinuxArm, Self::MacArm, Self::MacX86, Self::WindowsX86];

    /// The release platform of this machine. For Linux, this is the static one.
    pub(super) fn of_this_machine() -> anyhow::Result<Self> {
        let here = Self::ALL.into_iter().find(|target| target.is_native());
        here.with_context(|| {
            format!("releases do not support {ARCH} on {OS}; pass a platform with `--target`")
        })
    }

    /// Whether this machine runs programs of this platform.
    pub(super) fn is_native(self) -> bool {
        let (arch, os) = match self {
            Self::LinuxX86 => ("x86_64", "linux"),
            Self::LinuxArm => ("aarch64", "linux"),
            Self::MacArm => ("aarch64", "macos"),
            Self::MacX86 => ("x86_64", "macos"),
            Self::WindowsX86 => ("x86_64", "windows"),
        };
        (arch, os) == (ARCH, OS)
    }

    /// The Rust target triple.
    pub(super) fn triple(self) -> &'static str {
        match self {
            Self::LinuxX86 => "x86_64-unknown-linux-musl",
            Self::LinuxArm => "aarch64-unknown-linux-musl",
            Self::MacArm => "aarch64-apple-darwin",
            Self::MacX86 => "x86_64-apple-darwin",
            Self::WindowsX86 => "x86_64-pc-windows-msvc",
        }
    }

    /// The architecture name in container images; `None` for platforms without an image.
    pub(super) fn architecture_of_image(self) -> Option<&'static str> {
        match self {
            Self::LinuxX86 => Some("amd64"),
            Self::LinuxArm => Some("arm64"),
            Self::MacArm | Self::MacX86 | Self::WindowsX86 => None,
        }
    }

    /// Whether the program is statically linked, including libc.
    pub(super) fn is_static(self) -> bool {
        matches!(self, Self::LinuxX86 | Self::LinuxArm)
    }

    pub(super) fn format(self) -> Format {
        match self {
            Self::WindowsX86 => Format::Zip,
            Self::LinuxX86 | Self::LinuxArm | Self::MacArm | Self::MacX86 => Format::TarGz,
        }
    }

    /// The file name of the program.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::WindowsX86 => "flowagg.exe",
            Self::LinuxX86 | Self::LinuxArm | Self::MacArm | Self::MacX86 => "flowagg",
        }
    }

    /// The name of the archive without its extension, and of its top folder.
    pub(super) fn stem(self, version: &str) -> String {
        format!("flowagg-{version}-{}", self.triple())
    }

    /// The file name of the archive.
    pub(super) fn archive(self, version: &str) -> String {
        let extension = match self.format() {
            Format::TarGz => "tar.gz",
            Format::Zip => "zip",
        };
        format!("{}.{extension}", self.stem(version))
    }

    /// The file name of the SBOM.
    pub(super) fn sbom(self, version: &str) -> String {
        format!("{}.cdx.json", self.stem(version))
    }

    /// The path of the program in cargo's target folder.
    pub(super) fn built(self, target: &Path) -> PathBuf {
        target.join(self.triple()).join("release").join(self.program())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use serde_json::Value;

    use super::*;
    use crate::cargo::root;

    fn yaml(path: &str) -> Value {
        serde_saphyr::from_str(&fs::read_to_string(root().join(path)).unwrap()).unwrap()
    }

    /// The template with each `{ name }` replaced.
    fn filled(template: &Value, values: &[(&str, &str)]) -> String {
        let fill = |text: String, (name, value): &(&str, &str)| text.replace(&format!("{{ {name} }}"), value);
        values.iter().fold(template.as_str().unwrap().to_owned(), fill)
    }

    #[test]
    fn cargo_binstall_finds_every_archive_and_the_program_in_it() {
        let manifest = fs::read_to_string(root().join("flowagg-cli/Cargo.toml")).unwrap();
        let manifest: Value = toml::from_str(&manifest).unwrap();
        let metadata = &manifest["package"]["metadata"]["binstall"];
        for target in Target::ALL {
            let own = &metadata["overrides"][target.triple()];
            let of = |key: &str| if own[key].is_null() { &metadata[key] } else { &own[key] };
            let extension = if target == Target::WindowsX86 { ".exe" } else { "" };
            let values = [
                ("repo", env!("CARGO_PKG_REPOSITORY")),
                ("version", "1.2.3"),
                ("target", target.triple()),
                ("bin", "flowagg"),
                ("binary-ext", extension),
            ];
            let url = "https://github.com/flowagg/flowagg/releases/download/v1.2.3";
            assert_eq!(filled(of("pkg-url"), &values), format!("{url}/{}", target.archive("1.2.3")));
            let program = format!("{}/{}", target.stem("1.2.3"), target.program());
            // The template contains the program's name in two parts.
            assert_eq!(filled(of("bin-dir"), &values), program);
            let format = match target.format() {
                Format::TarGz => "tgz",
                Format::Zip => "zip",
            };
            assert_eq!(of("pkg-fmt"), format);
        }
    }

    #[test]
    fn workflow_builds_and_tests_every_platform_on_a_native_runner() {
        let workflow = yaml(".github/workflows/release.yml");
        let build = &workflow["jobs"]["build"];
        let rows = build["strategy"]["matrix"]["include"].as_array().unwrap();
        let runners: BTreeMap<_, _> = rows
            .iter()
            .map(|row| (row["target"].as_str().unwrap(), row["runner"].as_str().unwrap()))
            .collect();
        let targets = Target::ALL.map(Target::triple);
        assert_eq!(rows.len(), targets.len());
        for (target, runner) in
            ["ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "macos-15-intel", "windows-2025"]
                .into_iter()
                .zip(targets)
                .map(|(runner, target)| (target, runner))
        {
            assert_eq!(runners[target], runner);
        }
        let steps: Vec<_> =
            build["steps"].as_array().unwrap().iter().filter_map(|step| step["run"].as_str()).collect();
        let task = steps.iter().find(|step| step.contains("cargo xtask release --target \"$TARGET\""));
        assert!(task.is_some(), "{steps:?}");
    }

    #[test]
    fn action_supports_every_platform_with_a_tar_archive() {
        let script = fs::read_to_string(root().join(".github/actions/flowagg/install.sh")).unwrap();
        for target in Target::ALL.into_iter().filter(|target| target.format() == Format::TarGz) {
            assert!(script.contains(&format!(") platform={} ;;", target.triple())), "{target:?}");
        }
        assert!(script.contains("name=flowagg-$VERSION-$platform\n") && script.contains("\"$name.tar.gz\""));
        assert_eq!(Target::LinuxX86.archive("$VERSION"), "flowagg-$VERSION-x86_64-unknown-linux-musl.tar.gz");
    }
}
