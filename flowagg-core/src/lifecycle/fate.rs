//! The combined effect of all rules of a bucket on the objects in a folder.
//!
//! Source: "Examples of S3 Lifecycle configurations", conflicts (Amazon S3 User Guide): the shortest of several expirations
//! applies.

use super::rule::{Expiration, Rule};

/// The combined effect of all lifecycle rules of a bucket on the objects in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fate<'r> {
    /// The expiration of all objects, by the rule with the shortest one; `None` if some or all objects do not expire.
    pub expires: Option<Expires<'r>>,
    /// Rules that expire some of the objects earlier: by tag, size, a longer prefix, or a date.
    pub some: Vec<&'r Rule>,
    /// The deletion of noncurrent versions; `None` if some or all are kept.
    pub noncurrent: Option<Expires<'r>>,
}

/// The number of days after which objects or versions are deleted, with the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Expires<'r> {
    /// The number of days.
    pub days: u32,
    pub rule: &'r Rule,
}

/// The effect of the rules on the objects whose keys start with `folder`.
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
