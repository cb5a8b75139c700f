use super::{IdError, kept_text};

/// A prefix in the bucket, without a leading or trailing slash: `network/flow-logs`.
///
/// Source: "Create a flow log that publishes to Amazon S3" (Amazon VPC User Guide), which reserves the name `AWSLogs`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(String);

impl Prefix {
    /// The folder that log delivery creates. No segment of a prefix may have this name.
    pub const RESERVED: &str = "AWSLogs";
    /// The maximum length in bytes. A key has up to 1,024, and the folders and file name after the prefix take up to 260.
    pub const LONGEST: usize = 700;

    /// Parses a prefix. One trailing slash is removed.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use segments of a-z, A-Z, 0-9 and `!-_.'()` separated by `/`, none of them `AWSLogs`, e.g. `network/flow-logs`";
        let wrong = |why: String| Err(IdError::new(text, "prefix", why, HELP));
        let folder = text.strip_suffix('/').unwrap_or(text);
        if folder.is_empty() {
            return wrong("it is empty; omit `prefix` to use the root of the bucket".into());
        }
        if folder.len() > Self::LONGEST {
            return wrong(format!("it has {} bytes, but the limit is {}", folder.len(), Self::LONGEST));
        }
        if let Some(odd) = folder.chars().find(|&c| !c.is_ascii_alphanumeric() && !"!-_.'()/".contains(c)) {
            return wrong(format!("`{}` is not allowed", odd.escape_debug()));
        }
        for segment in folder.split('/') {
            match segment {
                "" => return wrong("it must not start with `/` or contain `//`".into()),
                "." | ".." => return wrong(format!("the segment `{segment}` is not allowed")),
                Self::RESERVED => {
                    return wrong(format!("`{segment}` is reserved for log delivery"));
                }
                _ => {}
            }
        }
        Ok(Self(folder.to_owned()))
    }
}

kept_text!(Prefix);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_and_empty_segments_are_rejected() {
        for good in ["logs", "logs/", "network/flow-logs", "AWSLogs2", "a.b(c)'!_"] {
            assert!(Prefix::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/logs",
            "logs//",
            "a//b",
            "AWSLogs",
            "AWSLogs/",
            "logs/AWSLogs",
            "a b",
            "a*",
            "${x}",
            "../x",
        ] {
            assert!(Prefix::parse(bad).is_err(), "{bad}");
        }
    }
}
