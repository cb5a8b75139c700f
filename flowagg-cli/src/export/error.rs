use flowagg_core::fleet::NothingMatches;
use flowagg_core::id::{AccountId, Place, ResourceKind, RoleName};
use flowagg_policy::MergeError;

/// Why a fleet cannot be written in another tool's terms. Nothing is exported then.
///
/// [`Display`](std::fmt::Display) says what is wrong; [`help`](Self::help) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The bucket policy cannot be made.
    #[error(transparent)]
    Policy(#[from] MergeError),
    /// The account is no member.
    #[error("the fleet has no member `{0}`")]
    NoMember(AccountId),
    /// The account is not logged in the region.
    #[error("account `{}` is not logged in `{}`", .0.account, .0.region)]
    NotInRegion(Place),
    /// The ids do not say in which of its regions a resource lies.
    #[error("account `{0}` has several regions, and the fleet file does not say which of its ids lie where")]
    SeveralRegions(AccountId),
    /// A member's resources are chosen by a rule, which a template cannot follow.
    #[error("account `{account}`: `{key}` are chosen by a rule, and a template takes ids only")]
    NotNamed {
        /// The account.
        account: AccountId,
        /// The key in the fleet file.
        key: &'static str,
    },
    /// Some may be parts of others, and would be logged twice.
    #[error("account `{0}` names VPCs and parts of VPCs, and a template cannot see which lie in which")]
    Overlap(AccountId),
    /// A stack takes no more resources.
    #[error("{count} flow logs are more than the {limit} resources of a template")]
    TooMany {
        /// How many flow logs.
        count: usize,
        /// How many a template takes.
        limit: usize,
    },
    /// No member's VPCs are logged.
    #[error("the fleet logs no VPCs")]
    NoVpcs,
    /// There is no organization to deploy to.
    #[error("the fleet file looks up no organization")]
    NoOrganization,
    /// The organization's accounts are chosen by a rule that StackSets do not have.
    #[error(
        "StackSets cannot keep to `organization.{0}`: what they deploy to later accounts knows no such rule"
    )]
    AccountRule(&'static str),
    /// More than VPCs is logged in the organization's accounts.
    #[error("a stack set logs one VPC in each account and region, and the fleet file asks for `{0}` too")]
    NotOnlyVpcs(&'static str),
    /// The fleet file alone does not say it.
    #[error("account `{account}`: {what}")]
    Unseen {
        /// The account.
        account: AccountId,
        /// What it does not say.
        what: Unseen,
    },
    /// An account and region has not been looked at.
    #[error("nobody has looked what there is in {0}")]
    Unread(Place),
    /// Terraform knows all lifecycle rules of a bucket or none.
    #[error("the bucket has lifecycle rules that are not flowagg's, which Terraform would replace: {}", .0.join(", "))]
    OtherRules(Vec<String>),
    /// The text could not be made.
    #[error("the text could not be made: {0}")]
    Defect(String),
    /// There is nothing to read.
    #[error("the fleet has no accounts")]
    NoAccounts,
    /// It is not known which folders an account has.
    #[error("the regions of account `{0}` are not known")]
    UnknownRegions(AccountId),
    /// The fleet has nothing that is selected.
    #[error(transparent)]
    Selection(#[from] NothingMatches),
    /// A table has one list of columns.
    #[error(
        "the flow logs of transit gateways have other fields and the same folders, and one table cannot read both"
    )]
    TwoFormats,
    /// A query cannot choose records by time.
    #[error("the flow logs do not record `end`, by which a query chooses the records of a time")]
    NoEnd,
    /// A query cannot name so many.
    #[error("a query names at most {limit} accounts, and there are {count}")]
    TooManyAccounts {
        /// How many accounts.
        count: usize,
        /// How many a query names.
        limit: usize,
    },
    /// AWS makes the role itself.
    #[error(
        "`{0}` is `{role}`, which AWS Organizations creates itself, with all permissions and a trust policy for the management account",
        role = RoleName::ORGANIZATION_ACCOUNT_ACCESS
    )]
    RoleOfOrganizations(&'static str),
    /// Two roles that an account needs have one name.
    #[error(
        "{} is `{}` and {} is `{}`: an account needs both, and the names of roles are unique in an account, whatever their path and case",
        key(.keys[0]), .roles[0], key(.keys[1]), .roles[1]
    )]
    SameRole {
        /// The keys of the fleet file that name them.
        keys: [&'static str; 2],
        /// The roles.
        roles: [String; 2],
    },
}

/// What a fleet file can leave to be seen in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// Which regions the account has.
    #[error("its regions have to be looked up")]
    Regions,
    /// In which of its regions the resources of a kind lie.
    #[error("it has several regions, and the fleet file does not say which of its `{}` lie where", .0.key())]
    Place(ResourceKind),
    /// Which resources of a kind there are, where Terraform has no data source that lists them.
    #[error("its `{}` are chosen by a rule, and Terraform has no data source that lists them", .0.key())]
    List(ResourceKind),
    /// Which resources are parts of others, and would be logged twice.
    #[error("VPCs and parts of VPCs are logged, and the fleet file does not say which lie in which")]
    Overlap,
}

impl Unseen {
    /// What else there is to do.
    fn other_way(self) -> String {
        match self {
            Self::Regions => "name them in `regions`, or ".to_owned(),
            Self::Place(_) => String::new(),
            Self::List(kind) => format!("name their ids in `{}`, or ", kind.key()),
            Self::Overlap => "log either, or ".to_owned(),
        }
    }
}

/// The name of a role's key in a message. The hub's role has a default name.
fn key(key: &str) -> String {
    if key == "fleet.name" { "the hub's role".to_owned() } else { format!("`{key}`") }
}

/// A name for the role of this key.
fn example(key: &str) -> &'static str {
    match key {
        "hub.role" => "flowagg-hub",
        "fleet.read-role" => "flowagg-read",
        "organization.lookup.role" => "flowagg-lookup",
        _ => "flowagg",
    }
}

impl ExportError {
    /// What cannot happen with values of our own making.
    pub(super) fn defect(error: impl std::fmt::Display) -> Self {
        Self::Defect(error.to_string())
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Policy(error) => error.help(),
            Self::NoMember(_) => "name an account of the fleet".to_owned(),
            Self::NotInRegion(_) => "name one of its regions".to_owned(),
            Self::NoVpcs => {
                "name a place whose ids the fleet file has, with `--account ID --region REGION`".to_owned()
            }
            Self::SeveralRegions(_) => {
                "leave `--account` out for a template of one VPC, and deploy it once for each".to_owned()
            }
            Self::NotNamed { key, .. } => format!(
                "name their ids in `members[].{key}`, or leave `--account` out for a template of one VPC"
            ),
            Self::Overlap(_) => "name either, or let `flowagg apply` see which lie in which".to_owned(),
            Self::TooMany { .. } => "split it, or use `flowagg apply`, which has no such limit".to_owned(),
            Self::NoOrganization => {
                "give `organization.id` and `organization.regions`, or use `--member`".to_owned()
            }
            Self::AccountRule(_) => {
                "choose the accounts by `organization.units` alone, or use `flowagg apply`".to_owned()
            }
            Self::NotOnlyVpcs(key) => format!("leave `organization.{key}` out, or use `flowagg apply`"),
            Self::Unseen { what, .. } => format!("{}look what there is with `--live`", what.other_way()),
            Self::Unread(_) => "look at every account and region, without `--only`".to_owned(),
            Self::OtherRules(_) => {
                "let `flowagg apply` set its own beside them, and export again: it is then left to flowagg"
                    .to_owned()
            }
            Self::NoEnd => "add `end` to `flow-logs.fields`, then run `flowagg plan`".to_owned(),
            Self::NoAccounts => "name one in `[[members]]`".to_owned(),
            Self::UnknownRegions(_) => {
                "run it where the account can be read, or name its regions in `regions`".to_owned()
            }
            Self::Selection(nothing) => nothing.help(),
            Self::TwoFormats => "log transit gateways with a fleet file and a bucket of their own".to_owned(),
            Self::TooManyAccounts { limit, .. } => {
                format!("name up to {limit} of them for the queries, each with `--only ACCOUNT`")
            }
            Self::Defect(_) => "this is a defect of flowagg: please report it".to_owned(),
            Self::RoleOfOrganizations(key) => {
                format!("set `{key}` to a role that flowagg defines, as in `{}`", example(key))
            }
            Self::SameRole { keys, roles } => {
                let is_free =
                    |key: &&&str| roles.iter().all(|role| !role.to_ascii_lowercase().ends_with(example(key)));
                let key = keys.iter().rev().find(is_free).unwrap_or(&keys[1]);
                format!("set `{key}` to another name, as in `{}`", example(key))
            }
        }
    }
}
