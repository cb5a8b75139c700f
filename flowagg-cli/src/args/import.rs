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
    --hub-region eu-west-1";

#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("source").required(true).multiple(true).args(["bucket", "template"])))]
pub(crate) struct ImportArgs {
    /// Bucket that contains the flow logs
    ///
    /// With `--template`, it is the name of the bucket, if the templates do not contain it.
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<BucketName>,
    /// Read these CloudFormation templates instead of AWS
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) template: Vec<PathBuf>,
    /// Folder that contains `AWSLogs/`, if there are several
    ///
    /// An empty value means the root of the bucket.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) prefix: Option<Folder>,
    /// Additional account to read; can be repeated
    ///
    /// With `--template`, it is the account that the templates are for.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Vec<AccountId>,
    /// Also read the accounts of this organization
    ///
    /// With `--template`, it is the organization that stack sets deploy to.
    #[arg(long, value_name = "ID")]
    pub(crate) organization: Option<OrganizationId>,
    /// Read only accounts under this organizational unit; can be repeated
    #[arg(long, value_name = "ID", requires = "organization", conflicts_with = "template")]
    pub(crate) unit: Vec<OrganizationalUnitId>,
    /// Regions to read in each account, separated by commas, or `all`
    ///
    /// With `--template`, they are the regions that the templates are for.
    #[arg(long, value_name = "REGION", value_delimiter = ',', default_value = "all")]
    pub(crate) regions: Vec<String>,
    /// Name of the role to assume in each account
    #[arg(long, value_name = "NAME", default_value = RoleName::ORGANIZATION_ACCOUNT_ACCESS)]
    pub(crate) role: RoleName,
    /// Account that owns the bucket, if no template contains it
    #[arg(long, value_name = "ID", requires = "template")]
    pub(crate) hub_account: Option<AccountId>,
    /// Region of the bucket, if no template contains it
    #[arg(long, value_name = "REGION", requires = "template")]
    pub(crate) hub_region: Option<Region>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

impl ImportArgs {
    /// The regions of `--regions`. The error names an invalid region.
    pub(crate) fn regions(&self) -> Result<Regions, String> {
        if self.regions.iter().any(|name| name == "all") {
            return Ok(Regions::ALL);
        }
        let region = |name: &String| Region::parse(name).map_err(|error| error.to_string());
        self.regions.iter().map(region).collect::<Result<BTreeSet<_>, _>>().map(Regions::These)
    }
}
