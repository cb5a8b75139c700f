//! The SBOM: all crates in the program with their licences, as a CycloneDX document for each platform.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::build::{clone, is_installed, moment};
use super::target::Target;
use crate::cargo::{cargo, root, run};

/// Writes the SBOM of a platform for the current commit.
pub(super) fn write(target: Target, to: &Path) -> anyhow::Result<()> {
    is_installed("cyclonedx")?;
    // In a clone, because cargo-cyclonedx writes a file into every crate of the workspace.
    let folder = TempDir::with_prefix("flowagg-sbom-")?;
    let sources = folder.path().join("sources");
    clone(&sources)?;
    let mut list = cargo("cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps");
    list.args(["--manifest-path", "flowagg-cli/Cargo.toml", "--override-filename", "sbom", "--target"]);
    list.arg(target.triple()).current_dir(&sources);
    run(list.env("SOURCE_DATE_EPOCH", moment(root())?.to_string()))?;
    let text = fs::read_to_string(sources.join("flowagg-cli").join("sbom.json"))?;
    let text = without(&text, &sources)?;
    fs::write(to, text)?;
    Ok(())
}

/// Replaces the folder of the sources, which differs in each run, and checks the document.
fn without(text: &str, sources: &Path) -> anyhow::Result<String> {
    let text = text.replace(&format!("file://{}", sources.display()), "file:///flowagg");
    let list: Value = serde_json::from_str(&text)?;
    ensure!(list["bomFormat"] == "CycloneDX", "`cargo cyclonedx` did not write a CycloneDX document");
    let components = list["components"].as_array().context("the document lists no crates")?;
    let unlicensed = components.iter().filter(|component| component["licenses"].is_null());
    let unlicensed: Vec<_> = unlicensed.map(|component| &component["name"]).collect();
    ensure!(unlicensed.is_empty(), "crates without a licence: {unlicensed:?}");
    ensure!(
        components.iter().any(|component| component["name"] == "flowagg-core"),
        "the document does not list flowagg-core"
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_folder_is_replaced() {
        let text = r#"{
  "bomFormat": "CycloneDX",
  "components": [
    {"bom-ref": "path+file:///tmp/a/flowagg-core#0.1.0", "name": "flowagg-core", "licenses": [{"expression": "MIT"}]}
  ]
}"#;
        let expected = text.replace("/tmp/a/", "/flowagg/");
        assert_eq!(without(text, Path::new("/tmp/a")).unwrap(), expected);
    }

    #[test]
    fn crate_without_a_licence_is_rejected() {
        let text = r#"{"bomFormat": "CycloneDX", "components": [{"name": "flowagg-core"}]}"#;
        let error = without(text, Path::new("/tmp/a")).unwrap_err().to_string();
        assert_eq!(error, "crates without a licence: [String(\"flowagg-core\")]");
    }
}
