//! Finds unquoted account IDs that are invalid TOML.

use crate::id::AccountId;

/// The unquoted account ID at a byte offset, with its start: a number with a leading zero, or one with dashes. TOML allows
/// neither.
pub(super) fn account_at(text: &str, at: usize) -> Option<(usize, String)> {
    let is_part = |c: char| c.is_ascii_digit() || c == '-';
    let (before, after) = text.split_at_checked(at)?;
    let start = before.trim_end_matches(is_part).len();
    let length = after.find(|c| !is_part(c)).unwrap_or(after.len());
    let token = text.get(start..at + length)?;
    let account = AccountId::without_dashes(token)
        .or_else(|| AccountId::parse(token).is_ok().then(|| token.to_owned()))?;
    Some((start, account))
}
