//! `cargo xtask release`: builds the files of a release and tests them the way users get them. Publishes nothing.

mod archive;
mod assets;
mod build;
mod image;
mod notes;
mod oci;
mod record;
mod sbom;
mod smoke;
mod target;
mod trust;
mod zip;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use tempfile::TempDir;

use crate::Emulator;
use crate::cargo::{self, root};
use crate::step::step;
use record::{Row, Start};
use smoke::Unpacked;
use target::{Target, VERSION};

/// The options of the task.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Release {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    build: Build,
}

#[derive(Subcommand)]
enum Part {
    /// Build and test `SHA256SUMS`, installer, formula and container image from the archives of every platform
    Join(Emulator),
    /// Print the changes of a release; fails if the tag does not match the version or has no changes
    Notes {
        /// The tag: `v` followed by the version
        tag: String,
    },
}

#[derive(Args)]
struct Build {
    /// Platform [default: this machine; programs for Linux are static]
    #[arg(long, value_name = "TRIPLE")]
    target: Vec<Target>,
    /// Build again from a copy of the sources in another folder, and require identical bytes
    #[arg(long)]
    twice: bool,
    #[command(flatten)]
    emulator: Emulator,
}

impl Release {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match &self.part {
            None => self.build.run(),
            Some(Part::Join(emulator)) => {
                let backend = emulator.backend.as_deref();
                show(&join(&Target::ALL, &folder(), Vec::new(), backend)?);
                Ok(())
            }
            Some(Part::Notes { tag }) => {
                let changelog = fs::read_to_string(root().join("CHANGELOG.md"))?;
                show(&notes::notes(tag, VERSION, &changelog)?);
                Ok(())
            }
        }
    }
}

/// The output folder.
fn folder() -> PathBuf {
    cargo::target().join("release-artifacts")
}

impl Build {
    /// Builds, packs and tests each platform, and joins the results.
    fn run(&self) -> anyhow::Result<()> {
        let targets = match &*self.target {
            [] => vec![Target::of_this_machine()?],
            named => named.to_vec(),
        };
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let mut rows = Vec::new();
        for target in &targets {
            rows.push(self.of(*target, &folder)?);
        }
        show(&join(&targets, &folder, rows, self.emulator.backend.as_deref())?);
        Ok(())
    }

    fn of(&self, target: Target, folder: &Path) -> anyhow::Result<Row> {
        let name = target.triple();
        let program = step(&format!("build for {name}"), || build::build(target, root(), &cargo::target()))?;
        let archive = step(&format!("archive for {name}"), || {
            let scripts = TempDir::with_prefix("flowagg-release-")?;
            let runnable = smoke::runnable(target, &program, scripts.path())?;
            let entries = archive::entries(target, &program, &runnable)?;
            let archive = archive::write(target, &entries, build::moment(root())?, folder)?;
            archive::write_checksum(&archive)?;
            sbom::write(target, &folder.join(target.sbom(VERSION)))?;
            Ok(archive)
        })?;
        let (smoke, start) = step(&format!("smoke test for {name}"), || {
            let unpacked = Unpacked::new(target, &archive)?;
            let mut smoke = vec![offline_commands(unpacked.offline(target)?)];
            if cfg!(target_os = "linux") {
                smoke::build_rehearsal()?;
                smoke::rehearse(&unpacked.runnable, self.emulator.backend.as_deref())?;
                smoke.push(ON_AN_EMULATOR.to_owned());
            }
            let start = if target.is_native() {
                let median = smoke::start(Command::new(&unpacked.runnable).arg("--version"))?;
                Start::Measured { median, reference: smoke::nothing()? }
            } else {
                Start::NotHere
            };
            Ok((smoke, start))
        })?;
        if self.twice {
            step(&format!("build for {name} in another folder"), || build::again(target, &program))?;
        }
        let (size, program) = (fs::metadata(&archive)?.len(), fs::metadata(&program)?.len());
        Ok(Row { artifact: target.archive(VERSION), size, program, start, smoke })
    }
}

const ON_AN_EMULATOR: &str = "plan, apply, deliver and verify on an emulator";

fn offline_commands(count: usize) -> String {
    format!("{count} commands offline")
}

/// Builds and tests the files that need the archives of several platforms. Returns the record, which starts with these rows.
fn join(
    targets: &[Target],
    folder: &Path,
    mut rows: Vec<Row>,
    backend: Option<&str>,
) -> anyhow::Result<String> {
    let sums = step("checksums, installer and formula", || {
        let sums = assets::checksums(folder, targets)?;
        fs::write(folder.join("SHA256SUMS"), assets::sums(&sums, VERSION))?;
        let installer = folder.join("install.sh");
        fs::write(&installer, assets::installer(&sums, VERSION))?;
        if cfg!(unix) && Target::of_this_machine().is_ok_and(|here| sums.contains_key(&here)) {
            installed(&installer, folder)?;
        }
        match assets::formula(&sums, VERSION) {
            Some(formula) => {
                let path = folder.join("flowagg.rb");
                fs::write(&path, formula)?;
                assets::is_ruby(&path)?;
            }
            None => eprintln!("NOT WRITTEN: the formula, which needs the archives of every platform"),
        }
        Ok(sums)
    })?;
    if !targets.iter().any(|target| target.is_static()) {
        return Ok(record::table(&rows));
    }
    if !image::is_possible() {
        if targets == Target::ALL {
            bail!("the image needs `buildah`, which is not installed");
        }
        eprintln!("NOT BUILT: the container image: `buildah` is not installed");
        return Ok(record::table(&rows));
    }
    step("container image", || {
        let linux = sums.keys().copied().filter(|target| target.is_static());
        let unpack =
            |target: Target| Ok((target, smoke::unpack(target, &folder.join(target.archive(VERSION)))?));
        let unpacked = linux.map(unpack).collect::<anyhow::Result<Vec<_>>>()?;
        let programs: Vec<_> =
            unpacked.iter().map(|(target, (_, files))| (*target, files.join(target.program()))).collect();
        let store = image::Store::new()?;
        let built = store.build(&programs, build::moment(root())?, folder)?;
        archive::write_checksum(&built.path)?;
        for (target, program) in &built.platforms {
            let mut smoke = vec!["the same program as in the archive".to_owned()];
            if target.is_native() {
                let scripts = TempDir::with_prefix("flowagg-release-")?;
                trust::uses_certificates_of_the_image(|file| {
                    store.runnable(&built.path, file, scripts.path())
                })?;
                smoke.push("TLS with its certificates".to_owned());
                let runnable = store.runnable(&built.path, None, scripts.path())?;
                smoke.push(offline_commands(smoke::offline(&runnable)?));
                smoke::build_rehearsal()?;
                smoke::rehearse(&runnable, backend)?;
                smoke.push(ON_AN_EMULATOR.to_owned());
            }
            let architecture =
                target.architecture_of_image().context("images do not support this platform")?;
            rows.push(Row {
                artifact: format!("image for linux/{architecture} in {}", image::name()),
                size: fs::metadata(&built.path)?.len(),
                program: *program,
                start: Start::NotHere,
                smoke,
            });
        }
        Ok(format!("{}\nThe digest of the image is `{}`.\n", record::table(&rows), built.digest))
    })
}

/// Runs the installer on the archives in a folder, and then the installed program.
fn installed(installer: &Path, folder: &Path) -> anyhow::Result<()> {
    let place = TempDir::with_prefix("flowagg-installed-")?;
    let mut install = Command::new("sh");
    install.arg(installer).arg("--to").arg(place.path());
    install.env("FLOWAGG_DOWNLOAD_URL", format!("file://{}", folder.display()));
    cargo::run(install.stdout(io::stderr()))?;
    let printed = smoke::ends(&place.path().join("flowagg"), place.path(), ["--version"], 0)?;
    eprintln!("installed and started: {}", printed.trim_end());
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the workflow adds the output to its run summary")]
fn show(text: &str) {
    print!("\n{text}");
}
