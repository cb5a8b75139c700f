//! What differs at the flow logs of every account, region and resource.

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

/// What changes at the flow logs of the accounts and regions that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowLogPart {
    /// The changes, by account, region and resource.
    pub changes: Vec<FlowLogChange>,
    /// What stays as it is.
    pub left: Vec<Left>,
    /// Flow logs of others on what the fleet logs, by account, region and resource.
    pub also_logged: Vec<AlsoLogged>,
    /// What differs and is not changed.
    pub concerns: Vec<Concern>,
    /// What could not be read, one for each account-region, by account and region.
    pub failures: Vec<Failure>,
    /// What is worth knowing.
    pub notes: Vec<Note>,
}

/// What changes so that the flow logs match the fleet file. An account-region that is not in `regions` is skipped.
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

/// The state of a member's region, reduced to ids and names if each resource that the fleet file chooses has the flow log that it
/// should have, the region has no other flow log, and there is nothing else to report.
///
/// [`flow_log_changes`] and [`flow_log_removals`] give the same for it. Other judgements lack the settings of its flow logs.
pub fn reduced(fleet: &Fleet, member: &Member, region: &Region, mut state: RegionState) -> RegionState {
    let (wanted, place) = (Wanted::by(fleet), Place::new(member.account, region));
    let mut found = FlowLogPart::default();
    // Whether unnamed flow logs are kept makes no difference: a region with one is not reduced.
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

/// Why a flow log of a fleet that is destroyed is deleted.
const TAKEN_AWAY: &str = "the fleet is taken away";

/// What changes so that no flow log of the fleet to the hub bucket is left, whatever the sub-folder: the tag names the fleet,
/// and the sub-folder may have changed since the flow log was created.
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
            FlowLogChange::new(place.clone(), resource.clone(), step, TAKEN_AWAY)
        }));
        for log in state.flow_logs.iter().filter(concerned) {
            let place = place.clone();
            match log.resource.known().cloned() {
                Some(resource) if wanted.manages(log) => {
                    let mut reason = TAKEN_AWAY.to_owned();
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

/// A flow log of something that no fleet file can name: it cannot be said whether it is wanted.
fn unknown_resource(place: &Place, log: &FlowLog) -> Note {
    Note::UnknownResource {
        place: place.clone(),
        flow_log: log.id.clone(),
        resource: log.resource.to_string(),
        manager: log.manager(),
    }
}

/// Names what the fleet file lists and no region of the member has.
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
            what: "is in none of the member's regions".to_owned(),
            help: format!("correct the id in `{}`, or add its region to `regions`", id.kind().key()),
        });
    }
}
