//! The command line of `flowagg export`: a variant for each tool, and where all of them write.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Subcommand};
use flowagg_core::id::{AccountId, Region};

use crate::export::athena::{Form, Name, Names};
use crate::export::cloudformation::{TemplateFormat, VpcFrom};
use crate::export::terraform;

#[derive(Debug, Subcommand)]
pub(crate) enum ExportVerb {
    /// The hub, or the flow logs of the members, as CloudFormation templates
    #[command(after_help = "\
Examples:
  flowagg export cloudformation --hub > hub.yaml
  flowagg export cloudformation --member --vpc-from import
  flowagg export cloudformation --member --account 222222222222 \\
    --region eu-west-1
  flowagg export cloudformation --stackset --out templates")]
    Cloudformation(CloudformationArgs),
    /// The hub and the flow logs of every member, as a Terraform configuration
    #[command(after_help = "\
Examples:
  flowagg export terraform --out terraform
  flowagg export terraform --live --out terraform
  flowagg export terraform --format json --out terraform")]
    Terraform(TerraformArgs),
    /// The roles that flowagg needs, as CloudFormation templates
    #[command(after_help = "\
Examples:
  flowagg export iam --out templates
  flowagg export iam --format json --out templates")]
    Iam(IamArgs),
    /// A table of Athena over the whole bucket, and queries of it, as SQL or in a CloudFormation template of a workgroup
    #[command(after_help = "\
Examples:
  flowagg export athena --out queries
  flowagg export athena --format yaml > athena.yaml
  flowagg export athena --only 222222222222 --out queries  read it alone")]
    Athena(AthenaArgs),
}

#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("part").required(true).args(["hub", "member", "stackset"])))]
pub(crate) struct CloudformationArgs {
    /// The bucket, its settings and its policy
    #[arg(long)]
    pub(crate) hub: bool,
    /// The flow log of one VPC, or with --account and --region of all that the fleet file names there
    #[arg(long)]
    pub(crate) member: bool,
    /// The member's template in every account of the organization, and the management account's stack
    #[arg(long)]
    pub(crate) stackset: bool,
    /// Where the template for one VPC learns which: a `parameter`, or the `import` of another stack's output
    #[arg(long, value_name = "SOURCE", value_parser = vpc_from, default_value = "parameter")]
    #[arg(conflicts_with_all = ["hub", "stackset", "account"])]
    pub(crate) vpc_from: VpcFrom,
    /// The flow logs of this account
    #[arg(long, value_name = "ID", requires = "region", conflicts_with_all = ["hub", "stackset"])]
    pub(crate) account: Option<AccountId>,
    /// In this region
    #[arg(long, requires = "account")]
    pub(crate) region: Option<Region>,
    /// `yaml` or `json`
    #[arg(long, value_parser = format, default_value = "yaml")]
    pub(crate) format: TemplateFormat,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TerraformArgs {
    /// Look what there is, write `import` blocks for it and keep what the policy says besides; always done where the fleet
    /// file leaves accounts or regions to be looked up
    #[arg(long)]
    pub(crate) live: bool,
    /// `hcl` (.tf) or `json` (.tf.json)
    #[arg(long, value_parser = terraform_format, default_value = "hcl")]
    pub(crate) format: terraform::TerraformFormat,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IamArgs {
    /// Include what `flowagg query` needs: reading the objects, and looking up names and NAT gateways
    #[arg(long)]
    pub(crate) query: bool,
    /// `yaml` or `json`
    #[arg(long, value_parser = format, default_value = "yaml")]
    pub(crate) format: TemplateFormat,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AthenaArgs {
    #[command(flatten)]
    pub(crate) names: TableArgs,
    /// `sql`, or a template as `yaml` or `json`
    #[arg(long, value_parser = form, default_value = "sql")]
    pub(crate) format: Form,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
}

/// What the table of Athena is called.
#[derive(Debug, ClapArgs)]
pub(crate) struct TableArgs {
    /// The database of the table
    #[arg(long, value_name = "NAME", value_parser = Name::parse, default_value = "flowagg")]
    pub(crate) database: Name,
    /// The table
    #[arg(long, value_name = "NAME", value_parser = Name::parse, default_value = "vpc_flow_logs")]
    pub(crate) table: Name,
}

impl TableArgs {
    pub(crate) fn names(&self) -> Names {
        Names { database: self.database.clone(), table: self.table.clone() }
    }
}

/// Where the files of an export go.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// Write files into this folder instead of standard output
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite files that say something else
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// `sql`, `yaml`, `json`.
fn form(text: &str) -> Result<Form, String> {
    let found = Form::ALL.into_iter().find(|form| form.as_str() == text);
    found.ok_or_else(|| "sql, yaml or json".to_owned())
}

/// `yaml`, `json`.
fn format(text: &str) -> Result<TemplateFormat, String> {
    let found = TemplateFormat::ALL.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| "yaml or json".to_owned())
}

/// `parameter`, `import`.
fn vpc_from(text: &str) -> Result<VpcFrom, String> {
    let found = VpcFrom::ALL.into_iter().find(|from| from.as_str() == text);
    found.ok_or_else(|| "parameter or import".to_owned())
}

/// `hcl`, `json`.
fn terraform_format(text: &str) -> Result<terraform::TerraformFormat, String> {
    let found = terraform::TerraformFormat::ALL.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| "hcl or json".to_owned())
}
