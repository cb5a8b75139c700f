use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, Tag};
use flowagg_core::arrival::Carrier;
use flowagg_core::failure::Failure;
use flowagg_core::id::{AccountId, ResourceId, ResourceKind};
use flowagg_core::observed::Resource;

use super::tags;
use crate::aws::call::{describe, describe_in_use};
use crate::aws::complete::{Incomplete, each_page};
use crate::aws::failure::At;

const IN_USE: types::NetworkInterfaceStatus = types::NetworkInterfaceStatus::InUse;
const AVAILABLE: types::TransitGatewayAttachmentState = types::TransitGatewayAttachmentState::Available;

/// Reads every item of every page. A resource can be on two pages.
macro_rules! pages {
    ($request:expr, $items:ident, $at:expr, $call:expr, $read:expr) => {{
        let mut resources = BTreeMap::new();
        each_page!($request, $items, $at, $call, |item| $read(item).map(|read: Option<Resource>| {
            resources.extend(read.map(|resource| (resource.id.clone(), resource)));
        }));
        resources.into_values().collect()
    }};
}

/// All resources of a kind that are visible to the account.
pub(super) async fn of_kind(ec2: &Client, kind: ResourceKind, at: &At) -> Result<Vec<Resource>, Failure> {
    let call = describe(kind);
    Ok(match kind {
        ResourceKind::Vpc => pages!(ec2.describe_vpcs(), vpcs, at, call, vpc),
        ResourceKind::Subnet => pages!(ec2.describe_subnets(), subnets, at, call, subnet),
        ResourceKind::NetworkInterface => {
            pages!(ec2.describe_network_interfaces(), network_interfaces, at, call, interface)
        }
        ResourceKind::TransitGateway => {
            pages!(ec2.describe_transit_gateways(), transit_gateways, at, call, transit_gateway)
        }
    })
}

/// The resources that can have traffic: network interfaces in use with their subnets and VPCs, or transit gateways with an available
/// attachment.
///
/// EC2 filters by status. The status is checked again in case the endpoint ignores filters.
pub(super) async fn in_use(ec2: &Client, carrier: Carrier, at: &At) -> Result<BTreeSet<ResourceId>, Failure> {
    let call = describe_in_use(carrier);
    let filter = |name: &str, value: &str| types::Filter::builder().name(name).values(value).build();
    let found: Vec<Resource> = match carrier {
        Carrier::NetworkInterface => {
            let request = ec2.describe_network_interfaces().filters(filter("status", IN_USE.as_str()));
            pages!(request, network_interfaces, at, call, interface_in_use)
        }
        Carrier::Attachment => {
            let request =
                ec2.describe_transit_gateway_attachments().filters(filter("state", AVAILABLE.as_str()));
            pages!(request, transit_gateway_attachments, at, call, attached_gateway)
        }
    };
    Ok(found.into_iter().flat_map(|resource| resource.part_of.into_iter().chain([resource.id])).collect())
}

fn vpc(vpc: &types::Vpc) -> Result<Option<Resource>, Incomplete> {
    let mut resource = resource(vpc.vpc_id(), vpc.owner_id(), [], vpc.tags())?;
    resource.is_default = vpc.is_default().unwrap_or(false);
    Ok(Some(resource))
}

fn subnet(subnet: &types::Subnet) -> Result<Option<Resource>, Incomplete> {
    resource(subnet.subnet_id(), subnet.owner_id(), [subnet.vpc_id()], subnet.tags()).map(Some)
}

fn interface(interface: &types::NetworkInterface) -> Result<Option<Resource>, Incomplete> {
    let part_of = [interface.vpc_id(), interface.subnet_id()];
    resource(interface.network_interface_id(), interface.owner_id(), part_of, interface.tag_set()).map(Some)
}

/// `None` if it is not in use.
fn interface_in_use(of: &types::NetworkInterface) -> Result<Option<Resource>, Incomplete> {
    if of.status() == Some(&IN_USE) { interface(of) } else { Ok(None) }
}

/// `None` if the attachment is not available.
fn attached_gateway(of: &types::TransitGatewayAttachment) -> Result<Option<Resource>, Incomplete> {
    let is_available = of.state() == Some(&AVAILABLE);
    is_available.then(|| resource(of.transit_gateway_id(), None, [], &[])).transpose()
}

/// `None` if it is being deleted.
fn transit_gateway(gateway: &types::TransitGateway) -> Result<Option<Resource>, Incomplete> {
    let is_going = gateway.state().is_some_and(|state| state.as_str().starts_with("delet"));
    let resource = resource(gateway.transit_gateway_id(), gateway.owner_id(), [], gateway.tags())?;
    Ok(Some(resource).filter(|_| !is_going))
}

fn resource<const N: usize>(
    id: Option<&str>,
    owner: Option<&str>,
    part_of: [Option<&str>; N],
    of_tags: &[Tag],
) -> Result<Resource, Incomplete> {
    let parsed = |id: &str| ResourceId::parse(id).map_err(|_| Incomplete::UnknownId(id.to_owned()));
    let id = parsed(id.ok_or(Incomplete::Missing("the ID of a resource"))?)?;
    let part_of = part_of.into_iter().flatten().map(parsed).collect::<Result<BTreeSet<_>, _>>()?;
    let account = |id: &str| AccountId::parse(id).map_err(|_| Incomplete::UnknownId(id.to_owned()));
    let owner = owner.map(account).transpose()?;
    let mut resource = Resource::new(id);
    resource.owner = owner;
    resource.part_of = part_of;
    resource.tags = tags(of_tags);
    Ok(resource)
}
