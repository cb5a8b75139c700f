//! The flow logs of a member in a region: one Terraform resource for each kind, with an instance for each VPC.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Choice, Filter, Fleet, Member, Regions};
use flowagg_core::id::{Region, ResourceId, ResourceKind};

use super::block::{Block, Body, Value};
use super::live::{Found, LiveState, import};
use super::names::{BUCKET, NAME, POLICY};
use super::providers::{alias, label};
use crate::export::{ExportError, Unseen};

/// The flow logs of an account-region.
#[derive(Debug, Default)]
pub(super) struct FlowLogs {
    /// The resources and their data sources.
    pub(super) blocks: Vec<Block>,
    /// The `import` blocks of existing flow logs.
    pub(super) imports: Vec<Block>,
    /// Notes for the user.
    pub(super) notes: Vec<String>,
}

/// The logged resources of one kind.
enum Chosen {
    /// These IDs.
    Ids(BTreeSet<ResourceId>),
    /// The resources that Terraform finds with this filter, except those that are left out because of a foreign flow log.
    Rule(Filter, BTreeSet<ResourceId>),
}

/// The flow logs of a member in a region, from the fleet file and, if given, the live state.
pub(super) fn in_place(
    fleet: &Fleet,
    member: &Member,
    region: &Region,
    live: Option<&LiveState<'_>>,
) -> Result<FlowLogs, ExportError> {
    let mut found = match live {
        Some(live) => live.found(fleet, member, region)?,
        None => {
            is_plain(member)?;
            BTreeMap::new()
        }
    };
    let mut made = FlowLogs::default();
    for (kind, choice) in member.resources.choices() {
        let found = live.map(|_| found.remove(&kind).unwrap_or_default());
        if let Some(Found { left_out, .. }) = found.as_ref().filter(|found| !found.left_out.is_empty()) {
            let left_out: Vec<String> = left_out.iter().map(ToString::to_string).collect();
            made.notes.push(format!(
                "{} {region}: not exported because a foreign flow log already delivers: {}",
                member.account,
                left_out.join(", ")
            ));
        }
        let by_rule = can_follow(member, kind);
        let chosen = match (choice, &found) {
            (Choice::All(filter), None) => Chosen::Rule(filter.clone(), BTreeSet::new()),
            (Choice::Ids(ids), None) => Chosen::Ids(ids.clone()),
            (Choice::All(filter), Some(found)) if by_rule => {
                Chosen::Rule(filter.clone(), found.left_out.clone())
            }
            (_, Some(found)) => Chosen::Ids(found.logged.clone()),
        };
        if let (Choice::All(_), Chosen::Ids(_)) = (choice, &chosen) {
            made.notes.push(format!(
                "{} {region}: the configuration lists the current {}; export again when they change",
                member.account,
                kind.key()
            ));
        }
        of_kind(fleet, member, region, kind, chosen, &found.unwrap_or_default(), &mut made);
    }
    Ok(made)
}

/// Whether a data source can express the fleet file's rule: it exists for the kind, and resources cannot overlap, which no data source can
/// detect.
fn can_follow(member: &Member, kind: ResourceKind) -> bool {
    data_source(kind).is_some() && !overlaps(member)
}

fn overlaps(member: &Member) -> bool {
    member.resources.kinds().filter(|kind| *kind != ResourceKind::TransitGateway).count() > 1
}

/// Fails if the fleet file alone does not determine the logged resources of each region.
fn is_plain(member: &Member) -> Result<(), ExportError> {
    let unseen = |what| Err(ExportError::Unseen { account: member.account, what });
    if overlaps(member) {
        return unseen(Unseen::Overlap);
    }
    for (kind, choice) in member.resources.choices() {
        match choice {
            Choice::Ids(_) if member.regions.iter().count() > 1 => return unseen(Unseen::Place(kind)),
            Choice::All(_) if data_source(kind).is_none() => return unseen(Unseen::List(kind)),
            _ => {}
        }
    }
    Ok(())
}

/// Fails if the regions of a member have not been looked up.
pub(super) fn has_regions(member: &Member) -> Result<(), ExportError> {
    match &member.regions {
        Regions::All { enabled: None } => {
            Err(ExportError::Unseen { account: member.account, what: Unseen::Regions })
        }
        Regions::All { enabled: Some(_) } | Regions::These(_) => Ok(()),
    }
}

fn of_kind(
    fleet: &Fleet,
    member: &Member,
    region: &Region,
    kind: ResourceKind,
    chosen: Chosen,
    found: &Found,
    made: &mut FlowLogs,
) {
    let name = format!("{}_{}", kind.key().replace('-', "_"), label(member.account, region));
    let provider = Value::address(format!("aws.{}", alias(fleet, member.account, region)));
    let for_each = match chosen {
        Chosen::Ids(ids) if ids.is_empty() => return,
        Chosen::Ids(ids) => Value::Call("toset", vec![Value::texts(ids)]),
        Chosen::Rule(filter, left_out) => {
            let Some(data_source) = data_source(kind) else { return };
            let found = Value::expression(format!("data.{data_source}.{name}.ids"));
            let body = looked_up(member, &filter, provider.clone());
            made.blocks.push(Block::new("data", &[data_source, &name], body));
            let except: BTreeSet<ResourceId> = &filter.except | &left_out;
            if except.is_empty() {
                Value::Call("toset", vec![found])
            } else {
                Value::Call("setsubtract", vec![found, Value::texts(except)])
            }
        }
    };
    let body = Body::default().set("provider", provider).set("for_each", for_each).gap();
    made.blocks.push(Block::resource("aws_flow_log", &name, flow_log(fleet, kind, found, body)));
    for (id, flow_log) in &found.imports {
        made.imports.push(import(format!("aws_flow_log.{name}[\"{id}\"]"), flow_log.as_str()));
    }
}

/// The data source of the account's own resources of a kind. Shared resources can be logged only by their owner.
fn looked_up(member: &Member, filter: &Filter, provider: Value) -> Body {
    let Filter { tags, default_vpcs, .. } = filter;
    let by =
        |name: &str, value: String| Body::default().set("name", name).set("values", Value::texts([value]));
    let mut body = Body::default().set("provider", provider);
    if !tags.is_empty() {
        let tags = tags.iter().map(|(key, value)| (key.clone(), without_wildcards(value).into()));
        body = body.gap().set("tags", Value::Map(tags.collect()));
    }
    body = body.block("filter", by("owner-id", member.account.to_string()));
    if !default_vpcs {
        body = body.block("filter", by("is-default", "false".to_owned()));
    }
    body
}

/// Escapes a tag value for a filter, in which `*` and `?` are wildcards.
///
/// Source: "Find your Amazon EC2 resources", filtering (Amazon EC2 User Guide).
fn without_wildcards(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The arguments of a flow log. Defaults are included, because Terraform does not compare arguments that are missing.
fn flow_log(fleet: &Fleet, kind: ResourceKind, found: &Found, body: Body) -> Body {
    let spec = &fleet.flow_logs;
    // Flow logs of transit gateways have no traffic type and have different fields.
    let of_packets = kind != ResourceKind::TransitGateway;
    let bucket = format!("{BUCKET}.{NAME}.arn");
    // Terraform replaces a flow log if its destination is written differently, and EC2 does not always return the final slash.
    let slash = if found.without_slash { "" } else { "/" };
    let destination = match &fleet.hub.prefix {
        Some(prefix) => Value::Joined { expression: bucket, rest: format!("/{prefix}{slash}") },
        None => Value::Expression(bucket),
    };
    let tags = fleet.tags().into_iter().map(|(key, value)| (key, value.into()));
    let options = Body::default()
        .set("file_format", spec.files.format.as_str())
        .set("hive_compatible_partitions", spec.files.hive_compatible_partitions)
        .set("per_hour_partition", spec.files.per_hour_partition);
    body.set(argument(kind), Value::expression("each.value"))
        .set("log_destination", destination)
        .set("log_destination_type", "s3")
        .set_some("traffic_type", of_packets.then(|| spec.traffic.as_api()))
        .set("max_aggregation_interval", spec.aggregation_interval.for_kind(kind).seconds().unsigned_abs())
        .set_some("log_format", of_packets.then(|| spec.format.to_string()))
        .set("tags", Value::Map(tags.collect()))
        .block("destination_options", options)
        // AWS creates a flow log only if the bucket policy allows delivery.
        .set("depends_on", Value::List(vec![Value::address(format!("{POLICY}.{NAME}"))]))
}

/// The argument for a resource of a kind.
///
/// Source: "Resource: aws_flow_log" (AWS Provider Documentation).
fn argument(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Vpc => "vpc_id",
        ResourceKind::Subnet => "subnet_id",
        ResourceKind::NetworkInterface => "eni_id",
        ResourceKind::TransitGateway => "transit_gateway_id",
    }
}

/// The data source that lists a kind; `None` for transit gateways, which have none.
///
/// Sources: "Data Source: aws_vpcs", "aws_subnets", "aws_network_interfaces" (AWS Provider Documentation).
fn data_source(kind: ResourceKind) -> Option<&'static str> {
    match kind {
        ResourceKind::Vpc => Some("aws_vpcs"),
        ResourceKind::Subnet => Some("aws_subnets"),
        ResourceKind::NetworkInterface => Some("aws_network_interfaces"),
        ResourceKind::TransitGateway => None,
    }
}
