//! The pages, and the fenced blocks in them.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use flowagg_core::fleet::FleetFile;

use crate::cannot;

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Its page, from the root of the repository.
    pub(crate) page: String,
    /// The heading above it.
    pub(crate) section: String,
    /// The number of its first line, from 1.
    pub(crate) line: usize,
    /// The info string behind the fence.
    pub(crate) language: String,
    /// The lines between the fences.
    pub(crate) text: String,
}

/// A command of a page.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// Its page and line.
    pub(crate) place: String,
    /// The line as typed, with a trailing comment.
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All pages of the root and of `docs`, and the READMEs of the crates, from the root, in order.
pub(crate) fn pages() -> Vec<String> {
    let folder = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let crates = folder(root()).map(|crate_| crate_.join("README.md")).filter(|page| page.is_file());
    let docs = folder(root().join("docs")).chain(folder(root()));
    let pages = crates.chain(docs.filter(|page| page.extension().is_some_and(|it| it == "md")));
    let mut pages: Vec<_> =
        pages.map(|page| page.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()).collect();
    pages.sort();
    pages
}

pub(crate) fn blocks(page: &str) -> Vec<Block> {
    read(page, &fs::read_to_string(root().join(page)).unwrap())
}

fn read(page: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut section = String::new();
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => block.text.extend([line, "\n"]),
            (None, Some(language)) => {
                let (page, section, language) = (page.to_owned(), section.clone(), language.to_owned());
                open = Some(Block { page, section, line: number + 1, language, text: String::new() });
            }
            (None, None) => {
                if let Some(heading) = line.strip_prefix('#') {
                    heading.trim_start_matches('#').trim().clone_into(&mut section);
                }
            }
        }
    }
    assert!(open.is_none(), "{page}: a block is not closed");
    blocks
}

impl Block {
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }

    /// The commands of a shell block that can run in a test. A line that ends with a backslash continues on the next line.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.all_commands().into_iter().filter(|command| cannot::why(command).is_none()).collect()
    }

    pub(crate) fn all_commands(&self) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        let mut goes_on = false;
        for (number, line) in (self.line..).zip(self.text.lines()) {
            let (rest, more) = line.strip_suffix('\\').map_or((line, false), |rest| (rest, true));
            match commands.last_mut().filter(|_| goes_on) {
                Some(command) => command.text.push_str(rest.trim_start()),
                None if rest.trim().is_empty() => {}
                None => {
                    commands.push(Command { place: format!("{}:{number}", self.page), text: rest.to_owned() })
                }
            }
            goes_on = more;
        }
        commands
    }

    /// The commands. Panics unless there are N.
    #[track_caller]
    pub(crate) fn of<const N: usize>(&self) -> [Command; N] {
        let commands = self.commands();
        let place = self.place();
        commands.try_into().unwrap_or_else(|more: Vec<_>| {
            panic!("{place}: the story runs {N} commands, the block has {}: update the story", more.len())
        })
    }
}

impl Command {
    /// The command without the comment.
    pub(crate) fn bare(&self) -> &str {
        self.text.split(" #").next().unwrap_or_default().trim()
    }
}

/// The blocks under a heading. A story takes them in order.
#[derive(Debug)]
pub(crate) struct Section {
    place: String,
    blocks: VecDeque<Block>,
}

impl Section {
    pub(crate) fn of(page: &str, heading: &str) -> Self {
        let blocks = blocks(page).into_iter();
        let blocks = blocks.filter(|block| block.section == heading && needs_a_story(block)).collect();
        Self { place: format!("{page}, \"{heading}\""), blocks }
    }

    /// Whether there is another block.
    pub(crate) fn goes_on(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// The next block, which must be of this language.
    #[track_caller]
    pub(crate) fn next(&mut self, language: &str) -> Block {
        let next = self.blocks.pop_front();
        let next = next.unwrap_or_else(|| panic!("{}: the story needs another block", self.place));
        let (place, is) = (next.place(), &next.language);
        assert_eq!(is, language, "{place}: the story expects another kind of block: update the story");
        next
    }

    /// The next block, which must be a fleet file, or a part of one that is merged into `base`.
    #[track_caller]
    pub(crate) fn fleet(&mut self, base: &str) -> String {
        let block = self.next("toml");
        let text = put_into(base, &block.text);
        FleetFile::parse(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", block.place()));
        text
    }

    /// Panics if a block was not used.
    #[track_caller]
    pub(crate) fn is_complete(&self) {
        let left: Vec<_> = self.blocks.iter().map(Block::place).collect();
        assert!(left.is_empty(), "{}: the story does not use these blocks: {left:?}", self.place);
    }
}

/// Whether the block needs a story. Blocks of `text` and doctests do not.
pub(crate) fn needs_a_story(block: &Block) -> bool {
    match block.language.as_str() {
        "text" => false,
        language if language.split(',').next() == Some("rust") => false,
        "sh" => !block.commands().is_empty(),
        _ => true,
    }
}

/// Merges the lines of `part` into the tables of `base`; new tables go to the end.
fn put_into(base: &str, part: &str) -> String {
    let mut text = base.to_owned();
    for table in format!("\n{part}").split("\n[").filter(|table| !table.trim().is_empty()) {
        let (name, lines) = table.split_once('\n').unwrap_or((table, ""));
        let heading = format!("[{name}\n");
        if text.contains(&heading) && !name.starts_with('[') {
            text = text.replacen(&heading, &format!("{heading}{lines}\n"), 1);
        } else {
            text.extend(["\n", &heading, lines, "\n"]);
        }
    }
    text
}

#[test]
fn block_has_its_heading_line_and_commands() {
    let text = "# One\n\n## Two\nwords\n```sh\na  # b\n\nc \\\n  d\n```\n```toml\n# no heading\n```\n";
    let blocks = read("page.md", text);
    let read: Vec<_> = blocks.iter().map(|it| (&*it.section, it.line, &*it.language)).collect();
    assert_eq!(read, [("Two", 6, "sh"), ("Two", 12, "toml")]);
    let [first, second] = blocks[0].of();
    assert_eq!((first.bare(), &*first.place), ("a", "page.md:6"));
    assert_eq!((second.bare(), &*second.place), ("c d", "page.md:8"));
}

#[test]
fn part_of_a_fleet_file_is_merged_into_its_tables() {
    let base = "[hub]\nbucket = \"b\"\n\n[[members]]\naccount = \"1\"\n";
    let whole =
        put_into(base, "[hub]\nprefix = \"p\"\n\n[[members]]\naccount = \"2\"\n[organization]\nid = \"o\"\n");
    assert_eq!(
        whole.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
        [
            "[hub]",
            "prefix = \"p\"",
            "bucket = \"b\"",
            "[[members]]",
            "account = \"1\"",
            "[[members]]",
            "account = \"2\"",
            "[organization]",
            "id = \"o\""
        ]
    );
}
