//! `cargo xtask words`: phrases that are nearly always wrong in help, messages, docs and test names, each with a replacement.
//!
//! Code blocks, inline code, link targets and recorded data are skipped, and so is this file, which contains the list.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cargo::root;
use crate::prose::{self, Kind, Prose};

/// A phrase in lower case, and its replacement. A phrase matches whole words, in any case, also across a line break.
const PHRASES: [(&str, &str); 34] = [
    (
        "nobody",
        "name the noun, as in \"no one has read it\", or state the condition, as in \"without a terminal\"",
    ),
    ("somebody", "name the noun, as in \"another process\" or \"a foreign statement\""),
    ("whoever", "name the noun, as in \"anyone who\" or \"the caller\""),
    ("of others", "\"foreign\", or name the owner, as in \"other teams\""),
    ("anew", "\"again\""),
    ("so many", "\"N\", \"up to N\" or \"the given number of\""),
    ("so long", "\"up to this long\", or name the timeout"),
    ("so often", "\"N times\" or \"the given number of times\""),
    ("as wanted", "\"up to date\" or \"matches the fleet file\""),
    ("what is there", "\"the current state\", or name what exists"),
    ("what was there", "\"the previous state\", or name what existed"),
    ("is there already", "\"already exists\""),
    ("are there already", "\"already exist\""),
    ("is no key", "\"unknown key\""),
    ("is no valid", "\"is not a valid\""),
    ("is not one that", "\"is not a\", with the noun"),
    ("has not the form", "\"is not a valid\""),
    ("beside", "\"next to\" or \"alongside\""),
    ("is told", "\"is reported\", \"is printed\" or \"receives\""),
    ("are told", "\"are reported\", \"are printed\" or \"receive\""),
    ("was told", "\"was reported\", \"was printed\" or \"received\""),
    ("made-up", "\"invented\" or \"example\""),
    ("by itself", "\"on its own\" or \"automatically\""),
    ("takes away", "\"deletes\" or \"removes\""),
    ("take away", "\"delete\" or \"remove\""),
    ("looked at", "\"read\", \"checked\" or \"inspected\""),
    ("looks at", "\"reads\", \"checks\" or \"inspects\""),
    ("asked for", "\"requested\" or \"required\""),
    ("asks for", "\"requests\", \"requires\" or \"prompts for\""),
    ("could not be had", "\"could not be loaded\""),
    ("goes on", "\"continues\""),
    ("left alone", "\"not changed\""),
    ("stands in", "\"is in\""),
    (", too.", "\"also\" before the verb"),
];

/// The file that contains the list.
const LIST: &str = "xtask/src/words.rs";

/// Fails if a page, a source or a test name contains a banned phrase, and prints each with its place.
pub(crate) fn run() -> anyhow::Result<()> {
    let found = check(root())?;
    for line in &found {
        eprintln!("{line}");
    }
    if !found.is_empty() {
        bail!("{} banned phrases; replace them, or put quoted code in backticks", found.len());
    }
    Ok(())
}

/// Every banned phrase in the repository, sorted by file and line.
fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for page in prose::pages(root)? {
        let text = prose::read(root, &page)?;
        found.extend(lines(&page, phrases(&prose::read_markdown((1..).zip(text.lines())))));
    }
    for file in prose::rust_files(root, &["src", "tests"])? {
        // In tests only the names are prose: strings quote messages, which have their own check.
        let is_source = file.split('/').nth(1) == Some("src");
        if file == LIST {
            continue;
        }
        let texts = prose::read_rust(&prose::read(root, &file)?).with_context(|| file.clone())?;
        let texts = texts.iter().filter(|(kind, _)| is_source || *kind == Kind::TestName);
        let mut hits: Vec<_> = texts.flat_map(|(_, text)| phrases(text)).collect();
        hits.sort_unstable();
        found.extend(lines(&file, hits));
    }
    Ok(found)
}

fn lines(file: &str, hits: Vec<(usize, &str, &str)>) -> impl Iterator<Item = String> {
    hits.into_iter()
        .map(move |(line, phrase, instead)| format!("{file}:{line}: \"{phrase}\": write {instead}"))
}

/// The banned phrases of a text, with their lines and replacements.
fn phrases(prose: &Prose) -> Vec<(usize, &'static str, &'static str)> {
    let text = without_targets(&prose.without_code().to_ascii_lowercase());
    let mut hits = Vec::new();
    for (phrase, instead) in PHRASES {
        for (at, _) in text.match_indices(phrase) {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + phrase.len()..).and_then(|text| text.chars().next());
            if !is_inside_word(before, phrase.chars().next())
                && !is_inside_word(phrase.chars().next_back(), after)
            {
                hits.push((prose.line(at), phrase, instead));
            }
        }
    }
    hits.sort_unstable();
    hits
}

/// Whether both characters belong to the same word.
fn is_inside_word(one: Option<char>, next: Option<char>) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    is_part(one) && is_part(next)
}

/// The text with the targets of links masked. Byte offsets stay the same.
fn without_targets(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("](") {
        let length = link.find(')').unwrap_or(link.len());
        let (target, after) = link.split_at(length);
        masked.extend([before, "]("]);
        masked.extend(target.bytes().map(|_| '\u{1}'));
        rest = after;
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn page(text: &str) -> Vec<(usize, &'static str)> {
        let found = phrases(&prose::read_markdown((1..).zip(text.lines())));
        found.into_iter().map(|(line, phrase, _)| (line, phrase)).collect()
    }

    fn source(text: &str) -> Vec<(usize, &'static str)> {
        let texts = prose::read_rust(text).unwrap();
        texts.iter().flat_map(|(_, text)| phrases(text)).map(|(line, phrase, _)| (line, phrase)).collect()
    }

    #[test]
    fn phrase_is_found_with_its_line() {
        assert_eq!(page("# Title\n\nNobody reads it.\n\n- beside it"), [(3, "nobody"), (5, "beside")]);
        assert_eq!(page("it runs so\nmany times; it stays, too."), [(1, "so many"), (2, ", too.")]);
    }

    #[test]
    fn only_whole_words_match() {
        assert_eq!(page("besides renewed anews is_told_x this told, too many"), []);
        assert_eq!(page("so\n\nmany"), []);
    }

    #[test]
    fn code_and_link_targets_are_skipped() {
        assert_eq!(page("`nobody` ``so many`` [text](a.md#nobody-is-told) end"), []);
        assert_eq!(page("```text\nnobody\n```\n~~~\nso many\n~~~\nanew"), [(7, "anew")]);
    }

    #[test]
    fn rust_source_is_checked_in_literals_doc_comments_and_test_names() {
        assert_eq!(source("//! Module.\n\n/// One that is\n/// told.\nstruct A;"), [(3, "is told")]);
        assert_eq!(source("/// ```\n/// nobody\n/// ```\nstruct A;"), []);
        assert_eq!(source("// nobody\nfn nobody() { a(\"it\", \"somebody\") }"), [(2, "somebody")]);
        assert_eq!(source("a(r#\"one\n\"nobody\"\"#, \"`nobody`\")"), [(2, "nobody")]);
        assert_eq!(source("a(\"one \\\n   is \\\n  no key\")"), [(2, "is no key")]);
        assert_eq!(source("#[test]\nfn one_that_is_told() {}"), [(2, "is told")]);
    }

    #[test]
    fn findings_are_sorted_and_have_the_replacement() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("README.md", "It is done anew.\n");
        write("docs/query.md", "so often\n");
        write("one/Cargo.toml", "");
        write("one/README.md", "nothing\n");
        write("one/src/lib.rs", "const A: &str = \"anew\";\n/// As wanted.\nconst B: u8 = 0;\n");
        write("one/tests/all/main.rs", "#[test]\nfn runs_so_long() { a(\"anew\") }\n");
        write("one/tests/data/recorded.rs", "const A: &str = \"anew\";\n");
        write("target/README.md", "anew\n");
        write("xtask/Cargo.toml", "");
        write(LIST, "const A: &str = \"anew\";\n");
        assert_eq!(
            check(folder.path()).unwrap(),
            [
                "README.md:1: \"anew\": write \"again\"",
                "docs/query.md:1: \"so often\": write \"N times\" or \"the given number of times\"",
                "one/src/lib.rs:1: \"anew\": write \"again\"",
                "one/src/lib.rs:2: \"as wanted\": write \"up to date\" or \"matches the fleet file\"",
                "one/tests/all/main.rs:2: \"so long\": write \"up to this long\", or name the timeout",
            ]
        );
    }

    #[test]
    fn every_phrase_is_in_lower_case_and_listed_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (phrase, _) in PHRASES {
            assert!(seen.insert(phrase) && phrase.to_lowercase() == phrase, "{phrase}");
        }
    }
}
