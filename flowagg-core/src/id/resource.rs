use super::{IdError, kept_text};

/// The id of a VPC: `vpc-` and 8 or 17 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VpcId(String);

impl VpcId {
    /// Reads the id of a VPC.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        hexadecimal(text, "vpc-", "the id of a VPC", "as in `vpc-0a1b2c3d4e5f67890`").map(Self)
    }
}

kept_text!(VpcId);

/// The id of a flow log: `fl-` and 8 or 17 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowLogId(String);

impl FlowLogId {
    /// Reads the id of a flow log.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        hexadecimal(text, "fl-", "the id of a flow log", "as in `fl-0a1b2c3d4e5f67890`").map(Self)
    }
}

kept_text!(FlowLogId);

/// EC2's ids: the short form of old, and the long form.
///
/// Source: "Resource IDs" (Amazon EC2 User Guide).
fn hexadecimal(text: &str, prefix: &str, kind: &'static str, help: &'static str) -> Result<String, IdError> {
    match text.strip_prefix(prefix) {
        Some(rest)
            if matches!(rest.len(), 8 | 17)
                && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(IdError::new(
            text,
            kind,
            format!("it is not `{prefix}` and 8 or 17 hexadecimal digits"),
            help,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_ids_are_read_and_nothing_else() {
        assert!(VpcId::parse("vpc-1a2b3c4d").is_ok());
        assert!(VpcId::parse("vpc-0a1b2c3d4e5f67890").is_ok());
        assert!(FlowLogId::parse("fl-0a1b2c3d4e5f67890").is_ok());
        for bad in ["", "vpc-", "vpc-xyz", "vpc-1A2B3C4D", "subnet-1a2b3c4d", "vpc-1a2b3c4d5"] {
            assert!(VpcId::parse(bad).is_err(), "{bad}");
        }
    }
}
