//! The help of every command.

use std::collections::BTreeSet;

use flowagg_core::text::one_line;

use crate::terminal::{Run, WIDTHS, Width};
use crate::{captures, fits, is_kept};

/// The subcommands that a help lists, with the commands above them.
async fn verbs(run: &Run, above: &str) -> Vec<String> {
    let words = format!("{above} --help");
    let text = run.flowagg(words.trim_start(), Width::Piped).await.exits(0).text();
    let list =
        text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(|name| format!("{above} {name}").trim_start().to_owned())
        .collect()
}

#[tokio::test]
async fn help_of_every_command_fits_each_width() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::offline(folder.path(), "");
    let mut all = vec![String::new()];
    for verb in verbs(&run, "").await {
        let below = verbs(&run, &verb).await;
        all.push(verb);
        all.extend(below);
    }
    let once: BTreeSet<&String> = all.iter().collect();
    assert!(once.len() == all.len() && all.len() > 12, "{all:?}");
    let mut narrow = String::new();
    for width in WIDTHS {
        let mut text = String::new();
        for verb in &all {
            let words = format!("{verb} --help");
            let shown = run.flowagg(words.trim_start(), width).await.exits(0).text();
            text.push_str(&format!("$ flowagg {}\n{}\n\n", words.trim_start(), shown.trim_end()));
        }
        fits("help", width, &text);
        if width == Width::Columns(80) {
            is_kept(&captures().join("help.txt"), &(text.trim_end().to_owned() + "\n"));
            narrow = one_line(&text);
        }
        assert_eq!(one_line(&text), narrow, "only the line breaks depend on the width");
    }
}
