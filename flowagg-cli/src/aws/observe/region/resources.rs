use std::collections::BTreeSet;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, Tag};
use flowagg_core::failure::Failure;
use flowagg_core::id::{AccountId, ResourceId, ResourceKind};
use flowagg_core::observed::Resource;

use super::tags;
use crate::aws::call::describe;
use crate::aws::failure::At;

/// Every page of a call, each item read.
macro_rules! pages {
    ($request:expr, $at:expr, $kind:expr, $read:expr) => {{
        let mut pages = $request.into_paginator().items().send();
        let mut resources = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| $at.failure(describe($kind), &error))?;
            resources.extend($read(&item));
        }
        resources
    }};
}

/// All that the account sees of a kind.
pub(super) async fn of_kind(ec2: &Client, kind: ResourceKind, at: &At) -> Result<Vec<Resource>, Failure> {
    Ok(match kind {
        ResourceKind::Vpc => pages!(ec2.describe_vpcs(), at, kind, vpc),
        ResourceKind::Subnet => pages!(ec2.describe_subnets(), at, kind, subnet),
        ResourceKind::NetworkInterface => pages!(ec2.describe_network_interfaces(), at, kind, interface),
        ResourceKind::TransitGateway => pages!(ec2.describe_transit_gateways(), at, kind, transit_gateway),
    })
}

fn vpc(vpc: &types::Vpc) -> Option<Resource> {
    let resource = resource(vpc.vpc_id(), vpc.owner_id(), [], vpc.tags())?;
    Some(Resource { is_default: vpc.is_default().unwrap_or(false), ..resource })
}

fn subnet(subnet: &types::Subnet) -> Option<Resource> {
    resource(subnet.subnet_id(), subnet.owner_id(), [subnet.vpc_id()], subnet.tags())
}

fn interface(interface: &types::NetworkInterface) -> Option<Resource> {
    let part_of = [interface.vpc_id(), interface.subnet_id()];
    resource(interface.network_interface_id(), interface.owner_id(), part_of, interface.tag_set())
}

fn transit_gateway(gateway: &types::TransitGateway) -> Option<Resource> {
    let is_going = gateway.state().is_some_and(|state| state.as_str().starts_with("delet"));
    let resource = resource(gateway.transit_gateway_id(), gateway.owner_id(), [], gateway.tags());
    resource.filter(|_| !is_going)
}

fn resource<const N: usize>(
    id: Option<&str>,
    owner: Option<&str>,
    part_of: [Option<&str>; N],
    of_tags: &[Tag],
) -> Option<Resource> {
    let parsed = |id: &str| ResourceId::parse(id).ok();
    let part_of: BTreeSet<ResourceId> = part_of.into_iter().flatten().filter_map(parsed).collect();
    let owner = owner.and_then(|id| AccountId::parse(id).ok());
    Some(Resource { id: parsed(id?)?, owner, is_default: false, part_of, tags: tags(of_tags) })
}
