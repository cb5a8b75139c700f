//! The fields of a flow log's records, each with the way to its value.

use flowagg_core::flow_log::{Field, RecordFormat};

use super::network::Interface;
use super::record::{Flow, Record, Seen, Value};

/// The fields of a flow log's records, in its order.
#[derive(Clone, Debug)]
pub struct Columns(Vec<Column>);

/// One field.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) read: Read,
}

/// The type of a field in Parquet; in text, all are strings.
///
/// Source: "Flow log records", available fields (Amazon VPC User Guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int32,
    Int64,
    Text,
}

type Read = for<'a> fn(&Record<'a>) -> Value<'a>;

impl Columns {
    /// The fields of a format.
    pub fn of(format: &RecordFormat) -> Self {
        Self(format.fields().iter().map(|field| Column::of(field.as_str())).collect())
    }

    /// Reads `${version} ${account-id}`, as EC2 writes it. A field that is none of a VPC's, as those of transit gateways, has
    /// no value in any record.
    pub fn parse(format: &str) -> Self {
        let names = format.split_whitespace();
        Self(names.filter_map(|word| word.strip_prefix("${")?.strip_suffix('}')).map(Column::of).collect())
    }

    /// What the records say their version is: the highest of their fields'.
    pub(super) fn version(&self) -> u8 {
        let fields = self.0.iter().filter_map(|column| Field::parse(&column.name).ok());
        RecordFormat::of(fields.collect()).unwrap_or_default().version()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.0.iter()
    }
}

impl Column {
    fn of(name: &str) -> Self {
        Self { name: name.to_owned(), kind: kind(name), read: read(name) }
    }
}

fn kind(name: &str) -> Kind {
    match name {
        "version" | "srcport" | "dstport" | "protocol" | "tcp-flags" | "traffic-path"
        | "encryption-status" => Kind::Int32,
        "packets" | "bytes" | "start" | "end" => Kind::Int64,
        _ => Kind::Text,
    }
}

/// The way to a field's value.
///
/// What is not here has no value: there are no sublocations, no ECS tasks, no regional NAT gateways and no encryption
/// controls in this network, and what is rejected, a security group rejects.
fn read(name: &str) -> Read {
    match name {
        "version" => |record| number(record.place.version),
        "account-id" => |record| Value::Text(&record.place.account),
        "interface-id" => |record| Value::Text(&record.interface.id),
        "srcaddr" => |record| of_flow(record, |flow| Value::Address(flow.from.address)),
        "dstaddr" => |record| of_flow(record, |flow| Value::Address(flow.to.address)),
        "srcport" => |record| of_flow(record, |flow| number(flow.from.port)),
        "dstport" => |record| of_flow(record, |flow| number(flow.to.port)),
        "protocol" => |record| of_flow(record, |flow| number(flow.protocol)),
        "packets" => |record| of_flow(record, |flow| number(flow.packets)),
        "bytes" => |record| of_flow(record, |flow| number(flow.bytes)),
        "start" => |record| Value::Number(record.start.cast_unsigned()),
        "end" => |record| Value::Number(record.end.cast_unsigned()),
        "action" => {
            |record| of_flow(record, |flow| Value::Text(if flow.accepted { "ACCEPT" } else { "REJECT" }))
        }
        "log-status" => |record| {
            Value::Text(match record.seen {
                Seen::Flow(_) => "OK",
                Seen::Nothing => "NODATA",
                Seen::TooMuch => "SKIPDATA",
            })
        },
        "vpc-id" => |record| Value::Text(&record.place.vpc),
        "subnet-id" => |record| Value::Text(&record.interface.subnet),
        "instance-id" => |record| record.interface.instance.as_deref().into(),
        "tcp-flags" => |record| of_flow(record, |flow| number(flow.tcp_flags)),
        "type" => |record| {
            of_flow(record, |flow| Value::Text(if flow.from.address.is_ipv4() { "IPv4" } else { "IPv6" }))
        },
        "pkt-srcaddr" => |record| of_flow(record, |flow| Value::Address(flow.packet_from)),
        "pkt-dstaddr" => |record| of_flow(record, |flow| Value::Address(flow.packet_to)),
        "region" => |record| Value::Text(&record.place.region),
        "az-id" => |record| Value::Text(&record.interface.az),
        "pkt-src-aws-service" => |record| of_flow(record, |flow| flow.services[0].into()),
        "pkt-dst-aws-service" => |record| of_flow(record, |flow| flow.services[1].into()),
        "flow-direction" => {
            |record| of_flow(record, |flow| Value::Text(if flow.egress { "egress" } else { "ingress" }))
        }
        "traffic-path" => |record| of_flow(record, |flow| flow.path.map_or(Value::None, number)),
        "interface-type" => |record| record.interface.service().into(),
        "next-hop-interface-id" => |record| of_next_hop(record, |hop| Value::Text(&hop.id)),
        "next-hop-subnet-id" => |record| of_next_hop(record, |hop| Value::Text(&hop.subnet)),
        "next-hop-az-id" => |record| of_next_hop(record, |hop| Value::Text(&hop.az)),
        "next-hop-vpc-id" => |record| {
            let vpc = &record.place.vpc;
            of_flow(record, |flow| flow.next_hop.map_or(Value::None, |_| Value::Text(vpc)))
        },
        "next-hop-interface-type" => |record| of_next_hop(record, |hop| hop.service().into()),
        _ => |_| Value::None,
    }
}

fn number<'a>(number: impl Into<u64>) -> Value<'a> {
    Value::Number(number.into())
}

fn of_flow<'a>(record: &Record<'a>, read: impl Fn(&Flow<'a>) -> Value<'a>) -> Value<'a> {
    match &record.seen {
        Seen::Flow(flow) => read(flow),
        Seen::Nothing | Seen::TooMuch => Value::None,
    }
}

fn of_next_hop<'a>(record: &Record<'a>, read: impl Fn(&'a Interface) -> Value<'a>) -> Value<'a> {
    of_flow(record, |flow| flow.next_hop.map_or(Value::None, &read))
}
