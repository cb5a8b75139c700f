//! The declared settings of every flow log of a fleet, and the comparison with an existing one.

use std::collections::BTreeMap;

use crate::fleet::Fleet;
use crate::flow_log::{Destination, FlowLogSpec, ForeignFlowLogs};
use crate::id::{FleetName, ResourceKind};
use crate::observed::FlowLog;

/// The declared settings of every flow log of a fleet.
pub(super) struct Wanted<'a> {
    /// The fleet's name.
    pub(super) name: FleetName,
    /// Whether the fleet file sets the name.
    pub(super) is_named: bool,
    /// All tags, including those that mark the fleet.
    pub(super) tags: BTreeMap<String, String>,
    /// Whether foreign flow logs count.
    pub(super) foreign: ForeignFlowLogs,
    spec: &'a FlowLogSpec,
    destination: Destination,
}

impl<'a> Wanted<'a> {
    pub(super) fn by(fleet: &'a Fleet) -> Self {
        Self {
            name: fleet.name(),
            is_named: fleet.declared_name.is_some(),
            tags: fleet.tags(),
            foreign: fleet.flow_logs.foreign,
            spec: &fleet.flow_logs,
            destination: fleet.destination(),
        }
    }

    pub(super) fn manages(&self, log: &FlowLog) -> bool {
        log.is_managed_by(&self.name)
    }

    /// Whether it delivers to the hub bucket, whatever the prefix.
    pub(super) fn is_in_bucket(&self, log: &FlowLog) -> bool {
        self.destination.is_in_bucket(&log.destination)
    }

    /// Whether it delivers to the fleet's destination.
    pub(super) fn is_at_destination(&self, log: &FlowLog) -> bool {
        self.destination.is(&log.destination)
    }

    /// Whether it delivers at least the declared traffic to the fleet's destination.
    pub(super) fn is_covered_by(&self, log: &FlowLog) -> bool {
        self.is_at_destination(log) && log.covers(self.spec)
    }

    /// Whether AWS rejects a flow log of the fleet because of it: both have the same resource, destination and traffic type.
    ///
    /// Source: "Error codes for the Amazon EC2 API", FlowLogAlreadyExists (Amazon EC2 API Reference).
    pub(super) fn is_refused_next_to(&self, log: &FlowLog) -> bool {
        let has_no_type = log.resource.is_of_transit_gateway();
        self.is_at_destination(log)
            && (has_no_type || log.traffic.as_deref() == Some(self.spec.traffic.as_api()))
    }

    /// The settings in which a flow log of this kind of resource differs, as text.
    pub(super) fn differences(&self, log: &FlowLog, kind: ResourceKind) -> Vec<String> {
        let compared = self.compared(log, kind).into_iter();
        compared.map(|(what, is, wanted)| format!("{what} is {is} instead of {wanted}")).collect()
    }

    /// Like [`differences`](Self::differences), for a flow log that is replaced.
    pub(super) fn changes(&self, log: &FlowLog, kind: ResourceKind) -> Vec<String> {
        let compared = self.compared(log, kind).into_iter();
        compared.map(|(what, is, wanted)| format!("{what} {is} -> {wanted}")).collect()
    }

    /// The settings that differ, with the current and the declared value. A setting that the endpoint does not return does not
    /// differ.
    fn compared(&self, log: &FlowLog, kind: ResourceKind) -> Vec<(&'static str, String, String)> {
        let Self { spec, destination, .. } = self;
        let mut differences = Vec::new();
        let mut compare = |what: &'static str, is: &str, wanted: &str| {
            if is != wanted {
                differences.push((what, is.to_owned(), wanted.to_owned()));
            }
        };
        if !self.is_at_destination(log) {
            compare("destination", &log.destination.to_string(), &destination.arn());
        }
        // Flow logs of transit gateways have no traffic type and different fields.
        let of_packets = kind != ResourceKind::TransitGateway;
        if let Some(traffic) = log.traffic.as_ref().filter(|_| of_packets) {
            compare("traffic", traffic, spec.traffic.as_api());
        }
        if let Some(interval) = log.interval {
            let wanted = spec.aggregation_interval.for_kind(kind).seconds();
            compare("aggregation interval", &format!("{interval} s"), &format!("{wanted} s"));
        }
        if let Some(format) = log.format.as_ref().filter(|_| of_packets) {
            compare("format", format, &spec.format.to_string());
        }
        if let Some(files) = &log.files {
            let wanted = spec.files;
            compare("file format", &files.format, wanted.format.as_str());
            let yes_no = |yes: bool| if yes { "on" } else { "off" };
            compare(
                "Hive-compatible prefixes",
                yes_no(files.hive_compatible_partitions),
                yes_no(wanted.hive_compatible_partitions),
            );
            compare(
                "per-hour partitions",
                yes_no(files.per_hour_partition),
                yes_no(wanted.per_hour_partition),
            );
        }
        differences
    }
}
