//! What all rules of a bucket together do to the objects in a folder.
//!
//! Source: "Examples of S3 Lifecycle configurations", conflicts (Amazon S3 User Guide): of several expirations the shortest
//! applies.

use super::rule::{Expiration, Rule};

/// What all lifecycle rules of a bucket together do to the objects in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fate<'r> {
    /// When each of them expires, by the rule that is first; `None` if some or all do not.
    pub expires: Option<Expires<'r>>,
    /// Rules that expire some of them, by tag, size or a longer prefix, or from a date on, before the others do.
    pub some: Vec<&'r Rule>,
    /// When versions that are no longer current are deleted; `None` if some or all stay.
    pub noncurrent: Option<Expires<'r>>,
}

/// After how many days objects or versions end, and the rule that sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expires<'r> {
    /// After how many days.
    pub days: u32,
    /// The rule.
    pub rule: &'r Rule,
}

/// What the rules do to the objects whose keys begin with `folder`.
pub fn fate<'r>(rules: &'r [Rule], folder: &str) -> Fate<'r> {
    let enabled = || rules.iter().filter(|rule| rule.is_enabled);
    let of_all = || enabled().filter(|rule| !rule.is_narrowed && folder.starts_with(&rule.prefix));
    let soonest = |days: fn(&Rule) -> Option<u32>| {
        let ends = of_all().filter_map(|rule| Some(Expires { days: days(rule)?, rule }));
        ends.min_by_key(|end| end.days)
    };
    let expires = soonest(Rule::expire_days);
    let is_sooner = |rule: &&Rule| match &rule.expiration {
        Some(Expiration::Days(days)) => expires.is_none_or(|end| *days < end.days),
        Some(Expiration::Date(_) | Expiration::Unknown) => true,
        Some(Expiration::DeleteMarkers) | None => false,
    };
    let reaches = |rule: &&Rule| folder.starts_with(&rule.prefix) || rule.prefix.starts_with(folder);
    let some = enabled().filter(reaches).filter(is_sooner).collect();
    Fate { expires, some, noncurrent: soonest(|rule| rule.noncurrent_days) }
}
