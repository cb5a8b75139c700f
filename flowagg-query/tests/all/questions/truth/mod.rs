//! The expected answers, computed from the simulated traffic and flow logs with plain loops, without SQL.

mod requests;
mod sums;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};

use self::requests::{Request, admin_ports, rejected, requests, scans};
use self::sums::{between, by_day, nat, outbound, per_interface};
use super::record::{Format, Record, ecs, subnet, tag};
use super::world::{Event, NAT_ADDRESS, World};

/// A row with each value as text; `-` is NULL.
pub(crate) type Row = Vec<String>;

impl Record<'_> {
    fn is_full(&self) -> bool {
        self.interface.format == Some(Format::Full)
    }

    fn has_bytes(&self) -> bool {
        self.interface.format != Some(Format::Poor)
    }

    /// Whether it has a size and was accepted.
    fn counts(&self) -> bool {
        self.has_bytes() && self.is_accepted
    }

    pub(crate) fn direction(&self) -> Option<&'static str> {
        let has_one = matches!(self.interface.format, Some(Format::Full | Format::Directed));
        has_one.then_some(if self.is_egress { "egress" } else { "ingress" })
    }

    /// The packet addresses if they are recorded, otherwise the addresses of the section.
    fn packet(&self) -> &[String; 2] {
        if self.is_full() { &self.section.packet } else { &self.section.ends }
    }

    fn has_address(&self, address: &str) -> bool {
        self.section.ends.iter().chain(self.packet()).any(|one| one == address)
    }

    /// Whether it is not on the far side of a known NAT gateway: known by its type, or given by its address.
    fn is_near(&self, is_named: bool) -> bool {
        let is_gateway = self.is_full() && self.interface.kind.ends_with("nat_gateway")
            || is_named && self.section.ends.iter().any(|end| end == NAT_ADDRESS);
        !is_gateway || self.is_full() && self.section.ends != self.section.packet
    }

    fn port(&self) -> String {
        self.section.ports.iter().min().unwrap().to_string()
    }

    fn protocol(&self) -> String {
        self.event.protocol.to_string()
    }

    /// Whether it is a request from a client to a service.
    fn is_request(&self) -> bool {
        let [from, to] = self.section.ports;
        match self.event.flags {
            2 | 3 if self.is_full() && self.event.protocol == 6 => true,
            18 | 19 if self.is_full() && self.event.protocol == 6 => false,
            _ => to <= from,
        }
    }

    fn flow(&self) -> Row {
        let [source, destination] = self.packet().clone();
        vec![source, destination, self.protocol(), self.port()]
    }
}

fn is_internal(address: &str, own: &str) -> bool {
    match address.parse().unwrap() {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(_) => !own.is_empty() && address.starts_with(own),
    }
}

fn time(second: i64) -> String {
    Timestamp::from_second(second).unwrap().to_string()
}

/// The events of the records for each key, without duplicates, and the records.
fn events<'w>(
    records: &'w [Record<'w>],
    key: impl Fn(&Record<'_>) -> Option<Row>,
) -> BTreeMap<Row, (BTreeSet<usize>, Vec<&'w Record<'w>>)> {
    let mut found: BTreeMap<Row, (BTreeSet<usize>, Vec<&Record<'_>>)> = BTreeMap::new();
    for record in records {
        if let Some(key) = key(record) {
            let (events, of_key) = found.entry(key).or_default();
            // The address of an event identifies it.
            events.insert(std::ptr::from_ref::<Event>(record.event) as usize);
            of_key.push(record);
        }
    }
    found
}

/// The bytes of the distinct events.
fn bytes(records: &[&Record<'_>]) -> i64 {
    let events: BTreeMap<usize, i64> = records
        .iter()
        .filter(|record| record.counts())
        .map(|record| (std::ptr::from_ref::<Event>(record.event) as usize, record.event.bytes))
        .collect();
    events.values().sum()
}

fn seen(records: &[&Record<'_>]) -> [String; 2] {
    let first = records.iter().map(|record| record.event.start).min().unwrap();
    let last = records.iter().map(|record| record.event.end).max().unwrap();
    [time(first), time(last)]
}

/// Whether any of the records has no direction.
fn is_marked(records: &[&Record<'_>]) -> bool {
    records.iter().any(|record| record.direction().is_none())
}

fn sum(records: &[&Record<'_>], is_in: impl Fn(&Record<'_>) -> bool) -> i64 {
    records.iter().filter(|record| is_in(record)).map(|record| record.bytes).sum()
}

fn count(records: &[&Record<'_>], is_in: impl Fn(&Record<'_>) -> bool) -> usize {
    records.iter().filter(|record| is_in(record)).count()
}

/// The bytes sent or received; `-` if no record has a direction.
fn directed(records: &[&Record<'_>], direction: &str) -> String {
    let has_any = records.iter().any(|record| record.direction().is_some());
    let sum = sum(records, |record| record.direction() == Some(direction));
    if has_any { sum.to_string() } else { "-".to_owned() }
}

impl World {
    /// The rows of a query, sorted.
    pub(crate) fn answer(&self, line: &str) -> Vec<Row> {
        let words: Vec<&str> = line.split(' ').collect();
        let records = self.records();
        // Without a lookup, the gateways of the fleet are those that the records identify.
        let is_named = words.contains(&"--nat") && !words.contains(&"fleet");
        let own = if words.contains(&"--own") { "2001:db8:a::" } else { "" };
        let mut rows = match words[0] {
            "pairs" if words.get(1) != Some(&"packets") => {
                with_bytes(&records, |record| record.counts().then(|| record.section.ends.to_vec()))
            }
            "pairs" => pairs(&records, is_named),
            "top" => match words.get(1) {
                None | Some(&"--nat" | &"addresses") => top(&records, is_named),
                Some(&"instances") => {
                    per_interface(&records, |record| vec![record.interface.instance.to_owned()])
                }
                _ => per_interface(&records, |record| vec![subnet(record.interface)]),
            },
            "by-service" if words.get(1).is_some_and(|by| by.ends_with("-tag")) => {
                per_interface(&records, |record| vec![tag(record.interface, words[1]).to_owned()])
            }
            "by-service" => per_interface(&records, |record| {
                let field =
                    if words.get(1) == Some(&"ecs-task") { "ecs-task-id" } else { "ecs-service-name" };
                vec![ecs(record.interface, field), ecs(record.interface, "ecs-cluster-name")]
            }),
            "who" => {
                let all = events(&records, |record| {
                    (record.has_bytes() && record.has_address(words[1])).then(|| record.flow())
                });
                let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
                    let rejected = count(&records, |record| !record.is_accepted);
                    let measures = [bytes(&records).to_string(), rejected.to_string()];
                    [key, measures.to_vec(), seen(&records).to_vec(), vec![is_marked(&records).to_string()]]
                        .concat()
                };
                all.into_iter().map(row).collect()
            }
            "large-flows" => {
                let rows = timed(&records, |record| {
                    let ports = record.section.ports.map(|port| port.to_string());
                    let is_in = record.counts() && record.is_near(is_named);
                    is_in
                        .then(|| [record.packet().to_vec(), vec![record.protocol()], ports.to_vec()].concat())
                });
                let above: i64 = words[1].parse().unwrap();
                rows.into_iter().filter(|row| row[5].parse::<i64>().unwrap() >= above).collect()
            }
            "off-hours" => timed(&records, |record| {
                let is_in =
                    record.counts() && record.is_near(is_named) && !is_office(record.event.end, &words);
                is_in.then(|| record.flow())
            }),
            "unencrypted" => timed(&records, |record| {
                let is_in = record.counts() && record.is_near(false) && record.is_full();
                (is_in && record.event.encryption == Some(0)).then(|| record.flow())
            }),
            "interface" => {
                let all = events(&records, |record| {
                    let is_it = record.interface.id == words[1]
                        || record.is_full() && record.interface.instance == words[1];
                    (is_it && record.has_bytes()).then(|| {
                        let action = if record.is_accepted { "ACCEPT" } else { "REJECT" }.to_owned();
                        let start = vec![
                            record.interface.id.to_owned(),
                            record.direction().unwrap_or("-").to_owned(),
                        ];
                        [start, record.flow(), vec![action]].concat()
                    })
                });
                let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
                    let measures = [sum(&records, |_| true).to_string(), records.len().to_string()];
                    [key, measures.to_vec(), seen(&records).to_vec()].concat()
                };
                all.into_iter().map(row).collect()
            }
            "rejected" => rejected(&records),
            "ssh-rdp" => {
                let requests = requests(&records, |record| match record.section.ports[1] {
                    22 => record.event.protocol == 6,
                    port => port == 3389,
                });
                let row = |Request {
                               key: [source, destination, protocol, port],
                               accepted,
                               rejected,
                               records,
                           }: Request<'_>| {
                    let service = if port == "22" { "ssh" } else { "rdp" }.to_owned();
                    let [first, last] = seen(&records);
                    let counts = [accepted.to_string(), rejected.to_string()];
                    let start = vec![source, destination, service, protocol];
                    [start, counts.to_vec(), vec![first, last, is_marked(&records).to_string()]].concat()
                };
                requests.into_iter().map(row).collect()
            }
            "admin-ports" => admin_ports(&records, own),
            "scans" => scans(&records, words[1].parse().unwrap(), is_named),
            "inbound" => {
                let all = events(&records, |record| {
                    let is_in =
                        record.counts() && record.direction() != Some("egress") && record.is_request();
                    let [source, destination] = record.packet().clone();
                    (is_in && !is_internal(&source, own)).then(|| {
                        let port = record.section.ports[1].to_string();
                        vec![
                            record.interface.account.to_owned(),
                            source,
                            destination,
                            record.protocol(),
                            port,
                        ]
                    })
                });
                let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
                    let is_v6 = |record: &&&Record<'_>| {
                        record.direction().is_none() && record.section.ends[0].contains(':')
                    };
                    let both = records.iter().any(|record| is_v6(&record));
                    let measures = [bytes(&records).to_string(), records.len().to_string()];
                    [key, measures.to_vec(), seen(&records).to_vec(), vec![both.to_string()]].concat()
                };
                all.into_iter().map(row).collect()
            }
            "outbound" => outbound(&records, own, is_named),
            "nat" | "nat-to-aws" => {
                let named = words.iter().position(|word| *word == "--nat").map(|place| words[place + 1]);
                let named = named.filter(|named| *named != "fleet");
                nat(&records, words[0] == "nat-to-aws", named)
            }
            "cross-zone" => {
                let all = events(&records, |record| {
                    let next = record.next.filter(|next| next.zone != record.interface.zone)?;
                    let is_in = record.counts() && record.is_full() && record.is_egress;
                    is_in.then(|| {
                        [record.interface.account, record.interface.zone, next.zone]
                            .map(str::to_owned)
                            .to_vec()
                    })
                });
                let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
                    let bytes = sum(&records, |_| true);
                    // A GB is 2^30 bytes and costs one cent on each side.
                    #[allow(clippy::cast_precision_loss, reason = "prices are rounded to cents")]
                    let usd = format!("{:.2}", (bytes as f64 / f64::from(1 << 29)).round() / 100.0);
                    [key, vec![bytes.to_string(), usd, is_marked(&records).to_string()]].concat()
                };
                all.into_iter().map(row).collect()
            }
            "between-accounts" => between(&records, words.get(1).copied().unwrap_or("accounts")),
            "by-day" => by_day(&records, words.get(1) == Some(&"hour")),
            name => panic!("no expected answer for `{name}`"),
        };
        rows.sort();
        rows
    }
}

fn with_bytes(records: &[Record<'_>], key: impl Fn(&Record<'_>) -> Option<Row>) -> Vec<Row> {
    let all = events(records, key);
    let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
        [key, vec![bytes(&records).to_string(), is_marked(&records).to_string()]].concat()
    };
    all.into_iter().map(row).collect()
}

fn timed(records: &[Record<'_>], key: impl Fn(&Record<'_>) -> Option<Row>) -> Vec<Row> {
    let all = events(records, key);
    let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
        let [first, last] = seen(&records);
        [key, vec![bytes(&records).to_string(), first, last, is_marked(&records).to_string()]].concat()
    };
    all.into_iter().map(row).collect()
}

fn pairs(records: &[Record<'_>], is_named: bool) -> Vec<Row> {
    with_bytes(records, |record| {
        (record.counts() && record.is_near(is_named)).then(|| record.packet().to_vec())
    })
}

fn top(records: &[Record<'_>], is_named: bool) -> Vec<Row> {
    let mut found: BTreeMap<String, (i64, i64, bool)> = BTreeMap::new();
    for pair in pairs(records, is_named) {
        let bytes: i64 = pair[2].parse().unwrap();
        for (end, address) in pair.iter().take(2).enumerate() {
            let sums = found.entry(address.clone()).or_default();
            if end == 0 {
                sums.0 += bytes
            } else {
                sums.1 += bytes
            }
            sums.2 |= pair[3] == "true";
        }
    }
    let row = |(address, (sent, received, both)): (String, (i64, i64, bool))| {
        vec![address, sent.to_string(), received.to_string(), (sent + received).to_string(), both.to_string()]
    };
    found.into_iter().map(row).collect()
}

/// Whether a time is within office hours.
fn is_office(second: i64, words: &[&str]) -> bool {
    let (offset, hours, last) = if words.contains(&"--utc-offset") {
        (Offset::constant(-5), 7..19, Weekday::Saturday)
    } else {
        (Offset::UTC, 8..18, Weekday::Friday)
    };
    let local = Timestamp::from_second(second).unwrap().to_zoned(TimeZone::fixed(offset));
    hours.contains(&local.hour()) && local.weekday().to_monday_one_offset() <= last.to_monday_one_offset()
}
