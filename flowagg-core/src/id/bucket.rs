use std::net::Ipv4Addr;

use super::{AccountId, IdError, Region, kept_text};

/// The name of a general purpose bucket.
///
/// Source: "General purpose bucket naming rules" (Amazon S3 User Guide).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

/// Prefixes that AWS reserves.
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
/// The length of bucket names that were created in us-east-1 before March 2018, in bytes.
const OLD_LENGTH: std::ops::RangeInclusive<usize> = 3..=255;
/// Suffixes that AWS reserves.
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
/// The suffix of bucket names in an account regional namespace.
const ACCOUNT_REGIONAL_SUFFIX: &str = "-an";

impl BucketName {
    /// The length of a bucket name, in bytes.
    pub const LENGTH: std::ops::RangeInclusive<usize> = 3..=63;

    /// Parses a bucket name by AWS's naming rules.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use 3 to 63 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends, e.g. `acme-flow-logs`";
        let wrong = |why: String| Err(IdError::new(text, "bucket name", why, HELP));
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if let Some(odd) = text.chars().find(|&c| !alphanumeric(c) && c != '-' && c != '.') {
            return wrong(format!("`{}` is not allowed", odd.escape_debug()));
        }
        if !Self::LENGTH.contains(&text.len()) {
            return wrong(format!("it has {} characters", text.len()));
        }
        if !text.starts_with(alphanumeric) || !text.ends_with(alphanumeric) {
            return wrong("it must start and end with a letter or digit".into());
        }
        if text.contains("..") {
            return wrong("it contains `..`".into());
        }
        if text.parse::<Ipv4Addr>().is_ok() {
            return wrong("it looks like an IP address".into());
        }
        if let Some(prefix) = RESERVED_PREFIXES.iter().find(|p| text.starts_with(**p)) {
            return wrong(format!("AWS reserves names that start with `{prefix}`"));
        }
        if let Some(suffix) = RESERVED_SUFFIXES.iter().find(|s| text.ends_with(**s)) {
            return wrong(format!("AWS reserves names that end with `{suffix}`"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Parses a bucket name in an existing policy. In addition to the names of [`parse`](Self::parse) it accepts names that AWS
    /// reserves for its documentation, such as `amzn-s3-demo-bucket`, and old names with uppercase letters and underscores.
    pub fn parse_in_policy(text: &str) -> Result<Self, IdError> {
        let is_old = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if OLD_LENGTH.contains(&text.len()) && text.bytes().all(is_old) {
            return Ok(Self(text.to_owned()));
        }
        Self::parse(text)
    }

    /// Whether the name has the suffix of an account regional namespace (`…-an`).
    pub fn is_account_regional(&self) -> bool {
        self.0.ends_with(ACCOUNT_REGIONAL_SUFFIX)
    }

    /// The suffix of names in the account regional namespace of this account and region.
    pub fn account_regional_suffix(account: AccountId, region: &Region) -> String {
        format!("-{account}-{region}{ACCOUNT_REGIONAL_SUFFIX}")
    }
}

kept_text!(BucketName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_may_have_documentation_names_and_old_names() {
        for good in
            ["amzn-s3-demo-bucket", "amzn-s3-demo-bucket1", "DOC-EXAMPLE-BUCKET", "Acme_Logs", "acme-logs"]
        {
            assert_eq!(BucketName::parse_in_policy(good).unwrap().as_str(), good);
        }
        for bad in ["ab", "acme/logs", "acme*", "${bucket}", "<bucket>", &"a".repeat(256)] {
            assert!(BucketName::parse_in_policy(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn naming_rules_of_general_purpose_buckets_are_enforced() {
        for good in [
            "abc",
            "acme-flow-logs",
            "1.2.3.four",
            "a.b-c.d",
            &"a".repeat(63),
            "logs-111122223333-eu-west-1-an",
        ] {
            assert!(BucketName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "ab",
            &"a".repeat(64),
            "Acme",
            "acme_logs",
            "-acme",
            "acme-",
            ".acme",
            "ac..me",
            "192.168.5.4",
            "xn--acme",
            "sthree-acme",
            "amzn-s3-demo-bucket",
            "acme-s3alias",
            "acme--ol-s3",
            "acme.mrap",
            "acme--x-s3",
            "acme--table-s3",
            "acme/logs",
            "acmé",
        ] {
            assert!(BucketName::parse(bad).is_err(), "{bad}");
        }
    }
}
