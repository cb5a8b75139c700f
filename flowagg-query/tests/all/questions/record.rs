//! The records of a network interface in the format of its flow log.

use super::world::{Event, Interface, Section, service_of};

/// The fields of AWS's default format.
const DEFAULT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

/// The fields that a flow log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// AWS's default.
    Default,
    /// All fields that queries read, in a different order.
    Full,
    /// The default fields, with the direction first.
    Directed,
    /// The default fields without sizes and actions.
    Poor,
}

impl Format {
    pub(crate) fn fields(self) -> Vec<&'static str> {
        const MORE: &str = "flow-direction vpc-id subnet-id instance-id tcp-flags pkt-srcaddr pkt-dstaddr az-id pkt-src-aws-service \
                            pkt-dst-aws-service traffic-path ecs-cluster-name ecs-service-name ecs-task-id encryption-status \
                            interface-type next-hop-az-id reject-reason resource-id instance-tag interface-tag asg-tag";
        let default = DEFAULT.split(' ');
        match self {
            Self::Default => default.collect(),
            Self::Full => MORE.split_whitespace().chain(default).collect(),
            Self::Directed => ["flow-direction"].into_iter().chain(default).collect(),
            Self::Poor => default.filter(|field| !["bytes", "packets", "action"].contains(field)).collect(),
        }
    }
}

/// A record of an event at one interface in one interval.
#[derive(Clone, Debug)]
pub(crate) struct Record<'w> {
    pub(crate) event: &'w Event,
    pub(crate) section: &'w Section,
    pub(crate) interface: &'w Interface,
    pub(crate) next: Option<&'w Interface>,
    pub(crate) is_egress: bool,
    pub(crate) is_accepted: bool,
    pub(crate) bytes: i64,
}

impl Record<'_> {
    /// Records of regional NAT gateways have no network interface.
    pub(crate) fn interface_id(&self) -> &'static str {
        if self.interface.is_regional() { "-" } else { self.interface.id }
    }

    pub(crate) fn reason(&self) -> &'static str {
        if self.is_accepted { "-" } else { self.event.reason }
    }

    pub(crate) fn value(&self, field: &str) -> String {
        let Self { event, section, interface, .. } = self;
        let number = |number: Option<u8>| number.map_or("-".to_owned(), |number| number.to_string());
        match field {
            "version" => "5".to_owned(),
            "account-id" => interface.account.to_owned(),
            "interface-id" => self.interface_id().to_owned(),
            "resource-id" => if interface.is_regional() { interface.id } else { "-" }.to_owned(),
            "reject-reason" => self.reason().to_owned(),
            "srcaddr" => section.ends[0].clone(),
            "dstaddr" => section.ends[1].clone(),
            "srcport" => section.ports[0].to_string(),
            "dstport" => section.ports[1].to_string(),
            "protocol" => event.protocol.to_string(),
            "packets" => "3".to_owned(),
            "bytes" => self.bytes.to_string(),
            "start" => event.start.to_string(),
            "end" => event.end.to_string(),
            "action" => if self.is_accepted { "ACCEPT" } else { "REJECT" }.to_owned(),
            "log-status" => "OK".to_owned(),
            "flow-direction" => if self.is_egress { "egress" } else { "ingress" }.to_owned(),
            "vpc-id" => interface.vpc.to_owned(),
            "subnet-id" => subnet(interface),
            "instance-id" => interface.instance.to_owned(),
            "tcp-flags" => event.flags.to_string(),
            "pkt-srcaddr" => section.packet[0].clone(),
            "pkt-dstaddr" => section.packet[1].clone(),
            "az-id" => interface.zone.to_owned(),
            "pkt-src-aws-service" => service_of(&section.packet[0]).to_owned(),
            "pkt-dst-aws-service" => service_of(&section.packet[1]).to_owned(),
            "traffic-path" => number(section.path.filter(|_| self.is_egress)),
            "ecs-cluster-name" | "ecs-service-name" | "ecs-task-id" => ecs(interface, field),
            "encryption-status" => number(event.encryption),
            "interface-type" => interface.kind.to_owned(),
            "instance-tag" | "interface-tag" | "asg-tag" => tag(interface, field).to_owned(),
            "next-hop-az-id" => self.next.map_or("-", |next| next.zone).to_owned(),
            field => panic!("no value for the field `{field}`"),
        }
    }
}

/// A subnet for each zone of a VPC. Regional NAT gateways have no subnet.
pub(crate) fn subnet(interface: &Interface) -> String {
    if interface.is_regional() {
        return "-".to_owned();
    }
    format!("subnet-{}-{}", interface.vpc, interface.zone)
}

/// The value of a tag: depends on the last digit of the ID for instances and network interfaces; the group is that of
/// the first VPC.
pub(crate) fn tag(interface: &Interface, field: &str) -> &'static str {
    match (field, interface.id.as_bytes().last()) {
        ("instance-tag", _) if interface.instance == "-" => "-",
        ("instance-tag" | "interface-tag", Some(b'1')) => "team=red",
        ("instance-tag", Some(b'2')) | ("interface-tag", Some(b'3' | b'4')) => "team=blue",
        ("asg-tag", _) if interface.vpc == "vpc-a" && interface.instance != "-" => "group-a",
        _ => "-",
    }
}

/// Some instances of the first VPC run tasks: two services in one cluster.
pub(crate) fn ecs(interface: &Interface, field: &str) -> String {
    let service = match interface.address {
        "10.0.1.5" | "10.0.1.6" => "web",
        "10.0.2.7" => "orders",
        _ => return "-".to_owned(),
    };
    match field {
        "ecs-cluster-name" => "shop".to_owned(),
        "ecs-service-name" => service.to_owned(),
        _ => format!("task-{}", interface.id),
    }
}
