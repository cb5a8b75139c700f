use std::collections::BTreeMap;
use std::io::{self, Write};

/// A folder's entries by name; a file has none.
#[derive(Default)]
struct Node(BTreeMap<String, Node>);

/// Prints keys as a tree of folders. A folder whose only entry is a folder shares its line; `note` annotates some
/// folders.
pub(super) fn print<'a>(
    keys: &[String],
    note: impl Fn(&str) -> Option<&'a str>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut root = Node::default();
    for key in keys {
        let mut node = &mut root;
        for segment in key.split('/') {
            node = node.0.entry(segment.to_owned()).or_default();
        }
    }
    branch(&root, "  ", &note, out)
}

fn branch<'a>(
    node: &Node,
    indent: &str,
    note: &impl Fn(&str) -> Option<&'a str>,
    out: &mut impl Write,
) -> io::Result<()> {
    let last = node.0.len();
    for (number, (name, child)) in node.0.iter().enumerate() {
        let (corner, below) =
            if number + 1 == last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let (mut path, mut child) = (name.clone(), child);
        while let Some((name, only)) =
            child.0.first_key_value().filter(|(_, only)| child.0.len() == 1 && !only.0.is_empty())
        {
            path = format!("{path}/{name}");
            child = only;
        }
        let named = path.split('/').find_map(note).map_or_else(String::new, |name| format!("  ({name})"));
        let slash = if child.0.is_empty() { "" } else { "/" };
        writeln!(out, "{indent}{corner}{path}{slash}{named}")?;
        branch(child, &format!("{indent}{below}"), note, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_subfolders_share_their_parents_line() {
        let keys = ["a/1/x/y/file", "a/2/x/file", "a/2/x/other"].map(str::to_owned);
        let mut out = Vec::new();
        print(&keys, |folder| (folder == "2").then_some("two"), &mut out).unwrap();
        let expected = "  └── a/\n      ├── 1/x/y/\n      │   └── file\n      └── 2/x/  (two)\n          ├── file\n          └── other\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
