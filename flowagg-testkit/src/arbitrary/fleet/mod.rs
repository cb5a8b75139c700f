//! Fleets: every value that a fleet file can express, with a file that expresses it.

mod file;
mod parts;

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Fleet, FleetError, FleetFile, FoundAccount, GrantForm, Member, Regions};
use flowagg_core::id::{AccountId, Partition, Region};
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;

use self::parts::{Chosen, Fate};
use super::hand::hand;
use super::{grant::settings, id};

/// A fleet, and a fleet file for it as a person would write it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WrittenFleet {
    /// The fleet, including everything that is looked up.
    pub fleet: Fleet,
    /// The text of its `flowagg.toml`: tables in any order, defaults written or omitted, lists on one line or several.
    pub text: String,
    /// The accounts that AWS Organizations would list, if the file looks accounts up.
    pub found: Vec<FoundAccount>,
    /// The regions that each account would have enabled, if the file sets `["all"]`.
    pub enabled: BTreeMap<AccountId, BTreeSet<Region>>,
}

impl WrittenFleet {
    /// Parses the text and adds the values that would be looked up. The result equals `fleet`.
    pub fn read(&self) -> Result<Fleet, FleetError> {
        let mut resolution = FleetFile::parse(&self.text)?.resolve();
        for found in &self.found {
            resolution.find(found.clone());
        }
        for (account, regions) in &self.enabled {
            resolution.enable(*account, regions.clone());
        }
        Ok(resolution.finish())
    }

    /// Whether the file names every account and region itself, so that [`Fleet::parse`] accepts it.
    pub fn is_named(&self) -> bool {
        let of_members = |member: &Member| matches!(member.regions, Regions::All { .. });
        let discovers = self.fleet.organization.as_ref().is_some_and(|it| it.discovery.is_some());
        !discovers && !self.fleet.members.values().any(of_members)
    }
}

/// A fleet of up to eight accounts in this partition, with its file. Accounts are named individually, found in an
/// organization or in some of its units, or skipped for any of the reasons. Every kind of resource and every setting
/// occurs.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_policy::Grant;
/// use flowagg_testkit::arbitrary::fleet;
/// use proptest::prelude::*;
///
/// proptest!(ProptestConfig::with_cases(64), |(file in fleet(Partition::Aws))| {
///     prop_assert_eq!(&file.read().unwrap(), &file.fleet);
///     prop_assert_eq!(Grant::from(&file.fleet).bucket, file.fleet.hub.bucket);
/// });
/// ```
pub fn fleet(partition: Partition) -> impl Strategy<Value = WrittenFleet> {
    let members = btree_map(id::account(), parts::member(partition), 1..5);
    let found = btree_map(id::account(), parts::fate(), 0..5);
    let found = option::weighted(0.7, (found, any::<bool>()));
    let organization = option::weighted(0.7, (parts::organization(partition), found));
    let of_fleet = (
        option::weighted(0.3, id::fleet_name()),
        option::weighted(0.2, id::role()),
        option::weighted(0.2, id::external_id()),
    );
    (of_fleet, parts::hub(partition), members, parts::flow_log_spec(), settings(), organization, hand())
        .prop_map(
            |(
                (declared_name, read_role, external_id),
                hub,
                mut members,
                flow_logs,
                mut policy,
                organization,
                mut hand,
            )| {
                use GrantForm::{Auto, BoundOrganization, Organization};
                if organization.is_none() && matches!(policy.form, Organization | BoundOrganization) {
                    policy.form = Auto;
                }
                let discovers = matches!(organization, Some((_, Some(_))));
                let (organization, found) = match organization {
                    Some((organization, Some((found, alone)))) => {
                        if alone {
                            members.clear();
                        }
                        (Some(organization), found)
                    }
                    Some((mut organization, None)) => {
                        organization.discovery = None;
                        (Some(organization), BTreeMap::new())
                    }
                    None => (None, BTreeMap::new()),
                };
                let mut fleet = Fleet::new(hub);
                fleet.declared_name = declared_name;
                fleet.read_role = read_role;
                fleet.external_id = external_id;
                fleet.flow_logs = flow_logs;
                fleet.policy = policy;
                fleet.organization = organization;
                let mut enabled = BTreeMap::new();
                let mut listed = Vec::new();
                for (account, Chosen { name, regions, role, resources, in_organization }) in members {
                    let in_organization = in_organization && discovers;
                    let mut member = Member::new(account, regions, role, resources);
                    member.name = name;
                    member.in_organization = in_organization;
                    member.in_units = in_organization;
                    listed.extend(in_organization.then(|| found_account(account, true)));
                    fleet.members.insert(account, member);
                }
                // An account that the file names is not also a discovered one.
                let found =
                    found.into_iter().filter(|(account, _)| !fleet.members.contains_key(account)).collect();
                let mut named = fleet.clone();
                listed.extend(settle(&mut fleet, found));
                named.organization = fleet.organization.clone();
                for member in fleet.members.values_mut() {
                    if let Regions::All { enabled: looked_up } = &mut member.regions {
                        let regions = BTreeSet::from([fleet.hub.region.clone()]);
                        *looked_up = Some(regions.clone());
                        enabled.insert(member.account, regions);
                    }
                }
                let text = file::text(&named, &mut hand);
                WrittenFleet { fleet, text, found: listed, enabled }
            },
        )
}

fn found_account(id: AccountId, in_units: bool) -> FoundAccount {
    let mut found = FoundAccount::new(id, "ACTIVE");
    found.in_units = in_units;
    found
}

/// Applies the fates of the organization's accounts, and returns the accounts that Organizations would list.
fn settle(fleet: &mut Fleet, fates: BTreeMap<AccountId, Fate>) -> Vec<FoundAccount> {
    let Some(organization) = &mut fleet.organization else { return Vec::new() };
    let Some(discovery) = &mut organization.discovery else { return Vec::new() };
    let of =
        |wanted: Fate| fates.iter().filter(move |(_, fate)| **fate == wanted).map(|(account, _)| *account);
    discovery.accounts = of(Fate::Named).collect();
    discovery.except_accounts = of(Fate::Excepted).collect();
    // Without units, an account list selects only its own accounts; without either, the whole organization is selected.
    let everyone = organization.units.is_empty() && discovery.accounts.is_empty();
    let mut listed = Vec::new();
    for (account, fate) in fates {
        let in_units = !matches!(fate, Fate::Outside | Fate::Named) || organization.units.is_empty();
        let mut found = found_account(account, in_units);
        let chosen = fate == Fate::Named || in_units && (everyone || !organization.units.is_empty());
        if fate == Fate::Suspended {
            found.state = "SUSPENDED".to_owned();
        }
        let reason = match fate {
            Fate::Excepted => Some("excluded by the fleet file"),
            _ if !chosen => Some("not in a unit that the fleet file selects"),
            Fate::Suspended => Some("SUSPENDED"),
            _ => None,
        };
        match reason {
            Some(reason) => {
                fleet.left_out.insert(account, reason.to_owned());
            }
            None => {
                let mut member = Member::new(
                    account,
                    discovery.regions.clone(),
                    discovery.role.clone(),
                    discovery.resources.clone(),
                );
                member.in_organization = true;
                member.in_units = in_units;
                fleet.members.insert(account, member);
            }
        }
        listed.push(found);
    }
    listed
}
