//! Suggestions for misspelled names.

/// Names must be more similar than this (Jaro similarity, from 0 to 1) to be suggested.
const ALIKE: f64 = 0.75;

/// The Levenshtein distance: the number of characters to insert, remove or replace to turn one text into the other.
pub fn distance(a: &str, b: &str) -> usize {
    strsim::levenshtein(a, b)
}

/// The name that is most similar to a text, however different it is; `None` if there are no names.
pub fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names.into_iter().max_by(|a, b| strsim::jaro(text, a).total_cmp(&strsim::jaro(text, b)))
}

/// The name that a text was probably meant to be; `None` if no name is similar.
pub fn meant<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    nearest(text, names).filter(|name| strsim::jaro(text, name) > ALIKE)
}
