//! The commands of the pages that cannot run in a test, each with the reason.

use crate::page::{Command, blocks, pages};

/// The start of the line, and the reason.
const CANNOT: &[(&str, &str)] = &[
    ("cargo install", "it builds the program again and fetches crates from the registry"),
    ("cargo xtask", "it would run these tests, directly or indirectly"),
    ("cargo run", "it would wait for cargo's lock; the tests write the sample themselves"),
    ("cargo test", "it would run these tests"),
    ("cargo tree", "it describes the build and waits for cargo's lock"),
    ("cargo deny", "it fetches the list of advisories; CI runs it"),
    (
        "aws cloudformation deploy",
        "it creates roles in the accounts of an organization, which the emulator does not support",
    ),
    ("aws cloudformation activate-organizations-access", "the emulator has no trusted access of StackSets"),
    ("aws organizations list-roots", "the account of the test is not in an organization"),
    ("docker build", "it fetches images, and builds the program once more"),
    ("docker run", "its image is that of `docker build`"),
    ("curl --proto", "it downloads a release; tests of xtask run the installer on a local one"),
    ("brew install", "it downloads a release, and Homebrew is not installed"),
    ("cargo binstall", "it downloads a release; a test of xtask compares the names"),
    ("gh attestation verify", "it reads GitHub"),
    ("sudo", "it changes the machine"),
    ("rustup target add", "it downloads a toolchain component"),
    ("export CARGO", "it is for the build in the same block"),
    ("terraform -chdir=terraform", "it downloads the AWS provider; `cargo xtask exports` runs it if it can"),
];

/// Why the command cannot run in a test, or `None` if it can.
pub(crate) fn why(command: &Command) -> Option<&'static str> {
    CANNOT.iter().find(|(begin, _)| command.text.starts_with(begin)).map(|(_, why)| *why)
}

#[test]
fn every_exception_is_on_a_page() {
    let pages = pages();
    let blocks = pages.iter().flat_map(|page| blocks(page)).filter(|block| block.language == "sh");
    let commands: Vec<_> = blocks.flat_map(|block| block.all_commands()).collect();
    for (begin, _) in CANNOT {
        let exists = commands.iter().any(|command| command.text.starts_with(begin));
        assert!(exists, "no page contains a command `{begin} …`: remove it from `CANNOT`");
    }
}
