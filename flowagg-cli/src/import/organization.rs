use std::collections::BTreeMap;

use flowagg_core::fleet::{Member, Organization, Part};
use flowagg_core::id::AccountId;
use flowagg_policy::Grant;

use super::{Remarks, flow_logs};
use crate::found::{FoundFleet, View};

/// The organization that was looked up, with the most common settings of its accounts, or else the organization in the policy. Members
/// that match the organization's settings are removed from `named`.
pub(super) fn read(
    found: &FoundFleet,
    grant: Option<&Grant>,
    named: &mut BTreeMap<AccountId, Member>,
    remarks: &mut Remarks,
) -> Option<Organization> {
    let granted = grant.and_then(|grant| grant.organization.as_ref()).map(|granted| {
        let mut organization = Organization::new(granted.id.clone());
        organization.units = granted.units.clone();
        organization
    });
    let Some(mut organization) = found.organization.clone() else {
        if let Some(organization) = &granted {
            let text = format!(
                "the policy allows all of {}, but only accounts that were found are listed; `--organization {}` looks up all of them",
                organization.id, organization.id
            );
            remarks.add(Part::Organization, text);
        }
        return granted;
    };
    let how = organization.discovery.as_mut()?;
    let within = |account: &AccountId| found.members.get(account).filter(|member| member.in_organization);
    let seen = named.iter().filter(|(account, _)| {
        within(account).is_some_and(|member| !matches!(member.view, View::Nothing(_)))
    });
    let most = flow_logs::most(flow_logs::votes(
        seen.map(|(_, member)| (member.regions.clone(), member.resources.clone())),
    ));
    if let Some((regions, resources)) = most {
        (how.regions, how.resources) = (regions, resources);
    }
    for (account, member) in found.members.iter().filter(|(_, member)| member.in_organization) {
        let Some(own) = named.get(account) else {
            how.except_accounts.insert(*account);
            continue;
        };
        if let View::Nothing(why) = &member.view {
            remarks.0.retain(|remark| remark.about != Part::Member(*account));
            remarks.add(Part::Organization, format!("{account} could not be read: {why}"));
            named.remove(account);
        } else if (&own.regions, &own.resources) == (&how.regions, &how.resources) {
            for remark in remarks.0.iter_mut().filter(|remark| remark.about == Part::Member(*account)) {
                (remark.about, remark.text) = (Part::Organization, format!("{account}: {}", remark.text));
            }
            named.remove(account);
        }
    }
    Some(organization)
}
