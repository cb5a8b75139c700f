//! What differs at the flow logs of every account, region and resource.

use std::collections::{BTreeMap, BTreeSet};

use super::{Concern, FlowLogChange, Left, Note, Step, Subject, Unnamed, Why};
use crate::failure::Failure;
use crate::fleet::{Fleet, Member, Standing};
use crate::flow_log::{Destination, FLEET_TAG, FlowLogSpec, MARK};
use crate::id::{AccountId, FleetName, ResourceId, ResourceKind};
use crate::observed::{FlowLog, Manager, Place, RegionState, Resource};

/// The most flow logs that a resource can have.
///
/// Source: "Flow log limitations" (Amazon VPC User Guide).
const MOST_FLOW_LOGS: usize = 250;

/// What changes at the flow logs of the accounts and regions that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowLogPart {
    /// The changes, by account, region and resource.
    pub changes: Vec<FlowLogChange>,
    /// What stays as it is.
    pub left: Vec<Left>,
    /// What differs and is not changed.
    pub concerns: Vec<Concern>,
    /// What could not be read.
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
    let destination = fleet.destination();
    let marks = Marks { fleet: fleet.name(), tags: fleet.tags() };
    for (member, region) in fleet.places() {
        let place = Place { account: member.account, region: region.clone() };
        match regions.get(&place) {
            Some(Ok(state)) => {
                let (destination, marks, part) = (&destination, &marks, &mut part);
                Here { fleet, marks, member, place: &place, destination, unnamed, part }.compare(state);
            }
            Some(Err(failure)) => part.failures.push(failure.clone()),
            None => {}
        }
    }
    for member in fleet.members.values() {
        absent(member, regions, &mut part);
    }
    tell_once(&mut part.failures);
    part
}

/// What changes so that no flow log of the fleet to the hub bucket is left, whatever the sub-folder: the tag names the fleet,
/// and the sub-folder may have changed since the flow log was created.
pub fn flow_log_removals(
    fleet: &Fleet,
    regions: &BTreeMap<Place, Result<RegionState, Failure>>,
) -> FlowLogPart {
    let mut part = FlowLogPart::default();
    let (destination, name) = (fleet.destination(), fleet.name());
    for (place, state) in regions {
        let state = match state {
            Ok(state) => state,
            Err(failure) => {
                part.failures.push(failure.clone());
                continue;
            }
        };
        let concerned = |log: &&FlowLog| {
            let is_own = log.is_managed_by(&name) && destination.is_in_bucket(&log.destination);
            is_own || destination.is(&log.destination)
        };
        for log in state.flow_logs.iter().filter(concerned) {
            let Place { account, region } = place.clone();
            match ResourceId::parse(&log.resource) {
                Ok(resource) if log.is_managed_by(&name) => {
                    let mut reason = "the fleet is taken away".to_owned();
                    if !destination.is(&log.destination) {
                        reason += &format!("; it delivers to {}", log.destination);
                    }
                    let step = Step::Delete { flow_log: log.id.clone() };
                    part.changes.push(FlowLogChange { account, region, resource, step, reason });
                }
                _ => part.left.push(Left {
                    account,
                    region,
                    resource: log.resource.clone(),
                    flow_log: Some(log.id.clone()),
                    why: Why::ForeignWithoutGrant { manager: log.manager() },
                }),
            }
        }
    }
    tell_once(&mut part.failures);
    part
}

/// One role that cannot be taken fails alike in every region: once is enough to say it.
fn tell_once(failures: &mut Vec<Failure>) {
    failures.dedup_by(|a, b| a.account == b.account && a.call == b.call && a.message == b.message);
}

/// Names what the fleet file lists and no region of the member has.
fn absent(member: &Member, regions: &BTreeMap<Place, Result<RegionState, Failure>>, part: &mut FlowLogPart) {
    let places =
        member.regions.iter().map(|region| Place { account: member.account, region: region.clone() });
    let states: Vec<_> = places.map(|place| regions.get(&place)).collect();
    if states.iter().any(|state| !matches!(state, Some(Ok(_)))) {
        return;
    }
    let states = states.into_iter().flatten().flatten();
    let seen: BTreeSet<&ResourceId> = states.flat_map(|state| &state.resources).map(|it| &it.id).collect();
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

/// What marks a flow log as managed by the fleet, and all that it is tagged with.
struct Marks {
    fleet: FleetName,
    tags: BTreeMap<String, String>,
}

impl Marks {
    fn manages(&self, log: &FlowLog) -> bool {
        log.is_managed_by(&self.fleet)
    }
}

/// One region of one member.
struct Here<'a> {
    fleet: &'a Fleet,
    marks: &'a Marks,
    member: &'a Member,
    place: &'a Place,
    destination: &'a Destination,
    unnamed: Unnamed,
    part: &'a mut FlowLogPart,
}

impl Here<'_> {
    fn compare(&mut self, state: &RegionState) {
        let mut to_us: BTreeMap<&str, Vec<&FlowLog>> = BTreeMap::new();
        for flow_log in state.flow_logs.iter().filter(|log| self.destination.is_in_bucket(&log.destination)) {
            to_us.entry(&flow_log.resource).or_default().push(flow_log);
        }
        let standings = self.member.standings(&state.resources);
        for (Resource { id, .. }, standing) in &standings {
            let logs = to_us.remove(id.as_str()).unwrap_or_default();
            match standing {
                Standing::Unchosen => self.unselected(id, &logs),
                Standing::Shared(owner) => self.shared(id, *owner),
                Standing::Covered(whole) => self.covered(id, whole, &logs),
                Standing::Logged => {
                    let all = state.flow_logs.iter().filter(|log| log.resource == id.as_str()).count();
                    logs.iter().for_each(|log| self.renamed(id, log));
                    self.resource(id, &logs, all);
                }
            }
        }
        // Of kinds that the fleet file no longer asks for, and of resources that are gone.
        for (resource, logs) in to_us {
            if let Ok(id) = ResourceId::parse(resource) {
                self.unselected(&id, &logs);
            }
        }
        let nothing = standings.iter().all(|(_, standing)| *standing != Standing::Logged);
        if nothing && self.member.resources.named().next().is_none() {
            let kinds = self.member.resources.kinds().collect();
            self.part.notes.push(Note::NothingToLog { place: self.place.clone(), kinds });
        }
    }

    /// A flow log of a resource that is logged carries another fleet's name, and the fleet file names none: it may be this
    /// fleet's own, made before its sub-folder changed.
    fn renamed(&mut self, id: &ResourceId, log: &FlowLog) {
        let Manager::Fleet { fleet } = log.manager() else { return };
        if self.fleet.declared_name.is_some() || self.marks.manages(log) {
            return;
        }
        // A tag may be edited to any text; only a name can be written in a fleet file.
        let Ok(other) = FleetName::parse(&fleet) else { return };
        let own = &self.marks.fleet;
        self.concern(
            id,
            format!("its flow log {} to the bucket is managed by flowagg fleet {other}", log.id),
            &format!(
                "set `fleet.name = \"{other}\"` if it is the same fleet (a changed `hub.prefix` changes the default name); \
                 set `fleet.name = \"{own}\"` if it is another fleet"
            ),
        );
    }

    fn covered(&mut self, id: &ResourceId, whole: &ResourceId, logs: &[&FlowLog]) {
        let ours = logs.iter().find(|log| self.marks.manages(log) && self.destination.is(&log.destination));
        if let Some(log) = ours {
            let reason = format!("{whole} is logged, and it with it");
            self.change(id, Step::Delete { flow_log: log.id.clone() }, reason);
        } else {
            self.leave(id, None, Why::Covered { by: whole.clone() });
        }
    }

    fn resource(&mut self, id: &ResourceId, logs: &[&FlowLog], all: usize) {
        let differences =
            |log: &FlowLog| differences(log, id.kind(), &self.fleet.flow_logs, self.destination);
        let (right, wrong): (Vec<&FlowLog>, Vec<&FlowLog>) =
            logs.iter().partition(|log| differences(log).is_empty());
        let (our_wrong, foreign_wrong): (Vec<&FlowLog>, Vec<&FlowLog>) =
            wrong.into_iter().partition(|log| self.marks.manages(log));
        let keep = right.iter().find(|log| self.marks.manages(log)).or(right.first()).copied();

        let marks = self.marks;
        let mut superseded = our_wrong.into_iter();
        let mut covered = true;
        match keep {
            Some(log) if self.marks.manages(log) => self.settled(id, log),
            Some(log) => self.leave(id, Some(log), Why::ForeignAsWanted { manager: log.manager() }),
            None => {
                if let Some(old) = superseded.next() {
                    let reason = differences(old).join(", ");
                    self.change(id, Step::Replace { old: old.id.clone() }, reason);
                } else if foreign_wrong.iter().any(|log| self.destination.is(&log.destination)) {
                    // One beside it would write the same traffic to the same folder twice.
                    covered = false;
                } else if all >= MOST_FLOW_LOGS {
                    self.concern(
                        id,
                        format!("has {all} flow logs already, as many as AWS allows, and none is flowagg's"),
                        "delete one that nobody needs",
                    );
                } else {
                    self.change(id, Step::Create, "none to the bucket yet".to_owned());
                }
            }
        }
        let duplicates = right
            .iter()
            .copied()
            .filter(|log| marks.manages(log) && keep.is_some_and(|keep| keep.id != log.id));
        for log in superseded.chain(duplicates) {
            self.change(
                id,
                Step::Delete { flow_log: log.id.clone() },
                "another flow log does its work".to_owned(),
            );
        }
        for log in foreign_wrong {
            let differences = differences(log);
            if covered || !self.destination.is(&log.destination) {
                let manager = log.manager();
                self.leave(id, Some(log), Why::ForeignAlongside { manager, differences });
            } else {
                self.foreign(id, log, &differences.join(", "));
            }
        }
    }

    fn settled(&mut self, id: &ResourceId, log: &FlowLog) {
        let missing: BTreeMap<String, String> = self
            .marks
            .tags
            .iter()
            .filter(|(key, value)| log.tags.get(*key) != Some(value))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        if missing.is_empty() {
            self.leave(id, Some(log), Why::AsWanted);
        } else {
            let reason = format!("lacks the tags {}", missing.keys().cloned().collect::<Vec<_>>().join(", "));
            self.change(id, Step::Tag { flow_log: log.id.clone(), tags: missing }, reason);
        }
    }

    fn unselected(&mut self, id: &ResourceId, logs: &[&FlowLog]) {
        let (marks, destination) = (self.marks, self.destination);
        for log in logs.iter().filter(|log| marks.manages(log) && destination.is(&log.destination)) {
            match self.unnamed {
                Unnamed::Prune => {
                    let reason = format!("the fleet file does not choose this {}", id.kind().noun());
                    self.change(id, Step::Delete { flow_log: log.id.clone() }, reason);
                }
                Unnamed::Keep => self.leave(id, Some(log), Why::NotChosen { kind: id.kind() }),
            }
        }
    }

    fn shared(&mut self, id: &ResourceId, owner: AccountId) {
        if self.member.resources.named().any(|named| named == id) {
            self.concern(
                id,
                format!("is shared by its owner, {owner}, and only the owner can log it"),
                "list it with that account",
            );
        } else {
            self.leave(id, None, Why::Shared { owner });
        }
    }

    fn foreign(&mut self, id: &ResourceId, log: &FlowLog, reason: &str) {
        let name = &self.marks.fleet;
        self.concern(
            id,
            format!("its flow log {} is {} and is left alone: {reason}", log.id, log.manager()),
            &format!(
                "delete it, or tag it `{} = {}` and `{FLEET_TAG} = {name}` to have it replaced",
                MARK.0, MARK.1
            ),
        );
    }

    fn change(&mut self, resource: &ResourceId, step: Step, reason: String) {
        let Place { account, region } = self.place.clone();
        self.part.changes.push(FlowLogChange { account, region, resource: resource.clone(), step, reason });
    }

    fn leave(&mut self, resource: &ResourceId, log: Option<&FlowLog>, why: Why) {
        let Place { account, region } = self.place.clone();
        let flow_log = log.map(|log| log.id.clone());
        let resource = resource.to_string();
        self.part.left.push(Left { account, region, resource, flow_log, why });
    }

    fn concern(&mut self, resource: &ResourceId, what: String, help: &str) {
        let Place { account, region } = self.place.clone();
        self.part.concerns.push(Concern {
            about: Subject::FlowLog,
            account,
            region: Some(region),
            resource: resource.to_string(),
            what,
            help: help.to_owned(),
        });
    }
}

/// In which settings a flow log is not what is wanted, in words. What the endpoint does not return does not differ.
fn differences(
    log: &FlowLog,
    kind: ResourceKind,
    spec: &FlowLogSpec,
    destination: &Destination,
) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, is: &str, wanted: &str| {
        if is != wanted {
            differences.push(format!("{what} is {is}, wanted {wanted}"));
        }
    };
    if !destination.is(&log.destination) {
        compare("destination", &log.destination, &destination.arn());
    }
    // Transit gateways know no choice of traffic, and have fields of their own.
    let of_packets = kind != ResourceKind::TransitGateway;
    if let Some(traffic) = log.traffic.as_ref().filter(|_| of_packets) {
        compare("traffic", traffic, spec.traffic.as_api());
    }
    if let Some(interval) = log.interval {
        let wanted = spec.aggregation_interval.of(kind).seconds();
        compare("aggregation interval", &format!("{interval} s"), &format!("{wanted} s"));
    }
    if let Some(format) = log.format.as_ref().filter(|_| of_packets) {
        compare("format", format, &spec.format.to_string());
    }
    if let Some(options) = &log.options {
        let wanted = spec.files;
        compare("file format", &options.format, wanted.format.as_str());
        let yes_no = |yes: bool| if yes { "on" } else { "off" };
        compare("Hive-compatible prefixes", yes_no(options.hive), yes_no(wanted.hive_compatible_partitions));
        compare("per-hour partitions", yes_no(options.per_hour), yes_no(wanted.per_hour_partition));
    }
    differences
}
