//! The fields of a flow log's records, with a function that reads the value of each.

use flowagg_core::flow_log::{Field, RecordFormat};

use super::network::Interface;
use super::record::{Flow, LogStatus, Record, Value};

/// The fields of a flow log's records, in order.
#[derive(Clone, Debug)]
pub struct Columns(Vec<Column>);

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: ColumnType,
    pub(super) read: Read,
}

/// Parquet type of a field; in text, all are strings.
///
/// Source: "Flow log records", available fields (Amazon VPC User Guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Int32,
    Int64,
    Text,
}

type Read = for<'a> fn(&Record<'a>) -> Value<'a>;

impl From<&RecordFormat> for Columns {
    fn from(format: &RecordFormat) -> Self {
        Self(format.fields().iter().map(|field| Column::new(field.as_str())).collect())
    }
}

impl Columns {
    /// Parses `${version} ${account-id}`, as EC2 writes it. A field that VPC flow logs do not have, such as those of
    /// transit gateways, has no value in any record.
    pub fn parse(format: &str) -> Self {
        let names = format.split_whitespace();
        Self(names.filter_map(|word| word.strip_prefix("${")?.strip_suffix('}')).map(Column::new).collect())
    }

    /// The version of the records: the highest version of their fields.
    pub(super) fn version(&self) -> u8 {
        let fields = self.0.iter().filter_map(|column| Field::parse(&column.name).ok());
        RecordFormat::try_from(fields.collect::<Vec<_>>()).unwrap_or_default().version()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.0.iter()
    }
}

impl Column {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), kind: kind(name), read: read(name) }
    }
}

fn kind(name: &str) -> ColumnType {
    match name {
        "version" | "srcport" | "dstport" | "protocol" | "tcp-flags" | "traffic-path"
        | "encryption-status" => ColumnType::Int32,
        "packets" | "bytes" | "start" | "end" => ColumnType::Int64,
        _ => ColumnType::Text,
    }
}

/// The function that reads a field's value.
///
/// Other fields have no value: this network has no sublocations, ECS tasks, regional NAT gateways or encryption
/// controls, and only security groups reject traffic.
fn read(name: &str) -> Read {
    match name {
        "version" => |record| number(record.common.version),
        "account-id" => |record| Value::Text(&record.common.account),
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
            Value::Text(match record.status {
                LogStatus::Flow(_) => "OK",
                LogStatus::NoData => "NODATA",
                LogStatus::SkipData => "SKIPDATA",
            })
        },
        "vpc-id" => |record| Value::Text(&record.common.vpc),
        "subnet-id" => |record| Value::Text(&record.interface.subnet),
        "instance-id" => |record| record.interface.instance.as_deref().into(),
        "tcp-flags" => |record| of_flow(record, |flow| number(flow.tcp_flags)),
        "type" => |record| {
            of_flow(record, |flow| Value::Text(if flow.from.address.is_ipv4() { "IPv4" } else { "IPv6" }))
        },
        "pkt-srcaddr" => |record| of_flow(record, |flow| Value::Address(flow.packet_from)),
        "pkt-dstaddr" => |record| of_flow(record, |flow| Value::Address(flow.packet_to)),
        "region" => |record| Value::Text(&record.common.region),
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
            let vpc = &record.common.vpc;
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
    match &record.status {
        LogStatus::Flow(flow) => read(flow),
        LogStatus::NoData | LogStatus::SkipData => Value::None,
    }
}

fn of_next_hop<'a>(record: &Record<'a>, read: impl Fn(&'a Interface) -> Value<'a>) -> Value<'a> {
    of_flow(record, |flow| flow.next_hop.map_or(Value::None, &read))
}
