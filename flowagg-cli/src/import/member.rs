//! The logged resources of each account.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Choice, Filter, Member, Part, Regions, Selection};
use flowagg_core::flow_log::{Destination, FlowLogSpec, LogDestination};
use flowagg_core::id::{AccountId, FleetName, Region, ResourceId, ResourceKind};
use flowagg_core::layout;
use flowagg_core::observed::{FlowLog, RegionState, Resource};
use flowagg_policy::Grant;

use super::{Remarks, flow_logs};
use crate::found::{Folder, FoundFleet, FoundMember, View};

/// The members: accounts with flow logs to the bucket, with a grant (`granted`), or that could not be read. Other accounts are reported.
pub(super) fn read(
    found: &FoundFleet,
    granted: &BTreeSet<AccountId>,
    grant: Option<&Grant>,
    destination: &Destination,
    (spec, fleet): (&FlowLogSpec, &FleetName),
    remarks: &mut Remarks,
) -> BTreeMap<AccountId, Member> {
    let unseen = FoundMember::new(View::FlowLogs);
    let mut members = BTreeMap::new();
    let folder = Folder::from(destination.prefix.clone());
    let accounts: BTreeSet<AccountId> = granted.iter().chain(found.members.keys()).copied().collect();
    for account in accounts {
        let tested = grant.and_then(|grant| grant.regions.as_ref()?.get(&account));
        let mut reading = Reading {
            account,
            of: found.members.get(&account).unwrap_or(&unseen),
            delivered: found.hub.regions_of(account, &folder),
            grant: match granted {
                _ if granted.contains(&account) => Granted::ByName,
                _ if granted.is_empty() => Granted::Unlisted,
                _ => Granted::No,
            },
            tested: tested.cloned().unwrap_or_default(),
            destination,
            spec,
            fleet,
            remarks,
        };
        let Some((regions, resources)) = reading.read(&found.hub.region) else { continue };
        members.insert(account, Member::new(account, regions, found.role.clone(), resources));
    }
    members
}

/// The state of reading one account.
struct Reading<'a> {
    account: AccountId,
    of: &'a FoundMember,
    /// The regions with flow log files of the account.
    delivered: BTreeSet<Region>,
    grant: Granted,
    /// The regions that the policy allows it to deliver from, if the policy tests them.
    tested: BTreeSet<Region>,
    destination: &'a Destination,
    spec: &'a FlowLogSpec,
    fleet: &'a FleetName,
    remarks: &'a mut Remarks,
}

/// Whether the policy allows an account to deliver.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Granted {
    /// The policy contains the account.
    ByName,
    /// The policy contains no accounts: it may allow a whole organization to deliver.
    Unlisted,
    /// The policy contains only other accounts.
    No,
}

/// A destination as text.
fn place_of(destination: &LogDestination) -> String {
    destination.s3_arn().map_or_else(|| destination.to_string(), |arn| format!("`{arn}`"))
}

impl Reading<'_> {
    fn remark(&mut self, text: impl Into<String>) {
        self.remarks.add(Part::Member(self.account), text);
    }

    fn read(&mut self, hub: &Region) -> Option<(Regions, Selection)> {
        for (region, why) in &self.of.unread {
            self.remark(format!("{region} could not be read and may have flow logs: {why}"));
        }
        let logged = self.logged();
        if logged.values().all(BTreeSet::is_empty) {
            return self.nothing_logged(hub);
        }
        let of_logs: BTreeSet<Region> =
            logged.iter().filter(|(_, ids)| !ids.is_empty()).map(|(region, _)| region.clone()).collect();
        let regions = &of_logs | &self.tested;
        let resources = self.resources(&regions, logged.into_values().flatten().collect())?;
        let everywhere = self.of.view == View::Account
            && self.of.unread.is_empty()
            && self.of.states.len() > 1
            && self.of.states.keys().all(|region| of_logs.contains(region));
        Some((if everywhere { Regions::ALL } else { Regions::These(regions) }, resources))
    }

    /// An account without flow logs to the bucket. Its regions and resources are a guess.
    fn nothing_logged(&mut self, hub: &Region) -> Option<(Regions, Selection)> {
        let account = self.account;
        let why = match &self.of.view {
            View::Account | View::Regions if self.grant == Granted::ByName => {
                "the account is granted delivery but has no flow log to the bucket".to_owned()
            }
            View::Account | View::Regions => {
                let root = layout::root(self.destination.prefix.as_ref());
                let text = format!(
                    "account {account} has no flow log to the bucket and is not in its policy for `{root}`: it is not imported"
                );
                self.remark(text);
                return None;
            }
            View::FlowLogs => "no template contains the logged resources".to_owned(),
            View::Nothing(why) if self.grant == Granted::No && !self.delivered.is_empty() => {
                self.remark(format!(
                    "account {account} has delivered before, but has no grant and could not be read: {why}; it is not imported"
                ));
                return None;
            }
            View::Nothing(why) => format!("the account could not be read: {why}"),
        };
        let mut regions = &self.delivered | &self.tested;
        let source = if !regions.is_empty() {
            "the regions are taken from the bucket"
        } else if self.of.view == View::Regions {
            regions.extend(self.of.states.keys().cloned());
            "the regions that were read are used"
        } else {
            regions.insert(hub.clone());
            "the hub's region is used"
        };
        self.remark(format!("{why}; {source}, and all VPCs are assumed: check `regions` and `vpcs`"));
        Some((Regions::These(regions), Selection::default()))
    }

    /// The ID of a flow log. Flow logs of templates do not have one yet.
    fn name(&self, log: &FlowLog) -> String {
        if self.of.view == View::FlowLogs { "the flow log".to_owned() } else { log.id.to_string() }
    }

    /// The resources with a flow log to the destination, by region.
    fn logged(&mut self) -> BTreeMap<Region, BTreeSet<ResourceId>> {
        let of = self.of;
        of.states.iter().map(|(region, state)| (region.clone(), self.logged_in(region, state))).collect()
    }

    fn logged_in(&mut self, region: &Region, state: &RegionState) -> BTreeSet<ResourceId> {
        let mut ids: BTreeMap<ResourceId, Vec<&FlowLog>> = BTreeMap::new();
        let elsewhere = state.flow_logs.iter().filter(|log| !self.destination.is_in_bucket(&log.destination));
        let elsewhere: BTreeSet<String> =
            elsewhere.map(|log| format!("{} to {}", self.name(log), place_of(&log.destination))).collect();
        if !elsewhere.is_empty() {
            let elsewhere = elsewhere.into_iter().collect::<Vec<_>>().join(", ");
            self.remark(format!("{region}: flow logs to other destinations are not imported: {elsewhere}"));
        }
        for log in state.flow_logs.iter().filter(|log| self.destination.is_in_bucket(&log.destination)) {
            let (FlowLog { resource, destination, .. }, id) = (log, self.name(log));
            if !self.destination.is(destination) {
                self.remark(format!(
                    "{region}: {id} of {resource} delivers to `{destination}`, a different folder"
                ));
            } else if let Some(resource) = resource.known() {
                ids.entry(resource.clone()).or_default().push(log);
            } else {
                self.remark(format!("{region}: {id} logs {resource}, which a fleet file cannot contain"));
            }
        }
        ids.retain(|resource, logs| {
            let (spec, fleet) = (self.spec, self.fleet);
            let differences = |log: &FlowLog| flow_logs::differences(log, spec);
            let (right, wrong): (Vec<&FlowLog>, Vec<&FlowLog>) =
                logs.iter().partition(|log| differences(log).is_empty());
            for log in &wrong {
                let ours = if log.is_managed_by(fleet) && right.is_empty() {
                    ": it is managed and would be replaced, so its resource is not imported"
                } else {
                    ""
                };
                let what = differences(log).join(", ");
                let id = self.name(log);
                self.remark(format!(
                    "{region}: {id} of {resource} differs from the common settings: {what}{ours}"
                ));
            }
            !right.is_empty() || wrong.iter().all(|log| !log.is_managed_by(fleet))
        });
        ids.into_keys().collect()
    }

    /// The selection of resources: all of a kind if all resources of the account in these regions have a flow log, else their IDs.
    fn resources(&mut self, regions: &BTreeSet<Region>, logged: BTreeSet<ResourceId>) -> Option<Selection> {
        let of = self.of;
        let states = of.states.iter().filter(|(region, _)| regions.contains(region));
        let seen: Vec<&Resource> = states.flat_map(|(_, state)| &state.resources).collect();
        let covered = |id: &ResourceId| {
            let resource = seen.iter().find(|resource| resource.id == *id)?;
            resource.part_of.iter().find(|whole| logged.contains(whole))
        };
        let mut choices = BTreeMap::new();
        for kind in ResourceKind::ALL {
            let (parts, ids): (BTreeSet<&ResourceId>, BTreeSet<&ResourceId>) =
                logged.iter().filter(|id| id.kind() == kind).partition(|id| covered(id).is_some());
            for part in parts {
                if let Some(whole) = covered(part) {
                    self.remark(format!(
                        "{part} has its own flow log but is also covered by that of {whole}: it is not imported"
                    ));
                }
            }
            if ids.is_empty() {
                continue;
            }
            let is_own =
                |it: &&&Resource| it.id.kind() == kind && it.owner.is_none_or(|owner| owner == self.account);
            let mut own =
                seen.iter().filter(is_own).map(|it| &it.id).filter(|id| covered(id).is_none()).peekable();
            let all = own.peek().is_some() && own.all(|id| ids.contains(id));
            let choice = if all {
                Choice::All(Filter::default())
            } else {
                Choice::Ids(ids.into_iter().cloned().collect())
            };
            choices.insert(kind, choice);
        }
        Selection::try_from(choices).ok()
    }
}
