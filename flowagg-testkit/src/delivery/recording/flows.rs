//! The flows of one interface in one interval: a cycle of services, each with another peer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::PUBLISHED_EVERY;
use super::network::{CommonFields, Interface, window_of};
use super::random::Random;
use super::record::{End, Flow, LogStatus, Record};

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// Bits of `tcp-flags`.
///
/// Source: "Flow log records", available fields (Amazon VPC User Guide).
const FIN: u8 = 1;
const SYN: u8 = 2;
const SYN_ACK: u8 = 18;

/// The other end of a flow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// A host on the internet.
    Internet,
    /// An interface of the same VPC.
    Vpc,
    /// S3, through a gateway endpoint.
    S3,
}

impl Peer {
    /// The path of packets to this peer.
    ///
    /// Source: "Flow log records", traffic-path (Amazon VPC User Guide).
    fn path(self) -> u8 {
        match self {
            Self::Vpc => 1,
            Self::S3 => 7,
            Self::Internet => 8,
        }
    }
}

/// A service that one end offers.
struct Service {
    port: u16,
    protocol: u8,
    peer: Peer,
    /// Whether the interface is the client.
    egress: bool,
    becomes: Becomes,
}

#[derive(PartialEq, Eq)]
enum Becomes {
    Answered,
    Unanswered,
    Rejected,
}

/// The activity of an instance's interface. The first five services produce eight flows, covering every case.
const SERVICES: [(Service, bool); 10] = {
    use Becomes::{Answered, Rejected, Unanswered};
    use Peer::{Internet, S3, Vpc};
    const fn service(port: u16, protocol: u8, peer: Peer, egress: bool, becomes: Becomes) -> Service {
        Service { port, protocol, peer, egress, becomes }
    }
    [
        (service(443, TCP, Internet, false, Answered), false),
        (service(23, TCP, Internet, false, Rejected), false),
        (service(514, UDP, Vpc, true, Unanswered), false),
        (service(443, TCP, Internet, false, Answered), true),
        (service(0, ICMP, Internet, false, Answered), false),
        (service(443, TCP, S3, true, Answered), false),
        (service(5432, TCP, Vpc, false, Answered), false),
        (service(3389, TCP, Internet, false, Rejected), true),
        (service(123, UDP, Vpc, true, Answered), true),
        (service(0, ICMPV6, Vpc, false, Answered), true),
    ]
};

/// The destination port of clients behind a NAT gateway.
const HTTPS: u16 = 443;

/// The flows of an interface, up to a maximum number.
pub(super) struct Flows<'a> {
    common: &'a CommonFields,
    interface: &'a Interface,
    peer: &'a Interface,
    /// Start of the file's interval (Unix seconds), and the aggregation interval in seconds.
    time: (i64, i64),
    left: u64,
    random: Random,
    turn: usize,
    /// Flows of the last exchange, in reverse order.
    pending: [Option<Record<'a>>; 4],
}

impl<'a> Flows<'a> {
    pub(super) fn new(
        common: &'a CommonFields,
        interface: &'a Interface,
        peer: &'a Interface,
        time: (i64, i64),
        left: u64,
        seed: u64,
    ) -> Self {
        Self { common, interface, peer, time, left, random: Random(seed), turn: 0, pending: [None; 4] }
    }

    /// Starts the exchange with the next service.
    fn ask(&mut self) {
        let flows = if self.interface.instance.is_none() { self.pass_on() } else { self.exchange() };
        let (start, window) = self.time;
        let end = start + self.random.below(PUBLISHED_EVERY as u64) as i64;
        let begin = window_of(end, window);
        let start = begin + self.random.below((end - begin + 1) as u64) as i64;
        let (common, interface) = (self.common, self.interface);
        self.pending = flows.map(|flow| {
            flow.map(|flow| Record { common, interface, start, end, status: LogStatus::Flow(flow) })
        });
        self.turn += 1;
    }

    /// An exchange with a service that the interface offers or uses.
    fn exchange(&mut self) -> [Option<Flow<'a>>; 4] {
        let (service, is_ipv6) = &SERVICES[self.turn % SERVICES.len()];
        let own = self.interface.address(*is_ipv6);
        let other = match service.peer {
            Peer::Internet => host(&mut self.random, *is_ipv6),
            Peer::Vpc => self.peer.address(*is_ipv6),
            Peer::S3 => bucket(&mut self.random),
        };
        let has_ports = service.port != 0;
        let client_port = if has_ports { port(&mut self.random) } else { 0 };
        let (client, server) = if service.egress { (own, other) } else { (other, own) };
        let (client, server) =
            (End { address: client, port: client_port }, End { address: server, port: service.port });
        let next_hop = (service.peer == Peer::Vpc).then_some(self.peer);
        let flow = |from: End, to: End, egress: bool, tcp_flags: u8, random: &mut Random| {
            let (packets, bytes) = volume(service, *is_ipv6, random);
            let of_s3 = |address: IpAddr| (service.peer == Peer::S3 && address == other).then_some("S3");
            Flow {
                from,
                to,
                packet_from: from.address,
                packet_to: to.address,
                services: [of_s3(from.address), of_s3(to.address)],
                protocol: service.protocol,
                packets,
                bytes,
                tcp_flags: if service.protocol == TCP { tcp_flags } else { 0 },
                accepted: service.becomes != Becomes::Rejected,
                path: egress.then(|| service.peer.path()),
                egress,
                next_hop,
            }
        };
        let asked = if service.becomes == Becomes::Rejected { SYN } else { SYN | FIN };
        let request = flow(client, server, service.egress, asked, &mut self.random);
        let response = (service.becomes == Becomes::Answered)
            .then(|| flow(server, client, !service.egress, SYN_ACK | FIN, &mut self.random));
        [None, None, response, Some(request)]
    }

    /// An exchange through a NAT gateway, between an interface behind it and a host: in and out, in each direction.
    ///
    /// Source: "Flow log record examples", traffic through a zonal NAT gateway (Amazon VPC User Guide).
    fn pass_on(&mut self) -> [Option<Flow<'a>>; 4] {
        let random = &mut self.random;
        let (client, gateway, host) =
            (self.peer.address(false), self.interface.address(false), host(random, false));
        let (client_port, gateway_port) = (port(random), port(random));
        let service = Service {
            port: HTTPS,
            protocol: TCP,
            peer: Peer::Internet,
            egress: true,
            becomes: Becomes::Answered,
        };
        let (asked, answered) = (volume(&service, false, random), volume(&service, false, random));
        let end = |address, port| End { address, port };
        let flow = |from: End, to: End, packet_from, packet_to, (packets, bytes), path: Option<u8>| Flow {
            from,
            to,
            packet_from,
            packet_to,
            services: [None; 2],
            protocol: TCP,
            packets,
            bytes,
            tcp_flags: FIN | if from.port == HTTPS { SYN_ACK } else { SYN },
            accepted: true,
            path,
            egress: path.is_some(),
            next_hop: (from.address == client || to.address == client).then_some(self.peer),
        };
        let (inside, outside) = (end(client, client_port), end(host, HTTPS));
        let out = Some(Peer::Internet.path());
        let back = Some(Peer::Vpc.path());
        [
            Some(flow(end(gateway, HTTPS), inside, host, client, answered, back)),
            Some(flow(outside, end(gateway, gateway_port), host, gateway, answered, None)),
            Some(flow(end(gateway, gateway_port), outside, gateway, host, asked, out)),
            Some(flow(inside, end(gateway, HTTPS), client, host, asked, None)),
        ]
    }
}

impl<'a> Iterator for Flows<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        self.left = self.left.checked_sub(1)?;
        loop {
            if let Some(record) = self.pending.iter_mut().rev().find_map(Option::take) {
                return Some(record);
            }
            self.ask();
        }
    }
}

/// A host on the internet, from the networks reserved for benchmarks and documentation.
///
/// Source: RFC 2544, RFC 3849.
fn host(random: &mut Random, is_ipv6: bool) -> IpAddr {
    if is_ipv6 {
        Ipv6Addr::from(0x2001_0db8_ffff_u128 << 80 | u128::from(random.next())).into()
    } else {
        let [.., a, b, c] = (random.below(1 << 17) as u32).to_be_bytes();
        Ipv4Addr::new(198, 18 + a, b, c).into()
    }
}

/// An address of S3.
///
/// Source: "AWS IP address ranges" (Amazon VPC User Guide): 52.216.0.0/15.
fn bucket(random: &mut Random) -> IpAddr {
    let [.., a, b, c] = (random.below(1 << 17) as u32).to_be_bytes();
    Ipv4Addr::new(52, 216 + a, b, c).into()
}

/// An ephemeral client port.
fn port(random: &mut Random) -> u16 {
    1024 + random.below(64_512) as u16
}

/// Packets and bytes, including headers.
fn volume(service: &Service, is_ipv6: bool, random: &mut Random) -> (u64, u64) {
    let header = if is_ipv6 { 40 } else { 20 };
    match service.protocol {
        TCP if service.becomes == Becomes::Rejected => {
            let packets = 1 + random.below(3);
            (packets, packets * (header + 20))
        }
        TCP => {
            let packets = 5 + random.below(40);
            (packets, packets * (header + 20 + random.below(1400)))
        }
        UDP => {
            let packets = 1 + random.below(4);
            (packets, packets * (header + 8 + 48))
        }
        _ => {
            let packets = 1 + random.below(10);
            (packets, packets * (header + 64))
        }
    }
}
