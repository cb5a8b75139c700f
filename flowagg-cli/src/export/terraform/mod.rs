//! A Terraform configuration of the resources that `apply` creates, for teams that make all changes with Terraform.
//!
//! It has separate files for the versions, the providers, the bucket and its settings, the policy and the flow logs. With the live state, it
//! also has an `import` block for each existing resource.
//!
//! Sources: "Resource: aws_s3_bucket" and its settings, "aws_s3_bucket_policy", "aws_flow_log", "Data Source: aws_vpcs",
//! "aws_subnets", "aws_network_interfaces" (AWS Provider Documentation); "Configuration Syntax" (Terraform Language
//! Documentation).

mod block;
mod flow_logs;
mod hcl;
mod hub;
mod json;
mod live;
mod names;
mod providers;

use flowagg_core::fleet::{Choice, Encryption, Fleet};
use flowagg_core::plan::rule_of_new_bucket;

use self::block::Block;
use self::flow_logs::FlowLogs;
use super::{ExportError, ExportFile, ExportFiles};

pub use self::live::LiveState;

/// The format of a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TerraformFormat {
    /// HCL, in `.tf` files, formatted like `terraform fmt`.
    #[default]
    Hcl,
    /// JSON, in `.tf.json` files: the same blocks, for programs.
    Json,
}

impl TerraformFormat {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Hcl, Self::Json];

    /// The value on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hcl => "hcl",
            Self::Json => "json",
        }
    }
}

/// The configuration of the whole fleet.
///
/// Without `live`, it is generated from the fleet alone: nothing is imported, and the policy is the one for a bucket without a policy. With
/// `live`, the policy is the live policy with the fleet's grant merged in, and existing resources that Terraform manages have `import`
/// blocks. Fails if Terraform cannot express the fleet.
pub fn configuration(
    fleet: &Fleet,
    live: Option<&LiveState<'_>>,
    format: TerraformFormat,
) -> Result<ExportFiles, ExportError> {
    fleet.members.values().try_for_each(flow_logs::has_regions)?;
    let rule = match live {
        Some(live) => live.lifecycle_rule(fleet)?,
        None => rule_of_new_bucket(fleet),
    };
    let owns_lifecycle = rule.is_some();
    let mut logs = FlowLogs::default();
    for (member, region) in fleet.places() {
        let FlowLogs { blocks, imports, notes } = flow_logs::in_place(fleet, member, region, live)?;
        logs.blocks.extend(blocks);
        logs.imports.extend(imports);
        logs.notes.extend(notes);
    }
    let mut notes = notes(fleet, live, owns_lifecycle);
    notes.append(&mut logs.notes);
    let mut imports = live.map_or(Vec::new(), |live| live.imports(fleet, owns_lifecycle));
    imports.append(&mut logs.imports);
    let mut files = vec![
        ("versions", "Required versions", vec![providers::versions(fleet)]),
        ("providers", "Providers, one per account-region", providers::providers(fleet, fleet.places())),
        ("hub", "The bucket that receives all flow logs", hub::bucket(fleet, live, rule)),
        ("policy", "The bucket policy", hub::policy(fleet, live)?),
        ("flow-logs", "The flow logs of every account-region", logs.blocks),
    ];
    if !imports.is_empty() {
        files.push(("imports", "Existing resources", imports));
    }
    let files = files.into_iter().map(|(name, comment, blocks)| file(name, comment, &blocks, format));
    Ok(ExportFiles { files: files.collect::<Result<_, _>>()?, notes })
}

fn file(
    name: &str,
    comment: &str,
    blocks: &[Block],
    format: TerraformFormat,
) -> Result<ExportFile, ExportError> {
    Ok(match format {
        TerraformFormat::Hcl => ExportFile { name: format!("{name}.tf"), text: hcl::write(comment, blocks) },
        TerraformFormat::Json => ExportFile {
            name: format!("{name}.tf.json"),
            text: json::write(comment, blocks).map_err(ExportError::defect)?,
        },
    })
}

fn notes(fleet: &Fleet, live: Option<&LiveState<'_>>, owns_lifecycle: bool) -> Vec<String> {
    let bucket = &fleet.hub.bucket;
    let mut notes = Vec::new();
    match live {
        None => notes.push(format!(
            "the live state was not read: if {bucket} already exists, use `--live` to import it and keep foreign statements. Otherwise \
             Terraform cannot create it, and replaces its whole policy and all its lifecycle rules"
        )),
        Some(live) => {
            if let (false, Some(found)) = (owns_lifecycle, live.bucket)
                && found.lifecycle.is_some()
            {
                let others = live.other_rules(fleet);
                let why = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
                notes.push(format!(
                    "the lifecycle rules of {bucket} are not exported: Terraform manages all rules of a bucket or none, and flowagg does not \
                     manage all of them{why}; `flowagg plan` shows whether the fleet's rules are up to date"
                ));
            }
            notes.extend(live.notes());
        }
    }
    if let Some(Encryption::SseKms { key, .. }) = &fleet.hub.encryption {
        notes.push(format!(
            "the policy of {key} is not in the configuration; `flowagg plan` reports whether it allows log delivery to use the key"
        ));
    }
    let mut choices = fleet.members.values().flat_map(|member| member.resources.choices());
    if choices.any(|(_, choice)| matches!(choice, Choice::All(_))) {
        notes.push(
            "at every plan, Terraform looks up the resources that the fleet file selects by a rule: the next `terraform apply` adds flow logs \
             for new resources, and deletes those of resources that no longer match"
                .to_owned(),
        );
    }
    notes
}
