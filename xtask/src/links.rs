//! `cargo xtask links`: follows every relative link and anchor of the Markdown pages, and every page of `docs` that a string literal
//! or doc comment names. Links to the repository on GitHub count as relative. Nothing is downloaded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cargo::root;
use crate::prose::{self, BREAK, Kind, Prose};

/// This file is skipped: its tests contain broken links.
const SELF: &str = "xtask/src/links.rs";
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// The shortest anchor with a suggestion for a similar one.
const SHORTEST: usize = 4;
/// The parts of a GitHub URL between the repository and the branch.
const VIEWS: [&str; 3] = ["blob", "raw", "tree"];

/// Fails if a link leads to a missing file or anchor, and prints each with its place.
pub(crate) fn run() -> anyhow::Result<()> {
    let found = check(root())?;
    for line in &found {
        eprintln!("{line}");
    }
    if !found.is_empty() {
        bail!("{} broken links", found.len());
    }
    Ok(())
}

/// Every broken link, sorted by file and line.
fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let pages = Pages::read(root)?;
    let mut broken = Vec::new();
    for (page, text) in &pages.texts {
        let prose = prose::read_markdown((1..).zip(text.lines()));
        for (line, target) in links(&prose) {
            broken.extend(pages.why_broken(page, &target).map(|why| format!("{page}:{line}: {why}")));
        }
    }
    for file in prose::rust_files(root, &["src"])?.into_iter().filter(|file| file != SELF) {
        let texts = prose::read_rust(&prose::read(root, &file)?).with_context(|| file.clone())?;
        let texts = texts.iter().filter(|(kind, _)| *kind != Kind::TestName);
        let mut named: Vec<_> = texts.flat_map(|(_, text)| pages.named(text)).collect();
        named.sort();
        for (line, target) in named {
            // The root is the base of these paths.
            broken.extend(pages.why_broken("", &target).map(|why| format!("{file}:{line}: {why}")));
        }
    }
    Ok(broken)
}

/// The pages, by their paths from the root.
struct Pages<'a> {
    root: &'a Path,
    texts: BTreeMap<String, String>,
    anchors: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Pages<'a> {
    fn read(root: &'a Path) -> anyhow::Result<Self> {
        let (mut texts, mut all) = (BTreeMap::new(), BTreeMap::new());
        for page in prose::pages(root)? {
            let text = prose::read(root, &page)?;
            all.insert(page.clone(), anchors(&text));
            texts.insert(page, text);
        }
        Ok(Self { root, texts, anchors: all })
    }

    /// The problem with a link on a page; `None` if it leads to an existing file and anchor, or to another site.
    fn why_broken(&self, page: &str, target: &str) -> Option<String> {
        let (path, anchor) = target.split_once('#').map_or((target, None), |(path, it)| (path, Some(it)));
        let path = if path.is_empty() {
            page.to_owned()
        } else if let Some(inside) = in_repository(path) {
            inside.to_owned()
        } else if path.contains("://") || path.starts_with("mailto:") {
            return None;
        } else {
            let Some(path) = joined(page, path) else {
                return Some(format!("`{target}` is outside the repository"));
            };
            path
        };
        if !self.root.join(&path).exists() {
            return Some(format!("`{target}`: the file `{path}` does not exist"));
        }
        let (anchor, anchors) = (anchor?, self.anchors.get(&path)?);
        if anchors.contains(anchor) {
            return None;
        }
        let similar = anchors.iter().find(|it| anchor.len() >= SHORTEST && it.contains(anchor));
        let help = similar.map_or_else(String::new, |similar| format!("; did you mean `#{similar}`?"));
        Some(format!("`{target}`: no heading of `{path}` has the anchor `#{anchor}`{help}"))
    }

    /// The pages that a text of a source names, with their anchors: pages of `docs` and URLs of the repository. A pattern with
    /// placeholders, such as `docs/{page}.md`, is not one.
    fn named(&self, prose: &Prose) -> Vec<(usize, String)> {
        let text = prose.text();
        let mut named = Vec::new();
        for (at, extension) in text.match_indices(".md") {
            let (before, after) = text.split_at(at);
            let path = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c));
            let path = before.get(path.len()..).unwrap_or_default();
            let after = after.strip_prefix(extension).unwrap_or_default();
            let anchor = after.strip_prefix('#').unwrap_or_default();
            let length = anchor.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_')));
            let (anchor, rest) = anchor.split_at(length.unwrap_or(anchor.len()));
            let is_pattern = path.is_empty() || rest.starts_with('{');
            let continues = after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/'));
            let path = path.trim_start_matches("../").trim_start_matches("./");
            let file = format!("{path}{extension}");
            let is_page = path.starts_with("docs/")
                || in_repository(&file).is_some()
                || (!anchor.is_empty() && self.texts.contains_key(&file));
            if is_page && !is_pattern && !continues {
                let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
                named.push((prose.line(at), file + &anchor));
            }
        }
        named
    }
}

/// The path of a URL into a branch or tag of the repository.
fn in_repository(url: &str) -> Option<&str> {
    let rest = url.strip_prefix(REPOSITORY)?.strip_prefix('/')?;
    let (view, rest) = rest.split_once('/')?;
    let (_, path) = rest.split_once('/')?;
    VIEWS.contains(&view).then_some(path)
}

/// A relative path from the folder of a page; `None` if it leaves the root.
fn joined(page: &str, path: &str) -> Option<String> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The targets of links and images, in Markdown and in HTML, with their lines.
fn links(prose: &Prose) -> Vec<(usize, String)> {
    let text = prose.without_code();
    let mut links = Vec::new();
    for (start, end) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"'), ("href=\"", '"')] {
        for (at, _) in text.match_indices(start) {
            let rest = text.get(at + start.len()..).unwrap_or_default();
            // A title may follow the target.
            let length = rest.find([end, ' ', BREAK]).unwrap_or(rest.len());
            let target = rest.get(..length).unwrap_or_default();
            links.push((prose.line(at), target.trim_start_matches('<').trim_end_matches('>').to_owned()));
        }
    }
    links.sort();
    links
}

/// The anchors of a page: those that GitHub gives its headings, and explicit ones in HTML.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for heading in prose::headings(text) {
        let anchor = anchor(heading);
        let earlier = count.entry(anchor.clone()).or_default();
        anchors.insert(if *earlier == 0 { anchor } else { format!("{anchor}-{earlier}") });
        *earlier += 1;
    }
    for attribute in ["<a id=\"", "<a name=\""] {
        let explicit = text.split(attribute).skip(1).filter_map(|rest| rest.split_once('"'));
        anchors.extend(explicit.map(|(anchor, _)| anchor.to_owned()));
    }
    anchors
}

/// The anchor of a heading without earlier headings of the same text: lower case, without punctuation, with hyphens for spaces. For
/// a link, only its text counts.
fn anchor(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn anchors_follow_the_rules_of_github() {
        for (heading, expected) in [
            ("Build times", "build-times"),
            ("`flowagg plan --json`", "flowagg-plan---json"),
            ("Another folder, another bucket", "another-folder-another-bucket"),
            ("What's new?", "whats-new"),
            ("snake_case & Größe", "snake_case--größe"),
            ("See [the guide](guide.md#x) first", "see-the-guide-first"),
        ] {
            assert_eq!(anchor(heading), expected);
        }
    }

    #[test]
    fn repeated_headings_get_numbers_and_blocks_have_none() {
        let page = "# One\n## Two\n## Two\n### Two\n```sh\n# Three\n```\n<a id=\"four\"></a>\n";
        let found: Vec<_> = anchors(page).into_iter().collect();
        assert_eq!(found, ["four", "one", "two", "two-1", "two-2"]);
    }

    fn repository(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        check(folder.path()).unwrap()
    }

    #[test]
    fn links_of_pages_are_followed() {
        let readme = "# Top\n[a](docs/guide.md) [b](docs/guide.md#use) [c](#top) ![d](docs/x.svg \"x\")\n\
                      [e](https://example.com/missing.md#x) `[f](missing.md)`\n```text\n[g](missing.md)\n```\n\
                      <img src=\"docs/missing.svg\"> [h](docs/gone.md) [i](docs/guide.md#rules) [j](#bottom)\n";
        let guide = "## Use\n### More rules\n[a](../README.md#top) [b](../../x.md) [c](.) [d](https://github.com/flowagg/flowagg/blob/main/no.md)\n";
        let found = repository(&[("README.md", readme), ("docs/guide.md", guide), ("docs/x.svg", "")]);
        assert_eq!(
            found,
            [
                "README.md:7: `#bottom`: no heading of `README.md` has the anchor `#bottom`",
                "README.md:7: `docs/gone.md`: the file `docs/gone.md` does not exist",
                "README.md:7: `docs/guide.md#rules`: no heading of `docs/guide.md` has the anchor `#rules`; did you mean `#more-rules`?",
                "README.md:7: `docs/missing.svg`: the file `docs/missing.svg` does not exist",
                "docs/guide.md:3: `../../x.md` is outside the repository",
                "docs/guide.md:3: `https://github.com/flowagg/flowagg/blob/main/no.md`: the file `no.md` does not exist",
            ]
        );
    }

    #[test]
    fn pages_that_sources_name_exist() {
        let source = "//! See `docs/guide.md#use` and docs/guide.md.\n\
                      const A: &str = \"see https://github.com/flowagg/flowagg/blob/main/docs/guide.md#no\";\n\
                      const B: &str = \"docs/{page}.md docs/guide.md#{anchor} tests/page.md a.md\";\n\
                      const C: &str = \"../docs/gone.md, README.md#top\";\n// docs/comment.md\n";
        let found = repository(&[
            ("README.md", "# One\n"),
            ("docs/guide.md", "# Use\n"),
            ("one/Cargo.toml", ""),
            ("one/src/lib.rs", source),
            ("one/tests/lib.rs", "const A: &str = \"docs/gone.md\";"),
        ]);
        let url = "https://github.com/flowagg/flowagg/blob/main/docs/guide.md#no";
        assert_eq!(
            found,
            [
                &format!("one/src/lib.rs:2: `{url}`: no heading of `docs/guide.md` has the anchor `#no`"),
                "one/src/lib.rs:4: `README.md#top`: no heading of `README.md` has the anchor `#top`",
                "one/src/lib.rs:4: `docs/gone.md`: the file `docs/gone.md` does not exist",
            ]
        );
    }
}
