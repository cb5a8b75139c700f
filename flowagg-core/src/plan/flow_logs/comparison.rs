//! What differs at the flow logs of one account-region.

use std::collections::BTreeMap;

use super::{FlowLogPart, Wanted, unknown_resource};
use crate::fleet::{Member, Standing};
use crate::flow_log::{FLEET_TAG, MARK};
use crate::id::{AccountId, FleetName, Place, ResourceId};
use crate::observed::{FlowLog, Manager, RegionState, Resource};
use crate::plan::{AlsoLogged, Concern, FlowLogChange, Left, Note, Step, Subject, Unnamed, Why};

/// The most flow logs that a resource can have.
///
/// Source: "Flow log limitations" (Amazon VPC User Guide).
const MOST_FLOW_LOGS: usize = 250;

/// The comparison of one account-region with the fleet file.
pub(super) struct Comparison<'a> {
    pub(super) wanted: &'a Wanted<'a>,
    pub(super) member: &'a Member,
    pub(super) place: &'a Place,
    pub(super) unnamed: Unnamed,
    /// Takes what is found.
    pub(super) found: &'a mut FlowLogPart,
}

impl Comparison<'_> {
    pub(super) fn compare(&mut self, state: &RegionState) {
        let mut by_resource: BTreeMap<&ResourceId, Vec<&FlowLog>> = BTreeMap::new();
        for log in &state.flow_logs {
            match log.resource.known() {
                Some(id) => by_resource.entry(id).or_default().push(log),
                None if self.wanted.is_in_bucket(log) => self.unknown(log),
                None => {}
            }
        }
        let standings = self.member.standings(&state.resources);
        for (Resource { id, .. }, standing) in &standings {
            let logs = by_resource.remove(id).unwrap_or_default();
            match standing {
                Standing::Unchosen => self.unselected(id, &logs),
                Standing::Shared(owner) => self.shared(id, *owner),
                Standing::Covered(whole) => self.covered(id, whole, &logs),
                Standing::Logged => {
                    let to_bucket = logs.iter().filter(|log| self.wanted.is_in_bucket(log));
                    to_bucket.for_each(|log| self.renamed(id, log));
                    self.resource(id, &logs);
                }
            }
        }
        // Of kinds that the fleet file no longer asks for, and of resources that are gone.
        for (id, logs) in by_resource {
            self.unselected(id, &logs);
        }
        let nothing = standings.iter().all(|(_, standing)| *standing != Standing::Logged);
        if nothing && self.member.resources.named().next().is_none() {
            let kinds = self.member.resources.kinds().collect();
            self.found.notes.push(Note::NothingToLog { place: self.place.clone(), kinds });
        }
    }

    /// A flow log of a resource that is logged carries another fleet's name, and the fleet file names none: it may be this
    /// fleet's own, made before its sub-folder changed.
    fn renamed(&mut self, id: &ResourceId, log: &FlowLog) {
        let Manager::Fleet { fleet } = log.manager() else { return };
        if self.wanted.is_named || self.wanted.manages(log) {
            return;
        }
        // A tag may be edited to any text; only a name can be written in a fleet file.
        let Ok(other) = FleetName::parse(&fleet) else { return };
        let own = &self.wanted.name;
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
        let wanted = self.wanted;
        let (ours, others): (Vec<&FlowLog>, Vec<&FlowLog>) =
            logs.iter().partition(|log| wanted.manages(log) && wanted.is_at_destination(log));
        if let Some(log) = ours.first() {
            let reason = format!("{whole} is logged, and it with it");
            self.change(id, Step::Delete { flow_log: log.id.clone() }, reason);
        } else {
            self.leave(id, None, Why::Covered { by: whole.clone() });
        }
        self.also_logged(id, others);
    }

    fn resource(&mut self, id: &ResourceId, logs: &[&FlowLog]) {
        let wanted = self.wanted;
        let differences = |log: &FlowLog| wanted.differences(log, id.kind());
        let (to_bucket, elsewhere): (Vec<&FlowLog>, Vec<&FlowLog>) =
            logs.iter().partition(|log| wanted.is_in_bucket(log));
        let (right, wrong): (Vec<&FlowLog>, Vec<&FlowLog>) =
            to_bucket.into_iter().partition(|log| differences(log).is_empty());
        let (our_wrong, foreign_wrong): (Vec<&FlowLog>, Vec<&FlowLog>) =
            wrong.into_iter().partition(|log| wanted.manages(log));
        let keep = right.iter().find(|log| wanted.manages(log)).or(right.first()).copied();

        let mut superseded = our_wrong.into_iter();
        let mut logged = true;
        match keep {
            Some(log) if wanted.manages(log) => self.settled(id, log),
            Some(log) => self.leave(id, Some(log), Why::ForeignAsWanted { manager: log.manager() }),
            None => {
                if let Some(old) = superseded.next() {
                    let reason = differences(old).join(", ");
                    self.change(id, Step::Replace { old: old.id.clone() }, reason);
                } else if let Some(log) = foreign_wrong.iter().find(|log| wanted.is_at_destination(log)) {
                    // A second one would write the same traffic to the same folder twice.
                    self.foreign(id, log, &differences(log).join(", "));
                    return;
                } else if logs.len() >= MOST_FLOW_LOGS {
                    logged = false;
                    self.concern(
                        id,
                        format!(
                            "has {} flow logs already, as many as AWS allows, and none is flowagg's",
                            logs.len()
                        ),
                        "delete one that nobody needs",
                    );
                } else {
                    self.change(id, Step::Create, "none to the bucket yet".to_owned());
                }
            }
        }
        let others = right.into_iter().filter(|log| keep.is_some_and(|keep| keep.id != log.id));
        let (duplicates, twins): (Vec<&FlowLog>, Vec<&FlowLog>) = others.partition(|log| wanted.manages(log));
        for log in superseded.chain(duplicates) {
            self.change(
                id,
                Step::Delete { flow_log: log.id.clone() },
                "another flow log does its work".to_owned(),
            );
        }
        if logged {
            self.also_logged(id, twins.into_iter().chain(foreign_wrong).chain(elsewhere));
        }
    }

    /// The fleet logs the resource, and these flow logs of others do as well.
    fn also_logged<'l>(&mut self, id: &ResourceId, logs: impl IntoIterator<Item = &'l FlowLog>) {
        let place = self.place;
        let mut logs: Vec<AlsoLogged> = logs.into_iter().map(|log| AlsoLogged::new(place, id, log)).collect();
        logs.sort_by(|a, b| a.flow_log.cmp(&b.flow_log));
        self.found.also_logged.extend(logs);
    }

    fn unknown(&mut self, log: &FlowLog) {
        self.found.notes.push(unknown_resource(self.place, log));
        let (place, manager) = (self.place.clone(), log.manager());
        self.found.left.push(Left {
            place,
            resource: log.resource.to_string(),
            flow_log: Some(log.id.clone()),
            why: Why::UnknownResource { manager },
        });
    }

    fn settled(&mut self, id: &ResourceId, log: &FlowLog) {
        let missing: BTreeMap<String, String> = self
            .wanted
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
        let wanted = self.wanted;
        for log in logs.iter().filter(|log| wanted.manages(log) && wanted.is_at_destination(log)) {
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
        let name = &self.wanted.name;
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
        let (place, resource) = (self.place.clone(), resource.clone());
        self.found.changes.push(FlowLogChange { place, resource, step, reason });
    }

    fn leave(&mut self, resource: &ResourceId, log: Option<&FlowLog>, why: Why) {
        let place = self.place.clone();
        let flow_log = log.map(|log| log.id.clone());
        let resource = resource.to_string();
        self.found.left.push(Left { place, resource, flow_log, why });
    }

    fn concern(&mut self, resource: &ResourceId, what: String, help: &str) {
        let Place { account, region } = self.place.clone();
        self.found.concerns.push(Concern {
            about: Subject::FlowLog,
            account,
            region: Some(region),
            resource: resource.to_string(),
            what,
            help: help.to_owned(),
        });
    }
}
