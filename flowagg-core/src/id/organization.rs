use super::{IdError, kept_text};

/// The ID of an organization: `o-` and 10 to 32 lowercase letters or digits.
///
/// Source: "Organization" (AWS Organizations API Reference).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(String);

impl OrganizationId {
    /// Parses an organization ID.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        match text.strip_prefix("o-") {
            Some(rest) if (10..=32).contains(&rest.len()) && lower_alphanumeric(rest) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(IdError::new(
                text,
                "organization ID",
                "expected `o-` and 10 to 32 lowercase letters or digits",
                "use an ID such as `o-a1b2c3d4e5`; `aws organizations describe-organization` prints yours",
            )),
        }
    }
}

kept_text!(OrganizationId);

/// The ID of an organizational unit: `ou-`, 4 to 32 letters or digits of its root, `-`, and 8 to 32 letters or digits of its own.
///
/// Source: "OrganizationalUnit" (AWS Organizations API Reference).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationalUnitId(String);

impl OrganizationalUnitId {
    /// Parses the ID of an organizational unit.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let parts = text.strip_prefix("ou-").and_then(|rest| rest.split_once('-'));
        match parts {
            Some((root, own))
                if (4..=32).contains(&root.len())
                    && (8..=32).contains(&own.len())
                    && lower_alphanumeric(root)
                    && lower_alphanumeric(own) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(IdError::new(
                text,
                "organizational unit ID",
                "expected `ou-`, the ID of the root, `-` and the ID of the unit",
                "use an ID such as `ou-ab12-11111111`",
            )),
        }
    }
}

kept_text!(OrganizationalUnitId);

fn lower_alphanumeric(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_and_unit_ids_are_validated() {
        assert!(OrganizationId::parse("o-a1b2c3d4e5").is_ok());
        assert!(OrganizationalUnitId::parse("ou-ab12-11111111").is_ok());
        for bad in ["", "o-", "o-short", "o-A1B2C3D4E5", "a1b2c3d4e5", "o-a1b2c3d4e5/"] {
            assert!(OrganizationId::parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "ou-", "ou-ab12", "ou-ab12-1", "r-ab12", "ou-AB12-11111111"] {
            assert!(OrganizationalUnitId::parse(bad).is_err(), "{bad}");
        }
    }
}
