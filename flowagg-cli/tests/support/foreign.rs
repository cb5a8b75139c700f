//! Arbitrary text for property tests.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Characters of every width and direction, separators, and text with a special meaning in output formats.
const WORDS: &[&str] = &[
    "a",
    "0",
    " ",
    "  ",
    "/",
    "_",
    "-",
    ":",
    ",",
    "\"",
    "'",
    "\\",
    "`",
    "${",
    "%{",
    "*",
    "|",
    "<b>",
    "</script>",
    "&amp;",
    "#",
    "AWSLogs",
    "é",
    "e\u{301}",
    "界",
    "🦀",
    "👩\u{200d}👩\u{200d}👧",
    "\u{5d0}\u{5d1}",
    "\u{202e}",
    "\u{feff}",
    "\u{a0}",
    "\u{3000}",
    "\u{2028}",
    "\u{10ffff}",
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\u{7f}",
    "\u{85}",
    "\u{1b}[31m",
    "\u{1b}[",
    "\u{1b}]8;;",
];

/// Any text, including very long text.
pub(crate) fn foreign() -> impl Strategy<Value = String> {
    let word = select(WORDS);
    prop_oneof![
        2 => "(?s).{0,30}",
        4 => vec(word.clone(), 0..30).prop_map(|words| words.concat()),
        1 => ("[a-z]{0,4}", word, 1..400_usize).prop_map(|(start, word, times)| start + &word.repeat(times)),
    ]
}
