//! Changes to the flow logs of one account-region.

use std::collections::BTreeMap;

use super::{FlowLogPart, Wanted, unknown_resource};
use crate::fleet::{Member, Standing};
use crate::flow_log::{FLEET_TAG, ForeignFlowLogs, MARK};
use crate::id::{AccountId, FleetName, FlowLogId, Place, ResourceId};
use crate::observed::{FlowLog, Manager, RegionState, Resource, UpToDate};
use crate::plan::{AlsoLogged, Concern, FlowLogChange, Left, Note, Step, Subject, Unnamed, Why};

/// The maximum number of flow logs per resource.
///
/// Source: "Flow log limitations" (Amazon VPC User Guide).
const MOST_FLOW_LOGS: usize = 250;

/// Whether a selected resource has a flow log that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Logging {
    /// It has one.
    Present,
    /// The plan creates one, which AWS may reject.
    Planned,
    /// It has none and cannot get one.
    Impossible,
}

/// The comparison of one account-region with the fleet file.
pub(super) struct Comparison<'a> {
    pub(super) wanted: &'a Wanted<'a>,
    pub(super) member: &'a Member,
    pub(super) place: &'a Place,
    pub(super) unnamed: Unnamed,
    /// Collects the results.
    pub(super) found: &'a mut FlowLogPart,
}

impl Comparison<'_> {
    pub(super) fn compare(&mut self, state: &RegionState) {
        if !state.up_to_date.is_empty() {
            for UpToDate { resource, flow_log, .. } in &state.up_to_date {
                self.leave(resource, Some(flow_log), Why::AsWanted);
            }
            return;
        }
        let mut by_resource: BTreeMap<&ResourceId, Vec<&FlowLog>> = BTreeMap::new();
        let mut flow_logs: Vec<&FlowLog> = state.flow_logs.iter().collect();
        flow_logs.sort_by(|a, b| a.id.cmp(&b.id));
        for log in flow_logs {
            match log.resource.known() {
                Some(id) => by_resource.entry(id).or_default().push(log),
                None if self.wanted.is_in_bucket(log) => self.unknown(log),
                None => {}
            }
        }
        let standings = self.member.standings(&state.resources);
        // `standings` returns each whole before its parts.
        let mut logging: BTreeMap<&ResourceId, Logging> = BTreeMap::new();
        for (Resource { id, .. }, standing) in &standings {
            let logs = by_resource.remove(id).unwrap_or_default();
            match standing {
                Standing::Unchosen => self.unselected(id, &logs),
                Standing::Shared(owner) => self.shared(id, *owner),
                Standing::Covered(whole) => {
                    let of_whole = logging.get(whole).copied().unwrap_or(Logging::Impossible);
                    self.covered(id, whole, of_whole, &logs);
                }
                Standing::Logged => {
                    let to_bucket = logs.iter().filter(|log| self.wanted.is_in_bucket(log));
                    to_bucket.for_each(|log| self.renamed(id, log));
                    logging.insert(id, self.resource(id, &logs));
                }
            }
        }
        // Flow logs of kinds that the fleet file does not select, and of deleted resources.
        for (id, logs) in by_resource {
            self.unselected(id, &logs);
        }
        let nothing = standings.iter().all(|(_, standing)| *standing != Standing::Logged);
        if nothing && self.member.resources.named().next().is_none() {
            let kinds = self.member.resources.kinds().collect();
            self.found.notes.push(Note::NothingToLog { place: self.place.clone(), kinds });
        }
    }

    /// A flow log of a logged resource has the tag of another fleet, and the fleet file sets no name: it may belong to this fleet
    /// and date from before `hub.prefix` changed.
    fn renamed(&mut self, id: &ResourceId, log: &FlowLog) {
        let Manager::Fleet { fleet } = log.manager() else { return };
        if self.wanted.is_named || self.wanted.manages(log) {
            return;
        }
        // A tag can contain any text, but a fleet file accepts only valid names.
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

    /// A part of a selected resource. Its own flow logs are deleted only if the whole has a flow log, or once it has one.
    fn covered(&mut self, id: &ResourceId, whole: &ResourceId, of_whole: Logging, logs: &[&FlowLog]) {
        let wanted = self.wanted;
        let (ours, others): (Vec<&FlowLog>, Vec<&FlowLog>) =
            logs.iter().partition(|log| wanted.manages(log) && wanted.is_in_bucket(log));
        let (after, reason) = match of_whole {
            Logging::Present => (None, format!("covered by the flow log of {whole}")),
            Logging::Planned => (Some(whole.clone()), format!("will be covered by the flow log of {whole}")),
            Logging::Impossible => {
                let why = Why::PartOfUnlogged { whole: whole.clone() };
                ours.iter().for_each(|log| self.leave(id, Some(&log.id), why.clone()));
                if ours.is_empty() {
                    self.leave(id, None, why);
                }
                return;
            }
        };
        if ours.is_empty() {
            self.leave(id, None, Why::Covered { by: whole.clone() });
        }
        for log in ours {
            let step = Step::Delete { flow_log: log.id.clone(), after: after.clone() };
            self.change(id, step, reason.clone());
        }
        others.into_iter().for_each(|log| self.also_logged(id, log));
    }

    fn resource(&mut self, id: &ResourceId, logs: &[&FlowLog]) -> Logging {
        let wanted = self.wanted;
        let differences = |log: &FlowLog| wanted.differences(log, id.kind());
        let (ours, foreign): (Vec<&FlowLog>, Vec<&FlowLog>) =
            logs.iter().partition(|log| wanted.manages(log) && wanted.is_in_bucket(log));
        let (right, wrong): (Vec<&FlowLog>, Vec<&FlowLog>) =
            ours.into_iter().partition(|log| differences(log).is_empty());
        let (mut right, mut wrong) = (right.into_iter(), wrong.into_iter());
        let kept = right.next();
        // A managed flow log is never given up for a foreign one.
        let has_own = kept.is_some() || wrong.len() > 0;
        let covering = self.covering(id, &foreign).filter(|_| !has_own);
        let mut others = foreign;
        others.retain(|log| covering.is_none_or(|covering| covering.id != log.id));
        let logging = match (kept, covering) {
            (Some(log), _) => {
                self.settled(id, log);
                Logging::Present
            }
            (None, Some(log)) => {
                let (manager, differences) = (log.manager(), differences(log));
                let why = match differences.is_empty() {
                    true => Why::ForeignAsWanted { manager },
                    false => Why::ForeignCovers { manager, differences },
                };
                self.leave(id, Some(&log.id), why);
                Logging::Present
            }
            (None, None) => self.make(id, wrong.next(), &others, logs.len()),
        };
        let after = match logging {
            Logging::Planned => Some(id.clone()),
            Logging::Present | Logging::Impossible => None,
        };
        for log in wrong.chain(right).filter(|_| logging != Logging::Impossible) {
            let step = Step::Delete { flow_log: log.id.clone(), after: after.clone() };
            self.change(id, step, "superseded by another flow log".to_owned());
        }
        for log in others {
            let differences = differences(log);
            let is_finding = wanted.foreign == ForeignFlowLogs::Differs && wanted.is_at_destination(log);
            if is_finding && !differences.is_empty() {
                self.foreign(id, log, &differences.join(", "));
            } else if logging != Logging::Impossible {
                self.also_logged(id, log);
            }
        }
        logging
    }

    /// The foreign flow log that counts as the flow log of the resource.
    fn covering<'l>(&self, id: &ResourceId, foreign: &[&'l FlowLog]) -> Option<&'l FlowLog> {
        let wanted = self.wanted;
        let covering = match wanted.foreign {
            ForeignFlowLogs::Covers => foreign.iter().find(|log| wanted.is_covered_by(log)),
            ForeignFlowLogs::Differs => {
                foreign.iter().find(|log| wanted.differences(log, id.kind()).is_empty())
            }
            ForeignFlowLogs::Ignore => None,
        };
        covering.copied()
    }

    /// Creates a flow log for a resource, replacing a managed one that differs, unless AWS would reject it.
    fn make(&mut self, id: &ResourceId, wrong: Option<&FlowLog>, others: &[&FlowLog], all: usize) -> Logging {
        let wanted = self.wanted;
        let in_the_way = |log: &&FlowLog| match wanted.foreign {
            // A second flow log would write the same traffic to the same folder twice.
            ForeignFlowLogs::Differs if wrong.is_none() => wanted.is_at_destination(log),
            _ => wanted.is_refused_next_to(log),
        };
        let in_the_way = others.iter().find(|log| in_the_way(log)).copied();
        match (in_the_way, wrong) {
            // It is reported as a finding.
            (Some(_), None) if wanted.foreign == ForeignFlowLogs::Differs => Logging::Impossible,
            (Some(log), wrong) => {
                self.refused(id, log, wrong);
                Logging::Impossible
            }
            (None, Some(old)) => {
                let reason = wanted.changes(old, id.kind()).join(", ");
                // AWS does not document whether the traffic type matters.
                let is_only_one = others.iter().all(|log| !wanted.is_at_destination(log));
                let may_conflict = wanted.is_at_destination(old) && is_only_one;
                self.change(id, Step::Replace { old: old.id.clone(), may_conflict }, reason);
                Logging::Planned
            }
            (None, None) if all >= MOST_FLOW_LOGS => {
                self.concern(
                    id,
                    format!("already has {all} flow logs, the maximum, and flowagg manages none of them"),
                    "delete one that is not needed",
                );
                Logging::Impossible
            }
            (None, None) => {
                self.change(id, Step::Create, "no flow log to this bucket".to_owned());
                Logging::Planned
            }
        }
    }

    /// AWS would reject the flow log of the fleet because of this foreign one, which does not count.
    fn refused(&mut self, id: &ResourceId, log: &FlowLog, wrong: Option<&FlowLog>) {
        let differences = |log: &FlowLog| self.wanted.differences(log, id.kind()).join(", ");
        let covers = self.wanted.is_covered_by(log);
        let (foreign, manager, name) = (&log.id, log.manager(), &self.wanted.name);
        let what = match wrong {
            Some(wrong) => format!(
                "its flow log {} differs ({}), and AWS rejects a replacement because {foreign}, which is {manager}, has the same \
                 destination and traffic type",
                wrong.id,
                differences(wrong)
            ),
            None => {
                let why = if covers { "`flow-logs.foreign`".to_owned() } else { differences(log) };
                format!(
                    "its flow log {foreign} is {manager} and does not count ({why}), and AWS rejects another one with the same \
                     destination and traffic type"
                )
            }
        };
        let count = match wrong {
            Some(wrong) if covers && self.wanted.foreign == ForeignFlowLogs::Covers => {
                format!("delete {} so that {foreign} counts, ", wrong.id)
            }
            None if covers => "set `flow-logs.foreign = \"covers\"` so that it counts, ".to_owned(),
            _ => String::new(),
        };
        let help = match manager {
            Manager::Fleet { fleet } => format!("{count}change {foreign} in fleet {fleet}, or delete it"),
            _ => {
                let mark = format!("`{} = {}` and `{FLEET_TAG} = {name}`", MARK.0, MARK.1);
                format!("{count}delete {foreign}, or tag it {mark} so that flowagg manages it")
            }
        };
        self.concern(id, what, &help);
    }

    /// The fleet logs the resource, and so does this foreign flow log.
    fn also_logged(&mut self, id: &ResourceId, log: &FlowLog) {
        self.found.also_logged.push(AlsoLogged::new(self.place, id, log));
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
            self.leave(id, Some(&log.id), Why::AsWanted);
        } else {
            let change = |(key, value): (&String, &String)| {
                format!("{key} {} -> {value}", log.tags.get(key).map_or("unset", String::as_str))
            };
            let changes: Vec<String> = missing.iter().map(change).collect();
            let reason = format!("tags: {}", changes.join(", "));
            self.change(id, Step::Tag { flow_log: log.id.clone(), tags: missing }, reason);
        }
    }

    fn unselected(&mut self, id: &ResourceId, logs: &[&FlowLog]) {
        let wanted = self.wanted;
        for log in logs.iter().filter(|log| wanted.manages(log) && wanted.is_in_bucket(log)) {
            match self.unnamed {
                Unnamed::Prune => {
                    let reason = format!("the fleet file does not select this {}", id.kind().noun());
                    self.change(id, Step::Delete { flow_log: log.id.clone(), after: None }, reason);
                }
                Unnamed::Keep => self.leave(id, Some(&log.id), Why::NotChosen { kind: id.kind() }),
            }
        }
    }

    fn shared(&mut self, id: &ResourceId, owner: AccountId) {
        if self.member.resources.named().any(|named| named == id) {
            self.concern(
                id,
                format!("is shared by {owner}, and only the owner can log it"),
                "list it under that account",
            );
        } else {
            self.leave(id, None, Why::Shared { owner });
        }
    }

    fn foreign(&mut self, id: &ResourceId, log: &FlowLog, reason: &str) {
        let manager = log.manager();
        let what = format!("its flow log {} is {manager} and is left unchanged: {reason}", log.id);
        let name = &self.wanted.name;
        let help = match manager {
            Manager::Fleet { fleet } => format!("change it in fleet {fleet}, or delete it"),
            _ => format!(
                "delete it, or tag it `{} = {}` and `{FLEET_TAG} = {name}` so that flowagg replaces it",
                MARK.0, MARK.1
            ),
        };
        self.concern(id, what, &help);
    }

    fn change(&mut self, resource: &ResourceId, step: Step, reason: String) {
        let (place, resource) = (self.place.clone(), resource.clone());
        self.found.changes.push(FlowLogChange { place, resource, step, reason });
    }

    fn leave(&mut self, resource: &ResourceId, flow_log: Option<&FlowLogId>, why: Why) {
        let (place, resource, flow_log) = (self.place.clone(), resource.to_string(), flow_log.cloned());
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
