use super::{IdError, kept_text};

/// A sub-folder of the bucket, without slashes at its ends: `network/flow-logs`.
///
/// Source: "Create a flow log that publishes to Amazon S3" (Amazon VPC User Guide), which reserves the name `AWSLogs`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(String);

impl Prefix {
    /// The folder that log delivery creates itself. No segment of a sub-folder may have this name.
    pub const RESERVED: &str = "AWSLogs";
    /// The longest prefix, in bytes: a key has 1,024, and the folders and file name after the prefix take up to 260.
    pub const LONGEST: usize = 700;

    /// Reads a sub-folder; one slash at its end is taken off.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "words of a-z, A-Z, 0-9 and `!-_.'()` between slashes, none of them `AWSLogs`, as in `network/flow-logs`";
        let wrong = |why: String| Err(IdError::new(text, "a sub-folder", why, HELP));
        let folder = text.strip_suffix('/').unwrap_or(text);
        if folder.is_empty() {
            return wrong("it is empty; leave `prefix` out for the top of the bucket".into());
        }
        if folder.len() > Self::LONGEST {
            return wrong(format!("it has {} bytes, more than {}", folder.len(), Self::LONGEST));
        }
        if let Some(odd) = folder.chars().find(|&c| !c.is_ascii_alphanumeric() && !"!-_.'()/".contains(c)) {
            return wrong(format!("`{}` may not stand in one", odd.escape_debug()));
        }
        for segment in folder.split('/') {
            match segment {
                "" => return wrong("it has a slash at its start or two side by side".into()),
                "." | ".." => return wrong(format!("`{segment}` is no folder in S3")),
                Self::RESERVED => {
                    return wrong(format!("`{segment}` is reserved: log delivery makes that folder itself"));
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
    fn a_sub_folder_never_holds_the_reserved_name_or_an_empty_segment() {
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
