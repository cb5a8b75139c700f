//! Questions about the paths of packets. A path through gateways has several sections, each recorded with different addresses and at
//! both ends, but with the same packets. So each section counts once, and only the largest section of a path counts.

use std::net::IpAddr;

use super::super::argument::{Gateway, Level, OfficeHours};
use super::parts::{DESTINATION, NOT_REJECTED, PORT, SEEN, SOURCE, TRAFFIC, count_of, on_near_side, once};
use super::{Asked, BOTH_ENDS};

/// The addresses of packets.
const PACKET: [(&str, &str); 2] = [(SOURCE, "source"), (DESTINATION, "destination")];
/// The service.
const SERVICE: [(&str, &str); 2] = [("protocol", "protocol"), (PORT, "port")];

/// The bytes of a section.
fn bytes_once() -> String {
    format!("{} AS bytes", once("bytes"))
}

impl Asked<'_> {
    pub(super) fn pairs(&self, level: Level, gateways: &[Gateway]) -> String {
        let mut conditions = vec![TRAFFIC.to_owned(), NOT_REJECTED.to_owned()];
        let keys = match level {
            Level::Interfaces => [("srcaddr", "source"), ("dstaddr", "destination")],
            Level::Packets => {
                conditions.push(on_near_side(gateways));
                PACKET
            }
        };
        format!(
            "{}\nSELECT source, destination, max(bytes) AS bytes, bool_or({BOTH_ENDS}) AS {BOTH_ENDS}\nFROM sections\n\
             GROUP BY source, destination\n{}",
            self.sections(&keys, &bytes_once(), &conditions),
            self.ranked("bytes DESC, source, destination"),
        )
    }

    pub(super) fn top_addresses(&self, gateways: &[Gateway]) -> String {
        let conditions = [TRAFFIC.to_owned(), NOT_REJECTED.to_owned(), on_near_side(gateways)];
        format!(
            "{},\npairs AS (\n  SELECT source, destination, max(bytes) AS bytes, bool_or({BOTH_ENDS}) AS {BOTH_ENDS}\n  FROM sections\n  \
             GROUP BY source, destination\n)\n\
             SELECT CASE WHEN side = 'sent' THEN source ELSE destination END AS address,\n  \
             sum(CASE WHEN side = 'sent' THEN bytes ELSE 0 END) AS sent,\n  \
             sum(CASE WHEN side = 'received' THEN bytes ELSE 0 END) AS received,\n  \
             sum(bytes) AS bytes,\n  bool_or({BOTH_ENDS}) AS {BOTH_ENDS}\n\
             FROM pairs CROSS JOIN (VALUES ('sent'), ('received')) AS sides (side)\nGROUP BY 1\n{}",
            self.sections(&PACKET, &bytes_once(), &conditions),
            self.ranked("bytes DESC, address"),
        )
    }

    pub(super) fn who(&self, address: IpAddr) -> String {
        let columns = ["srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr"];
        let is_in_question = columns.map(|column| format!("{column} = '{address}'")).join(" OR ");
        self.flows(
            &once("CASE WHEN action = 'REJECT' THEN 0 ELSE bytes END"),
            &[TRAFFIC.to_owned(), format!("({is_in_question})")],
            Some("rejected"),
        )
    }

    pub(super) fn off_hours(&self, office: &OfficeHours, gateways: &[Gateway]) -> String {
        let days: Vec<String> = office.weekdays.numbers().map(|day| day.to_string()).collect();
        let [from, to] = office.hours.seconds();
        let local = format!("(ended + {})", office.utc_offset.seconds());
        // The first day of Unix time was a Thursday, the fourth day of a week.
        let is_office = format!(
            "({local} / 86400 + 3) % 7 IN ({}) AND {local} % 86400 >= {from} AND {local} % 86400 < {to}",
            days.join(", ")
        );
        let conditions = [
            TRAFFIC.to_owned(),
            NOT_REJECTED.to_owned(),
            on_near_side(gateways),
            "ended IS NOT NULL".to_owned(),
            format!("NOT ({is_office})"),
        ];
        self.flows(&once("bytes"), &conditions, None)
    }

    pub(super) fn unencrypted(&self) -> String {
        let conditions = [
            TRAFFIC.to_owned(),
            NOT_REJECTED.to_owned(),
            on_near_side(&[]),
            "encryption_status = 0".to_owned(),
        ];
        self.flows(&once("bytes"), &conditions, None)
    }

    /// The traffic between addresses by port, with times and, if `rejected` names a column, the number of rejected records.
    fn flows(&self, bytes: &str, conditions: &[String], rejected: Option<&str>) -> String {
        let keys = [PACKET, SERVICE].concat();
        let rejected_records = rejected
            .map_or_else(String::new, |name| format!(",\n    {} AS {name}", count_of("action = 'REJECT'")));
        let measures = format!("{bytes} AS bytes{rejected_records},\n    {SEEN}");
        let rejected = rejected.map_or_else(String::new, |name| format!(" sum({name}) AS {name},"));
        format!(
            "{}\nSELECT source, destination, protocol, port, max(bytes) AS bytes,{rejected}\n  {},\n  bool_or({BOTH_ENDS}) AS {BOTH_ENDS}\n\
             FROM sections\nGROUP BY source, destination, protocol, port\n{}",
            self.sections(&keys, &measures, conditions),
            self.times("first_seen", "last_seen"),
            self.ranked("bytes DESC, source, destination, protocol, port"),
        )
    }

    pub(super) fn large_flows(&self, above: u64, gateways: &[Gateway]) -> String {
        let ports = [("protocol", "protocol"), ("srcport", "srcport"), ("dstport", "dstport")];
        let keys = [&PACKET[..], &ports].concat();
        let measures = format!("{} AS bytes,\n    {SEEN}", once("bytes"));
        let conditions = [TRAFFIC.to_owned(), NOT_REJECTED.to_owned(), on_near_side(gateways)];
        format!(
            "{}\nSELECT source, destination, protocol, srcport, dstport, max(bytes) AS bytes,\n  {},\n  bool_or({BOTH_ENDS}) AS {BOTH_ENDS}\n\
             FROM sections\nGROUP BY source, destination, protocol, srcport, dstport\nHAVING max(bytes) >= {above}\n{}",
            self.sections(&keys, &measures, &conditions),
            self.times("first_seen", "last_seen"),
            self.ranked("bytes DESC, source, destination, protocol, srcport, dstport"),
        )
    }
}
