//! Security groups and their rules in all account-regions, and the data that determines whether a rule was used: network interfaces,
//! prefix lists and VPC networks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::pin::pin;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, NetworkInterfaceStatus};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, FleetFile, Only};
use flowagg_core::id::Place;
use flowagg_core::question::{
    Direction, GroupInterface, Network, RulePeer, RuleProtocol, SecurityGroup, SecurityGroupRule,
    SecurityGroups,
};
use futures::StreamExt;
use futures::future::join_all;

use super::each::each_item;
use super::survey::{Survey, survey};
use crate::Progress;
use crate::aws::call::{
    DESCRIBE_INTERFACES, DESCRIBE_SECURITY_GROUP_RULES, DESCRIBE_SECURITY_GROUPS, DESCRIBE_VPCS,
    GET_PREFIX_LIST_ENTRIES,
};
use crate::aws::complete::Incomplete;
use crate::aws::failure::At;
use crate::aws::tasks::spread;
use crate::aws::{Accounts, Session};

/// The maximum number of items on a page.
///
/// Source: `DescribeSecurityGroups`, `DescribeSecurityGroupRules`, `DescribeNetworkInterfaces` (Amazon EC2 API Reference).
const MOST_IN_A_PAGE: i32 = 1_000;

/// A fleet with the security groups of its account-regions.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct SecurityGroupSurvey {
    /// The fleet, with the accounts and regions that were looked up.
    pub fleet: Fleet,
    pub accounts: Accounts,
    /// The security groups that could be read.
    pub found: SecurityGroups,
    /// Account-regions and prefix lists that could not be read. An unread prefix list may contain any address.
    pub failures: Vec<Failure>,
}

/// Reads the security groups of all account-regions concurrently. With `only`, other members are not entered.
///
/// Fails if the accounts of an organization cannot be listed.
pub async fn security_groups(
    file: FleetFile,
    session: &Session,
    only: &[Only],
    progress: &dyn Progress,
) -> Result<SecurityGroupSurvey, Failure> {
    let Survey { fleet, accounts, regions } = survey(file, session, only, progress).await?;
    let (mut found, mut failures, mut reachable) = (SecurityGroups::default(), Vec::new(), Vec::new());
    for (place, state) in regions {
        match (state, accounts.member(place.account)) {
            (Err(failure), _) => failures.push(failure),
            (Ok(_), Some(Err(failure))) => failures.push(failure.clone()),
            (Ok(_), Some(Ok(account))) => reachable.push((account.ec2(&place.region), place)),
            (Ok(_), None) => {}
        }
    }
    let total = reachable.len();
    let reading = reachable.into_iter().map(|(ec2, place)| async move {
        let read = of_client(&ec2, &place).await;
        (place, read)
    });
    let mut reading = pin!(spread(reading));
    let mut done = 0;
    while let Some((place, read)) = reading.next().await {
        done += 1;
        progress.step("reading", done, total, &place.to_string());
        match read {
            Ok((groups, unread)) => {
                found.extend(groups);
                failures.extend(unread);
            }
            Err(failure) => failures.push(failure),
        }
    }
    failures.sort();
    Ok(SecurityGroupSurvey { fleet, accounts, found, failures })
}

/// The security groups of an account-region, and failures for prefix lists that could not be read.
async fn of_client(ec2: &Client, place: &Place) -> Result<(SecurityGroups, Vec<Failure>), Failure> {
    let at = At::new(place.clone());
    let (groups, rules, interfaces, networks) =
        futures::try_join!(groups(ec2, &at), rules(ec2, &at), interfaces(ec2, &at), networks(ec2, &at))?;
    let mut found = SecurityGroups::default();
    (found.groups, found.rules, found.interfaces, found.networks) = (groups, rules, interfaces, networks);
    let lists: BTreeSet<String> = found.rules.values().filter_map(prefix_list).map(str::to_owned).collect();
    let reading = lists.into_iter().map(|id| async {
        let networks = prefixes(ec2, &id, &at.about(&id)).await;
        (id, networks)
    });
    let (mut read, mut failures) = (BTreeMap::new(), Vec::new());
    for (id, networks) in join_all(reading).await {
        match networks {
            Ok(networks) => drop(read.insert(id, networks)),
            Err(failure) => failures.push(failure),
        }
    }
    for rule in found.rules.values_mut() {
        if let RulePeer::PrefixList(id, networks) = &mut rule.peer {
            *networks = read.get(id).cloned();
        }
    }
    Ok((found, failures))
}

fn prefix_list(rule: &SecurityGroupRule) -> Option<&str> {
    match &rule.peer {
        RulePeer::PrefixList(id, _) => Some(id),
        RulePeer::Network(_) | RulePeer::Group(_) | RulePeer::Unknown(_) => None,
    }
}

/// The groups that the account owns. Shared groups are read in the account that owns them.
async fn groups(ec2: &Client, at: &At) -> Result<BTreeMap<String, SecurityGroup>, Failure> {
    let request = ec2.describe_security_groups().max_results(MOST_IN_A_PAGE);
    let mut found = BTreeMap::new();
    each_item!(request, security_groups, at, DESCRIBE_SECURITY_GROUPS, |group: &types::SecurityGroup| {
        if is_own(group.owner_id(), at) {
            let id = group.group_id().ok_or(Incomplete::Missing("the ID of a security group"))?;
            let mut own = SecurityGroup::new(at.place.clone(), group.group_name().unwrap_or_default());
            own.vpc = group.vpc_id().map(str::to_owned);
            found.insert(id.to_owned(), own);
        }
        Ok(())
    });
    Ok(found)
}

fn is_own(owner: Option<&str>, at: &At) -> bool {
    owner.is_none_or(|owner| owner == at.place.account.to_string())
}

async fn rules(ec2: &Client, at: &At) -> Result<BTreeMap<String, SecurityGroupRule>, Failure> {
    let request = ec2.describe_security_group_rules().max_results(MOST_IN_A_PAGE);
    let mut found = BTreeMap::new();
    let call = DESCRIBE_SECURITY_GROUP_RULES;
    each_item!(request, security_group_rules, at, call, |rule: &types::SecurityGroupRule| {
        if is_own(rule.group_owner_id(), at) {
            let id = rule.security_group_rule_id().ok_or(Incomplete::Missing("the ID of a rule"))?;
            found.insert(id.to_owned(), read_rule(rule)?);
        }
        Ok(())
    });
    Ok(found)
}

fn read_rule(rule: &types::SecurityGroupRule) -> Result<SecurityGroupRule, Incomplete> {
    let group = rule.group_id().ok_or(Incomplete::Missing("the security group of a rule"))?;
    let direction = match rule.is_egress().ok_or(Incomplete::Missing("the direction of a rule"))? {
        true => Direction::Egress,
        false => Direction::Ingress,
    };
    let protocol = rule.ip_protocol().ok_or(Incomplete::Missing("the protocol of a rule"))?;
    let referenced = rule.referenced_group_info().and_then(|group| group.group_id());
    let peer = match (rule.cidr_ipv4().or(rule.cidr_ipv6()), rule.prefix_list_id(), referenced) {
        (Some(network), ..) => {
            network.parse().map_or_else(|_| RulePeer::Unknown(network.to_owned()), RulePeer::Network)
        }
        (_, Some(list), _) => RulePeer::PrefixList(list.to_owned(), None),
        (_, _, Some(group)) => RulePeer::Group(group.to_owned()),
        _ => RulePeer::Unknown("-".to_owned()),
    };
    let mut read = SecurityGroupRule::new(group, direction, peer);
    read.protocol = RuleProtocol::parse(protocol);
    read.ports = [rule.from_port(), rule.to_port()];
    read.description = rule.description().filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(read)
}

/// The network interfaces that are visible to the account, including those that AWS manages.
async fn interfaces(ec2: &Client, at: &At) -> Result<BTreeMap<String, GroupInterface>, Failure> {
    let request =
        ec2.describe_network_interfaces().max_results(MOST_IN_A_PAGE).include_managed_resources(true);
    let mut found = BTreeMap::new();
    each_item!(request, network_interfaces, at, DESCRIBE_INTERFACES, |of: &types::NetworkInterface| {
        let id = of.network_interface_id().ok_or(Incomplete::Missing("the ID of a network interface"))?;
        let mut interface = GroupInterface::default();
        interface.groups =
            of.groups().iter().filter_map(|group| group.group_id()).map(str::to_owned).collect();
        interface.vpc = of.vpc_id().map(str::to_owned);
        interface.addresses = addresses(of);
        // An interface that is being attached or detached may have traffic.
        interface.is_in_use = of.status().is_none_or(|status| *status != NetworkInterfaceStatus::Available);
        found.insert(id.to_owned(), interface);
        Ok(())
    });
    Ok(found)
}

fn addresses(of: &types::NetworkInterface) -> Vec<Network> {
    let private = of.private_ip_addresses().iter().filter_map(|it| it.private_ip_address());
    let v6 = of.ipv6_addresses().iter().filter_map(|it| it.ipv6_address());
    let alone = of.private_ip_address().into_iter().chain(private).chain(v6);
    let alone = alone.filter_map(|text| text.parse::<IpAddr>().ok()).map(Network::from);
    let prefixes = of.ipv4_prefixes().iter().filter_map(|it| it.ipv4_prefix());
    let prefixes = prefixes.chain(of.ipv6_prefixes().iter().filter_map(|it| it.ipv6_prefix()));
    let all: BTreeSet<Network> = alone.chain(prefixes.filter_map(|text| text.parse().ok())).collect();
    all.into_iter().collect()
}

/// The networks of all VPCs that are visible to the account.
async fn networks(ec2: &Client, at: &At) -> Result<Vec<Network>, Failure> {
    let request = ec2.describe_vpcs().max_results(MOST_IN_A_PAGE);
    let mut found = BTreeSet::new();
    each_item!(request, vpcs, at, DESCRIBE_VPCS, |vpc: &types::Vpc| {
        let more = vpc.cidr_block_association_set().iter().filter_map(|it| it.cidr_block());
        let v6 = vpc.ipv6_cidr_block_association_set().iter().filter_map(|it| it.ipv6_cidr_block());
        let all = vpc.cidr_block().into_iter().chain(more).chain(v6);
        found.extend(all.filter_map(|text| text.parse::<Network>().ok()));
        Ok(())
    });
    Ok(found.into_iter().collect())
}

/// The networks of a prefix list. Fails if an entry cannot be parsed, because the list would be incomplete.
async fn prefixes(ec2: &Client, id: &str, at: &At) -> Result<Vec<Network>, Failure> {
    let request = ec2.get_managed_prefix_list_entries().prefix_list_id(id);
    let mut found = Vec::new();
    each_item!(request, entries, at, GET_PREFIX_LIST_ENTRIES, |entry: &types::PrefixListEntry| {
        let network = entry.cidr().and_then(|text| text.parse().ok());
        found.push(network.ok_or(Incomplete::Missing("the network of an entry"))?);
        Ok(())
    });
    Ok(found)
}

#[cfg(test)]
mod tests;
