//! `cargo xtask report`: the page of `flowagg report` in a headless Chromium, for fleets of 3 to 5,000 accounts.
//!
//! The browser is a package of npm, and so is axe-core; both are locked in `xtask/report`. Where there is no node, or the
//! package has no browser for the machine, that is said, and nothing is looked at.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cargo::{self, cargo, is_there, root, run};

/// What makes the environment of the check, and the check.
const FILES: [&str; 5] = [".npmrc", "package.json", "package-lock.json", "check.mjs", "layout.mjs"];
/// The fleets, by their number of accounts, and the days of their reports.
const FLEETS: [(&str, &str); 5] = [("3", "7"), ("60", "7"), ("300", "14"), ("1000", "7"), ("5000", "7")];
/// The fleet whose pictures are in the documentation.
const PICTURED: &str = "60";

/// The options of the task.
#[derive(Args)]
pub(crate) struct Report {
    /// Also write the screenshots in `docs` anew
    #[arg(long)]
    screenshots: bool,
}

/// What is missing on this machine; `None` where the check can run.
pub(crate) fn missing() -> Option<&'static str> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        Some("the Chromium that npm carries is for Linux on x86-64 only")
    } else if !is_there("node") || !is_there("npm") {
        Some("`node` and `npm` are not on the path")
    } else {
        None
    }
}

/// Checks the page where that can be done; says so where it cannot.
pub(crate) fn where_possible() -> anyhow::Result<()> {
    match missing() {
        None => Report { screenshots: false }.run(),
        Some(why) => {
            eprintln!("NOT RUN: nobody has looked at the page of `flowagg report` in a browser: {why}");
            Ok(())
        }
    }
}

impl Report {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        if let Some(why) = missing() {
            bail!("the page cannot be looked at here: {why}");
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
        // The package unpacks its browser into the folder for temporary files, where another version may lie.
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
                    .with_context(|| format!("{} cannot be copied", picture.display()))?;
            }
        }
        Ok(())
    }
}

/// The locked packages, installed where they are not; and the check beside them.
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
