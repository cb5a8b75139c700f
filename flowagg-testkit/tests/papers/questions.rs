//! Stories of `docs/questions.md`, over the sample.

use std::fs;

use flowagg_testkit::sample;
use tempfile::TempDir;

use crate::page::Section;
use crate::paper::Paper;
use crate::shell::Shell;

/// The folder of the sample, and the exit code if `--fail-if-rows` finds rows.
const SAMPLE: &str = "acme-flow-logs";
const FOUND: i32 = 3;

/// A folder that contains the sample, and a shell in it.
fn sampled() -> (TempDir, Shell) {
    let folder = tempfile::tempdir().unwrap();
    sample::write(&folder.path().join(SAMPLE)).unwrap();
    let shell = Shell::new(folder.path(), Paper::as_it_is(), Vec::new());
    (folder, shell)
}

/// Compares every block under the heading with the output of its commands.
pub(crate) async fn shown(section: &mut Section) {
    let (_folder, mut shell) = sampled();
    while section.goes_on() {
        let block = section.next("console");
        let commands = block.text.lines().filter(|line| line.starts_with("$ "));
        let codes: Vec<i32> =
            commands.map(|line| if line.contains("--fail-if-rows") { FOUND } else { 0 }).collect();
        shell.shows(&block, &codes).await;
    }
}

pub(crate) async fn saved(section: &mut Section) {
    let (folder, mut shell) = sampled();
    let file = section.next("sql");
    fs::create_dir(folder.path().join("queries")).unwrap();
    shell.write("queries/through-nat.sql", &file.text);
    shell.shows(&section.next("console"), &[0]).await;
    shell.shows(&section.next("console"), &[FOUND, 0]).await;
    assert!(fs::read_to_string(folder.path().join("rows.csv")).unwrap().starts_with("account,hour,bytes\n"));
}
