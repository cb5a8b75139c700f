//! The interfaces that a flow log covers, and its records of them in an interval.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::{io, iter};

use flowagg_core::flow_log::TrafficType;
use flowagg_core::id::{Region, ResourceKind};

use super::files::{Files, LogFile, Shape};
use super::flows::Flows;
use super::random::digest;
use super::record::{LogStatus, Record};
use super::{PUBLISHED_EVERY, Recording, Traffic};

/// One interface in this many belongs to a NAT gateway.
const NAT_GATEWAY_EVERY: u32 = 3;
/// Number of subnets, each in its own zone.
const SUBNETS: u32 = 3;

/// The interfaces that a flow log covers, with their traffic.
///
/// Their IDs are those of the flow log's resource if it determines them, and derived from it otherwise.
#[derive(Debug)]
pub struct Network {
    pub(super) recording: Recording,
    pub(super) traffic: Traffic,
    common: CommonFields,
    interfaces: Vec<Interface>,
    /// Number of busy interfaces; the idle ones follow. There may be one more, which the flow log does not cover.
    busy: u32,
    idle: u32,
}

/// Fields with the same value in all records of a flow log.
#[derive(Debug)]
pub(super) struct CommonFields {
    pub(super) version: u8,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) vpc: String,
}

#[derive(Debug)]
pub(super) struct Interface {
    pub(super) id: String,
    pub(super) subnet: String,
    pub(super) az: String,
    /// Its instance; none if it belongs to a NAT gateway.
    pub(super) instance: Option<String>,
    pub(super) ipv4: Ipv4Addr,
    pub(super) ipv6: Ipv6Addr,
}

impl Interface {
    /// AWS's name of the service that it belongs to.
    pub(super) fn service(&self) -> Option<&'static str> {
        self.instance.is_none().then_some("nat_gateway")
    }

    pub(super) fn address(&self, is_ipv6: bool) -> IpAddr {
        if is_ipv6 { self.ipv6.into() } else { self.ipv4.into() }
    }
}

impl Network {
    pub(super) fn new(recording: Recording, traffic: Traffic) -> Self {
        let resource = recording.resource.as_ref();
        let named = |kind| resource.filter(|id| id.kind() == kind).map(ToString::to_string);
        let key = resource.map_or(recording.flow_log.as_str(), |id| id.as_str());
        let common = CommonFields {
            version: recording.columns.version(),
            account: recording.place.account.to_string(),
            region: recording.place.region.to_string(),
            vpc: named(ResourceKind::Vpc).unwrap_or_else(|| made("vpc", key, 0)),
        };
        let (busy, idle) = match named(ResourceKind::NetworkInterface) {
            Some(_) => (traffic.busy.min(1), traffic.idle.min(1 - traffic.busy.min(1))),
            None => (traffic.busy, traffic.idle),
        };
        let zones = zones(&recording.place.region);
        let network = digest(key);
        let subnets = if named(ResourceKind::Subnet).is_some() { 1 } else { SUBNETS };
        let interface = |n: u32| {
            let (subnet, host) = (n % subnets, n / subnets);
            let own = digest(&format!("{key} interface {n}"));
            let ours = named(ResourceKind::NetworkInterface).filter(|_| n == 0);
            Interface {
                id: ours.unwrap_or_else(|| made("eni", key, n)),
                subnet: named(ResourceKind::Subnet).unwrap_or_else(|| made("subnet", key, subnet)),
                az: format!("{zones}-az{}", subnet + 1),
                instance: (n % NAT_GATEWAY_EVERY != NAT_GATEWAY_EVERY - 1).then(|| made("i", key, n)),
                // AWS reserves the first four addresses of a subnet and the last one.
                ipv4: Ipv4Addr::new(
                    10,
                    network as u8,
                    (subnet + host / 251 * subnets) as u8,
                    4 + (host % 251) as u8,
                ),
                ipv6: Ipv6Addr::from(
                    0x2001_0db8_u128 << 96
                        | u128::from(network as u16 & 0x7fff) << 80
                        | u128::from(subnet) << 64
                        | u128::from(own),
                ),
            }
        };
        // At least two, so that each interface has a peer.
        let interfaces = (0..busy.saturating_add(idle).max(2)).map(interface).collect();
        Self { recording, traffic, common, interfaces, busy, idle }
    }

    /// The files that the service publishes for the [`PUBLISHED_EVERY`] that begins at `start` (Unix seconds): none if
    /// there is nothing to record. Files are generated on demand. Fails if the Parquet writer fails.
    pub fn files(&self, start: i64, shape: Shape) -> impl Iterator<Item = io::Result<LogFile>> {
        Files::new(self, start, shape)
    }

    /// The records that ended within the [`PUBLISHED_EVERY`] that begins at `start`, grouped by interface.
    pub(super) fn records(&self, start: i64) -> impl Iterator<Item = Record<'_>> {
        let keeps = self.recording.traffic_type;
        let busy =
            self.interfaces.iter().enumerate().take(self.busy as usize).flat_map(move |(n, interface)| {
                let flows = self.flows(n, start).filter(move |record| is_kept(keeps, record));
                let skipped =
                    iter::repeat_n(LogStatus::SkipData, usize::from(n < self.traffic.overloaded as usize));
                flows.chain(skipped.flat_map(move |status| self.for_each_window(interface, status, start)))
            });
        let idle = self.interfaces.iter().skip(self.busy as usize).take(self.idle as usize);
        busy.chain(idle.flat_map(move |interface| self.for_each_window(interface, LogStatus::NoData, start)))
    }

    /// All flows of a busy interface, whether the flow log keeps them or not.
    fn flows(&self, n: usize, start: i64) -> Flows<'_> {
        let Traffic { seed, flows, .. } = self.traffic;
        let busy = u64::from(self.busy);
        let share = flows / busy + u64::from((n as u64) < flows % busy);
        let interface = &self.interfaces[n];
        let seed = digest(&format!("{seed} {} {start}", interface.id));
        let peer = &self.interfaces[(n + 1) % self.interfaces.len()];
        Flows::new(&self.common, interface, peer, (start, self.window()), share, seed)
    }

    /// A record for each aggregation interval that ends within the file's interval.
    fn for_each_window<'a>(
        &'a self,
        interface: &'a Interface,
        status: LogStatus<'a>,
        start: i64,
    ) -> impl Iterator<Item = Record<'a>> {
        let window = self.window();
        let first = window_of(start, window);
        let windows = (first..start + PUBLISHED_EVERY).step_by(window as usize);
        windows.filter(move |begin| begin + window <= start + PUBLISHED_EVERY).map(move |begin| Record {
            common: &self.common,
            interface,
            start: begin,
            end: begin + window - 1,
            status,
        })
    }

    /// The aggregation interval in seconds.
    fn window(&self) -> i64 {
        self.recording.aggregation_interval.seconds().into()
    }
}

/// Start of the aggregation interval (`window` seconds long) that contains a moment.
pub(super) fn window_of(moment: i64, window: i64) -> i64 {
    moment - moment.rem_euclid(window)
}

fn is_kept(keeps: TrafficType, record: &Record<'_>) -> bool {
    match (keeps, record.status) {
        (TrafficType::Accept, LogStatus::Flow(flow)) => flow.accepted,
        (TrafficType::Reject, LogStatus::Flow(flow)) => !flow.accepted,
        _ => true,
    }
}

/// An ID of this kind, derived from the resource's ID.
fn made(kind: &str, key: &str, n: u32) -> String {
    format!("{kind}-{:017x}", digest(&format!("{key} {kind} {n}")))
}

/// The prefix of a region's zone IDs: `use1` of `us-east-1`, `apse2` of `ap-southeast-2`.
///
/// Source: "AWS Availability Zones" (AWS Regions and Availability Zones User Guide).
fn zones(region: &Region) -> String {
    let mut words = region.as_str().split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |zones, word| {
        zones
            + match word {
                "northeast" => "ne",
                "northwest" => "nw",
                "southeast" => "se",
                "southwest" => "sw",
                number if number.bytes().all(|byte| byte.is_ascii_digit()) => number,
                word => word.get(..1).unwrap_or_default(),
            }
    })
}
