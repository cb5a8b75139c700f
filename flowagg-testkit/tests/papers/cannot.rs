//! The commands of the pages that cannot run here, each with what keeps it.

use crate::page::{Command, blocks, pages};

/// How the line begins, and why it is not run.
const CANNOT: &[(&str, &str)] = &[
    (
        "cargo install",
        "it builds the program, which the tests have built, and fetches crates from the registry",
    ),
    ("cargo xtask", "it would build and run these tests, or call what runs them"),
    ("cargo run", "it would wait for cargo's lock; the tests write the sample themselves"),
    ("cargo test", "it would run these tests"),
    ("cargo tree", "it tells of the build, and waits for cargo's lock"),
    ("cargo deny", "it fetches the list of advisories; CI runs it"),
    (
        "aws cloudformation deploy",
        "it creates roles in the accounts of an organization, which the emulator does not have",
    ),
    ("aws cloudformation activate-organizations-access", "the emulator has no trusted access of StackSets"),
    ("aws organizations list-roots", "the account of the test is not in an organization"),
    ("docker build", "it fetches images, and builds the program once more"),
    ("docker run", "its image is that of `docker build`"),
    ("curl --proto", "it downloads a release; the tests of xtask run the installer on one of their own"),
    ("brew install", "it downloads a release, and Homebrew is not installed"),
    ("cargo binstall", "it downloads a release; a test of xtask compares the names"),
    ("gh attestation verify", "it reads GitHub"),
    ("sudo", "it changes the machine"),
    ("rustup target add", "it downloads a part of the toolchain"),
    ("export CARGO", "it is for the build in the same block"),
    ("terraform -chdir=terraform", "it fetches AWS's provider; `cargo xtask exports` does it where it can"),
];

/// Why a command cannot run here.
pub(crate) fn why(command: &Command) -> Option<&'static str> {
    CANNOT.iter().find(|(begin, _)| command.text.starts_with(begin)).map(|(_, why)| *why)
}

#[test]
fn what_cannot_run_here_is_still_on_a_page() {
    let pages = pages();
    let blocks = pages.iter().flat_map(|page| blocks(page)).filter(|block| block.language == "sh");
    let commands: Vec<_> = blocks.flat_map(|block| block.all_commands()).collect();
    for (begin, _) in CANNOT {
        let is_there = commands.iter().any(|command| command.text.starts_with(begin));
        assert!(is_there, "no page has a command `{begin} …` any more: take it out of `CANNOT`");
    }
}
