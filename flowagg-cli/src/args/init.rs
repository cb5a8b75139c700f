//! The command line of `flowagg init`.

use clap::Args as ClapArgs;
use flowagg_core::id::{AccountId, BucketName, OrganizationId, Prefix, Region, RoleName};

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg init                  prompt, with defaults from the credentials
  flowagg init --bucket acme-flow-logs --organization o-a1b2c3d4e5
  flowagg init --offline --hub-account 111122223333 --region eu-west-1 \\
    --bucket acme-flow-logs --account 222222222222 --account 333333333333

It writes the fleet file (`flowagg.toml`, or the file of --config) and changes nothing in AWS. Without a \
terminal there are no prompts: a required value that is neither an option nor known from the credentials \
is an error. If a bucket already contains flow logs, start with `flowagg import`.";

#[derive(Debug, ClapArgs)]
pub(crate) struct InitArgs {
    /// The account of the bucket [default: the credentials']
    #[arg(long, value_name = "ID")]
    pub(crate) hub_account: Option<AccountId>,
    /// The region of the bucket [default: the region of the AWS configuration]
    #[arg(long)]
    pub(crate) region: Option<Region>,
    /// The bucket; `apply` creates it if it does not exist
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<BucketName>,
    /// A sub-folder of the bucket
    #[arg(long, value_name = "FOLDER")]
    pub(crate) prefix: Option<Prefix>,
    /// An account whose VPCs are logged; can be repeated [default: every account of the organization]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Vec<AccountId>,
    /// The organization; without --account, all of its accounts are logged [default: the credentials']
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,
    /// The regions that are logged [default: all that are enabled]
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<Region>,
    /// The role to assume in each account
    #[arg(long, value_name = "NAME", default_value = RoleName::ORGANIZATION_ACCOUNT_ACCESS)]
    pub(crate) role: RoleName,
    /// Do not call AWS
    #[arg(long)]
    pub(crate) offline: bool,
    /// Overwrite an existing fleet file
    #[arg(long)]
    pub(crate) force: bool,
}
