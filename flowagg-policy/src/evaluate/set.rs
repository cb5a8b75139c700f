//! Sets of patterns. Literals, and literals with a single trailing `*`, are hashed; the remaining patterns are tried in
//! turn.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::DefaultHashBuilder;
use hashbrown::hash_table::{Entry, HashTable};

use super::pattern::{Glob, Piece, Syntax, pieces};
use super::request::{Request, Variable};
use super::truth::Truth;

/// A set of strings in unspecified order. They are stored in one `String`, which saves an allocation for each.
#[derive(Debug, Default)]
pub(super) struct TextSet {
    texts: String,
    /// The range of each string in `texts`.
    places: HashTable<Range<usize>>,
    hasher: DefaultHashBuilder,
}

impl TextSet {
    /// An empty set with capacity for this number of strings.
    pub(super) fn with_room(texts: usize) -> Self {
        Self { places: HashTable::with_capacity(texts), ..Self::default() }
    }

    pub(super) fn insert(&mut self, text: &str) {
        let Self { texts, places, hasher } = self;
        let is_equal = |place: &Range<usize>| part(texts, place) == text;
        let hash = |place: &Range<usize>| hasher.hash_one(part(texts, place));
        if let Entry::Vacant(entry) = places.entry(hasher.hash_one(text), is_equal, hash) {
            entry.insert(texts.len()..texts.len() + text.len());
            texts.push_str(text);
        }
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        let is_equal = |place: &Range<usize>| part(&self.texts, place) == text;
        self.places.find(self.hasher.hash_one(text), is_equal).is_some()
    }

    /// The strings, in an unspecified order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| part(&self.texts, place))
    }
}

#[expect(clippy::string_slice, reason = "a range always covers a whole string")]
fn part<'t>(texts: &'t str, place: &Range<usize>) -> &'t str {
    &texts[place.clone()]
}

/// A set of patterns that matches a text if one of them does.
#[derive(Debug, Default)]
pub(super) struct PatternSet {
    /// The expected number of patterns.
    room: usize,
    anything: bool,
    exact: TextSet,
    /// Prefixes, grouped by length.
    starts: Vec<(usize, TextSet)>,
    others: Vec<Glob>,
}

impl PatternSet {
    /// An empty set with capacity for this number of patterns.
    pub(super) fn with_room(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// Adds a pattern with wildcards, and optionally with variables.
    pub(super) fn add(&mut self, text: &str, variables: bool) {
        let first = memchr::memchr3(b'*', b'?', b'$', text.as_bytes());
        match (first, text.strip_suffix('*')) {
            (None, _) => self.exact.insert(text),
            (Some(_), Some("")) => self.anything = true,
            (Some(at), Some(start)) if at == start.len() => self.add_start(start),
            (Some(_), _) => self.others.push(Glob::new(pieces(text, Syntax { wildcards: true, variables }))),
        }
    }

    fn add_start(&mut self, start: &str) {
        match self.starts.iter_mut().find(|(length, _)| *length == start.len()) {
            Some((_, set)) => set.insert(start),
            None => {
                let mut set = TextSet::with_room(self.room);
                set.insert(start);
                self.starts.push((start.len(), set));
            }
        }
    }

    pub(super) fn matches(&self, text: &str, request: &Request) -> Truth {
        let certain = self.anything
            || self.exact.contains(text)
            || self
                .starts
                .iter()
                .any(|(length, set)| text.get(..*length).is_some_and(|start| set.contains(start)));
        if certain {
            return Truth::True;
        }
        Truth::any(self.others.iter().map(|glob| glob.matches(text, request)))
    }

    /// Whether it matches every text.
    pub(super) fn is_anything(&self) -> bool {
        self.anything
    }

    /// The literal prefixes of the patterns, before the first wildcard or variable.
    pub(super) fn literal_starts(&self) -> impl Iterator<Item = &str> {
        let starts = self.starts.iter().flat_map(|(_, set)| set.iter());
        let anything = self.anything.then_some("");
        self.exact.iter().chain(starts).chain(self.others.iter().map(Glob::literal_start)).chain(anything)
    }

    /// The variables with unknown values.
    pub(super) fn unknown_variables<'s>(&'s self, request: &'s Request) -> impl Iterator<Item = &'s str> {
        self.others.iter().flat_map(|glob| glob.unknown_variables(request))
    }
}

/// A set of ARN patterns. Each of the six parts is matched separately, so that a `*` never matches across one of the
/// first five colons.
///
/// Source: "Amazon Resource Name (ARN) condition operators" (IAM User Guide).
#[derive(Debug, Default)]
pub(super) struct ArnSet {
    anything: bool,
    /// Patterns in which every part is a literal or `*`, grouped by which parts are literals; the literals are joined.
    masked: Vec<(Mask, TextSet)>,
    others: Vec<[Glob; PARTS]>,
    /// Patterns that only have six parts after the variables are replaced with the request's values.
    unsplit: Vec<Vec<Piece>>,
}

/// The parts of an ARN. The last one may contain colons.
const PARTS: usize = 6;

/// Marks the parts that are literals.
type Mask = [bool; PARTS];

impl ArnSet {
    /// Adds a pattern. A pattern without six parts matches nothing, except `*`, which matches everything.
    pub(super) fn add(&mut self, pieces: Vec<Piece>) {
        if pieces == [Piece::Any] {
            self.anything = true;
            return;
        }
        let has_variables = pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. }));
        let parts = split(&pieces);
        let Ok(parts) = <[Vec<Piece>; PARTS]>::try_from(parts) else {
            if has_variables {
                self.unsplit.push(pieces);
            }
            return;
        };
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
        let literals = literals.join(":");
        match self.masked.iter_mut().find(|(known, _)| *known == mask) {
            Some((_, set)) => set.insert(&literals),
            None => {
                let mut set = TextSet::default();
                set.insert(&literals);
                self.masked.push((mask, set));
            }
        }
    }

    pub(super) fn matches(&self, text: &str, request: &Request) -> Truth {
        if self.anything {
            return Truth::True;
        }
        let mut parts = [""; PARTS];
        let mut count = 0;
        for (part, slot) in text.splitn(PARTS, ':').zip(&mut parts) {
            *slot = part;
            count += 1;
        }
        if count < PARTS {
            return Truth::False;
        }
        let mut key = String::with_capacity(text.len());
        let certain = self.masked.iter().any(|(mask, set)| {
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
        });
        if certain {
            return Truth::True;
        }
        let others = self
            .others
            .iter()
            .map(|globs| Truth::all(globs.iter().zip(parts).map(|(glob, part)| glob.matches(part, request))));
        let unsplit = self.unsplit.iter().map(|pieces| matches_resolved(pieces, &parts, request));
        Truth::any(others.chain(unsplit))
    }

    /// Whether it matches every text.
    pub(super) fn is_anything(&self) -> bool {
        self.anything
    }

    /// The variables with unknown values.
    pub(super) fn unknown_variables<'s>(&'s self, request: &'s Request) -> impl Iterator<Item = &'s str> {
        let split = self.others.iter().flatten().flat_map(|glob| glob.unknown_variables(request));
        let unsplit = self.unsplit.iter().flatten().filter_map(|piece| match piece {
            Piece::Variable { key, .. } if request.variable(key) == Variable::Unknown => Some(key.as_str()),
            _ => None,
        });
        split.chain(unsplit)
    }
}

/// Whether the parts of an ARN match a pattern that is split after the variables are replaced with the request's
/// values.
fn matches_resolved(pieces: &[Piece], parts: &[&str; PARTS], request: &Request) -> Truth {
    let mut resolved = Vec::with_capacity(pieces.len());
    for piece in pieces {
        resolved.push(match piece {
            Piece::Variable { key, default } => match (request.variable(key), default) {
                (Variable::Value(value), _) => Piece::Literal(value.to_owned()),
                // The value may contain colons.
                (Variable::Unknown, _) => return Truth::Unknown,
                (Variable::Absent, Some(default)) => Piece::Literal(default.clone()),
                (Variable::Absent, None) => return Truth::False,
            },
            other => other.clone(),
        });
    }
    let patterns = split(&resolved);
    if patterns.len() != PARTS {
        return Truth::False;
    }
    let matches =
        patterns.into_iter().zip(parts).map(|(pattern, part)| Glob::new(pattern).matches(part, request));
    Truth::all(matches)
}

/// Splits an ARN pattern at its first five literal colons, ignoring colons in variables.
fn split(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut parts = vec![Vec::new()];
    for piece in pieces {
        let Piece::Literal(text) = piece else {
            if let Some(part) = parts.last_mut() {
                part.push(piece.clone());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_contains_only_inserted_texts() {
        let mut set = TextSet::default();
        assert!(!set.contains(""));
        for n in 0..1000 {
            set.insert(&format!("text {}", n * 2));
            set.insert(&format!("text {}", n * 2));
        }
        assert_eq!(set.iter().count(), 1000);
        for n in 0..1000 {
            assert!(
                set.contains(&format!("text {}", n * 2)) && !set.contains(&format!("text {}", n * 2 + 1))
            );
        }
        set.insert("");
        assert!(set.contains(""));
    }

    #[test]
    fn arn_parts_are_matched_separately() {
        let request = Request::new("*", "s3:GetObject", "*")
            .with("aws:SourceAccount", "1")
            .with("whole", "arn:aws:logs:r:1:a")
            .with("start", "arn:aws:logs:r:1");
        for (pattern, text, fits) in [
            ("arn:aws:logs:*:1:*", "arn:aws:logs:r:1:a:b", true),
            ("arn:aws:logs:*:1:*", "arn:aws:logs:r:x:1:b", false),
            ("arn:aws:l?gs:*:${aws:SourceAccount}:a*", "arn:aws:logs:r:1:ab", true),
            ("arn:aws:l?gs:*:${aws:SourceAccount}:a*", "arn:aws:logs:r:2:ab", false),
            ("${whole}", "arn:aws:logs:r:1:a", true),
            ("${whole}", "arn:aws:logs:r:1:b", false),
            ("${missing}", "arn:aws:logs:r:1:a", false),
            ("${start}:*", "arn:aws:logs:r:1:b", true),
            ("${start, 'x'}:*", "arn:aws:logs:r:2:b", false),
            ("*:*:*:*:*:*", "a:b:c:d:e", false),
            ("*:*:*:*:*:*", "a:b:c:d:e:", true),
            ("arn:aws:*", "arn:aws:logs:r:1:a", false),
            ("*", "a", true),
        ] {
            let mut set = ArnSet::default();
            set.add(pieces(pattern, Syntax { wildcards: true, variables: true }));
            assert_eq!(set.matches(text, &request), Truth::from(fits), "{pattern} {text}");
        }
    }

    #[test]
    fn patterns_are_grouped_by_lookup_method() {
        let mut set = PatternSet::default();
        for text in ["a", "ab*", "cd*", "x*y", "${k}z"] {
            set.add(text, true);
        }
        assert_eq!((set.starts.len(), set.others.len(), set.anything), (1, 2, false));
        let request = Request::new("*", "s3:GetObject", "*").with("k", "v");
        for (text, fits) in
            [("a", true), ("abc", true), ("cd", true), ("c", false), ("xy", true), ("vz", true), ("é", false)]
        {
            assert_eq!(set.matches(text, &request), Truth::from(fits), "{text}");
        }
    }
}
