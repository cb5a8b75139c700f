//! The command line of `flowagg init`.

use clap::Args as ClapArgs;
use flowagg_core::id::{AccountId, BucketName, OrganizationId, Prefix, Region, RoleName};

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg init                  prompt for the values
  flowagg init --bucket acme-flow-logs --organization o-a1b2c3d4e5
  flowagg init --offline --hub-account 111122223333 --region eu-west-1 \\
    --bucket acme-flow-logs --account 222222222222 --account 333333333333";

#[derive(Debug, ClapArgs)]
pub(crate) struct InitArgs {
    /// Account that owns the bucket [default: the caller's account]
    #[arg(long, value_name = "ID")]
    pub(crate) hub_account: Option<AccountId>,
    /// Region of the bucket [default: the region of the AWS configuration]
    #[arg(long)]
    pub(crate) region: Option<Region>,
    /// Name of the bucket; `apply` creates it if it does not exist
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<BucketName>,
    /// Folder in the bucket for the flow logs
    #[arg(long, value_name = "FOLDER")]
    pub(crate) prefix: Option<Prefix>,
    /// Account to log; can be repeated [default: the whole organization]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Vec<AccountId>,
    /// Organization of the accounts [default: the caller's]
    ///
    /// Without `--account`, all of its accounts are logged.
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,
    /// Regions to log, separated by commas [default: all enabled regions]
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<Region>,
    /// Name of the role to assume in each account
    #[arg(long, value_name = "NAME", default_value = RoleName::ORGANIZATION_ACCOUNT_ACCESS)]
    pub(crate) role: RoleName,
    /// Make no AWS calls
    #[arg(long)]
    pub(crate) offline: bool,
    /// Overwrite an existing fleet file
    #[arg(long)]
    pub(crate) force: bool,
}
