//! Changes to the flow logs of every account-region.

mod comparison;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use self::comparison::Comparison;
use self::wanted::Wanted;
use super::{AlsoLogged, Concern, FlowLogChange, Left, Note, Step, Subject, Unnamed, Why};
use crate::failure::Failure;
use crate::fleet::{Fleet, Member};
use crate::id::{Place, Region, ResourceId};
use crate::observed::{FlowLog, RegionState, Resource, UpToDate};

/// The changes to the flow logs of the account-regions that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowLogPart {
    /// The changes, by account, region and resource.
    pub changes: Vec<FlowLogChange>,
    /// Flow logs and resources that are not changed.
    pub left: Vec<Left>,
    /// Foreign flow logs on resources that the fleet logs, by account, region and resource.
    pub also_logged: Vec<AlsoLogged>,
    /// Differences that are not changed.
    pub concerns: Vec<Concern>,
    /// Account-regions that could not be read, in order.
    pub failures: Vec<Failure>,
    /// Information that requires no action.
    pub notes: Vec<Note>,
}

/// The changes that make the flow logs match the fleet file. An account-region that is not in `regions` is skipped.
pub fn flow_log_changes(
    fleet: &Fleet,
    regions: &BTreeMap<Place, Result<RegionState, Failure>>,
    unnamed: Unnamed,
) -> FlowLogPart {
    let mut part = FlowLogPart::default();
    let wanted = Wanted::by(fleet);
    for (member, region) in fleet.places() {
        let place = Place::new(member.account, region);
        match regions.get(&place) {
            Some(Ok(state)) => {
                let (wanted, place) = (&wanted, &place);
                Comparison { wanted, member, place, unnamed, found: &mut part }.compare(state);
            }
            Some(Err(failure)) => part.failures.push(failure.clone()),
            None => {}
        }
    }
    for member in fleet.members.values() {
        absent(member, regions, &mut part);
    }
    part
}

/// Reduces the state of a member's region to IDs and names if it is up to date: each selected resource has a flow log that matches
/// the fleet file, the region has no other flow logs, and there is nothing else to report.
///
/// [`flow_log_changes`] and [`flow_log_removals`] return the same for the reduced state. It lacks the settings of the flow logs,
/// so do not use it for anything else.
pub fn reduced(fleet: &Fleet, member: &Member, region: &Region, mut state: RegionState) -> RegionState {
    let (wanted, place) = (Wanted::by(fleet), Place::new(member.account, region));
    let mut found = FlowLogPart::default();
    // `Unnamed` makes no difference, because a region with an unnamed flow log is not reduced.
    Comparison { wanted: &wanted, member, place: &place, unnamed: Unnamed::Keep, found: &mut found }
        .compare(&state);
    let FlowLogPart { changes, left, also_logged, concerns, notes, failures: _ } = found;
    let is_up_to_date = left.iter().all(Left::is_as_wanted)
        && left.len() == state.flow_logs.len()
        && changes.is_empty()
        && also_logged.is_empty()
        && concerns.is_empty()
        && notes.is_empty();
    if !is_up_to_date || left.is_empty() {
        return state;
    }
    let mut resources: BTreeMap<String, Resource> =
        state.resources.drain(..).map(|resource| (resource.id.to_string(), resource)).collect();
    let up_to_date = left.into_iter().filter_map(|left| {
        let resource = resources.remove(&left.resource)?;
        let name = resource.name().map(str::to_owned);
        let flow_log = left.flow_log?;
        let created = state.flow_logs.iter().find(|log| log.id == flow_log).and_then(|log| log.created);
        Some(UpToDate { resource: resource.id, name, flow_log, created })
    });
    RegionState { up_to_date: up_to_date.collect(), ..RegionState::default() }
}

/// The reason for deleting the flow logs of a fleet that is destroyed.
const DESTROYED: &str = "the fleet is being destroyed";

/// The changes that delete all flow logs of the fleet to the hub bucket, whatever their prefix: the tag identifies the fleet, and
/// the prefix may have changed since a flow log was created.
pub fn flow_log_removals(
    fleet: &Fleet,
    regions: &BTreeMap<Place, Result<RegionState, Failure>>,
) -> FlowLogPart {
    let mut part = FlowLogPart::default();
    let wanted = Wanted::by(fleet);
    for (place, state) in regions {
        let state = match state {
            Ok(state) => state,
            Err(failure) => {
                part.failures.push(failure.clone());
                continue;
            }
        };
        let concerned = |log: &&FlowLog| {
            (wanted.manages(log) && wanted.is_in_bucket(log)) || wanted.is_at_destination(log)
        };
        part.changes.extend(state.up_to_date.iter().map(|UpToDate { resource, flow_log, .. }| {
            let step = Step::Delete { flow_log: flow_log.clone(), after: None };
            FlowLogChange::new(place.clone(), resource.clone(), step, DESTROYED)
        }));
        for log in state.flow_logs.iter().filter(concerned) {
            let place = place.clone();
            match log.resource.known().cloned() {
                Some(resource) if wanted.manages(log) => {
                    let mut reason = DESTROYED.to_owned();
                    if !wanted.is_at_destination(log) {
                        reason += &format!("; it delivers to {}", log.destination);
                    }
                    let step = Step::Delete { flow_log: log.id.clone(), after: None };
                    part.changes.push(FlowLogChange { place, resource, step, reason });
                }
                known => {
                    let manager = log.manager();
                    let why = match known {
                        Some(_) => Why::ForeignWithoutGrant { manager },
                        None => {
                            part.notes.push(unknown_resource(&place, log));
                            Why::UnknownResource { manager }
                        }
                    };
                    let (resource, flow_log) = (log.resource.to_string(), Some(log.id.clone()));
                    part.left.push(Left { place, resource, flow_log, why });
                }
            }
        }
    }
    part
}

/// A flow log of a resource that a fleet file cannot select, so that whether it belongs to the fleet is unknown.
fn unknown_resource(place: &Place, log: &FlowLog) -> Note {
    Note::UnknownResource {
        place: place.clone(),
        flow_log: log.id.clone(),
        resource: log.resource.to_string(),
        manager: log.manager(),
    }
}

/// Adds a concern for each resource in the fleet file that does not exist in any region of the member.
fn absent(member: &Member, regions: &BTreeMap<Place, Result<RegionState, Failure>>, part: &mut FlowLogPart) {
    let places = member.regions.iter().map(|region| Place::new(member.account, region));
    let states: Vec<_> = places.map(|place| regions.get(&place)).collect();
    if states.iter().any(|state| !matches!(state, Some(Ok(_)))) {
        return;
    }
    let states = states.into_iter().flatten().flatten();
    let seen: BTreeSet<&ResourceId> = states.flat_map(RegionState::names).map(|(id, _)| id).collect();
    for id in member.resources.named().filter(|id| !seen.contains(id)) {
        part.concerns.push(Concern {
            about: Subject::FlowLog,
            account: member.account,
            region: None,
            resource: id.to_string(),
            what: "does not exist in any of the member's regions".to_owned(),
            help: format!("correct the ID in `{}`, or add its region to `regions`", id.kind().key()),
        });
    }
}
