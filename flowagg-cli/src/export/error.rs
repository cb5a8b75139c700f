use flowagg_core::fleet::NothingMatches;
use flowagg_core::id::{AccountId, Place, ResourceKind, RoleName};
use flowagg_policy::MergeError;

/// The error of an export. Nothing is written.
///
/// [`Display`](std::fmt::Display) is the error message, and [`help`](Self::help) the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The bucket policy cannot be built.
    #[error(transparent)]
    Policy(#[from] MergeError),
    /// The account is not a member.
    #[error("account `{0}` is not a member of the fleet")]
    NoMember(AccountId),
    /// The account is not logged in the region.
    #[error("account `{}` is not logged in `{}`", .0.account, .0.region)]
    NotInRegion(Place),
    /// The regions of the listed IDs are unknown.
    #[error("account `{0}` has several regions, and the fleet file does not contain the region of each ID")]
    SeveralRegions(AccountId),
    /// A member's resources are selected by a rule, which a template cannot express.
    #[error("account `{account}`: `{key}` are selected by a rule, but a template needs IDs")]
    NotNamed {
        /// The account.
        account: AccountId,
        /// The key in the fleet file.
        key: &'static str,
    },
    /// Some resources may be parts of other resources and would be logged twice.
    #[error("account `{0}` logs VPCs and parts of VPCs, and a template cannot determine which overlap")]
    Overlap(AccountId),
    /// There are more flow logs than a template can contain.
    #[error("{count} flow logs exceed the limit of {limit} resources per template")]
    TooMany {
        /// The number of flow logs.
        count: usize,
        /// The maximum number of resources in a template.
        limit: usize,
    },
    /// No member's VPCs are logged.
    #[error("the fleet logs no VPCs")]
    NoVpcs,
    /// The fleet file does not look up an organization.
    #[error("the fleet file does not look up an organization")]
    NoOrganization,
    /// The organization's accounts are selected by a rule that StackSets do not support.
    #[error("StackSets do not support `organization.{0}`: it would not apply to accounts that join later")]
    AccountRule(&'static str),
    /// Resources other than VPCs are logged in the organization's accounts.
    #[error("a stack set logs only one VPC in each account-region, but the fleet file also logs `{0}`")]
    NotOnlyVpcs(&'static str),
    /// The fleet file alone does not contain the required data.
    #[error("account `{account}`: {what}")]
    Unseen {
        /// The account.
        account: AccountId,
        /// The missing data.
        what: Unseen,
    },
    /// An account-region has not been read.
    #[error("{0} has not been read")]
    Unread(Place),
    /// The bucket has other lifecycle rules. Terraform manages all rules of a bucket or none.
    #[error("the bucket has foreign lifecycle rules, which Terraform would replace: {}", .0.join(", "))]
    OtherRules(Vec<String>),
    /// Internal error: the text could not be generated.
    #[error("internal error: {0}")]
    Defect(String),
    /// The fleet has no accounts.
    #[error("the fleet has no accounts")]
    NoAccounts,
    /// The regions of an account are unknown.
    #[error("the regions of account `{0}` are unknown")]
    UnknownRegions(AccountId),
    /// The selection matches nothing in the fleet.
    #[error(transparent)]
    Selection(#[from] NothingMatches),
    /// The flow logs have two record formats, and a table has one list of columns.
    #[error(
        "flow logs of transit gateways have different fields in the same folders, and one table cannot read both"
    )]
    TwoFormats,
    /// A query cannot select records by time.
    #[error("the flow logs do not record `end`, which a query needs to select records by time")]
    NoEnd,
    /// A query cannot name that many accounts.
    #[error("the query would name {count} accounts, more than the limit of {limit}")]
    TooManyAccounts {
        /// The number of accounts.
        count: usize,
        /// The maximum number of accounts in a query.
        limit: usize,
    },
    /// AWS creates the role itself.
    #[error(
        "`{0}` is `{role}`, which AWS Organizations creates with all permissions and a trust policy for the management account",
        role = RoleName::ORGANIZATION_ACCOUNT_ACCESS
    )]
    RoleOfOrganizations(&'static str),
    /// Two roles of an account have the same name.
    #[error(
        "{} is `{}` and {} is `{}`: an account needs both, but role names must be unique in an account, regardless of path and case",
        key(.keys[0]), .roles[0], key(.keys[1]), .roles[1]
    )]
    SameRole {
        /// Their keys in the fleet file.
        keys: [&'static str; 2],
        /// The roles.
        roles: [String; 2],
    },
}

/// Data that a fleet file does not contain and that has to be read from AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// The regions of the account.
    #[error("its regions must be looked up")]
    Regions,
    /// The regions of the resources of a kind.
    #[error("it has several regions, and the fleet file does not contain the region of each of its `{}`", .0.key())]
    Place(ResourceKind),
    /// The resources of a kind that no Terraform data source lists.
    #[error("its `{}` are selected by a rule, but Terraform has no data source that lists them", .0.key())]
    List(ResourceKind),
    /// The resources that are parts of other resources and would be logged twice.
    #[error("VPCs and parts of VPCs are logged, and the fleet file does not contain which overlap")]
    Overlap,
}

impl Unseen {
    /// An alternative fix, as the start of a sentence.
    fn other_way(self) -> String {
        match self {
            Self::Regions => "list them in `regions`, or ".to_owned(),
            Self::Place(_) => String::new(),
            Self::List(kind) => format!("list their IDs in `{}`, or ", kind.key()),
            Self::Overlap => "log only one kind, or ".to_owned(),
        }
    }
}

/// A role's key in a message. The hub's role may have a default name instead of a key.
fn key(key: &str) -> String {
    if key == "fleet.name" { "the hub's role".to_owned() } else { format!("`{key}`") }
}

/// An example name for the role of this key.
fn example(key: &str) -> &'static str {
    match key {
        "hub.role" => "flowagg-hub",
        "fleet.read-role" => "flowagg-read",
        "organization.lookup.role" => "flowagg-lookup",
        _ => "flowagg",
    }
}

impl ExportError {
    /// An internal error, which cannot happen with generated values.
    pub(super) fn defect(error: impl std::fmt::Display) -> Self {
        Self::Defect(error.to_string())
    }

    /// The fix, as an imperative sentence.
    pub fn help(&self) -> String {
        match self {
            Self::Policy(error) => error.help(),
            Self::NoMember(_) => "use an account of the fleet".to_owned(),
            Self::NotInRegion(_) => "use one of its regions".to_owned(),
            Self::NoVpcs => {
                "select an account-region whose IDs are in the fleet file with `--account ID --region REGION`".to_owned()
            }
            Self::SeveralRegions(_) => {
                "remove `--account` to write a template for one VPC, and deploy it once for each VPC".to_owned()
            }
            Self::NotNamed { key, .. } => format!(
                "list their IDs in `members[].{key}`, or remove `--account` to write a template for one VPC"
            ),
            Self::Overlap(_) => "log only one kind, or use `flowagg apply`, which reads how they overlap".to_owned(),
            Self::TooMany { .. } => "split it, or use `flowagg apply`, which has no limit".to_owned(),
            Self::NoOrganization => {
                "set `organization.id` and `organization.regions`, or use `--member`".to_owned()
            }
            Self::AccountRule(_) => {
                "select accounts only by `organization.units`, or use `flowagg apply`".to_owned()
            }
            Self::NotOnlyVpcs(key) => format!("remove `organization.{key}`, or use `flowagg apply`"),
            Self::Unseen { what, .. } => format!("{}read the live state with `--live`", what.other_way()),
            Self::Unread(_) => "run it without `--only`".to_owned(),
            Self::OtherRules(_) => {
                "run `flowagg apply` to add the fleet's rule, then export again: the export then omits the lifecycle rules"
                    .to_owned()
            }
            Self::NoEnd => "add `end` to `flow-logs.fields`, then run `flowagg plan`".to_owned(),
            Self::NoAccounts => "add an account to `[[members]]`".to_owned(),
            Self::UnknownRegions(_) => {
                "run it with access to the account, or list its regions in `regions`".to_owned()
            }
            Self::Selection(nothing) => nothing.help(),
            Self::TwoFormats => "log transit gateways to another bucket, with a separate fleet file".to_owned(),
            Self::TooManyAccounts { limit, .. } => {
                format!("select up to {limit} accounts with `--only ACCOUNT`")
            }
            Self::Defect(_) => "report this as a bug in flowagg".to_owned(),
            Self::RoleOfOrganizations(key) => {
                format!("set `{key}` to another role, such as `{}`", example(key))
            }
            Self::SameRole { keys, roles } => {
                let is_free =
                    |key: &&&str| roles.iter().all(|role| !role.to_ascii_lowercase().ends_with(example(key)));
                let key = keys.iter().rev().find(is_free).unwrap_or(&keys[1]);
                format!("set `{key}` to another name, such as `{}`", example(key))
            }
        }
    }
}
