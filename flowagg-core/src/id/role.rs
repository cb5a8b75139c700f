use super::{AccountId, IdError, Partition, kept_text};

/// The name of an IAM role, with its path if it has one: `OrganizationAccountAccessRole`, `teams/network/flowagg`.
///
/// Source: "IAM and AWS STS quotas, name requirements, and character limits" (IAM User Guide).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

impl RoleName {
    /// The role that AWS Organizations creates in every new account.
    pub const ORGANIZATION_ACCOUNT_ACCESS: &'static str = "OrganizationAccountAccessRole";

    /// Parses the name of a role. An ARN is an error.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use the role name without the account, e.g. `OrganizationAccountAccessRole`";
        let wrong = |why: &str| IdError::new(text, "role name", why, HELP);
        if text.starts_with("arn:") {
            return Err(wrong("it is an ARN"));
        }
        let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
        if name.is_empty() || name.len() > 64 {
            return Err(wrong("it must have 1 to 64 characters"));
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)) {
            return Err(wrong("only letters, digits and `_+=,.@-` are allowed"));
        }
        if text.len() > 512
            || !path.bytes().all(|b| b.is_ascii_graphic())
            || text.starts_with('/')
            || text.contains("//")
        {
            return Err(wrong("its path must consist of segments separated by single slashes"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The role's ARN in an account.
    pub fn arn(&self, partition: Partition, account: AccountId) -> String {
        format!("arn:{partition}:iam::{account}:role/{self}")
    }
}

impl Default for RoleName {
    fn default() -> Self {
        Self(Self::ORGANIZATION_ACCOUNT_ACCESS.to_owned())
    }
}

kept_text!(RoleName);

/// The value that the trust policy of a role may require in `sts:ExternalId`. It is not a secret.
///
/// Source: "AssumeRole", ExternalId (AWS STS API Reference).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(String);

impl ExternalId {
    /// Parses an external ID.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use 2 to 1224 letters, digits and `_+=,.@:/-`";
        let wrong = |why: String| Err(IdError::new(text, "external ID", why, HELP));
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
        if let Some(odd) = text.chars().find(|c| !allowed(*c)) {
            return wrong(format!("`{}` is not allowed", odd.escape_debug()));
        }
        if !(2..=1224).contains(&text.len()) {
            return wrong(format!("it has {} characters", text.len()));
        }
        Ok(Self(text.to_owned()))
    }
}

kept_text!(ExternalId, "^[A-Za-z0-9_+=,.@:/-]{2,1224}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_ids_follow_the_rules_of_sts() {
        for good in ["ab", "flowagg:acme/7", &"x".repeat(1224)] {
            assert_eq!(ExternalId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a", "a b", "ä2", "a\n", &"x".repeat(1225)] {
            assert!(ExternalId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_are_named_without_their_arn() {
        let account = AccountId::parse("111122223333").unwrap();
        let role = RoleName::parse("teams/network/flowagg").unwrap();
        assert_eq!(
            role.arn(Partition::AwsCn, account),
            "arn:aws-cn:iam::111122223333:role/teams/network/flowagg"
        );
        assert!(RoleName::parse(RoleName::ORGANIZATION_ACCOUNT_ACCESS).is_ok());
        for bad in ["", "a b", "arn:aws:iam::111122223333:role/x", "/x", "a//b", &"r".repeat(65)] {
            assert!(RoleName::parse(bad).is_err(), "{bad}");
        }
    }
}
