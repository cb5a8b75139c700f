//! `cargo xtask bench build`: the cold build of the demo, compared with that of the two SDK crates that flowagg requires.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::cargo::{cargo, root, run};
use crate::demo;
use crate::step::Steps;

/// The minimum build: the SDK of the two main services.
const FLOOR: [&str; 2] = ["aws-sdk-ec2", "aws-sdk-s3"];
/// A workspace member that depends on both.
const DEPENDENT: &str = "flowagg-testkit";

/// Builds both in empty folders, one after the other, and prints the durations and their ratio.
pub(crate) fn measure() -> anyhow::Result<()> {
    // On the same disk as other builds.
    fs::create_dir_all(crate::cargo::target())?;
    let folder = TempDir::with_prefix_in("build-time-", crate::cargo::target())?;
    let floor = folder.path().join("floor");
    write_floor(&floor)?;
    // Downloads are not measured.
    run(cargo("fetch --quiet").current_dir(&floor))?;
    run(&mut cargo("fetch --quiet"))?;

    let (of_floor, of_demo) = (FLOOR.join(" and "), "the demo");
    let mut steps = Steps::default();
    let mut build = cargo("build --quiet");
    steps.step(&of_floor, || run(cold(&mut build, folder.path(), "sdk").current_dir(&floor)))?;
    steps.step(of_demo, || {
        // `cargo xtask demo` builds xtask first.
        let mut task = cargo("build --quiet --package xtask --no-default-features");
        run(cold(&mut task, folder.path(), "demo"))?;
        run(cold(&mut demo::build(), folder.path(), "demo").arg("--quiet"))
    })?;
    let ratio = steps.time(of_demo).as_secs_f64() / steps.time(&of_floor).as_secs_f64();
    eprintln!("\n{steps}\nratio of the demo {ratio:.2}");
    Ok(())
}

fn cold<'a>(build: &'a mut Command, folder: &Path, name: &str) -> &'a mut Command {
    build.env("CARGO_TARGET_DIR", folder.join(name)).env("CARGO_INCREMENTAL", "0")
}

/// Writes an empty program that depends only on the SDK, with the versions, features and profile of the workspace.
fn write_floor(folder: &Path) -> anyhow::Result<()> {
    let output = cargo("metadata --no-deps --format-version 1").output()?;
    ensure!(output.status.success(), "`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let of = |list: &Value, name: &str| {
        list.as_array()?.iter().find(|item| item.get("name").and_then(Value::as_str) == Some(name)).cloned()
    };
    let dependent = metadata.get("packages").and_then(|it| of(it, DEPENDENT)).context(DEPENDENT)?;
    let mut manifest =
        "[package]\nname = \"floor\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n".to_owned();
    for name in FLOOR {
        let dependency = dependent.get("dependencies").and_then(|it| of(it, name)).context(name)?;
        let field = |key: &str| dependency.get(key).with_context(|| format!("`{key}` of {name}"));
        manifest += &format!(
            "{name} = {{ version = {}, default-features = {}, features = {} }}\n",
            field("req")?,
            field("uses_default_features")?,
            field("features")?
        );
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml"))?;
    manifest += &profile(&workspace);
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), "fn main() {}\n")?;
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(())
}

/// The profile `dev`, without settings for packages of the workspace.
fn profile(manifest: &str) -> String {
    let tables = ["[profile.dev]", "[profile.dev.package.\"*\"]"];
    let mut is_in = false;
    let mut text = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_in = tables.contains(&line);
        }
        if is_in {
            text += line;
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_of_dependencies_is_kept_without_members() {
        let manifest = "[workspace]\nmembers = []\n[profile.dev]\ndebug = 0\n[profile.dev.package.\"*\"]\nopt-level = 0\n\
                        [profile.dev.package.flowagg-policy]\nopt-level = 1\n[profile.release]\nlto = true\n";
        assert_eq!(
            profile(manifest),
            "[profile.dev]\ndebug = 0\n[profile.dev.package.\"*\"]\nopt-level = 0\n"
        );
    }
}
