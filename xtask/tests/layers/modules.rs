//! The modules of a crate, without test modules, and the origins of the names in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{Named, Names};
use crate::source::Source;

/// Sources by file path from the root of the workspace.
pub(crate) type Files = BTreeMap<String, String>;

/// The product code of a crate.
pub(crate) struct Crate {
    /// By module path from the root of the crate.
    modules: BTreeMap<Vec<String>, Module>,
}

pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) source: Source,
    pub(crate) names: Names,
}

/// The item that a path refers to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An item of this crate, by its path from the root.
    Here(Vec<String>),
    /// An item of another crate, whose name starts the path.
    Elsewhere(Vec<String>),
}

/// The origin of a name, relative to a folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A module of the folder.
    Module(String),
    /// The folder's own `mod.rs` or `lib.rs`.
    Folder,
    /// Another folder or another crate.
    Outside,
}

impl Crate {
    pub(crate) fn read(files: &Files) -> Self {
        let read = files.iter().filter(|(file, _)| !file.ends_with("/main.rs")).map(|(file, text)| {
            let (path, source) = (module_of(file), Source::read(text));
            let names = Names::read(&source, &path);
            (path, Module { file: file.clone(), source, names })
        });
        let mut modules: BTreeMap<Vec<String>, Module> = read.collect();
        let tests: Vec<Vec<String>> = modules
            .iter()
            .flat_map(|(path, module)| module.source.test_modules.iter().map(|name| joined(path, name)))
            .collect();
        modules.retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
        Self { modules }
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.values()
    }

    /// The modules by path from the root of the crate.
    pub(crate) fn by_path(&self) -> &BTreeMap<Vec<String>, Module> {
        &self.modules
    }

    /// The modules below a folder, at any depth.
    pub(crate) fn below(&self, folder: &[String]) -> impl Iterator<Item = (&Vec<String>, &Module)> {
        self.modules.iter().filter(move |(path, _)| path.len() > folder.len() && path.starts_with(folder))
    }

    /// The names of the modules directly in a folder.
    pub(crate) fn children(&self, folder: &[String]) -> BTreeSet<String> {
        self.below(folder).map(|(path, _)| path[folder.len()].clone()).collect()
    }

    pub(crate) fn origin(&self, named: &Named, folder: &[String]) -> Origin {
        let Some(Target::Here(path)) = named.absolute.clone().map(|path| self.target(path)) else {
            return Origin::Outside;
        };
        match path.strip_prefix(folder) {
            None => Origin::Outside,
            Some([name, ..]) if self.is_module(folder, name) => Origin::Module(name.clone()),
            Some(_) => Origin::Folder,
        }
    }

    fn is_module(&self, parent: &[String], name: &str) -> bool {
        self.below(parent).any(|(path, _)| path[parent.len()] == name)
    }

    /// Resolves imported names in a path: `Screen` of the root becomes `show::screen::Screen`.
    pub(crate) fn target(&self, mut path: Vec<String>) -> Target {
        /// Limit for chains of re-exports, so that a cycle ends.
        const MOST: usize = 20;
        for _ in 0..MOST {
            let import = (0..path.len()).find_map(|at| {
                let (parent, name) = (&path[..at], &path[at]);
                if self.is_module(parent, name) {
                    return None;
                }
                let import = self.modules.get(parent)?.names.imported.get(name)?;
                Some((at, parent.to_vec(), import))
            });
            let Some((at, parent, import)) = import else { break };
            let rest = path.split_off(at + 1);
            let target = match &import.absolute {
                Some(target) => target.clone(),
                // A path to a child module needs no `self::`.
                None if self.is_module(&parent, &import.path[0]) => [&parent[..], &import.path[..]].concat(),
                None => return Target::Elsewhere([&import.path[..], &rest].concat()),
            };
            if target == path {
                break;
            }
            path = [target, rest].concat();
        }
        Target::Here(path)
    }
}

fn joined(path: &[String], name: &str) -> Vec<String> {
    let mut path = path.to_vec();
    path.push(name.to_owned());
    path
}

/// The module path of a file or folder, from the root of its crate.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("/src").map_or("", |(_, inside)| inside).trim_end_matches(".rs");
    let mut modules: Vec<String> =
        inside.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if matches!(modules.last().map(String::as_str), Some("mod" | "lib")) {
        modules.pop();
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_resolved_through_re_exports() {
        let files = [
            ("lib.rs", "mod a; pub use a::C; pub use std::fmt;"),
            ("a/mod.rs", "mod b; pub use self::b::D as C; pub use C as Loop; use super::a::Again as Again;"),
            ("a/b.rs", "use crate::{C, fmt, a::Loop, a::Again, a::Own};"),
        ];
        let files = files.into_iter().map(|(file, text)| (format!("it/src/{file}"), text.to_owned()));
        let sources = Crate::read(&files.collect());
        let (root, a) = (Vec::new(), vec!["a".to_owned()]);
        let names = &sources.modules[&["a".to_owned(), "b".to_owned()][..]].names.all;
        let origins = |folder: &[String]| -> Vec<Origin> {
            names.iter().map(|named| sources.origin(named, folder)).collect()
        };
        let module = |name: &str| Origin::Module(name.to_owned());
        assert_eq!(origins(&root)[..2], [module("a"), Origin::Outside]);
        assert_eq!(origins(&a)[..2], [module("b"), Origin::Outside]);
        assert_eq!(origins(&a)[3..], [Origin::Folder, Origin::Folder]);
    }

    #[test]
    fn module_path_follows_the_file_path() {
        for (file, path) in [("lib.rs", ""), ("a.rs", "a"), ("a/mod.rs", "a"), ("a/b/c.rs", "a::b::c")] {
            assert_eq!(module_of(&format!("flowagg-cli/src/{file}")).join("::"), path);
        }
    }
}
