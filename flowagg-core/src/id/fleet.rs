use super::{BucketName, IdError, Prefix, kept_text};

/// The name of a fleet. Everything that flowagg manages carries it: statements in their Sid, flow logs in a tag, lifecycle rules
/// in their ID. Two fleets with the same name would change and delete each other's resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FleetName(String);

impl FleetName {
    /// The maximum length, in characters. It fits the default name for the longest bucket name, and leaves room for the folder
    /// in the ID of a lifecycle rule.
    pub const LONGEST: usize = 80;

    /// Parses a name.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use 1 to 80 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends, e.g. `acme-flow-logs`";
        let wrong = |why: String| Err(IdError::new(text, "fleet name", why, HELP));
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if let Some(odd) = text.chars().find(|&c| !alphanumeric(c) && c != '-' && c != '.') {
            return wrong(format!("`{}` is not allowed", odd.escape_debug()));
        }
        if text.is_empty() || text.len() > Self::LONGEST {
            return wrong(format!("it has {} characters", text.len()));
        }
        if !text.starts_with(alphanumeric) || !text.ends_with(alphanumeric) {
            return wrong("it must start and end with a letter or digit".into());
        }
        Ok(Self(text.to_owned()))
    }

    /// The default name: the bucket name, followed by a hash of the prefix if there is one.
    pub fn default_for(bucket: &BucketName, prefix: Option<&Prefix>) -> Self {
        let hash = prefix.map(|prefix| format!("-{}", short_hash(prefix.as_str()))).unwrap_or_default();
        Self(format!("{bucket}{hash}"))
    }

    /// The name in letters and digits only, because a Sid cannot contain anything else.
    pub fn mark(&self) -> FleetMark {
        if self.0.len() <= FleetMark::LONGEST_NAME && self.0.split('-').all(is_segment) {
            FleetMark::Name(self.clone())
        } else {
            FleetMark::Hash(short_hash(&self.0))
        }
    }
}

kept_text!(FleetName, "^[a-z0-9]([a-z0-9.-]{0,78}[a-z0-9])?$");

/// The fleet's name in a Sid.
///
/// For a short name of plain words, the words are capitalized and joined: `acme-logs` becomes `AcmeLogs`. The capitals preserve
/// the word boundaries, so that different names have different marks. Any other name becomes `0` and eight hexadecimal digits of
/// its hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FleetMark {
    /// The name.
    Name(FleetName),
    /// Eight hexadecimal digits of a hash, from which the name cannot be recovered.
    Hash(String),
}

impl FleetMark {
    /// The maximum length of a name that is written out, in characters. A Sid counts against the size limit of the policy.
    const LONGEST_NAME: usize = 32;
    /// The number of digits of a hash.
    const HASH_DIGITS: usize = 8;

    /// Parses a mark.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str =
            "use the words of a fleet name, e.g. `AcmeLogs`, or `0` and eight hexadecimal digits";
        Self::read(text).ok_or_else(|| IdError::new(text, "fleet mark", "no fleet name produces it", HELP))
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(hash) = text.strip_prefix('0') {
            let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            let is_hash = hash.len() == Self::HASH_DIGITS && hash.chars().all(is_digit);
            return is_hash.then(|| Self::Hash(hash.to_owned()));
        }
        let mut name = String::new();
        for c in text.chars() {
            if c.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(c.to_ascii_lowercase());
        }
        let mark = FleetName::parse(&name).ok()?.mark();
        (mark.to_string() == text).then_some(mark)
    }
}

impl std::str::FromStr for FleetMark {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl std::fmt::Display for FleetMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => name.0.split('-').try_for_each(|segment| {
                let mut chars = segment.chars();
                chars
                    .next()
                    .map_or(Ok(()), |first| write!(f, "{}{}", first.to_ascii_uppercase(), chars.as_str()))
            }),
            Self::Hash(hash) => write!(f, "0{hash}"),
        }
    }
}

/// A word that starts with a letter.
fn is_segment(segment: &str) -> bool {
    segment.starts_with(|c: char| c.is_ascii_lowercase())
        && segment.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// FNV-1a. The hash is part of names in AWS, so another function would orphan existing resources.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Eight hexadecimal digits of [`hash`].
fn short_hash(text: &str) -> String {
    let hash = hash(text);
    format!("{:08x}", (hash ^ (hash >> 32)) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn name(text: &str) -> FleetName {
        FleetName::parse(text).unwrap()
    }

    #[test]
    fn names_consist_of_lowercase_letters_digits_dots_and_hyphens() {
        for good in ["a", "7", "acme-flow-logs", "a.b--c", &"a".repeat(80)] {
            assert!(FleetName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", ".a", "a.", "Acme", "a_b", "a/b", "a b", "acmé", &"a".repeat(81)] {
            assert!(FleetName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn default_names_differ_by_prefix() {
        let bucket = BucketName::parse("acme-logs").unwrap();
        let of =
            |prefix: &str| FleetName::default_for(&bucket, Some(&Prefix::parse(prefix).unwrap())).to_string();
        assert_eq!(FleetName::default_for(&bucket, None).as_str(), "acme-logs");
        let all = ["a/b", "a-b", "a.b", "A/b", "ab"].map(of);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
        assert_eq!(of("network"), "acme-logs-8e157d37", "a fixed part of names in AWS");
        let longest = FleetName::default_for(
            &BucketName::parse(&"a".repeat(63)).unwrap(),
            Some(&Prefix::parse("x").unwrap()),
        );
        assert_eq!(FleetName::parse(longest.as_str()).unwrap(), longest);
    }

    #[test]
    fn marks_round_trip() {
        for (of, mark) in [("acme-logs", "AcmeLogs"), ("acmelogs", "Acmelogs"), ("a-b2-c", "AB2C")] {
            assert_eq!(name(of).mark().to_string(), mark);
            assert_eq!(FleetMark::parse(mark), Ok(FleetMark::Name(name(of))));
        }
        for of in ["1a", "a.b", "a-1", "a--b", &"a".repeat(33)] {
            let mark = name(of).mark();
            assert!(matches!(mark, FleetMark::Hash(_)), "{of}");
            assert_eq!(FleetMark::parse(&mark.to_string()), Ok(mark));
        }
        for other in ["", "acme", "0", "0123", "0123456789", "0ABCDEF01", "Acme-", "Acmé", &"A".repeat(17)] {
            assert!(FleetMark::parse(other).is_err(), "{other}");
        }
    }
}
