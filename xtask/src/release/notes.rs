//! The release notes of a tag, from the changelog.

use anyhow::{Context as _, ensure};

/// The changelog section of a tag. The tag must be `v` followed by the version of the workspace.
pub(super) fn notes(tag: &str, version: &str, changelog: &str) -> anyhow::Result<String> {
    ensure!(tag == format!("v{version}"), "the tag is `{tag}`, the version in Cargo.toml is `{version}`");
    let heading = format!("\n## {version}");
    let is_heading = |(at, _): &(usize, &str)| {
        let rest = changelog.get(at + heading.len()..).unwrap_or_default();
        rest.starts_with('\n') || rest.starts_with(" - ")
    };
    let missing = || format!("CHANGELOG.md has no section `## {version}`; rename `## Unreleased`");
    let (at, _) = changelog.match_indices(&heading).find(is_heading).with_context(missing)?;
    let section = changelog.get(at + 1..).unwrap_or_default();
    let (_, section) = section.split_once('\n').unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default().trim();
    ensure!(!section.is_empty(), "the section `## {version}` of CHANGELOG.md is empty");
    Ok(format!("{section}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "\
# Changelog

## 0.2.0 - 2026-12-01

### Added

- Two.

## 0.2.0-rc.1

## 0.1.0

- One.
";

    #[test]
    fn notes_are_the_section_of_the_version() {
        assert_eq!(notes("v0.2.0", "0.2.0", CHANGELOG).unwrap(), "### Added\n\n- Two.\n");
        assert_eq!(notes("v0.1.0", "0.1.0", CHANGELOG).unwrap(), "- One.\n");
    }

    #[test]
    fn wrong_tag_and_version_without_changes_are_rejected() {
        let error = |tag, version| notes(tag, version, CHANGELOG).unwrap_err().to_string();
        assert_eq!(error("v0.2.0", "0.1.0"), "the tag is `v0.2.0`, the version in Cargo.toml is `0.1.0`");
        assert_eq!(error("0.1.0", "0.1.0"), "the tag is `0.1.0`, the version in Cargo.toml is `0.1.0`");
        assert_eq!(
            error("v0.3.0", "0.3.0"),
            "CHANGELOG.md has no section `## 0.3.0`; rename `## Unreleased`"
        );
        assert_eq!(error("v0.2", "0.2"), "CHANGELOG.md has no section `## 0.2`; rename `## Unreleased`");
        assert_eq!(
            error("v0.2.0-rc.1", "0.2.0-rc.1"),
            "the section `## 0.2.0-rc.1` of CHANGELOG.md is empty"
        );
    }
}
