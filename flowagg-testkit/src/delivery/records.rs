//! The lines of a flow log file: repeatable by seed, flow log and time.

use flowagg_core::flow_log::RecordFormat;
use flowagg_core::id::{AccountId, FlowLogId};
use sha2::{Digest, Sha256};

use super::EVERY;

/// The interfaces of a flow log; the last one is idle.
const INTERFACES: u64 = 4;
/// The flows of a busy interface in five minutes.
const FLOWS: u64 = 8;
/// Destination port, protocol and whether the security group lets it in.
const SERVICES: [(u16, u8, bool); 4] = [(443, 6, true), (53, 17, true), (5432, 6, true), (23, 6, false)];

/// The traffic of one flow log in one interval.
pub(super) struct Traffic<'a> {
    pub(super) account: AccountId,
    pub(super) flow_log: &'a FlowLogId,
    /// `ACCEPT`, `REJECT` or `ALL`.
    pub(super) kind: Option<&'a str>,
    /// In Unix seconds.
    pub(super) start: i64,
    pub(super) seed: u64,
}

impl Traffic<'_> {
    /// The file's text, with a header, and the number of its records.
    pub(super) fn text(&self, format: Option<&str>) -> (String, usize) {
        let format = format.map_or_else(|| RecordFormat::default().to_string(), str::to_owned);
        let fields: Vec<&str> = format
            .split_whitespace()
            .filter_map(|field| field.strip_prefix("${")?.strip_suffix('}'))
            .collect();
        let records = self.records();
        let mut text = fields.join(" ");
        for record in &records {
            let values: Vec<&str> = fields.iter().map(|field| record.value(field)).collect();
            text.push('\n');
            text.push_str(&values.join(" "));
        }
        text.push('\n');
        (text, records.len())
    }

    fn records(&self) -> Vec<Record> {
        let mut random = Random(digest(self.seed, self.flow_log, self.start));
        let mut records = Vec::new();
        for interface in 0..INTERFACES {
            let eni = format!("eni-{:017x}", digest(interface, self.flow_log, 0) >> 4);
            if interface == INTERFACES - 1 {
                records.push(self.nodata(&eni));
                continue;
            }
            for flow in 0..FLOWS {
                let record = self.flow(&eni, SERVICES[(flow % SERVICES.len() as u64) as usize], &mut random);
                if self.kind.is_none_or(|kind| kind == "ALL" || kind == record.action) {
                    records.push(record);
                }
            }
        }
        records
    }

    fn flow(&self, eni: &str, (port, protocol, accepted): (u16, u8, bool), random: &mut Random) -> Record {
        let packets = 1 + random.below(40);
        // Records belong to the file of the interval in which they ended.
        let end = self.start + random.below(EVERY as u64) as i64;
        let mut address = || format!("10.{}.{}.{}", random.below(4), random.below(16), 4 + random.below(250));
        Record {
            srcaddr: address(),
            dstaddr: address(),
            srcport: (1024 + random.below(64_512)).to_string(),
            dstport: port.to_string(),
            protocol: protocol.to_string(),
            packets: packets.to_string(),
            bytes: (packets * (40 + random.below(1400))).to_string(),
            start: (end - 1 - random.below(59) as i64).to_string(),
            end: end.to_string(),
            action: if accepted { "ACCEPT" } else { "REJECT" },
            status: "OK",
            ..self.nodata(eni)
        }
    }

    fn nodata(&self, eni: &str) -> Record {
        let none = || "-".to_owned();
        Record {
            account: self.account.to_string(),
            interface: eni.to_owned(),
            srcaddr: none(),
            dstaddr: none(),
            srcport: none(),
            dstport: none(),
            protocol: none(),
            packets: none(),
            bytes: none(),
            start: self.start.to_string(),
            end: (self.start + EVERY - 1).to_string(),
            action: "-",
            status: "NODATA",
        }
    }
}

/// One record of version 2, as text.
struct Record {
    account: String,
    interface: String,
    srcaddr: String,
    dstaddr: String,
    srcport: String,
    dstport: String,
    protocol: String,
    packets: String,
    bytes: String,
    start: String,
    end: String,
    action: &'static str,
    status: &'static str,
}

impl Record {
    /// The value of a field; `-` where it has none, or is of a later version.
    fn value(&self, field: &str) -> &str {
        match field {
            "version" => "2",
            "account-id" => &self.account,
            "interface-id" => &self.interface,
            "srcaddr" => &self.srcaddr,
            "dstaddr" => &self.dstaddr,
            "srcport" => &self.srcport,
            "dstport" => &self.dstport,
            "protocol" => &self.protocol,
            "packets" => &self.packets,
            "bytes" => &self.bytes,
            "start" => &self.start,
            "end" => &self.end,
            "action" => self.action,
            "log-status" => self.status,
            _ => "-",
        }
    }
}

/// The eight digits in the file's name.
pub(super) fn hash(seed: u64, flow_log: &FlowLogId, start: i64) -> u32 {
    (digest(seed, flow_log, start) >> 32) as u32
}

fn digest(seed: u64, flow_log: &FlowLogId, start: i64) -> u64 {
    let digest = Sha256::digest(format!("{seed} {flow_log} {start}"));
    digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// SplitMix64: small, quick, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_529_511_600;

    fn text(kind: &str, seed: u64, format: Option<&str>) -> String {
        let flow_log = FlowLogId::parse("fl-1234abcd").unwrap();
        let account = AccountId::parse("123456789012").unwrap();
        Traffic { account, flow_log: &flow_log, kind: Some(kind), start: START, seed }.text(format).0
    }

    #[test]
    fn a_file_has_a_header_and_records_of_as_many_fields() {
        let text = text("ALL", 1, None);
        let header = text.lines().next().unwrap();
        assert!(header.starts_with("version account-id interface-id srcaddr"), "{header}");
        assert!(text.lines().all(|line| line.split(' ').count() == 14));
        assert_eq!(text.lines().count(), 1 + 3 * 8 + 1);
        assert!(text.ends_with("- NODATA\n"));
    }

    #[test]
    fn the_same_seed_gives_the_same_records_and_another_seed_others() {
        assert_eq!(text("ALL", 1, None), text("ALL", 1, None));
        assert_ne!(text("ALL", 1, None), text("ALL", 2, None));
    }

    #[test]
    fn the_traffic_type_is_obeyed() {
        for (kind, other) in [("ACCEPT", "REJECT"), ("REJECT", "ACCEPT")] {
            let text = text(kind, 1, None);
            assert!(text.contains(kind) && !text.contains(other), "{text}");
        }
    }

    #[test]
    fn records_end_within_the_five_minutes_that_the_file_is_named_for() {
        for line in text("ALL", 3, Some("${start} ${end}")).lines().skip(1) {
            let (start, end) = line.split_once(' ').unwrap();
            let (start, end): (i64, i64) = (start.parse().unwrap(), end.parse().unwrap());
            assert!(start < end && (START..START + EVERY).contains(&end), "{line}");
        }
    }

    #[test]
    fn fields_stand_in_the_order_of_the_flow_log_and_later_versions_are_a_dash() {
        let text = text("ALL", 1, Some("${action} ${vpc-id} ${version}"));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("action vpc-id version"));
        assert_eq!(lines.next(), Some("ACCEPT - 2"));
    }
}
