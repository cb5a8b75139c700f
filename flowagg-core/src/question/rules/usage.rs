//! Tracks which rules were used by recorded traffic.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::addresses::Addresses;
use super::traffic::Reading;
use super::unused::{Known, UnusedRule, WhyUnused};
use super::{RecordedTraffic, RulePeer, SecurityGroups, contain};

/// The rules that the traffic seen so far used. Its size depends on the number of rules and network interfaces, not on the traffic.
#[derive(Clone, Debug)]
pub struct RuleUsage {
    found: SecurityGroups,
    /// The IDs of the rules of each group that have not been used.
    pending: BTreeMap<String, Vec<String>>,
    /// The network interfaces by their addresses.
    owners: Addresses<String>,
    /// The networks of VPCs.
    networks: Addresses<()>,
    /// The network interfaces with records.
    recorded: BTreeMap<String, Recorded>,
    /// VPCs with records of accepted traffic.
    accepting: BTreeSet<String>,
    /// Network interfaces with accepted traffic that were not found.
    gone: BTreeSet<String>,
    /// Whether records could not be read.
    is_incomplete: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Recorded {
    has_accepted: bool,
    is_skipped: bool,
    since: Option<i64>,
}

impl RuleUsage {
    /// The state before any traffic.
    pub fn new(found: SecurityGroups) -> Self {
        let mut pending: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, rule) in &found.rules {
            pending.entry(rule.group.clone()).or_default().push(id.clone());
        }
        let (mut owners, mut networks) = (Addresses::default(), Addresses::default());
        for (id, interface) in &found.interfaces {
            interface.addresses.iter().for_each(|address| owners.insert(*address, id.clone()));
        }
        found.networks.iter().for_each(|network| networks.insert(*network, ()));
        Self {
            found,
            pending,
            owners,
            networks,
            recorded: BTreeMap::new(),
            accepting: BTreeSet::new(),
            gone: BTreeSet::new(),
            is_incomplete: false,
        }
    }

    /// Adds traffic.
    pub fn see(&mut self, traffic: &RecordedTraffic) {
        let Some(interface) = self.found.interfaces.get(&traffic.interface) else {
            if traffic.is_accepted {
                self.gone.insert(traffic.interface.clone());
            }
            return;
        };
        let recorded = self.recorded.entry(traffic.interface.clone()).or_default();
        recorded.has_accepted |= traffic.is_accepted;
        recorded.is_skipped |= traffic.is_skipped;
        recorded.since = recorded.since.into_iter().chain(traffic.since).min();
        if !traffic.is_accepted {
            return;
        }
        if let Some(vpc) = &interface.vpc
            && !self.accepting.contains(vpc)
        {
            self.accepting.insert(vpc.clone());
        }
        let has_pending = |group: &&String| self.pending.get(*group).is_some_and(|rules| !rules.is_empty());
        let groups: Vec<&String> = interface.groups.iter().filter(has_pending).collect();
        if groups.is_empty() {
            return;
        }
        let readings = traffic.readings(|address| contain(&interface.addresses, address));
        let mut used = Vec::new();
        for group in groups {
            let rules = self.pending.get(group).into_iter().flatten();
            let is_used = |id: &&String| {
                readings
                    .iter()
                    .any(|reading| self.may_use(id, traffic.protocol, reading, interface.vpc.as_deref()))
            };
            used.extend(rules.filter(is_used).map(|rule| (group.clone(), rule.clone())));
        }
        for (group, rule) in used {
            if let Some(rules) = self.pending.get_mut(&group) {
                rules.retain(|it| *it != rule);
            }
        }
    }

    /// Whether a rule would have allowed this request at a network interface in this VPC.
    fn may_use(&self, rule: &str, protocol: Option<u8>, reading: &Reading, vpc: Option<&str>) -> bool {
        let Some(rule) = self.found.rules.get(rule) else { return false };
        if rule.direction != reading.direction || !rule.allows(protocol, reading.ports) {
            return false;
        }
        let mut peers = reading.peers.into_iter().flatten().peekable();
        // Without an address, it may have been any peer.
        peers.peek().is_none() || peers.any(|peer| self.may_be(&rule.peer, peer, vpc))
    }

    /// Whether an address belongs, or may have belonged, to this peer.
    fn may_be(&self, end: &RulePeer, address: IpAddr, vpc: Option<&str>) -> bool {
        match end {
            RulePeer::Network(network) => network.contains(address),
            RulePeer::PrefixList(_, Some(networks)) => contain(networks, address),
            RulePeer::PrefixList(_, None) | RulePeer::Unknown(_) => true,
            RulePeer::Group(group) => self.may_be_of(group, address, vpc),
        }
    }

    /// Whether an address belongs to a network interface of a group, or may have belonged to one that was deleted.
    fn may_be_of(&self, id: &str, address: IpAddr, vpc: Option<&str>) -> bool {
        let Some(group) = self.found.groups.get(id) else { return true };
        let mut is_other = false;
        for interface in self.owners.of(address).filter_map(|id| self.found.interfaces.get(id)) {
            if interface.groups.iter().any(|group| group == id) {
                return true;
            }
            // The same address in another VPC belongs to another network.
            is_other |=
                interface.vpc.is_some() && (interface.vpc.as_deref() == vpc || interface.vpc == group.vpc);
        }
        !is_other && self.networks.of(address).next().is_some()
    }

    /// Marks the records as incomplete, because some could not be read, which may concern any network interface.
    pub fn miss_records(&mut self) {
        self.is_incomplete = true;
    }

    /// The number of network interfaces with accepted traffic that no longer exist. The rules that they used are unknown.
    pub fn gone(&self) -> usize {
        self.gone.len()
    }

    /// The unused rules, sorted by account, region, group and rule.
    pub fn unused(&self) -> Vec<UnusedRule> {
        let mut unused: Vec<UnusedRule> = Vec::new();
        let mut members: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for (id, interface) in &self.found.interfaces {
            interface.groups.iter().for_each(|group| members.entry(group).or_default().push(id));
        }
        for (id, rules) in &self.pending {
            let Some(group) = self.found.groups.get(id) else { continue };
            let members = members.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            let known: Vec<Known> = members.iter().filter_map(|id| self.known(id)).collect();
            let since = members.iter().filter_map(|id| self.recorded.get(*id)?.since).min();
            for rule_id in rules {
                let Some(rule) = self.found.rules.get(rule_id) else { continue };
                unused.push(UnusedRule {
                    place: group.place.clone(),
                    group: id.clone(),
                    group_name: group.name.clone(),
                    id: rule_id.clone(),
                    rule: rule.clone(),
                    why: WhyUnused::of(&known),
                    interfaces: known.len(),
                    since,
                });
            }
        }
        unused.sort_by(UnusedRule::order);
        unused
    }

    /// How completely a network interface is recorded; `None` if it is detached and has no traffic.
    fn known(&self, id: &str) -> Option<Known> {
        let interface = self.found.interfaces.get(id)?;
        let is_accepting = interface.vpc.as_ref().is_some_and(|vpc| self.accepting.contains(vpc));
        match self.recorded.get(id) {
            None => interface.is_in_use.then_some(Known::Nothing),
            // Without accepted traffic its flow log may record only rejected traffic, unless others in the VPC have some.
            Some(recorded)
                if self.is_incomplete || recorded.is_skipped || !recorded.has_accepted && !is_accepting =>
            {
                Some(Known::Partly)
            }
            Some(_) => Some(Known::Whole),
        }
    }
}
