//! `cargo xtask report`: tests the page of `flowagg report` in headless Chromium, for fleets of 3 to 5,000 accounts.
//!
//! Chromium and axe-core are npm packages, locked in `xtask/report`. Without node, or without a browser for this machine,
//! `cargo xtask test` prints a notice and skips the test.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cargo::{self, cargo, is_there, root, run};

/// The files of the test and its environment.
const FILES: [&str; 5] = [".npmrc", "package.json", "package-lock.json", "check.mjs", "layout.mjs"];
/// The number of accounts of each fleet, and the number of days in its report.
const FLEETS: [(&str, &str); 5] = [("3", "7"), ("60", "7"), ("300", "14"), ("1000", "7"), ("5000", "7")];
/// The fleet in the screenshots of the documentation.
const PICTURED: &str = "60";

/// The options of the task.
#[derive(Args)]
pub(crate) struct Report {
    /// Also update the screenshots in `docs`
    #[arg(long)]
    screenshots: bool,
}

/// The reason why the test cannot run on this machine; `None` if it can.
pub(crate) fn missing() -> Option<&'static str> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        Some("the Chromium package of npm supports only Linux on x86-64")
    } else if !is_there("node") || !is_there("npm") {
        Some("`node` and `npm` are not on the PATH")
    } else {
        None
    }
}

/// Runs the test, or prints why it cannot run.
pub(crate) fn if_possible() -> anyhow::Result<()> {
    match missing() {
        None => Report { screenshots: false }.run(),
        Some(why) => {
            eprintln!("NOT RUN: browser test of the page of `flowagg report`: {why}");
            Ok(())
        }
    }
}

impl Report {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        if let Some(why) = missing() {
            bail!("cannot test the page on this machine: {why}");
        }
        run(&mut cargo("build --workspace --example report"))?;
        let folder = root().join("target/report");
        environment(&folder)?;
        for (accounts, days) in FLEETS {
            let example = cargo::program("examples/report");
            let [page, value] = ["html", "json"].map(|ending| folder.join(accounts).with_extension(ending));
            run(Command::new(example).args([accounts, days]).arg(page).arg(value))?;
        }
        let browser = folder.join("browser");
        fs::create_dir_all(&browser)?;
        // The package unpacks its browser into the temporary folder, which may contain another version.
        run(Command::new("node")
            .arg("check.mjs")
            .arg(".")
            .args(FLEETS.map(|(accounts, _)| accounts))
            .current_dir(&folder)
            .env("TMPDIR", &browser))?;
        if self.screenshots {
            let docs = root().join("docs");
            fs::create_dir_all(&docs)?;
            for theme in ["light", "dark"] {
                let picture = folder.join(format!("{PICTURED}-{theme}.png"));
                fs::copy(&picture, docs.join(format!("report-{theme}.png")))
                    .with_context(|| format!("cannot copy {}", picture.display()))?;
            }
        }
        Ok(())
    }
}

/// Installs the locked packages if they changed, and copies the test next to them.
fn environment(folder: &Path) -> anyhow::Result<()> {
    let installed = folder.join("installed.json");
    let lock = root().join("xtask/report/package-lock.json");
    let is_new = fs::read(&installed).ok() != Some(fs::read(&lock)?);
    fs::create_dir_all(folder)?;
    for file in FILES {
        fs::copy(root().join("xtask/report").join(file), folder.join(file))?;
    }
    if is_new {
        let browser = folder.join("browser");
        if browser.exists() {
            fs::remove_dir_all(&browser)?;
        }
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").args(install).current_dir(folder))?;
        fs::copy(&lock, &installed)?;
    }
    Ok(())
}
