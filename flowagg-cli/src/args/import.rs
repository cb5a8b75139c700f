//! The command line of `flowagg import`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};
use flowagg_core::fleet::Regions;
use flowagg_core::id::{AccountId, BucketName, OrganizationId, OrganizationalUnitId, Region, RoleName};

use crate::found::Folder;

pub(super) const EXAMPLES: &str = "\
Examples:
  flowagg import --bucket acme-flow-logs --out flowagg.toml
  flowagg import --bucket acme-flow-logs --role flowagg --regions eu-west-1
  flowagg import --bucket acme-flow-logs --organization o-a1b2c3d4e5
  flowagg import --template hub.yaml member-222222222222-eu-west-1.yaml
  flowagg import --template bucket.json --hub-account 111122223333 \\
    --hub-region eu-west-1

A bucket is read as its owner: with the credentials of its account. What no fleet file can say is a \
comment in it, and a note on standard error. Where an account could not be read, the exit code is 1, \
and the file is written all the same.";

#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("source").required(true).multiple(true).args(["bucket", "template"])))]
pub(crate) struct ImportArgs {
    /// The bucket that the flow logs go to; with --template, its name where no template says it
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<BucketName>,
    /// Read these CloudFormation templates instead of AWS
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) template: Vec<PathBuf>,
    /// The folder above `AWSLogs/`, where there are several; "" is the top
    #[arg(long, value_name = "FOLDER")]
    pub(crate) prefix: Option<Folder>,
    /// An account besides those that the bucket tells of; with --template, the one that it is for
    #[arg(long, value_name = "ID")]
    pub(crate) account: Vec<AccountId>,
    /// Look up the accounts of this organization, too; with --template, the one that stack sets deploy to
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,
    /// Only those under this organizational unit
    #[arg(long, value_name = "ID", requires = "organization", conflicts_with = "template")]
    pub(crate) unit: Vec<OrganizationalUnitId>,
    /// The regions to look at in each account, or `all`; with --template, those that it is for
    #[arg(long, value_name = "REGION", value_delimiter = ',', default_value = "all")]
    pub(crate) regions: Vec<String>,
    /// The role to take in each account
    #[arg(long, value_name = "NAME", default_value = RoleName::ORGANIZATION_ACCOUNT_ACCESS)]
    pub(crate) role: RoleName,
    /// The account of the bucket, where no template says it
    #[arg(long, value_name = "ID", requires = "template")]
    pub(crate) hub_account: Option<AccountId>,
    /// The region of the bucket, where no template says it
    #[arg(long, value_name = "REGION", requires = "template")]
    pub(crate) hub_region: Option<Region>,
    /// Write this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite the file where it says something else
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

impl ImportArgs {
    /// The regions that are named, or all.
    pub(crate) fn regions(&self) -> Result<Regions, String> {
        if self.regions.iter().any(|name| name == "all") {
            return Ok(Regions::ALL);
        }
        let region = |name: &String| Region::parse(name).map_err(|error| error.to_string());
        self.regions.iter().map(region).collect::<Result<BTreeSet<_>, _>>().map(Regions::These)
    }
}
