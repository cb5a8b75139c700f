//! The template of a member: the flow logs that `apply` creates.

use flowagg_core::fleet::{Fleet, Member};
use flowagg_core::flow_log::{self, RecordFormat, TrafficType};
use flowagg_core::id::{AccountId, Place, Region, ResourceId, ResourceKind};
use serde_json::{Map, Value, json};

use super::template::{MOST_RESOURCES, Resource, Template, TemplateFormat, capitalized, reference, sub};
use crate::export::{ExportError, ExportFiles};

pub(super) const BUCKET: &str = "BucketName";
pub(super) const TRAFFIC: &str = "TrafficType";
/// The parameter for the VPC ID.
const VPC: &str = "VpcId";
/// The parameter for the name of another stack's export, whose value is the VPC ID.
pub(super) const EXPORT: &str = "VpcExport";
/// The default name of the imported export.
pub(super) const EXPORTED: &str = "network-VpcId";

/// The source of the VPC ID in a template for one VPC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VpcFrom {
    /// A parameter.
    #[default]
    Parameter,
    /// An export of another stack in the same account and region. Its name is a parameter.
    Import,
}

impl VpcFrom {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Parameter, Self::Import];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parameter => "parameter",
            Self::Import => "import",
        }
    }
}

/// The template of the flow log of one VPC. Its parameters are the bucket's name, the traffic, and the VPC ID or the name of the export
/// that contains it.
pub fn member(fleet: &Fleet, vpc: VpcFrom, format: TemplateFormat) -> Result<ExportFiles, ExportError> {
    let looked_up = fleet.organization.as_ref().and_then(|organization| organization.discovery.as_ref());
    let mut selections =
        fleet.members.values().map(|member| &member.resources).chain(looked_up.map(|it| &it.resources));
    if !selections.any(|selection| selection.kinds().any(|kind| kind == ResourceKind::Vpc)) {
        return Err(ExportError::NoVpcs);
    }
    let notes = vec!["deploy the stack after the hub, once for each VPC".to_owned()];
    Ok(ExportFiles::of_templates(vec![one_vpc(fleet, vpc, &notes).file("member", format)?], notes))
}

/// The template of all flow logs of an account in a region. The fleet file must list the IDs of the logged resources.
pub fn place(
    fleet: &Fleet,
    account: AccountId,
    region: &Region,
    format: TemplateFormat,
) -> Result<ExportFiles, ExportError> {
    let member = fleet.members.get(&account).ok_or(ExportError::NoMember(account))?;
    if !member.regions.iter().any(|of_member| of_member == region) {
        return Err(ExportError::NotInRegion(Place::new(account, region)));
    }
    if member.regions.iter().count() > 1 {
        return Err(ExportError::SeveralRegions(account));
    }
    let named = named(member)?;
    if named.len() > MOST_RESOURCES {
        return Err(ExportError::TooMany { count: named.len(), limit: MOST_RESOURCES });
    }
    let notes = vec![format!("deploy the stack after the hub, in account {account}, region {region}")];
    let mut template = template(
        fleet,
        format!("The flow logs of account {account} in {region}"),
        named.iter().any(|id| id.kind() != ResourceKind::TransitGateway),
    );
    for id in named {
        template = template.resource(&logical_id(id), flow_log(fleet, id.kind(), json!(id)));
    }
    let name = format!("member-{account}-{region}");
    Ok(ExportFiles::of_templates(vec![template.noted(&notes).file(&name, format)?], notes))
}

/// The IDs of a member's resources. Fails if the fleet file does not list all of them.
fn named(member: &Member) -> Result<Vec<&ResourceId>, ExportError> {
    let account = member.account;
    let named: Vec<&ResourceId> = member.resources.named().collect();
    for kind in member.resources.kinds() {
        if !named.iter().any(|id| id.kind() == kind) {
            return Err(ExportError::NotNamed { account, key: kind.key() });
        }
    }
    let parts_of_vpcs: Vec<ResourceKind> =
        member.resources.kinds().filter(|kind| *kind != ResourceKind::TransitGateway).collect();
    if parts_of_vpcs.len() > 1 {
        return Err(ExportError::Overlap(account));
    }
    Ok(named)
}

pub(super) fn one_vpc(fleet: &Fleet, vpc: VpcFrom, notes: &[String]) -> Template {
    let template = template(fleet, "The flow log of a VPC".to_owned(), true).noted(notes);
    let (template, id) = match vpc {
        VpcFrom::Parameter => {
            let parameter = json!({ "Type": "AWS::EC2::VPC::Id", "Description": "The VPC to log" });
            (template.parameter(VPC, parameter), reference(VPC))
        }
        VpcFrom::Import => {
            (template.parameter(EXPORT, vpc_export()), json!({ "Fn::ImportValue": reference(EXPORT) }))
        }
    };
    template.resource("FlowLog", flow_log(fleet, ResourceKind::Vpc, id))
}

/// A template with the common parameters of flow logs, without a flow log.
fn template(fleet: &Fleet, description: String, of_packets: bool) -> Template {
    let template = Template::new(description).parameter(BUCKET, bucket(fleet));
    if of_packets { template.parameter(TRAFFIC, traffic(fleet)) } else { template }
}

pub(super) fn bucket(fleet: &Fleet) -> Value {
    json!({ "Type": "String", "Default": fleet.hub.bucket, "Description": "The hub bucket" })
}

pub(super) fn traffic(fleet: &Fleet) -> Value {
    json!({
        "Type": "String",
        "Default": fleet.flow_logs.traffic.as_api(),
        "AllowedValues": TrafficType::ALL.map(TrafficType::as_api),
        "Description": "The traffic to record",
    })
}

pub(super) fn vpc_export() -> Value {
    json!({
        "Type": "String",
        "Default": EXPORTED,
        "Description": "The name of another stack's export that contains the VPC ID",
    })
}

/// A flow log with the properties that `apply` gives it.
fn flow_log(fleet: &Fleet, kind: ResourceKind, resource: Value) -> Resource {
    let spec = &fleet.flow_logs;
    // Flow logs of transit gateways have no traffic type and have different fields.
    let of_packets = kind != ResourceKind::TransitGateway;
    let folder = fleet.hub.prefix.as_ref().map(|prefix| format!("/{prefix}/")).unwrap_or_default();
    let tags: Vec<Value> =
        fleet.tags().iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let mut properties = Map::new();
    let mut set = |key: &str, value| properties.insert(key.to_owned(), value);
    set("ResourceId", resource);
    set("ResourceType", json!(kind.as_api()));
    set("LogDestinationType", json!("s3"));
    set("LogDestination", sub(&format!("arn:${{AWS::Partition}}:s3:::${{{BUCKET}}}{folder}")));
    set("MaxAggregationInterval", json!(spec.aggregation_interval.for_kind(kind).seconds()));
    set("Tags", json!(tags));
    if of_packets {
        set("TrafficType", reference(TRAFFIC));
    }
    if of_packets && spec.format != RecordFormat::default() {
        set("LogFormat", json!(spec.format.to_string()));
    }
    if spec.files != flow_log::Files::default() {
        let options = json!({
            "FileFormat": spec.files.format.as_str(),
            "HiveCompatiblePartitions": spec.files.hive_compatible_partitions,
            "PerHourPartition": spec.files.per_hour_partition,
        });
        set("DestinationOptions", options);
    }
    Resource::new("AWS::EC2::FlowLog", Value::Object(properties))
}

/// A logical ID of letters and digits, such as `FlowLogVpc0a1b2c3d4e5f67890`.
fn logical_id(id: &ResourceId) -> String {
    let mut parts = id.as_str().split('-');
    let kind = parts.next().unwrap_or_default();
    format!("FlowLog{}{}", capitalized(kind), parts.collect::<String>())
}
