//! The command line of `flowagg init`.

use clap::Args as ClapArgs;
use flowagg_core::id::{AccountId, BucketName, OrganizationId, Prefix, Region, RoleName};

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg init                  ask, with what the credentials tell filled in
  flowagg init --bucket acme-flow-logs --organization o-a1b2c3d4e5
  flowagg init --offline --hub-account 111122223333 --region eu-west-1 \\
    --bucket acme-flow-logs --account 222222222222 --account 333333333333

It writes the file that --config names, `flowagg.toml`, and nothing to AWS. Where nobody can be asked, \
what no option says and the credentials do not tell is an error. A bucket with flow logs in it is better \
read by `flowagg import`.";

#[derive(Debug, ClapArgs)]
pub(crate) struct InitArgs {
    /// The account of the bucket [default: the credentials']
    #[arg(long, value_name = "ID")]
    pub(crate) hub_account: Option<AccountId>,
    /// The region of the bucket [default: the one that the AWS configuration names]
    #[arg(long)]
    pub(crate) region: Option<Region>,
    /// The bucket; it is made by `apply` where it does not exist
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<BucketName>,
    /// A sub-folder of the bucket
    #[arg(long, value_name = "FOLDER")]
    pub(crate) prefix: Option<Prefix>,
    /// An account whose VPCs are logged; may be given more than once [default: the whole organization, or the hub]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Vec<AccountId>,
    /// The organization; without --account, all its accounts are logged
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,
    /// The regions that are logged [default: all that are enabled]
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<Region>,
    /// The role to take in each account
    #[arg(long, value_name = "NAME", default_value = RoleName::ORGANIZATION_ACCOUNT_ACCESS)]
    pub(crate) role: RoleName,
    /// Ask AWS nothing
    #[arg(long)]
    pub(crate) offline: bool,
    /// Overwrite the file where it says something else
    #[arg(long)]
    pub(crate) force: bool,
}
