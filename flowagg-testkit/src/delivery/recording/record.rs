//! One record, before it is formatted as text or Parquet.

use std::net::IpAddr;

use super::network::{CommonFields, Interface};

#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) common: &'a CommonFields,
    pub(super) interface: &'a Interface,
    /// Unix seconds of the first packet, or of the start of the aggregation interval.
    pub(super) start: i64,
    /// Unix seconds of the last packet, or of the end of the aggregation interval.
    pub(super) end: i64,
    pub(super) status: LogStatus<'a>,
}

/// The traffic in an aggregation interval.
#[derive(Clone, Copy)]
pub(super) enum LogStatus<'a> {
    Flow(Flow<'a>),
    /// No traffic.
    NoData,
    /// More traffic than could be recorded.
    SkipData,
}

/// Packets in one direction between two ends.
#[derive(Clone, Copy)]
pub(super) struct Flow<'a> {
    /// As the interface sees them.
    pub(super) from: End,
    pub(super) to: End,
    /// Addresses in the packets; they differ from the interface's if it only forwards the packets.
    pub(super) packet_from: IpAddr,
    pub(super) packet_to: IpAddr,
    /// AWS services of the two ends of the packets.
    pub(super) services: [Option<&'static str>; 2],
    /// IANA protocol number.
    pub(super) protocol: u8,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// Bitwise OR of the flags of all packets.
    pub(super) tcp_flags: u8,
    pub(super) accepted: bool,
    /// Path of egress traffic by AWS's number; none for ingress.
    pub(super) path: Option<u8>,
    pub(super) egress: bool,
    /// The interface at the other end, if it is in the same VPC.
    pub(super) next_hop: Option<&'a Interface>,
}

/// An address and a port.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

/// The value of one field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Does not apply: a dash in text, null in Parquet.
    None,
    Number(u64),
    Text(&'a str),
    Address(IpAddr),
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::None, Self::Text)
    }
}
