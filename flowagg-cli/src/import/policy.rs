//! The grants of the bucket policy, and the settings that keep the policy unchanged.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Fleet, GrantForm, Member, Part, PolicySettings};
use flowagg_core::flow_log::{Destination, FlowLogSpec};
use flowagg_core::id::{AccountId, FleetName, Prefix};
use flowagg_core::observed::FlowLog;
use flowagg_policy::{Grant, Unnamed, granted_by, granted_by_anyone, merge, remove};

use super::statements::{self, is_of_delivery, writes};
use super::{Remarks, folder};
use crate::found::{Folder, FoundFleet, FoundHub};

/// The grant of the policy for this folder: from the fleet's own statements, or else from statements of the documented form. The naming of
/// the account folders is read from the policy, or else from the flow logs.
pub(super) fn grant(
    hub: &FoundHub,
    prefix: Option<&Prefix>,
    name: &FleetName,
    logs: &[&FlowLog],
    spec: &mut FlowLogSpec,
) -> Option<Grant> {
    let policy = hub.policy.as_deref()?;
    let named = folder::granted(hub).get(&Folder::from(prefix.cloned())).copied();
    let hive = named.flatten().unwrap_or(spec.files.hive_compatible_partitions);
    if logs.is_empty() {
        spec.files.hive_compatible_partitions = hive;
    }
    let target = target(hub, prefix, name, hive);
    let own = granted_by(policy, &target).ok().flatten();
    own.or_else(|| granted_by_anyone(policy, &target).ok().flatten())
}

fn target(hub: &FoundHub, prefix: Option<&Prefix>, name: &FleetName, hive: bool) -> Grant {
    let mut grant = Grant::new(name.clone(), hub.region.partition(), hub.bucket.clone());
    grant.prefix = prefix.cloned();
    grant.hive = hive;
    grant
}

/// The accounts in a grant, and those that other statements allow to deliver to this folder.
pub(super) fn granted(hub: &FoundHub, folder: &Folder, grant: Option<&Grant>) -> BTreeSet<AccountId> {
    let mut accounts = grant.map(|grant| grant.accounts.clone()).unwrap_or_default();
    let writes = writes(hub).into_iter().filter(|write| write.covers(folder));
    accounts.extend(writes.flat_map(|write| write.accounts));
    accounts
}

/// The settings that keep the policy unchanged, with form `auto` if that results in the live policy.
pub(super) fn settings(
    found: &FoundFleet,
    fleet: &Fleet,
    grant: Option<&Grant>,
    remarks: &mut Remarks,
) -> PolicySettings {
    let read = grant.map(|grant| grant.settings.clone()).unwrap_or_default();
    let live = found.hub.policy.as_deref();
    let granting = |settings: &PolicySettings| {
        let mut fleet = looked_up(found, fleet);
        fleet.policy = settings.clone();
        Grant::from(&fleet)
    };
    let merged = |settings: &PolicySettings| merge(live, &granting(settings), Unnamed::Keep);
    // Form `auto` keeps the live form. Without the fleet's statements, it must result in the same form.
    let settles = |settings: &PolicySettings| {
        let grant = granting(settings);
        let others = live.and_then(|live| remove(live, &grant).ok().flatten());
        let new = merge(others.as_deref(), &grant, Unnamed::Keep);
        merged(settings).is_ok_and(|kept| !kept.changed && new.is_ok_and(|new| new.form == kept.form))
    };
    let mut auto = read.clone();
    auto.form = GrantForm::Auto;
    let is_own = live.is_some_and(|live| matches!(granted_by(live, &Grant::from(fleet)), Ok(Some(_))));
    let settings = if settles(&auto) || !is_own { auto } else { read };
    match merged(&settings) {
        Ok(merged) if !merged.changed => {}
        Ok(merged) => {
            let names = |accounts: &BTreeSet<AccountId>| {
                accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            let edits = [("adds", &merged.granted, "to"), ("removes", &merged.revoked, "from")];
            let edits = edits.into_iter().filter(|(_, accounts, _)| !accounts.is_empty());
            let mut what: Vec<String> = edits
                .map(|(verb, accounts, side)| format!("{verb} {} {side} the grant", names(accounts)))
                .collect();
            what.extend(merged.notes);
            let what = if what.is_empty() {
                "it rewrites the same grant in flowagg's form".to_owned()
            } else {
                what.join("; ")
            };
            remarks.add(Part::Policy, format!("`apply` changes the bucket policy: {what}"));
        }
        Err(error) => {
            remarks.add(Part::Policy, format!("the policy cannot be built: {error}; {}", error.help()))
        }
    }
    unread(found, &fleet.destination(), fleet, remarks);
    settings
}

/// The fleet with the accounts of the organization, as after a lookup.
fn looked_up(found: &FoundFleet, fleet: &Fleet) -> Fleet {
    let mut fleet = fleet.clone();
    let Some(how) = fleet.organization.as_ref().and_then(|it| it.discovery.clone()) else { return fleet };
    // Only a lookup of the whole organization is imported.
    let in_units = fleet.organization.as_ref().is_some_and(|it| it.units.is_empty());
    for (&account, _) in found.members.iter().filter(|(_, member)| member.in_organization) {
        if let Some(member) = fleet.members.get_mut(&account) {
            (member.in_organization, member.in_units) = (true, in_units);
        } else if how.except_accounts.contains(&account) {
            fleet.left_out.insert(account, String::new());
        } else {
            let (regions, role, resources) = (how.regions.clone(), how.role.clone(), how.resources.clone());
            let mut member = Member::new(account, regions, role, resources);
            member.in_organization = true;
            member.in_units = in_units;
            fleet.members.insert(account, member);
        }
    }
    fleet
}

/// Reports foreign statements and values that were not used.
fn unread(found: &FoundFleet, to: &Destination, fleet: &Fleet, remarks: &mut Remarks) {
    let Some(policy) = found.hub.policy.as_deref() else { return };
    let hive = Grant::from(fleet).hive;
    let rest = match remove(policy, &target(&found.hub, to.prefix.as_ref(), &fleet.name(), hive)) {
        Ok(rest) => rest.unwrap_or_default(),
        Err(error) => {
            remarks.add(Part::Policy, format!("{error}; {}", error.help()));
            return;
        }
    };
    for (index, statement) in statements::all(&rest).iter().enumerate().filter(|(_, it)| is_of_delivery(it)) {
        let name = statements::name(index, statement);
        let text = format!("statement {name} is about log delivery but is foreign: it is kept unchanged");
        remarks.add(Part::Policy, text);
    }
    let others = statements::all(&rest);
    let others = others.iter().enumerate().filter(|(_, it)| !is_of_delivery(it));
    let others: Vec<String> = others.map(|(index, it)| statements::name(index, it)).collect();
    if !others.is_empty() {
        let text = format!("other statements are kept unchanged: {}", others.join(", "));
        remarks.add(Part::Policy, text);
    }
    for write in writes(&found.hub) {
        for why in write.unused {
            remarks.add(Part::Policy, format!("statement {} is only partly imported: {why}", write.name));
        }
    }
}
