//! What differs at the flow logs of every account, region and VPC.

use std::collections::{BTreeMap, BTreeSet};

use super::{Concern, FlowLogChange, Left, Plan, Step, Unnamed};
use crate::fleet::{Fleet, Member, VpcSelection};
use crate::flow_log::{Destination, FlowLogSpec};
use crate::id::{AccountId, VpcId};
use crate::observed::{Failure, FileOptions, FlowLog, Place, RegionState, Vpc};

pub(super) fn plan(
    fleet: &Fleet,
    regions: &BTreeMap<Place, Result<RegionState, Failure>>,
    unnamed: Unnamed,
    plan: &mut Plan,
) {
    let destination = fleet.destination();
    for (member, region) in fleet.places() {
        let place = Place { account: member.account, region: region.clone() };
        match regions.get(&place) {
            Some(Ok(state)) => {
                let mut here =
                    Here { member, place: &place, spec: &fleet.flow_logs, destination: &destination, plan };
                here.plan(state, unnamed);
            }
            Some(Err(failure)) => plan.failures.push(failure.clone()),
            None => {}
        }
    }
    for member in fleet.members.values() {
        absent_vpcs(member, regions, plan);
    }
    tell_once(&mut plan.failures);
}

pub(super) fn destroy(
    fleet: &Fleet,
    regions: &BTreeMap<Place, Result<RegionState, Failure>>,
    plan: &mut Plan,
) {
    let destination = fleet.destination();
    for (place, state) in regions {
        let state = match state {
            Ok(state) => state,
            Err(failure) => {
                plan.failures.push(failure.clone());
                continue;
            }
        };
        for log in state.flow_logs.iter().filter(|log| destination.is(&log.destination)) {
            let Place { account, region } = place.clone();
            match VpcId::parse(&log.resource) {
                Ok(vpc) if log.is_ours() => plan.flow_logs.push(FlowLogChange {
                    account,
                    region,
                    vpc,
                    step: Step::Delete { flow_log: log.id.clone() },
                    reason: "the fleet is taken away".to_owned(),
                }),
                _ => plan.left.push(Left {
                    account,
                    region,
                    vpc: log.resource.clone(),
                    flow_log: Some(log.id.clone()),
                    reason: "not made by flowagg; without the grant it will no longer deliver".to_owned(),
                }),
            }
        }
    }
    tell_once(&mut plan.failures);
}

/// One role that cannot be taken fails alike in every region: once is enough to say it.
fn tell_once(failures: &mut Vec<Failure>) {
    failures.dedup_by(|a, b| a.account == b.account && a.call == b.call && a.message == b.message);
}

/// Names the VPCs that the fleet file lists and no region of the member has.
fn absent_vpcs(member: &Member, regions: &BTreeMap<Place, Result<RegionState, Failure>>, plan: &mut Plan) {
    let VpcSelection::Ids(ids) = &member.vpcs else { return };
    let states =
        member.regions.iter().map(|region| Place { account: member.account, region: region.clone() });
    let states: Vec<_> = states.filter_map(|place| regions.get(&place)).collect();
    if states.len() < member.regions.len() || states.iter().any(|state| state.is_err()) {
        return;
    }
    let seen: BTreeSet<&str> =
        states.iter().flat_map(|s| s.iter()).flat_map(|s| &s.vpcs).map(|v| v.id.as_str()).collect();
    for id in ids.iter().filter(|id| !seen.contains(id.as_str())) {
        plan.concerns.push(Concern {
            account: member.account,
            region: None,
            resource: id.to_string(),
            what: "is in none of the member's regions".to_owned(),
            help: "correct the id in `vpcs`, or add its region to `regions`".to_owned(),
        });
    }
}

/// One region of one member.
struct Here<'a> {
    member: &'a Member,
    place: &'a Place,
    spec: &'a FlowLogSpec,
    destination: &'a Destination,
    plan: &'a mut Plan,
}

impl Here<'_> {
    fn plan(&mut self, state: &RegionState, unnamed: Unnamed) {
        let mut to_us: BTreeMap<&str, Vec<&FlowLog>> = BTreeMap::new();
        for flow_log in state.flow_logs.iter().filter(|log| self.destination.is_in_bucket(&log.destination)) {
            to_us.entry(&flow_log.resource).or_default().push(flow_log);
        }
        let mut vpcs: Vec<&Vpc> = state.vpcs.iter().collect();
        vpcs.sort_by(|a, b| a.id.cmp(&b.id));
        let mut chosen = 0;
        for vpc in vpcs {
            let Ok(id) = VpcId::parse(&vpc.id) else { continue };
            let logs = to_us.remove(vpc.id.as_str()).unwrap_or_default();
            if !self.member.vpcs.chooses(&id, vpc) {
                self.unselected(&id, &logs, unnamed);
            } else if let Some(owner) = vpc.owner.filter(|owner| *owner != self.place.account) {
                self.shared(&id, owner);
            } else {
                chosen += 1;
                self.vpc(&id, &logs);
            }
        }
        if chosen == 0 && !matches!(self.member.vpcs, VpcSelection::Ids(_)) {
            self.plan.notes.push(format!("{}: no VPC to log", self.place));
        }
    }

    fn vpc(&mut self, id: &VpcId, logs: &[&FlowLog]) {
        let (right, wrong): (Vec<&FlowLog>, Vec<&FlowLog>) =
            logs.iter().partition(|log| differences(log, self.spec, self.destination).is_empty());
        let (our_wrong, foreign_wrong): (Vec<&FlowLog>, Vec<&FlowLog>) =
            wrong.into_iter().partition(|log| log.is_ours());
        let keep = right.iter().find(|log| log.is_ours()).or(right.first()).copied();

        let mut superseded = our_wrong.into_iter();
        let mut covered = true;
        match keep {
            Some(log) if log.is_ours() => self.settled(id, log),
            Some(log) => self.leave(id, Some(log), "as wanted, though not made by flowagg"),
            None => {
                if let Some(old) = superseded.next() {
                    let reason = differences(old, self.spec, self.destination).join(", ");
                    self.change(id, Step::Replace { old: old.id.clone() }, reason);
                } else if foreign_wrong.iter().any(|log| self.destination.is(&log.destination)) {
                    // One beside it would write the same traffic to the same folder twice.
                    covered = false;
                } else {
                    self.change(id, Step::Create, "none to the bucket yet".to_owned());
                }
            }
        }
        let duplicates =
            right.iter().copied().filter(|log| log.is_ours() && keep.is_some_and(|keep| keep.id != log.id));
        for log in superseded.chain(duplicates) {
            self.change(
                id,
                Step::Delete { flow_log: log.id.clone() },
                "another flow log does its work".to_owned(),
            );
        }
        for log in foreign_wrong {
            let reason = differences(log, self.spec, self.destination).join(", ");
            if covered || !self.destination.is(&log.destination) {
                self.leave(
                    id,
                    Some(log),
                    &format!("not made by flowagg, delivers to the bucket as well: {reason}"),
                );
            } else {
                self.foreign(id, log, &reason);
            }
        }
    }

    fn settled(&mut self, id: &VpcId, log: &FlowLog) {
        let missing: BTreeMap<String, String> = self
            .spec
            .tags
            .iter()
            .filter(|(key, value)| log.tags.get(*key) != Some(value))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        if missing.is_empty() {
            self.leave(id, Some(log), "as wanted");
        } else {
            let reason = format!("lacks the tags {}", missing.keys().cloned().collect::<Vec<_>>().join(", "));
            self.change(id, Step::Tag { flow_log: log.id.clone(), tags: missing }, reason);
        }
    }

    fn unselected(&mut self, id: &VpcId, logs: &[&FlowLog], unnamed: Unnamed) {
        for log in logs.iter().filter(|log| log.is_ours() && self.destination.is(&log.destination)) {
            match unnamed {
                Unnamed::Prune => {
                    let reason = "the fleet file does not choose this VPC".to_owned();
                    self.change(id, Step::Delete { flow_log: log.id.clone() }, reason);
                }
                Unnamed::Keep => {
                    self.leave(
                        id,
                        Some(log),
                        "the fleet file does not choose this VPC; `--prune` deletes the flow log",
                    );
                }
            }
        }
    }

    fn shared(&mut self, id: &VpcId, owner: AccountId) {
        if matches!(self.member.vpcs, VpcSelection::Ids(_)) {
            self.concern(
                id,
                format!("is shared by its owner, {owner}, and only the owner can log it"),
                "list it with that account",
            );
        } else {
            self.leave(id, None, &format!("shared by its owner, {owner}, which alone can log it"));
        }
    }

    fn foreign(&mut self, id: &VpcId, log: &FlowLog, reason: &str) {
        self.concern(
            id,
            format!("its flow log {} was not made by flowagg and is left alone: {reason}", log.id),
            "delete it, or tag it `managed-by = flowagg` to have it replaced",
        );
    }

    fn change(&mut self, vpc: &VpcId, step: Step, reason: String) {
        let Place { account, region } = self.place.clone();
        self.plan.flow_logs.push(FlowLogChange { account, region, vpc: vpc.clone(), step, reason });
    }

    fn leave(&mut self, vpc: &VpcId, log: Option<&FlowLog>, reason: &str) {
        let Place { account, region } = self.place.clone();
        let flow_log = log.map(|log| log.id.clone());
        self.plan.left.push(Left {
            account,
            region,
            vpc: vpc.to_string(),
            flow_log,
            reason: reason.to_owned(),
        });
    }

    fn concern(&mut self, vpc: &VpcId, what: String, help: &str) {
        let Place { account, region } = self.place.clone();
        self.plan.concerns.push(Concern {
            account,
            region: Some(region),
            resource: vpc.to_string(),
            what,
            help: help.to_owned(),
        });
    }
}

/// In which settings a flow log is not what is wanted, in words. What the endpoint does not return does not differ.
fn differences(log: &FlowLog, spec: &FlowLogSpec, destination: &Destination) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, is: &str, wanted: &str| {
        if is != wanted {
            differences.push(format!("{what} is {is}, wanted {wanted}"));
        }
    };
    if !destination.is(&log.destination) {
        compare("destination", &log.destination, &destination.arn());
    }
    compare("traffic", &log.traffic, spec.traffic.as_api());
    if let Some(interval) = log.interval {
        let wanted = spec.aggregation_interval.seconds();
        compare("aggregation interval", &format!("{interval} s"), &format!("{wanted} s"));
    }
    if let Some(format) = &log.format {
        compare("format", format, &spec.format.to_string());
    }
    if let Some(options) = &log.options {
        let wanted = FileOptions::default();
        compare("file format", &options.format, &wanted.format);
        let yes_no = |yes: bool| if yes { "on" } else { "off" };
        compare("Hive-compatible prefixes", yes_no(options.hive), yes_no(wanted.hive));
        compare("per-hour partitions", yes_no(options.per_hour), yes_no(wanted.per_hour));
    }
    differences
}
