use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, Tag};
use flowagg_core::failure::Failure;
use flowagg_core::id::{AccountId, ResourceId, ResourceKind};
use flowagg_core::observed::Resource;

use super::tags;
use crate::aws::call::describe;
use crate::aws::complete::{Incomplete, Pages};
use crate::aws::failure::At;

/// Every page of a call, each item read. A resource that is on two pages is one resource.
macro_rules! pages {
    ($request:expr, $items:ident, $at:expr, $kind:expr, $read:expr) => {{
        let incomplete = |why: Incomplete| $at.incomplete(describe($kind), &why);
        let mut pages = $request.into_paginator().send();
        let mut turned = Pages::default();
        let mut resources = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| $at.failure(describe($kind), &error))?;
            turned.turn(page.next_token(), None).map_err(incomplete)?;
            for item in page.$items() {
                let read: Result<Option<Resource>, Incomplete> = $read(item);
                resources.extend(read.map_err(incomplete)?.map(|resource| (resource.id.clone(), resource)));
            }
        }
        resources.into_values().collect()
    }};
}

/// All that the account sees of a kind.
pub(super) async fn of_kind(ec2: &Client, kind: ResourceKind, at: &At) -> Result<Vec<Resource>, Failure> {
    Ok(match kind {
        ResourceKind::Vpc => pages!(ec2.describe_vpcs(), vpcs, at, kind, vpc),
        ResourceKind::Subnet => pages!(ec2.describe_subnets(), subnets, at, kind, subnet),
        ResourceKind::NetworkInterface => {
            pages!(ec2.describe_network_interfaces(), network_interfaces, at, kind, interface)
        }
        ResourceKind::TransitGateway => {
            pages!(ec2.describe_transit_gateways(), transit_gateways, at, kind, transit_gateway)
        }
    })
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

/// `None` for one that is being deleted.
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
    let id = parsed(id.ok_or(Incomplete::Missing("the id of a resource"))?)?;
    let part_of = part_of.into_iter().flatten().map(parsed).collect::<Result<BTreeSet<_>, _>>()?;
    let account = |id: &str| AccountId::parse(id).map_err(|_| Incomplete::UnknownId(id.to_owned()));
    let owner = owner.map(account).transpose()?;
    let mut resource = Resource::new(id);
    resource.owner = owner;
    resource.part_of = part_of;
    resource.tags = tags(of_tags);
    Ok(resource)
}
