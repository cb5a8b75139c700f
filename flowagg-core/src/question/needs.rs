//! The fields of a record that a question needs.

use crate::flow_log::{Field, FieldSet, FlowLogSpec, RecordedField, TrafficType};

use super::argument::{Border, Gateway, Grouping, InterfaceId, Level, Ranked};
use super::{Question, QuestionName};

/// The fields that a question reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// The required fields. Without any of them, there is no answer.
    pub required: Vec<RecordedField>,
    /// Optional fields, with which the answer is more exact or has more columns.
    pub better: Vec<RecordedField>,
    /// The required traffic.
    pub traffic: TrafficType,
}

/// Why the flow logs of a fleet cannot answer a question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// Required fields are not recorded.
    #[error("`{question}` requires {} that the flow logs do not record: {}", if .fields.len() == 1 { "a field" } else { "fields" }, named(.fields))]
    Fields {
        /// The question.
        question: QuestionName,
        /// The fields.
        fields: Vec<RecordedField>,
        /// All required fields, recorded or not.
        needed: Vec<RecordedField>,
    },
    /// It requires rejected traffic.
    #[error("`{0}` requires rejected traffic, but the flow logs record only accepted traffic")]
    Rejected(QuestionName),
    /// It requires accepted traffic.
    #[error("`{0}` requires accepted traffic, but the flow logs record only rejected traffic")]
    Accepted(QuestionName),
}

fn named(fields: &[RecordedField]) -> String {
    let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.as_str())).collect();
    names.join(", ")
}

impl NotRecorded {
    /// How to record it.
    pub fn help(&self) -> String {
        let Self::Fields { fields, needed, .. } = self else {
            return "set `flow-logs.traffic` to \"all\", then run `flowagg plan`".to_owned();
        };
        let known = |fields: &[RecordedField]| -> Result<Vec<Field>, _> {
            fields.iter().map(|field| Field::parse(field.as_str())).collect()
        };
        let Ok(needed) = known(needed) else {
            return "use a flow log of another tool that records tags; flowagg cannot request them"
                .to_owned();
        };
        let has_all = |set: &FieldSet| {
            let format = set.format();
            needed.iter().all(|field| format.fields().contains(field))
        };
        let set = FieldSet::ALL.into_iter().find(has_all).unwrap_or(FieldSet::All);
        let them = if fields.len() == 1 { "it" } else { "them" };
        format!(
            "add {them} to `flow-logs.fields`, or set it to \"{}\"; then run `flowagg plan`",
            set.as_str()
        )
    }
}

/// Fields that distinguish the two records of a flow.
const DIRECTION: &[&str] = &["flow-direction"];
/// Fields that identify the sections of a path through gateways.
const PATH: &[&str] = &["pkt-srcaddr", "pkt-dstaddr", "interface-type"];

impl Question {
    /// The fields that the question reads.
    pub fn needs(&self) -> Needs {
        use TrafficType::{Accept, All, Reject};
        const ENDS: [&str; 3] = ["srcaddr", "dstaddr", "bytes"];
        const PORTS: [&str; 3] = ["srcport", "dstport", "protocol"];
        const TIMES: [&str; 2] = ["start", "end"];
        let (required, better, traffic): (Vec<&[&str]>, Vec<&[&str]>, _) = match self {
            Self::Pairs { level: Level::Interfaces, .. } => {
                (vec![&ENDS], vec![DIRECTION, &["action"]], Accept)
            }
            Self::Pairs { level: Level::Packets, .. } => (
                vec![&ENDS, &["pkt-srcaddr", "pkt-dstaddr"]],
                vec![DIRECTION, &["interface-type", "action"]],
                Accept,
            ),
            Self::Top { by: Ranked::Addresses, .. } => {
                (vec![&ENDS], vec![DIRECTION, PATH, &["action"]], Accept)
            }
            Self::Top { by: Ranked::Instances, .. } => {
                (vec![&["instance-id", "bytes"]], vec![DIRECTION, &["action"]], Accept)
            }
            Self::Top { by: Ranked::Subnets, .. } => {
                (vec![&["subnet-id", "bytes"]], vec![DIRECTION, &["action"]], Accept)
            }
            Self::Who { .. } => {
                (vec![&ENDS, &PORTS], vec![DIRECTION, &["pkt-srcaddr", "pkt-dstaddr", "action"], &TIMES], All)
            }
            Self::Interface { id } => {
                let id: &[&str] = match id {
                    InterfaceId::Interface(_) => &["interface-id"],
                    InterfaceId::Instance(_) => &["instance-id", "interface-id"],
                };
                (
                    vec![id, &ENDS, &PORTS],
                    vec![DIRECTION, &["pkt-srcaddr", "pkt-dstaddr", "action"], &TIMES],
                    All,
                )
            }
            Self::Rejected => (
                vec![&["srcaddr", "dstaddr", "action", "dstport", "protocol"]],
                vec![DIRECTION, &["pkt-srcaddr", "pkt-dstaddr", "interface-id", "reject-reason"], &TIMES],
                Reject,
            ),
            Self::SshRdp | Self::AdminPorts { .. } => (
                vec![&["srcaddr", "dstaddr", "action"], &PORTS],
                vec![DIRECTION, &["tcp-flags", "pkt-srcaddr", "pkt-dstaddr"], &TIMES],
                Accept,
            ),
            Self::Inbound { .. } => (
                vec![&ENDS, &PORTS, &["action"]],
                vec![DIRECTION, &["tcp-flags", "pkt-srcaddr", "pkt-dstaddr"], &TIMES],
                Accept,
            ),
            Self::Outbound { gateways, .. } => (
                vec![&ENDS, &["action"], ids(gateways)],
                vec![DIRECTION, PATH, &["traffic-path", "instance-id", "pkt-dst-aws-service"]],
                Accept,
            ),
            Self::Nat { gateways } => {
                (vec![&ENDS, &["pkt-srcaddr", "pkt-dstaddr"], known(gateways)], vec![NAT], Accept)
            }
            Self::NatToAws { gateways } => (
                vec![
                    &ENDS,
                    &["pkt-srcaddr", "pkt-dstaddr", "pkt-src-aws-service", "pkt-dst-aws-service"],
                    known(gateways),
                ],
                vec![NAT],
                Accept,
            ),
            Self::CrossZone => {
                (vec![&["az-id", "next-hop-az-id", "bytes"]], vec![DIRECTION, &["action"]], Accept)
            }
            Self::BetweenAccounts { by } => {
                let place: &[&str] = if *by == Border::Vpcs { &["vpc-id"] } else { &[] };
                (vec![&ENDS, &PORTS, place], vec![DIRECTION, &["action"]], Accept)
            }
            Self::ByDay { .. } => (vec![&["bytes", "end"]], vec![DIRECTION, &["action"]], Accept),
            Self::LargeFlows { .. } => {
                (vec![&ENDS, &PORTS], vec![DIRECTION, PATH, &TIMES, &["action"]], Accept)
            }
            Self::Scans { .. } => {
                (vec![&["srcaddr", "dstaddr"], &PORTS], vec![&["action", "tcp-flags"], PATH, &TIMES], All)
            }
            Self::OffHours { .. } => {
                (vec![&ENDS, &PORTS, &["end"]], vec![DIRECTION, PATH, &["start", "action"]], Accept)
            }
            Self::UnusedRules => (
                vec![&["interface-id", "srcaddr", "dstaddr", "action"], &PORTS],
                vec![DIRECTION, &["tcp-flags", "pkt-srcaddr", "pkt-dstaddr", "bytes", "start", "log-status"]],
                Accept,
            ),
            Self::ByService { by } => {
                let name: &[&str] = match by {
                    Grouping::EcsService => &["ecs-cluster-name", "ecs-service-name"],
                    Grouping::EcsTask => &["ecs-cluster-name", "ecs-task-id"],
                    Grouping::InstanceTag => &["instance-tag"],
                    Grouping::InterfaceTag => &["interface-tag"],
                    Grouping::AsgTag => &["asg-tag"],
                };
                (vec![&["bytes"], name], vec![DIRECTION, &["action"]], Accept)
            }
            Self::Unencrypted => (
                vec![&ENDS, &PORTS, &["encryption-status"]],
                vec![DIRECTION, PATH, &TIMES, &["action"]],
                Accept,
            ),
        };
        let required = fields(required.concat());
        let mut also = better.concat();
        // A question with gateways also reads the fields that identify them.
        if let Some(gateways) = self.gateways() {
            also.extend(ids(gateways));
            if gateways.contains(&Gateway::Fleet) {
                also.extend(NAT);
            }
        }
        let mut better = fields(also);
        better.retain(|field| !required.contains(field));
        Needs { required, better, traffic }
    }

    /// Checks whether flow logs with these settings can answer the question.
    pub fn check(&self, spec: &FlowLogSpec) -> Result<(), NotRecorded> {
        let needs = self.needs();
        match (needs.traffic, spec.traffic) {
            (TrafficType::Reject, TrafficType::Accept) => return Err(NotRecorded::Rejected(self.name())),
            (TrafficType::Accept, TrafficType::Reject) => return Err(NotRecorded::Accepted(self.name())),
            _ => {}
        }
        let needed = needs.required;
        let is_missing = |field: &RecordedField| !is_recorded(spec, field.as_str());
        let fields: Vec<RecordedField> = needed.iter().copied().filter(is_missing).collect();
        match fields.is_empty() {
            true => Ok(()),
            false => Err(NotRecorded::Fields { question: self.name(), fields, needed }),
        }
    }
}

/// The questions, each with the arguments of its example, that flow logs with these settings cannot answer.
pub fn unanswered(spec: &FlowLogSpec) -> Vec<QuestionName> {
    let can = |name: &QuestionName| {
        Question::sample(*name).is_ok_and(|question| question.of_fleet(spec).check(spec).is_ok())
    };
    QuestionName::ALL.into_iter().filter(|name| !can(name)).collect()
}

/// Whether flow logs with these settings record a field.
pub(super) fn is_recorded(spec: &FlowLogSpec, field: &str) -> bool {
    spec.format.fields().iter().any(|recorded| recorded.as_str() == field)
}

/// The field that identifies records of NAT gateways.
pub(super) const INTERFACE_TYPE: &str = "interface-type";

/// Fields that identify a gateway in its records.
const NAT: &[&str] = &["interface-id", INTERFACE_TYPE, "resource-id", "action"];

/// The fields that identify records of these gateways. An address is matched in `srcaddr` and `dstaddr`; the gateways of the fleet
/// are matched with whatever fields are recorded.
fn ids(gateways: &[Gateway]) -> &'static [&'static str] {
    if gateways.contains(&Gateway::Fleet) {
        return &[];
    }
    let has = |is: fn(&Gateway) -> bool| gateways.iter().any(is);
    let has_interface = has(|gateway| matches!(gateway, Gateway::Interface(_)));
    match (has_interface, has(|gateway| matches!(gateway, Gateway::Regional(_)))) {
        (false, false) => &[],
        (true, false) => &["interface-id"],
        (false, true) => &["resource-id"],
        (true, true) => &["interface-id", "resource-id"],
    }
}

/// Like [`ids`]; without gateways, the field that identifies records of any gateway.
fn known(gateways: &[Gateway]) -> &'static [&'static str] {
    if gateways.is_empty() { &[INTERFACE_TYPE] } else { ids(gateways) }
}

/// The fields with these names, without duplicates, in the order of AWS's documentation.
fn fields(names: Vec<&str>) -> Vec<RecordedField> {
    RecordedField::all().filter(|field| names.contains(&field.as_str())).collect()
}
