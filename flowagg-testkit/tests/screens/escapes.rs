//! No escape sequences in plain output, and only ASCII without Unicode support.

use flowagg_testkit::emulator::Emulator;
use flowagg_testkit::world::World;
use jiff::Timestamp;

use crate::FAULTY;
use crate::terminal::{Run, Width};

const ESCAPE: u8 = 0x1b;
const TERMINAL: Width = Width::Columns(80);

/// The final bytes of the control sequences in the output: `m` sets a style, others move the cursor or erase.
fn sequences(bytes: &[u8]) -> String {
    let after = bytes.split(|byte| *byte == ESCAPE).skip(1);
    after
        .filter_map(|rest| rest.iter().skip(1).find(|byte| byte.is_ascii_alphabetic()))
        .map(|b| char::from(*b))
        .collect()
}

#[tokio::test]
async fn styles_are_written_only_to_terminals_that_support_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::offline(folder.path(), FAULTY);
    let styled = |bytes: &[u8]| sequences(bytes).contains('m');
    assert!(styled(&run.flowagg("plan", TERMINAL).await.exits(2).bytes));
    assert!(styled(&run.clone().with("CLICOLOR_FORCE", "1").flowagg("plan", Width::Piped).await.bytes));
    for words in ["plan", "--help", "paln"] {
        let piped = run.flowagg(words, Width::Piped).await;
        assert!(!piped.bytes.contains(&ESCAPE), "{words}");
        for (variable, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
            let shown = run.clone().with(variable, value).flowagg(words, TERMINAL).await;
            assert!(!shown.bytes.contains(&ESCAPE), "{words} with {variable}={value}: {}", shown.text());
        }
    }
}

#[tokio::test]
async fn progress_bar_has_no_style_and_is_not_drawn_on_dumb_terminals() {
    let mut world = World::new(Emulator::shared().unwrap()).await.unwrap();
    world.member("shop", 1).await.unwrap();
    let run = Run::of(&world);
    let plain = run.clone().with("NO_COLOR", "1").flowagg("plan", TERMINAL).await.exits(0);
    let sequences = sequences(&plain.bytes);
    assert!(!sequences.is_empty() && !sequences.contains('m'), "{sequences}");
    let dumb = run.with("TERM", "dumb").flowagg("plan", TERMINAL).await.exits(0);
    assert!(!dumb.bytes.contains(&ESCAPE), "{}", dumb.text());
    assert_eq!(dumb.text(), plain.text());
}

#[tokio::test]
async fn commands_write_ascii_to_terminals_without_unicode() {
    let mut world = World::new(Emulator::shared().unwrap()).await.unwrap();
    world.member("shop", 1).await.unwrap();
    for (variable, value) in [("LC_ALL", "C"), ("LANG", "POSIX")] {
        let run = Run::of(&world).with(variable, value);
        for words in ["doctor", "plan", "apply --yes", "verify", "report"] {
            let shown = run.flowagg(words, TERMINAL).await;
            assert!(shown.bytes.is_ascii(), "{variable}={value} flowagg {words}: {}", shown.text());
        }
        world.deliver(Timestamp::now()).await.unwrap();
        for words in ["verify", "report"] {
            let shown = run.flowagg(words, TERMINAL).await.exits(0);
            assert!(shown.bytes.is_ascii(), "{variable}={value} flowagg {words}: {}", shown.text());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let run = Run::offline(folder.path(), FAULTY).with("LC_ALL", "C");
    assert!(run.flowagg("plan", TERMINAL).await.exits(2).bytes.is_ascii());
}

#[tokio::test]
async fn columns_variable_applies_only_to_terminals_without_a_width() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::offline(folder.path(), FAULTY);
    let longest = |text: String| text.lines().map(|line| line.chars().count()).max().unwrap();
    let piped = longest(run.flowagg("plan", Width::Piped).await.text());
    assert!(piped > 80);
    let run = run.with("COLUMNS", "60");
    assert_eq!(longest(run.flowagg("plan", Width::Piped).await.text()), piped);
    assert!((61..=80).contains(&longest(run.flowagg("plan", TERMINAL).await.text())));
    // A terminal with 0 columns does not report its width. It shows the output as it was written.
    let shown = run.flowagg("plan", Width::Columns(0)).await;
    assert!((41..=60).contains(&longest(plain(&shown.bytes))));
}

/// The output without styles and carriage returns.
fn plain(bytes: &[u8]) -> String {
    String::from_utf8(anstream::adapter::strip_bytes(bytes).into_vec()).unwrap().replace('\r', "")
}
