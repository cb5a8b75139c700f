//! Many patterns asked at once. Literals, and literals with one `*` at the end, are hashed; what is left is tried in turn.

#[allow(clippy::disallowed_types, reason = "asked for one member at a time; its order is never seen")]
use std::collections::HashSet;

use super::pattern::{Glob, Piece};
use super::request::Request;

/// A set of texts that is asked whether it holds one.
#[allow(clippy::disallowed_types, reason = "asked for one member at a time; its order is never seen")]
pub(super) type TextSet = HashSet<Box<str>>;

/// A set of patterns that is asked whether one of them fits.
#[derive(Debug, Default)]
pub(super) struct PatternSet {
    anything: bool,
    exact: TextSet,
    /// By length: what texts may begin with.
    starts: Vec<(usize, TextSet)>,
    others: Vec<Glob>,
}

impl PatternSet {
    pub(super) fn add(&mut self, mut pieces: Vec<Piece>) {
        match pieces.as_mut_slice() {
            [Piece::Any] => self.anything = true,
            [] => {
                self.exact.insert("".into());
            }
            [Piece::Literal(text)] => {
                self.exact.insert(std::mem::take(text).into());
            }
            [Piece::Literal(text), Piece::Any] => {
                let text = std::mem::take(text);
                match self.starts.iter_mut().find(|(length, _)| *length == text.len()) {
                    Some((_, set)) => {
                        set.insert(text.into());
                    }
                    None => self.starts.push((text.len(), TextSet::from([text.into()]))),
                }
            }
            _ => self.others.push(Glob::new(pieces)),
        }
    }

    pub(super) fn matches(&self, text: &str, request: &Request) -> bool {
        self.anything
            || (!self.exact.is_empty() && self.exact.contains(text))
            || self
                .starts
                .iter()
                .any(|(length, set)| text.get(..*length).is_some_and(|start| set.contains(start)))
            || self.others.iter().any(|glob| glob.matches(text, request))
    }
}

/// A set of ARN patterns. Each of the six parts is matched by itself, so that a `*` never reaches over a colon of the
/// first five.
///
/// Source: "Amazon Resource Name (ARN) condition operators" (IAM User Guide).
#[derive(Debug, Default)]
pub(super) struct ArnSet {
    anything: bool,
    /// Patterns of which every part is either a literal or `*`: by which parts are literals, the literals joined.
    masked: Vec<(Mask, TextSet)>,
    others: Vec<[Glob; PARTS]>,
}

/// The parts of an ARN. The last one may hold colons of its own.
const PARTS: usize = 6;

/// Which parts are literals.
type Mask = [bool; PARTS];

impl ArnSet {
    /// Adds a pattern; one that has not six parts fits nothing, but for `*` alone.
    pub(super) fn add(&mut self, pieces: Vec<Piece>) {
        if pieces == [Piece::Any] {
            self.anything = true;
            return;
        }
        let Ok(parts) = <[Vec<Piece>; PARTS]>::try_from(split(pieces)) else { return };
        let mut mask = [false; PARTS];
        let mut literals = Vec::new();
        for (part, is_literal) in parts.iter().zip(&mut mask) {
            match part.as_slice() {
                [] => (*is_literal, _) = (true, literals.push("")),
                [Piece::Literal(text)] => (*is_literal, _) = (true, literals.push(text)),
                [Piece::Any] => {}
                _ => {
                    self.others.push(parts.map(Glob::new));
                    return;
                }
            }
        }
        let literals: Box<str> = literals.join(":").into();
        match self.masked.iter_mut().find(|(known, _)| *known == mask) {
            Some((_, set)) => {
                set.insert(literals);
            }
            None => self.masked.push((mask, TextSet::from([literals]))),
        }
    }

    pub(super) fn matches(&self, text: &str, request: &Request) -> bool {
        if self.anything {
            return true;
        }
        let mut parts = [""; PARTS];
        let mut count = 0;
        for (part, slot) in text.splitn(PARTS, ':').zip(&mut parts) {
            *slot = part;
            count += 1;
        }
        if count < PARTS {
            return false;
        }
        let mut key = String::with_capacity(text.len());
        self.masked.iter().any(|(mask, set)| {
            key.clear();
            for (index, part) in
                parts.iter().zip(mask).filter(|(_, literal)| **literal).map(|(part, _)| part).enumerate()
            {
                if index > 0 {
                    key.push(':');
                }
                key.push_str(part);
            }
            set.contains(key.as_str())
        }) || self
            .others
            .iter()
            .any(|globs| globs.iter().zip(parts).all(|(glob, part)| glob.matches(part, request)))
    }
}

/// The parts of an ARN pattern: cut at the first five colons, which are those of the literals and not of variables.
fn split(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut parts = vec![Vec::new()];
    for piece in pieces {
        let Piece::Literal(text) = piece else {
            if let Some(part) = parts.last_mut() {
                part.push(piece);
            }
            continue;
        };
        let room = PARTS + 1 - parts.len();
        for (index, text) in text.splitn(room, ':').enumerate() {
            if index > 0 {
                parts.push(Vec::new());
            }
            if let (Some(part), false) = (parts.last_mut(), text.is_empty()) {
                part.push(Piece::Literal(text.to_owned()));
            }
        }
    }
    parts
}
