use serde::Serialize;

/// How the bucket policy grants delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicySettings {
    /// How the accounts are written down.
    pub form: GrantForm,
    /// Whether the statements test `aws:SourceAccount` (or `aws:SourceOrgID`).
    ///
    /// Without it, any account that has a flow log may deliver under the listed prefixes.
    pub source_conditions: bool,
    /// Whether the statements also test `aws:SourceArn`, which binds each account to its declared regions.
    pub source_arn: bool,
    /// Whether the write must come with the ACL `bucket-owner-full-control`.
    pub acl_condition: AclCondition,
    /// Whether the service may also list the bucket, which spares CloudTrail some `AccessDenied` entries.
    pub list_bucket: bool,
    /// Whether a statement denies all access that is not over TLS.
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

/// How the bucket policy writes down who may deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GrantForm {
    /// The form that the fleet's statements have already, while the policy fits; else the most specific documented form that fits.
    #[default]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Auto,
    /// One `Resource` per account.
    Prefixes,
    /// `AWSLogs/*`, and a list of accounts in the condition.
    Accounts,
    /// `AWSLogs/*`, and the organization in the condition.
    Organization,
    /// As `accounts`, with each account bound to its own prefix by `${aws:SourceAccount}`.
    BoundAccounts,
    /// As `bound-accounts`, with the account list once, in a statement that denies all others.
    BoundDeny,
    /// As `organization`, with each account bound to its own prefix by `${aws:SourceAccount}`.
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

    /// Whether the statements name the organization, and not its accounts.
    pub fn is_by_organization(self) -> bool {
        matches!(self, Self::Organization | Self::BoundOrganization)
    }

    /// The word in the fleet file.
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

/// Whether the write must come with the ACL `bucket-owner-full-control`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AclCondition {
    /// It must, as AWS documents.
    #[default]
    Required,
    /// It must where an ACL is sent at all.
    IfExists,
    /// It need not.
    None,
}

impl AclCondition {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Required, Self::IfExists, Self::None];

    /// The word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::IfExists => "if-exists",
            Self::None => "none",
        }
    }
}
