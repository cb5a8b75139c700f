//! The paths in a source, in `use` declarations and elsewhere.

use std::collections::BTreeMap;

use crate::source::{Source, Token};

/// A path as written, with groups expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    /// The path from the root of the crate, if it starts with `crate`, `super` or `self`.
    pub(crate) absolute: Option<Vec<String>>,
    pub(crate) line: usize,
}

impl Named {
    pub(crate) fn written(&self) -> String {
        self.path.join("::")
    }
}

/// The paths of a source, and the names that its `use` declarations import.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) all: Vec<Named>,
    /// By local name.
    pub(crate) imported: BTreeMap<String, Named>,
}

impl Names {
    /// Reads the paths of the source of a module.
    pub(crate) fn read(source: &Source, module: &[String]) -> Self {
        let mut names = Self::default();
        let mut module = module.to_vec();
        // The brace depths of open inline modules.
        let mut inline: Vec<usize> = Vec::new();
        let mut depth = 0;
        let tokens = &source.tokens;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if inline.last() == Some(&depth) {
                        inline.pop();
                        module.pop();
                    }
                }
                "mod" if tokens.get(at + 2).is_some_and(|token| token.is("{")) => {
                    module.extend(next.map(|name| name.text.clone()));
                    inline.push(depth);
                }
                // `use<'a>` is a bound.
                "use" if next.is_some_and(|next| !next.is("<")) => {
                    let mut tree = Tree { tokens, at: at + 1, leaves: Vec::new() };
                    tree.read(&[]);
                    at = tree.at;
                    for (name, path, line) in tree.leaves {
                        let named = Named { absolute: absolute(&path, &module), path, line };
                        if inline.is_empty() {
                            names.imported.insert(name, named.clone());
                        }
                        names.all.push(named);
                    }
                    continue;
                }
                _ if token.is_word() && next.is_some_and(|next| next.is("::")) => {
                    let (path, end) = inline_path(tokens, at);
                    if !is_visibility(tokens, at) {
                        names.all.push(Named { absolute: absolute(&path, &module), path, line: token.line });
                    }
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        names
    }
}

/// Whether the path at this token belongs to `pub(in path)`.
fn is_visibility(tokens: &[Token], at: usize) -> bool {
    at >= 3 && tokens[at - 1].is("in") && tokens[at - 2].is("(") && tokens[at - 3].is("pub")
}

fn inline_path(tokens: &[Token], start: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[start].text.clone()];
    let mut at = start + 1;
    while let (Some(colons), Some(word)) = (tokens.get(at), tokens.get(at + 1)) {
        if !colons.is("::") || !word.is_word() {
            break;
        }
        path.push(word.text.clone());
        at += 2;
    }
    (path, at)
}

pub(crate) fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let mut from = match path.first().map(String::as_str) {
        Some("crate") => Vec::new(),
        Some("self" | "super") => module.to_vec(),
        _ => return None,
    };
    for segment in path {
        match segment.as_str() {
            "crate" | "self" => {}
            "super" => drop(from.pop()),
            _ => from.push(segment.clone()),
        }
    }
    Some(from)
}

/// A reader for the tree of a `use` declaration.
struct Tree<'a> {
    tokens: &'a [Token],
    at: usize,
    /// Local name, path and line.
    leaves: Vec<(String, Vec<String>, usize)>,
}

impl Tree<'_> {
    fn next_is(&self, text: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is(text))
    }

    fn read(&mut self, before: &[String]) {
        let mut path = before.to_vec();
        let mut line = 0;
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while self.at < self.tokens.len() && !self.next_is("}") {
                        self.read(&path);
                        self.at += usize::from(self.next_is(","));
                    }
                    self.at += 1;
                    return;
                }
                "as" => {
                    let name = self.tokens.get(self.at + 1).map(|token| token.text.clone());
                    self.at += 2;
                    self.leaves.push((name.unwrap_or_default(), path, line));
                    return;
                }
                // `a::{self}` means `a`.
                "self" if !path.is_empty() => self.at += 1,
                "*" => {
                    line = token.line;
                    path.push("*".to_owned());
                    self.at += 1;
                }
                _ if token.is_word() => {
                    line = token.line;
                    path.push(token.text.clone());
                    self.at += 1;
                }
                _ => break,
            }
            // `self` in a group adds nothing to the path, so its line is set here.
            line = if line == 0 { token.line } else { line };
        }
        let name = path.last().cloned().unwrap_or_default();
        self.leaves.push((name, path, line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, module: &[&str]) -> Names {
        let module: Vec<String> = module.iter().map(ToString::to_string).collect();
        Names::read(&Source::read(text), &module)
    }

    fn absolute(text: &str, module: &[&str]) -> Vec<String> {
        let all = names(text, module).all.into_iter();
        all.filter_map(|named| Some(named.absolute?.join("::"))).collect()
    }

    #[test]
    fn nested_groups_are_expanded() {
        let text = "use crate::{a, b::{self, c as d, e::*}};\npub(crate) use super::f::{g};";
        let expected = ["a", "b", "b::c", "b::e::*", "x::f::g"];
        assert_eq!(absolute(text, &["x", "y"]), expected);
        let imported = names(text, &["x", "y"]).imported;
        assert_eq!(imported.keys().collect::<Vec<_>>(), ["*", "a", "b", "d", "g"]);
    }

    #[test]
    fn inline_paths_are_found_without_visibilities() {
        let text = "pub(in crate::a) fn b(c: &super::d::E) -> F { crate::g::h::<I>(self::j()); use super::super::k; }";
        assert_eq!(absolute(text, &["x", "y"]), ["x::d::E", "g::h", "x::y::j", "k"]);
    }

    #[test]
    fn inline_modules_extend_the_path() {
        let text = "mod a { use super::b; mod c { use super::d; } use super::e; } use super::f;";
        assert_eq!(absolute(text, &["x", "y"]), ["x::y::b", "x::y::a::d", "x::y::e", "x::f"]);
    }

    #[test]
    fn use_bounds_are_skipped_and_external_paths_kept_as_written() {
        let all = names("fn a() -> impl B + use<'_> { std::fs::read(c) }", &[]).all;
        assert_eq!(all.iter().map(Named::written).collect::<Vec<_>>(), ["std::fs::read"]);
    }

    #[test]
    fn each_name_has_its_own_line() {
        let lines: Vec<_> = names("use crate::{\n a,\n b::{\n c,\n self,\n },\n};", &[]).all;
        assert_eq!(lines.iter().map(|named| named.line).collect::<Vec<_>>(), [2, 4, 5]);
    }
}
