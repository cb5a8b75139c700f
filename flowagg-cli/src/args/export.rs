//! The command line of `flowagg export`: one subcommand for each tool, and the options for the output.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Subcommand};
use flowagg_core::id::{AccountId, Region};

use crate::export::athena::{Form, Name, Names};
use crate::export::cloudformation::{TemplateFormat, VpcFrom};
use crate::export::terraform;

#[derive(Debug, Subcommand)]
pub(crate) enum ExportVerb {
    /// Export the hub or the members' flow logs as CloudFormation templates
    #[command(after_help = "\
Examples:
  flowagg export cloudformation --hub > hub.yaml
  flowagg export cloudformation --member --vpc-from import
  flowagg export cloudformation --member --account 222222222222 \\
    --region eu-west-1
  flowagg export cloudformation --stackset --out templates")]
    Cloudformation(CloudformationArgs),
    /// Export the hub and all flow logs as a Terraform configuration
    #[command(after_help = "\
Examples:
  flowagg export terraform --out terraform
  flowagg export terraform --live --out terraform
  flowagg export terraform --format json --out terraform")]
    Terraform(TerraformArgs),
    /// Export the roles that flowagg needs as CloudFormation templates
    #[command(after_help = "\
Examples:
  flowagg export iam --out templates
  flowagg export iam --format json --out templates")]
    Iam(IamArgs),
    /// Export an Athena table of the bucket, and queries on it
    ///
    /// The output is SQL, or a CloudFormation template with a workgroup that contains the queries.
    #[command(after_help = "\
Examples:
  flowagg export athena --out queries
  flowagg export athena --format yaml > athena.yaml
  flowagg export athena --only 222222222222 --out queries")]
    Athena(AthenaArgs),
}

#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("part").required(true).args(["hub", "member", "stackset"])))]
pub(crate) struct CloudformationArgs {
    /// Export the bucket, its settings and its policy
    #[arg(long)]
    pub(crate) hub: bool,
    /// Export the flow log of one VPC
    ///
    /// With `--account` and `--region`, export the flow logs of all resources that the fleet file names there.
    #[arg(long)]
    pub(crate) member: bool,
    /// Export a stack set for the whole organization
    ///
    /// The stack set deploys the template of `--member` to every account of the organization. The template for a stack in the management
    /// account is included.
    #[arg(long)]
    pub(crate) stackset: bool,
    /// Get the VPC ID from a `parameter` or from an `import`
    ///
    /// `parameter` adds a parameter to the template, and `import` imports an output of another stack.
    #[arg(long, value_name = "SOURCE", value_parser = vpc_from, default_value = "parameter")]
    #[arg(conflicts_with_all = ["hub", "stackset", "account"])]
    pub(crate) vpc_from: VpcFrom,
    /// Export the flow logs of this account; requires --region
    #[arg(long, value_name = "ID", requires = "region", conflicts_with_all = ["hub", "stackset"])]
    pub(crate) account: Option<AccountId>,
    /// Export the flow logs in this region; requires --account
    #[arg(long, value_name = "REGION", requires = "account")]
    pub(crate) region: Option<Region>,
    /// Output format: `yaml` or `json`
    #[arg(long, value_name = "FORMAT", value_parser = format, default_value = "yaml")]
    pub(crate) format: TemplateFormat,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TerraformArgs {
    /// Read the live state and import it
    ///
    /// Writes `import` blocks for existing resources, and keeps other policy statements. The live state is always read if accounts or
    /// regions of the fleet file must be looked up.
    #[arg(long)]
    pub(crate) live: bool,
    /// Output format: `hcl` (.tf) or `json` (.tf.json)
    #[arg(long, value_name = "FORMAT", value_parser = terraform_format, default_value = "hcl")]
    pub(crate) format: terraform::TerraformFormat,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IamArgs {
    /// Include the permissions for `flowagg query`
    ///
    /// They allow reading objects and looking up names and NAT gateways.
    #[arg(long)]
    pub(crate) query: bool,
    /// Output format: `yaml` or `json`
    #[arg(long, value_name = "FORMAT", value_parser = format, default_value = "yaml")]
    pub(crate) format: TemplateFormat,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AthenaArgs {
    #[command(flatten)]
    pub(crate) names: TableArgs,
    /// Output format: `sql`, or a template as `yaml` or `json`
    #[arg(long, value_name = "FORMAT", value_parser = form, default_value = "sql")]
    pub(crate) format: Form,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
}

/// The name of the Athena table.
#[derive(Debug, ClapArgs)]
pub(crate) struct TableArgs {
    /// Name of the database
    #[arg(long, value_name = "NAME", value_parser = Name::parse, default_value = "flowagg")]
    pub(crate) database: Name,
    /// Name of the table
    #[arg(long, value_name = "NAME", value_parser = Name::parse, default_value = "vpc_flow_logs")]
    pub(crate) table: Name,
}

impl TableArgs {
    pub(crate) fn names(&self) -> Names {
        Names { database: self.database.clone(), table: self.table.clone() }
    }
}

/// Where an export is written.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// Write files to this folder instead of standard output
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// Parses `sql`, `yaml` or `json`.
fn form(text: &str) -> Result<Form, String> {
    let found = Form::ALL.into_iter().find(|form| form.as_str() == text);
    found.ok_or_else(|| "expected sql, yaml or json".to_owned())
}

/// Parses `yaml` or `json`.
fn format(text: &str) -> Result<TemplateFormat, String> {
    let found = TemplateFormat::ALL.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| "expected yaml or json".to_owned())
}

/// Parses `parameter` or `import`.
fn vpc_from(text: &str) -> Result<VpcFrom, String> {
    let found = VpcFrom::ALL.into_iter().find(|from| from.as_str() == text);
    found.ok_or_else(|| "expected parameter or import".to_owned())
}

/// Parses `hcl` or `json`.
fn terraform_format(text: &str) -> Result<terraform::TerraformFormat, String> {
    let found = terraform::TerraformFormat::ALL.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| "expected hcl or json".to_owned())
}
