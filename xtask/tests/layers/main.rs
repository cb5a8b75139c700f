//! Rules for the modules of flowagg-core, flowagg-policy, flowagg-query and flowagg-cli: layers without cycles, no IO in core and policy,
//! one module that names the AWS SDK, and one public function that does. "Layers" in ARCHITECTURE.md lists the layers.

#![allow(clippy::panic, clippy::unwrap_used, reason = "test helpers may panic")]

mod layers;
mod modules;
mod names;
mod public;
mod source;

use std::fs;
use std::path::Path;

use layers::Layers;
use modules::{Crate, Files, Module};
use names::Names;
use public::{Exposed, exposed};
use source::Source;

/// The crates with layers.
const CRATES: [&str; 4] = ["flowagg-core", "flowagg-policy", "flowagg-query", "flowagg-cli"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn sources(name: &str) -> Crate {
    let mut files = Files::new();
    let mut folders = vec![root().join(name).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let parts: Vec<_> = path.strip_prefix(root()).unwrap().iter().collect();
                let parts: Vec<_> = parts.iter().map(|part| part.to_str().unwrap()).collect();
                files.insert(parts.join("/"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    Crate::read(&files)
}

/// The list of layers: the first `text` block under the heading "Layers".
fn declared() -> Vec<Layers> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split("\n## Layers\n").nth(1).unwrap();
    let block = section.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    Layers::list(block.unwrap())
}

fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_module_uses_only_modules_below_it() {
    let layers = declared();
    let mut broken = Vec::new();
    for name in CRATES {
        assert!(layers.iter().any(|it| it.folder == format!("{name}/src")), "{name} has no layers");
        let sources = sources(name);
        let inside = |it: &&Layers| it.folder.starts_with(&format!("{name}/"));
        broken.extend(layers.iter().filter(inside).flat_map(|layers| layers.broken(&sources)));
    }
    assert_none(&broken);
}

#[test]
fn core_and_policy_do_no_io() {
    let mut broken = Vec::new();
    for name in ["flowagg-core", "flowagg-policy"] {
        for Module { file, source, names } in sources(name).modules() {
            broken.extend(io(source, names).into_iter().map(|(line, what)| {
                format!("{file}:{line}: `{what}` does IO, which belongs in flowagg-cli: return a value, or accept one")
            }));
        }
    }
    assert_none(&broken);
}

#[test]
fn only_the_aws_module_names_the_sdk() {
    let mut broken = Vec::new();
    let (cli, query) = (sources("flowagg-cli"), sources("flowagg-query"));
    for Module { file, source, .. } in cli.modules().chain(query.modules()) {
        if file.starts_with("flowagg-cli/src/aws/") {
            continue;
        }
        for token in source.tokens.iter().filter(|token| is_of_the_sdk(&token.text)) {
            let at = format!("{file}:{}", token.line);
            broken.push(format!(
                "{at}: `{}` is from the AWS SDK, which only flowagg-cli/src/aws may name",
                token.text
            ));
        }
    }
    assert_none(&broken);
}

#[test]
fn one_public_constructor_names_the_sdk() {
    let exposed = exposed(&sources("flowagg-cli"), is_of_the_sdk);
    let (constructors, others): (Vec<_>, Vec<_>) = exposed
        .iter()
        .partition(|it| (it.item.as_str(), it.name.as_str()) == ("from_sdk_config", "SdkConfig"));
    let broken = others.into_iter().map(|Exposed { file, line, item, name }| {
        let help = "make the item private, or return a flowagg type";
        format!("{file}:{line}: `{item}` is public, and `{name}` is from the AWS SDK: {help}")
    });
    assert_none(&broken.collect::<Vec<_>>());
    let files: Vec<&str> = constructors.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["flowagg-cli/src/aws/access/mod.rs"]);
}

/// Everything in a source that does IO or reads the clock.
fn io(source: &Source, names: &Names) -> Vec<(usize, String)> {
    let printed = source.tokens.windows(2).filter(|pair| {
        let prints = ["print", "println", "eprint", "eprintln", "dbg"];
        pair[1].is("!") && prints.contains(&pair[0].text.as_str())
    });
    let printed = printed.map(|pair| (pair[0].line, format!("{}!", pair[0].text)));
    let words = source.tokens.iter().filter(|token| {
        let types = ["SystemTime", "Instant", "TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs"];
        types.contains(&token.text.as_str())
    });
    let words = words.map(|token| (token.line, token.text.clone()));
    let paths = names.all.iter().filter(|named| {
        let path: Vec<&str> = named.path.iter().map(String::as_str).collect();
        matches!(
            path[..],
            ["std", "fs" | "env" | "process" | "thread" | "os", ..]
                | ["std", "io", "stdin" | "stdout" | "stderr", ..]
                | [.., "Timestamp" | "Zoned", "now"]
        )
    });
    printed.chain(words).chain(paths.map(|named| (named.line, named.written()))).collect()
}

fn is_of_the_sdk(word: &str) -> bool {
    ["aws_sdk_", "aws_smithy_", "aws_config", "aws_credential_types", "aws_types"]
        .iter()
        .any(|start| word.starts_with(start))
}

#[test]
fn io_is_found_in_groups_paths_and_macros() {
    let io = |text: &str| {
        let source = Source::read(text);
        io(&source, &Names::read(&source, &[]))
    };
    for (text, what) in [
        ("use std::{fmt, fs::File};", "std::fs::File"),
        ("fn a() { std::env::var(b) }", "std::env::var"),
        ("use std::time::{Duration, Instant};", "Instant"),
        ("fn a() { jiff::Timestamp::now() }", "jiff::Timestamp::now"),
        ("fn a() { println!(b) }", "println!"),
        ("use std::net::{IpAddr, TcpStream};", "TcpStream"),
    ] {
        assert_eq!(io(text), [(1, what.to_owned())]);
    }
    for text in ["use std::net::IpAddr;", "// println!()", "env!(a);", "#[cfg(test)] use std::fs;"] {
        assert_eq!(io(text), []);
    }
}

#[test]
fn sdk_is_recognized_by_its_crate_names() {
    assert!(["aws_sdk_s3", "aws_smithy_types", "aws_config"].into_iter().all(is_of_the_sdk));
    assert!(!["aws", "aws_accounts", "is_aws_managed"].into_iter().any(is_of_the_sdk));
}
