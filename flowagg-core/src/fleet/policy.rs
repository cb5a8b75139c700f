use serde::Serialize;

/// How the bucket policy grants delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicySettings {
    /// How the statements name the accounts.
    pub form: GrantForm,
    /// Whether the statements test `aws:SourceAccount` (or `aws:SourceOrgID`).
    ///
    /// Without it, any account with a flow log can deliver under the listed prefixes.
    pub source_conditions: bool,
    /// Whether the statements also test `aws:SourceArn`, which limits each account to its declared regions.
    pub source_arn: bool,
    /// Whether a write must set the ACL `bucket-owner-full-control`.
    pub acl_condition: AclCondition,
    /// Whether the service may also list the bucket, which avoids some `AccessDenied` entries in CloudTrail.
    pub list_bucket: bool,
    /// Whether a statement denies all access without TLS.
    pub deny_insecure_transport: bool,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            form: GrantForm::Auto,
            source_conditions: true,
            source_arn: false,
            acl_condition: AclCondition::Required,
            list_bucket: false,
            deny_insecure_transport: false,
        }
    }
}

/// How the bucket policy names the accounts that may deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GrantForm {
    /// The form of the fleet's existing statements while the policy fits, otherwise the most specific documented form that fits.
    #[default]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Auto,
    /// One `Resource` per account.
    Prefixes,
    /// `AWSLogs/*`, with a list of accounts in the condition.
    Accounts,
    /// `AWSLogs/*`, with the organization in the condition.
    Organization,
    /// Like `accounts`, with each account bound to its own prefix by `${aws:SourceAccount}`.
    BoundAccounts,
    /// Like `bound-accounts`, with the account list only once, in a statement that denies all other accounts.
    BoundDeny,
    /// Like `organization`, with each account bound to its own prefix by `${aws:SourceAccount}`.
    BoundOrganization,
}

impl GrantForm {
    /// All forms, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::Prefixes,
        Self::Accounts,
        Self::Organization,
        Self::BoundAccounts,
        Self::BoundDeny,
        Self::BoundOrganization,
    ];

    /// Whether the statements name the organization instead of its accounts.
    pub fn is_by_organization(self) -> bool {
        matches!(self, Self::Organization | Self::BoundOrganization)
    }

    /// The value in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Prefixes => "prefixes",
            Self::Accounts => "accounts",
            Self::Organization => "organization",
            Self::BoundAccounts => "bound-accounts",
            Self::BoundDeny => "bound-deny",
            Self::BoundOrganization => "bound-organization",
        }
    }
}

/// Whether a write must set the ACL `bucket-owner-full-control`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AclCondition {
    /// Required, as in AWS's documentation.
    #[default]
    Required,
    /// Required if the request sets an ACL.
    IfExists,
    /// Not required.
    None,
}

impl AclCondition {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Required, Self::IfExists, Self::None];

    /// The value in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::IfExists => "if-exists",
            Self::None => "none",
        }
    }
}
