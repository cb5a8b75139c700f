//! The order of the modules in a folder, and violations of it.

use crate::modules::{Crate, Origin, module_of};

/// The modules of one folder, from the lowest to the highest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layers {
    /// The folder, from the root of the workspace, such as `flowagg-cli/src/show`.
    pub(crate) folder: String,
    pub(crate) modules: Vec<String>,
}

const RULE: &str = "a module may only use modules before it under \"Layers\" in ARCHITECTURE.md";

impl Layers {
    /// Parses a list of folders and their modules. A line starts with the folder, and continues on indented lines.
    pub(crate) fn list(text: &str) -> Vec<Self> {
        let mut layers: Vec<Self> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace().map(str::to_owned);
            if !line.starts_with(' ') {
                layers.push(Self { folder: words.next().unwrap_or_default(), modules: Vec::new() });
            }
            if let Some(last) = layers.last_mut() {
                last.modules.extend(words);
            }
        }
        layers
    }

    fn place(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|it| it == module)
    }

    /// Every violation of the order, with its file and line.
    pub(crate) fn broken(&self, sources: &Crate) -> Vec<String> {
        let folder = module_of(&self.folder);
        let present = sources.children(&folder);
        let mut broken = Vec::new();
        for module in present.iter().filter(|module| self.place(module).is_none()) {
            let help = "add it under \"Layers\" in ARCHITECTURE.md, after the modules that it uses";
            broken.push(format!("{}/{module}: `{module}` is not in the list of layers: {help}", self.folder));
        }
        for module in self.modules.iter().filter(|module| !present.contains(*module)) {
            let place = format!("{}/{module}", self.folder);
            broken.push(format!(
                "{place}: `{module}` does not exist: remove it under \"Layers\" in ARCHITECTURE.md"
            ));
        }
        for (path, module) in sources.below(&folder) {
            let Some(own) = path.get(folder.len()) else { continue };
            let Some(place) = self.place(own) else { continue };
            for named in &module.names.all {
                let (at, written) = (format!("{}:{}", module.file, named.line), named.written());
                match sources.origin(named, &folder) {
                    Origin::Module(used) if self.place(&used).is_some_and(|other| other > place) => {
                        let what = format!("`{written}` is in `{used}`, which is above `{own}`");
                        broken.push(format!("{at}: {what}: {RULE}"));
                    }
                    Origin::Folder => {
                        let what = format!("`{written}` is in `mod.rs` or `lib.rs` of {}", self.folder);
                        let why = "which is above all modules in it";
                        broken.push(format!("{at}: {what}, {why}: move it to a module below `{own}`"));
                    }
                    // A module that is missing from the list is already reported above.
                    Origin::Module(_) | Origin::Outside => {}
                }
            }
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(list: &str, sources: &[(&str, &str)]) -> Vec<String> {
        let files = sources.iter().map(|(file, text)| (format!("it/src/{file}"), (*text).to_owned()));
        let sources = Crate::read(&files.collect());
        Layers::list(list).iter().flat_map(|layers| layers.broken(&sources)).collect()
    }

    const LIB: (&str, &str) =
        ("lib.rs", "mod low; mod high; pub use low::Low; pub use high::High; pub struct Root;");

    #[test]
    fn downward_imports_are_allowed() {
        let high = "use crate::low::{self, Low}; use crate::Low as Again; fn a(b: super::low::C) { crate::low::d() }";
        assert_eq!(
            broken("it/src low high", &[LIB, ("low.rs", "use std::fs;"), ("high/mod.rs", high)]),
            [""; 0]
        );
    }

    #[test]
    fn upward_import_is_reported_with_line_and_rule() {
        let high = "use crate::low::Low;";
        for (low, line, name) in [
            ("\nuse crate::high::High;", 2, "crate::high::High"),
            ("\npub(crate) use crate::high::High;", 2, "crate::high::High"),
            ("use crate::{\nhigh::{High, other}};", 2, "crate::high::High"),
            ("use super::{self as\nroot}; use\nsuper::high;", 3, "super::high"),
            ("\nfn a() -> crate::high::High { b }", 2, "crate::high::High"),
            ("\nuse crate::High;", 2, "crate::High"),
            ("\nuse crate::high::*;", 2, "crate::high::*"),
        ] {
            let found = broken("it/src low high", &[LIB, ("low.rs", low), ("high.rs", high)]);
            let what = format!("it/src/low.rs:{line}: `{name}` is in `high`, which is above `low`: {RULE}");
            assert!(found.contains(&what), "{low}: {found:?}");
        }
        let found = broken("it/src high low", &[LIB, ("low.rs", ""), ("high.rs", high)]);
        let what = format!("it/src/high.rs:1: `crate::low::Low` is in `low`, which is above `high`: {RULE}");
        assert_eq!(found, [what]);
    }

    #[test]
    fn unlisted_and_missing_modules_are_reported() {
        let found = broken("it/src low", &[LIB, ("low.rs", ""), ("high/mod.rs", ""), ("high/part.rs", "")]);
        let help = "add it under \"Layers\" in ARCHITECTURE.md, after the modules that it uses";
        assert_eq!(found, [format!("it/src/high: `high` is not in the list of layers: {help}")]);
        let found = broken("it/src low\n    high gone", &[LIB, ("low.rs", ""), ("high.rs", "")]);
        assert_eq!(
            found,
            ["it/src/gone: `gone` does not exist: remove it under \"Layers\" in ARCHITECTURE.md"]
        );
    }

    #[test]
    fn item_of_the_folder_itself_is_above_every_module() {
        let found = broken("it/src low high", &[LIB, ("low.rs", ""), ("high.rs", "use crate::Root;")]);
        assert_eq!(
            found,
            [
                "it/src/high.rs:1: `crate::Root` is in `mod.rs` or `lib.rs` of it/src, which is above all modules in it: move it \
                 to a module below `high`"
            ]
        );
    }

    #[test]
    fn test_code_may_use_every_module() {
        let lib = ("lib.rs", "mod low; mod high; #[cfg(test)] mod mocked;");
        let low = "#[cfg(test)] mod tests { use crate::high::High; } #[cfg(test)] mod more;";
        let sources = [
            lib,
            ("low.rs", low),
            ("low/more.rs", "use crate::high::High;"),
            ("high.rs", ""),
            ("mocked.rs", ""),
        ];
        assert_eq!(broken("it/src low high", &sources), [""; 0]);
    }

    #[test]
    fn folder_has_its_own_order() {
        let facade = ("high/mod.rs", "mod a; mod b; pub use self::b::B; pub(crate) use a::A; use std::fmt;");
        let list = "it/src low high\nit/src/high a b";
        let below = [LIB, ("low.rs", ""), facade, ("high/a.rs", "use crate::low::Low; use super::fmt;")];
        let sources = |b: &'static str| [&below[..], &[("high/b.rs", b)]].concat();
        assert_eq!(broken(list, &sources("use super::A; use crate::high::a::A;")), [""; 0]);
        let above = [LIB, ("low.rs", ""), facade, ("high/b.rs", ""), ("high/a/mod.rs", "mod c;")];
        let found = broken(list, &[&above[..], &[("high/a/c.rs", "use super::super::B;")]].concat());
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("it/src/high/a/c.rs:1: `super::super::B` is in `b`, which is above `a`")
        );
    }
}
