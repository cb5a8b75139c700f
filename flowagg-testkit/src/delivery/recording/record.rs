//! One record, before it is text or Parquet.

use std::net::IpAddr;

use super::network::{CommonFields, Interface};

/// One line of a flow log.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) common: &'a CommonFields,
    pub(super) interface: &'a Interface,
    /// In Unix seconds: of the first packet, or of the aggregation interval's start.
    pub(super) start: i64,
    /// In Unix seconds: of the last packet, or of the aggregation interval's end.
    pub(super) end: i64,
    pub(super) status: LogStatus<'a>,
}

/// What there was to record in an aggregation interval.
#[derive(Clone, Copy)]
pub(super) enum LogStatus<'a> {
    Flow(Flow<'a>),
    /// No traffic.
    NoData,
    /// More than could be recorded.
    SkipData,
}

/// Packets in one direction between two ends.
#[derive(Clone, Copy)]
pub(super) struct Flow<'a> {
    /// As the interface sees them.
    pub(super) from: End,
    pub(super) to: End,
    /// As the packets have them: others than the interface's where that only passes them on.
    pub(super) packet_from: IpAddr,
    pub(super) packet_to: IpAddr,
    /// The service that the ends of the packets belong to.
    pub(super) services: [Option<&'static str>; 2],
    /// IANA's number.
    pub(super) protocol: u8,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// The flags of all packets, as a bit mask.
    pub(super) tcp_flags: u8,
    pub(super) accepted: bool,
    /// The way out of the interface, as AWS numbers them; none where the packets come in.
    pub(super) path: Option<u8>,
    pub(super) egress: bool,
    /// The interface at the other end, where it is in the same VPC.
    pub(super) next_hop: Option<&'a Interface>,
}

/// An address and a port.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

/// What stands in one field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// It does not apply: a dash in text, null in Parquet.
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
