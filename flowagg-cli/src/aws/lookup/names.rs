use std::collections::BTreeSet;
use std::net::IpAddr;
use std::pin::pin;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, NetworkInterface, NetworkInterfaceType, Tag};
use flowagg_core::failure::Failure;
use flowagg_core::id::{AccountId, Place};
use flowagg_core::lookup::{Found, InterfaceFacts, Part, Wanted};
use futures::StreamExt;

use super::{ITEMS_OF_A_PAGE, VALUES_OF_A_FILTER, of_lookup};
use crate::Progress;
use crate::aws::Accounts;
use crate::aws::call::{
    DESCRIBE_INSTANCES, DESCRIBE_INTERFACES, DESCRIBE_NAT_GATEWAYS, DESCRIBE_SUBNETS, DESCRIBE_VPCS,
};
use crate::aws::complete::{Incomplete, each_page};
use crate::aws::failure::At;
use crate::aws::tasks::spread;

/// Looks up `wanted` in these account-regions. Failed lookups are returned alongside the names that were found.
pub(crate) async fn names(
    accounts: &Accounts,
    places: BTreeSet<Place>,
    wanted: &Wanted,
    progress: &dyn Progress,
) -> (Found, Vec<Failure>) {
    let parts = places.into_iter().map(|place| (wanted.at(&place), place));
    let looking = parts.filter(|(part, _)| !part.is_empty()).filter_map(|(part, place)| {
        let account = accounts.member(place.account)?.ok()?.clone();
        Some(async move {
            let looked = look(&account.ec2(&place.region), &At::new(place.clone()), part).await;
            (place, looked)
        })
    });
    let looking: Vec<_> = looking.collect();
    let total = looking.len();
    let mut looking = pin!(spread(looking));
    let (mut found, mut failures, mut done) = (Found::default(), Vec::new(), 0);
    while let Some((place, (of_place, failed))) = looking.next().await {
        done += 1;
        progress.step("names", done, total, &place.to_string());
        found.extend(of_place);
        failures.extend(failed);
    }
    failures.sort();
    (found, failures)
}

/// Looks up names in one account-region. A failed call does not stop the others.
async fn look(ec2: &Client, at: &At, part: Part) -> (Found, Vec<Failure>) {
    let mut found = Found::default();
    let mut failures = Vec::new();
    for (filter, values) in interface_filters(&part) {
        // A call that fails would also fail with the next filter.
        if let Err(failure) = interfaces(ec2, at, filter, &values, &mut found).await {
            failures.push(of_lookup(DESCRIBE_INTERFACES, failure));
            break;
        }
    }
    let failed = |call| move |failure: Failure| of_lookup(call, failure);
    let mut instance_ids = part.instances;
    instance_ids.extend(found.instances().map(str::to_owned));
    failures
        .extend(instances(ec2, at, &instance_ids, &mut found).await.err().map(failed(DESCRIBE_INSTANCES)));
    failures.extend(vpcs(ec2, at, &part.vpcs, &mut found).await.err().map(failed(DESCRIBE_VPCS)));
    failures.extend(subnets(ec2, at, &part.subnets, &mut found).await.err().map(failed(DESCRIBE_SUBNETS)));
    failures
        .extend(gateways(ec2, at, &part.gateways, &mut found).await.err().map(failed(DESCRIBE_NAT_GATEWAYS)));
    (found, failures)
}

/// The filters for network interfaces with these IDs and addresses. Unlike ID parameters, filters accept IDs that do not exist.
///
/// Source: "DescribeNetworkInterfaces", Filter.N (Amazon EC2 API Reference).
fn interface_filters(part: &Part) -> Vec<(&'static str, BTreeSet<String>)> {
    let addresses = |is: fn(&IpAddr) -> bool| -> BTreeSet<String> {
        part.addresses.iter().filter(|address| is(address)).map(ToString::to_string).collect()
    };
    let filters = [
        ("network-interface-id", part.interfaces.clone()),
        ("addresses.private-ip-address", addresses(IpAddr::is_ipv4)),
        ("addresses.association.public-ip", addresses(is_public)),
        ("ipv6-addresses.ipv6-address", addresses(IpAddr::is_ipv6)),
    ];
    filters.into_iter().filter(|(_, values)| !values.is_empty()).collect()
}

/// Whether it may be a public IPv4 address.
fn is_public(address: &IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if !address.is_private() && !address.is_link_local() && !address.is_loopback())
}

/// Filters with up to [`VALUES_OF_A_FILTER`] values each.
fn filters<'a>(name: &'a str, values: &'a BTreeSet<String>) -> impl Iterator<Item = Filter> + 'a {
    let values: Vec<String> = values.iter().cloned().collect();
    let chunks: Vec<Vec<String>> = values.chunks(VALUES_OF_A_FILTER).map(<[String]>::to_vec).collect();
    chunks.into_iter().map(move |values| Filter::builder().name(name).set_values(Some(values)).build())
}

async fn interfaces(
    ec2: &Client,
    at: &At,
    filter: &str,
    values: &BTreeSet<String>,
    found: &mut Found,
) -> Result<(), Failure> {
    for filter in filters(filter, values) {
        let request = ec2.describe_network_interfaces().filters(filter).max_results(ITEMS_OF_A_PAGE);
        each_page!(request, network_interfaces, at, DESCRIBE_INTERFACES, |interface| {
            id(interface.network_interface_id()).map(|id| {
                let by_owner = is_own(interface.owner_id(), at.place.account);
                found.add_interface(id, facts(interface), by_owner);
            })
        });
    }
    Ok(())
}

fn facts(interface: &NetworkInterface) -> InterfaceFacts {
    let mut facts = InterfaceFacts::default();
    facts.name = name(interface.tag_set());
    facts.instance = interface.attachment().and_then(|it| it.instance_id()).map(str::to_owned);
    facts.description = interface.description().map(str::to_owned);
    let kind = interface.interface_type().filter(|kind| **kind != NetworkInterfaceType::Interface);
    facts.kind = kind.map(|kind| kind.as_str().to_owned());
    let addresses = interface.private_ip_addresses().iter();
    let public = |public: Option<&aws_sdk_ec2::types::NetworkInterfaceAssociation>| {
        public.and_then(|association| association.public_ip()).map(str::to_owned)
    };
    let texts = addresses
        .flat_map(|address| [address.private_ip_address().map(str::to_owned), public(address.association())])
        .chain([interface.private_ip_address().map(str::to_owned), public(interface.association())])
        .chain(interface.ipv6_addresses().iter().map(|address| address.ipv6_address().map(str::to_owned)));
    facts.addresses = texts.flatten().filter_map(|text| text.parse().ok()).collect();
    facts
}

async fn instances(ec2: &Client, at: &At, ids: &BTreeSet<String>, found: &mut Found) -> Result<(), Failure> {
    for filter in filters("instance-id", ids) {
        let request = ec2.describe_instances().filters(filter).max_results(ITEMS_OF_A_PAGE);
        each_page!(request, reservations, at, DESCRIBE_INSTANCES, |reservation| {
            reservation.instances().iter().try_for_each(|instance| {
                id(instance.instance_id()).map(|id| found.add(id, name(instance.tags()), true))
            })
        });
    }
    Ok(())
}

async fn vpcs(ec2: &Client, at: &At, ids: &BTreeSet<String>, found: &mut Found) -> Result<(), Failure> {
    for filter in filters("vpc-id", ids) {
        let request = ec2.describe_vpcs().filters(filter).max_results(ITEMS_OF_A_PAGE);
        each_page!(request, vpcs, at, DESCRIBE_VPCS, |vpc| id(vpc.vpc_id()).map(|id| {
            found.add(id, name(vpc.tags()), is_own(vpc.owner_id(), at.place.account));
        }));
    }
    Ok(())
}

async fn subnets(ec2: &Client, at: &At, ids: &BTreeSet<String>, found: &mut Found) -> Result<(), Failure> {
    for filter in filters("subnet-id", ids) {
        let request = ec2.describe_subnets().filters(filter).max_results(ITEMS_OF_A_PAGE);
        each_page!(request, subnets, at, DESCRIBE_SUBNETS, |subnet| id(subnet.subnet_id()).map(|id| {
            found.add(id, name(subnet.tags()), is_own(subnet.owner_id(), at.place.account));
        }));
    }
    Ok(())
}

async fn gateways(ec2: &Client, at: &At, ids: &BTreeSet<String>, found: &mut Found) -> Result<(), Failure> {
    for filter in filters("nat-gateway-id", ids) {
        let request = ec2.describe_nat_gateways().filter(filter).max_results(ITEMS_OF_A_PAGE);
        each_page!(request, nat_gateways, at, DESCRIBE_NAT_GATEWAYS, |gateway| {
            id(gateway.nat_gateway_id()).map(|id| found.add(id, name(gateway.tags()), true))
        });
    }
    Ok(())
}

fn id(id: Option<&str>) -> Result<&str, Incomplete> {
    id.ok_or(Incomplete::Missing("the ID of a resource"))
}

fn name(tags: &[Tag]) -> Option<String> {
    tags.iter().find(|tag| tag.key() == Some("Name"))?.value().map(str::to_owned)
}

/// Whether the account owns the resource. True if no owner is returned.
fn is_own(owner: Option<&str>, account: AccountId) -> bool {
    owner.is_none_or(|owner| owner == account.to_string())
}

#[cfg(test)]
mod tests;
