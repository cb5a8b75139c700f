//! Names from another crate in the public items of a crate: re-exports, signatures, public fields, variants and impls.
//!
//! Imports and type aliases of the crate are resolved. Items that a macro generates are not found.

use std::collections::BTreeSet;

use crate::modules::{Crate, Module, Target};
use crate::names::absolute;
use crate::source::{Token, closed};

/// A name of the other crate in a public item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exposed {
    pub(crate) file: String,
    pub(crate) line: usize,
    /// The name of the public item.
    pub(crate) item: String,
    /// The name from the other crate, as written.
    pub(crate) name: String,
}

/// The paths of type aliases for types of the other crate.
type Aliases = BTreeSet<Vec<String>>;

/// Every name in a public item that refers to a crate with `is_foreign`.
pub(crate) fn exposed(sources: &Crate, is_foreign: fn(&str) -> bool) -> Vec<Exposed> {
    let names = Foreign::read(sources, is_foreign);
    let public = public_types(sources);
    let mut exposed = Vec::new();
    for (path, module) in sources.by_path() {
        for Item { name: item, parts } in items(&module.source.tokens, &public) {
            let all = parts.into_iter().flat_map(paths).filter(|written| names.has(written, path));
            exposed.extend(all.map(|written| Exposed {
                file: module.file.clone(),
                line: written[0].line,
                item: item.to_owned(),
                name: written.iter().map(|token| token.text.as_str()).collect(),
            }));
        }
    }
    exposed
}

/// Recognizes names that refer to the other crate.
struct Foreign<'a> {
    sources: &'a Crate,
    is_foreign: fn(&str) -> bool,
    aliases: Aliases,
}

impl<'a> Foreign<'a> {
    fn read(sources: &'a Crate, is_foreign: fn(&str) -> bool) -> Self {
        let mut read = Self { sources, is_foreign, aliases: Aliases::new() };
        // Until no new aliases are found, because an alias may refer to another alias.
        loop {
            let mut found = Aliases::new();
            for (path, module) in sources.by_path() {
                let aliases = aliases(module);
                let aliases =
                    aliases.filter(|(_, of)| paths(of).iter().any(|written| read.has(written, path)));
                found.extend(aliases.map(|(name, _)| [&path[..], &[name.to_owned()]].concat()));
            }
            if found == read.aliases {
                return read;
            }
            read.aliases = found;
        }
    }

    /// Whether a path in this module refers to the other crate.
    fn has(&self, written: &[Token], module: &[String]) -> bool {
        let path: Vec<String> = written.iter().step_by(2).map(|token| token.text.clone()).collect();
        // A crate name without a path is the name of an argument or a field.
        if path.len() > 1 && (self.is_foreign)(&path[0]) {
            return true;
        }
        let path = absolute(&path, module).unwrap_or_else(|| [module, &path].concat());
        match self.sources.target(path) {
            Target::Elsewhere(path) => (self.is_foreign)(&path[0]),
            Target::Here(path) => self.aliases.contains(&path),
        }
    }
}

/// The name of each `type NAME = …;` outside of implementations and traits, with the tokens after it.
fn aliases(module: &Module) -> impl Iterator<Item = (&str, &[Token])> {
    let tokens = &module.source.tokens;
    let starts = (0..tokens.len()).filter(|at| tokens[*at].is("type") && depth(&tokens[..*at]) == 0);
    starts.filter_map(|at| Some((tokens.get(at + 1)?.text.as_str(), until(&tokens[at + 2..], &[";"]))))
}

fn depth(tokens: &[Token]) -> usize {
    let count = |text: &str| tokens.iter().filter(|token| token.is(text)).count();
    count("{") - count("}")
}

/// The names of types declared with `pub`.
fn public_types(sources: &Crate) -> BTreeSet<&str> {
    let all = sources.by_path().values().flat_map(|module| module.source.tokens.windows(3));
    let public = all.filter(|three| {
        three[0].is("pub") && ["struct", "enum", "union", "type"].iter().any(|kind| three[1].is(kind))
    });
    public.map(|three| three[2].text.as_str()).collect()
}

/// A public item, with the tokens that are part of its API.
struct Item<'a> {
    name: &'a str,
    parts: Vec<&'a [Token]>,
}

fn items<'a>(tokens: &'a [Token], public: &BTreeSet<&str>) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let rest = &tokens[at + 1..];
        if token.is("impl") && at.checked_sub(1).is_none_or(|before| starts_item(&tokens[before])) {
            items.extend(implementation(rest, public));
        } else if token.is("pub") && !rest.first().is_some_and(|next| next.is("(")) {
            items.extend(item(rest));
        }
    }
    items
}

/// Whether an item may start after this token. Elsewhere, `impl` is part of a type.
fn starts_item(before: &Token) -> bool {
    ["{", "}", ";", "]", "unsafe"].iter().any(|text| before.is(text))
}

/// The item after a `pub`.
fn item(rest: &[Token]) -> Option<Item<'_>> {
    let words = ["async", "unsafe", "extern"];
    let constant = |at: usize| rest[at].is("const") && rest.get(at + 1).is_some_and(|next| next.is("fn"));
    let kind = (0..rest.len()).find(|at| !words.iter().any(|word| rest[*at].is(word)) && !constant(*at))?;
    let (name, after) = (rest.get(kind + 1)?.text.as_str(), rest.get(kind + 2..)?);
    let rest = &rest[kind..];
    let parts = match rest[0].text.as_str() {
        "mod" => return None,
        "use" => {
            let tree = until(rest, &[";"]);
            let name = tree.iter().rev().find(|token| token.is_word())?;
            return Some(Item { name: &name.text, parts: vec![tree] });
        }
        "type" => until(after, &[";"]),
        "fn" => until(after, &["{", ";"]),
        // Its fields are separate items.
        "struct" | "union" => until(after, &["{", "(", ";"]),
        "const" | "static" => until(after, &["=", ";"]),
        "enum" | "trait" => body(after),
        // A field: `pub name: Type,` or `pub Type,`.
        _ => return Some(Item { name: &rest[0].text, parts: vec![until(rest, &[","])] }),
    };
    Some(Item { name, parts: vec![parts] })
}

/// The API of a trait implementation for a public type: the trait, and its associated types.
fn implementation<'a>(rest: &'a [Token], public: &BTreeSet<&str>) -> Option<Item<'a>> {
    let header = until(rest, &["{"]);
    // `for<'a>` is a bound.
    let of = header.windows(2).position(|pair| pair[0].is("for") && !pair[1].is("<"))?;
    let own = until(&header[of + 1..], &["<", "where"]);
    let name = own.iter().rev().find(|token| token.is_word())?.text.as_str();
    let body = body(rest);
    let types = (0..body.len()).filter(|at| body[*at].is("type")).map(|at| until(&body[at..], &[";"]));
    public.contains(name).then(|| Item { name, parts: [header].into_iter().chain(types).collect() })
}

/// The tokens before the first of `ends` outside of brackets, or before the closing bracket around them.
fn until<'a>(tokens: &'a [Token], ends: &[&str]) -> &'a [Token] {
    let (mut at, mut angles) = (0, 0_usize);
    while let Some(token) = tokens.get(at) {
        let ends_here = angles == 0 && ends.iter().any(|end| token.is(end));
        match token.text.as_str() {
            _ if ends_here => break,
            ")" | "]" | "}" => break,
            "(" | "[" | "{" => {
                at = closed(tokens, at);
                continue;
            }
            "<" => angles += 1,
            // Except the arrow `->`.
            ">" if at > 0 && !tokens[at - 1].is("-") => angles = angles.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    &tokens[..at]
}

/// The tokens up to the end of the first braced block.
fn body(tokens: &[Token]) -> &[Token] {
    let open = tokens.iter().position(|token| token.is("{"));
    open.map_or(tokens, |open| &tokens[..closed(tokens, open)])
}

/// The paths in these tokens, including their `::`.
fn paths(tokens: &[Token]) -> Vec<&[Token]> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        at += 1;
        if tokens[start].is_word() {
            while tokens.get(at).is_some_and(|it| it.is("::"))
                && tokens.get(at + 1).is_some_and(Token::is_word)
            {
                at += 2;
            }
            paths.push(&tokens[start..at]);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exposed names of crates that start with `sdk`, in a crate with these files.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(file, text)| (format!("it/src/{file}"), (*text).to_owned()));
        let exposed = exposed(&Crate::read(&files.collect()), |word| word.starts_with("sdk"));
        exposed.into_iter().map(|it| format!("{} {}", it.item, it.name)).collect()
    }

    #[test]
    fn foreign_name_is_found_in_every_kind_of_public_item() {
        for (text, expected) in [
            ("pub use sdk::types::Client;", "Client sdk::types::Client"),
            ("pub fn a(b: &sdk::C) {}", "a sdk::C"),
            ("pub async fn a() -> Result<u8, Vec<sdk::E>> { b() }", "a sdk::E"),
            ("pub const fn a<T>() where T: sdk::F {}", "a sdk::F"),
            ("pub struct A { b: u8, pub c: Option<sdk::D> }", "c sdk::D"),
            ("pub struct A(u8, pub sdk::D);", "sdk sdk::D"),
            ("pub struct A<T: sdk::D> { b: T }", "A sdk::D"),
            ("pub enum A { B(u8), C { d: sdk::E } }", "A sdk::E"),
            ("pub trait A { fn b(&self) -> sdk::E; }", "A sdk::E"),
            ("pub type A = Vec<sdk::B>;", "A sdk::B"),
            ("pub const A: sdk::B = b();", "A sdk::B"),
            ("pub struct A; impl sdk::B for A {}", "A sdk::B"),
            ("pub struct A; impl<T> From<sdk::B<T>> for super::A {}", "A sdk::B"),
            ("pub struct A; impl<T: for<'a> B<&'a T>> sdk::C for A {}", "A sdk::C"),
            ("pub struct A; impl Deref for A { type Target = sdk::B; }", "A sdk::B"),
            ("use sdk::types::{self, Client as C}; pub fn a(b: &C) {}", "a C"),
            ("use sdk::types; pub fn a() -> types::B { b() }", "a types::B"),
            ("type C = Box<sdk::B>; pub fn a() -> C { b() }", "a C"),
        ] {
            assert_eq!(found(&[("lib.rs", text)]), [expected], "{text}");
        }
    }

    #[test]
    fn foreign_name_in_a_private_item_is_not_exposed() {
        for text in [
            "use sdk::Client; pub(crate) use sdk::Other; pub(super) fn a(b: &Client) {}",
            "pub fn a(b: u8) -> u8 { sdk::c(b) }",
            "pub struct A { pub b: u8, c: sdk::D } impl A { fn e(&self) -> &sdk::D { &self.c } }",
            "pub struct A(pub u8, sdk::D);",
            "pub const A: u8 = sdk::B;",
            "pub(crate) struct A; impl sdk::B for A {}",
            "pub fn a() -> impl Iterator<Item = u8> { sdk::b() }",
            "mod types; pub fn sdk_like(types: u8) {}",
            "#[cfg(test)] pub fn a(b: &sdk::C) {}",
        ] {
            assert_eq!(found(&[("lib.rs", text), ("types.rs", "")]), [""; 0], "{text}");
        }
    }

    #[test]
    fn foreign_name_is_resolved_through_imports() {
        let lib = ("lib.rs", "mod a; mod b; pub(crate) use a::Client;");
        let a = ("a.rs", "pub(crate) use sdk::Client; pub(crate) type Error = sdk::Error<u8>;");
        for (b, expected) in [
            ("use crate::Client; pub fn c(d: Client) {}", "c Client"),
            ("use super::a::Error as E; pub fn c(d: E) {}", "c E"),
            ("pub use super::a::Client;", "Client super::a::Client"),
            ("pub fn c() -> crate::a::Error { d() }", "c crate::a::Error"),
            ("use super::a; pub fn c(d: a::Client) {}", "c a::Client"),
        ] {
            assert_eq!(found(&[lib, a, ("b.rs", b)]), [expected], "{b}");
        }
    }
}
