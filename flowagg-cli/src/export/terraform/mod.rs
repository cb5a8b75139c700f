//! A Terraform configuration. It gives what `apply` makes, for teams that bring every change by Terraform.
//!
//! A file for each concern: the versions, the providers, the bucket with its settings, its policy, the flow logs; and, where
//! somebody has looked what AWS has, an `import` block for each thing that is there.
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

/// How a configuration is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TerraformFormat {
    /// HCL, in files that end in `.tf`, as `terraform fmt` leaves it.
    #[default]
    Hcl,
    /// JSON, in files that end in `.tf.json`: the same blocks, for programs that read them.
    Json,
}

impl TerraformFormat {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Hcl, Self::Json];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hcl => "hcl",
            Self::Json => "json",
        }
    }
}

/// The configuration of the whole fleet.
///
/// Without `live` it is made from the fleet alone: nothing is imported, and the policy is the one for an empty bucket. With
/// it the policy is the live one with the fleet's grant merged in, and there is an `import` block for each thing that is
/// there and becomes Terraform's. Fails where the fleet cannot be expressed so.
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
        ("versions", "The versions that this configuration needs", vec![providers::versions(fleet)]),
        ("providers", "A provider for each account and region", providers::providers(fleet, fleet.places())),
        ("hub", "The bucket that all flow logs go to", hub::bucket(fleet, live, rule)),
        ("policy", "Who may deliver to the bucket", hub::policy(fleet, live)?),
        ("flow-logs", "The flow logs of every account and region", logs.blocks),
    ];
    if !imports.is_empty() {
        files.push(("imports", "What is there already", imports));
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
            "nobody has looked at AWS: where {bucket} is there already, Terraform cannot make it, and would replace its whole \
             policy and all its lifecycle rules; with `--live` what is there is imported and statements of others are kept"
        )),
        Some(live) => {
            if let (false, Some(found)) = (owns_lifecycle, live.bucket)
                && found.lifecycle.is_some()
            {
                let others = live.other_rules(fleet);
                let why = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
                notes.push(format!(
                    "the lifecycle rules of {bucket} are left out: Terraform manages all rules of a bucket or none, and not all are \
                     flowagg's to set{why}; `flowagg plan` shows whether its own are right"
                ));
            }
            notes.extend(live.notes());
        }
    }
    if let Some(Encryption::SseKms { key, .. }) = &fleet.hub.encryption {
        notes.push(format!(
            "the policy of {key} is not in the configuration; `flowagg plan` says whether it lets log delivery use the key"
        ));
    }
    let mut choices = fleet.members.values().flat_map(|member| member.resources.choices());
    if choices.any(|(_, choice)| matches!(choice, Choice::All(_))) {
        notes.push(
            "what the fleet file chooses by a rule Terraform looks up at every plan: what is made later has a flow log after the \
             next `terraform apply`, and what no longer passes loses its own"
                .to_owned(),
        );
    }
    notes
}
