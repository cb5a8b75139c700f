//! Expected requests from clients to services, and whether they were accepted.

use std::collections::{BTreeMap, BTreeSet};

use super::super::record::Record;
use super::{Row, count, events, is_internal, is_marked, seen};

pub(super) fn rejected(records: &[Record<'_>]) -> Vec<Row> {
    let all = events(records, |record| {
        (record.has_bytes() && !record.is_accepted).then(|| {
            let start = [record.interface.account, record.interface_id(), record.direction().unwrap_or("-")];
            let port = record.section.ports[1].to_string();
            let reason = if record.is_full() { record.reason() } else { "-" };
            let end = vec![record.protocol(), port, reason.to_owned()];
            [start.map(str::to_owned).to_vec(), record.packet().to_vec(), end].concat()
        })
    });
    let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
        [key, vec![records.len().to_string()], seen(&records).to_vec()].concat()
    };
    all.into_iter().map(row).collect()
}

/// Requests from a source to a port.
pub(super) struct Request<'w> {
    pub(super) key: [String; 4],
    pub(super) accepted: usize,
    pub(super) rejected: usize,
    pub(super) records: Vec<&'w Record<'w>>,
}

/// The requests to some ports. The receiver's records take precedence for whether they were accepted.
pub(super) fn requests<'w>(
    records: &'w [Record<'w>],
    is_asked: impl Fn(&Record<'_>) -> bool,
) -> Vec<Request<'w>> {
    let all = events(records, |record| {
        let is_in = record.has_bytes() && is_asked(record) && record.is_request();
        is_in.then(|| {
            let end = [record.protocol(), record.section.ports[1].to_string()];
            [record.packet().to_vec(), end.to_vec()].concat()
        })
    });
    let request = |(key, (_, records)): (Row, (_, Vec<&'w Record<'w>>))| {
        let received = |record: &&Record<'_>| record.direction() == Some("ingress");
        let at_the_end =
            |record: &&Record<'_>| received(record) && record.section.ends[1] == record.packet()[1];
        let directed = records.iter().copied().filter(|record| record.direction().is_some());
        let directed: Vec<&Record<'_>> = directed.collect();
        let of_receivers: Vec<&Record<'_>> = directed.iter().copied().filter(received).collect();
        let of_the_end: Vec<&Record<'_>> = directed.iter().copied().filter(at_the_end).collect();
        let best =
            [of_the_end, of_receivers].into_iter().find(|records| !records.is_empty()).unwrap_or(directed);
        let accepted = count(&best, |record| record.is_accepted)
            + count(&records, |record| record.direction().is_none() && record.is_accepted);
        let rejected = count(&records, |record| !record.is_accepted);
        Request { key: key.try_into().unwrap(), accepted, rejected, records }
    };
    all.into_iter().map(request).collect()
}

pub(super) fn admin_ports(records: &[Record<'_>], own: &str) -> Vec<Row> {
    let ports = BTreeMap::from([(22, "ssh"), (23, "telnet"), (3389, "rdp"), (5432, "postgresql")]);
    let mut found: BTreeMap<[String; 3], Vec<Request<'_>>> = BTreeMap::new();
    for request in requests(records, |record| ports.contains_key(&record.section.ports[1])) {
        let [_, destination, protocol, port] = request.key.clone();
        found.entry([destination, port, protocol]).or_default().push(request);
    }
    let row = |([destination, port, protocol], requests): ([String; 3], Vec<Request<'_>>)| {
        let let_in: Vec<_> = requests.iter().filter(|request| request.accepted > 0).collect();
        let from_internet = let_in.iter().filter(|request| !is_internal(&request.key[0], own)).count();
        let sum = |of: fn(&Request<'_>) -> usize| requests.iter().map(of).sum::<usize>().to_string();
        let records: Vec<&Record<'_>> = requests.iter().flat_map(|request| request.records.clone()).collect();
        let service = ports[&port.parse::<u16>().unwrap()].to_owned();
        let counts = vec![let_in.len().to_string(), from_internet.to_string()];
        let sums = vec![sum(|request| request.accepted), sum(|request| request.rejected)];
        let mark = vec![is_marked(&records).to_string()];
        [vec![destination, port, service, protocol], counts, sums, seen(&records).to_vec(), mark].concat()
    };
    found.into_iter().map(row).collect()
}

pub(super) fn scans(records: &[Record<'_>], above: usize, is_named: bool) -> Vec<Row> {
    let all = events(records, |record| {
        (record.is_request() && record.is_near(is_named)).then(|| vec![record.packet()[0].clone()])
    });
    let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
        let targets: BTreeSet<&String> = records.iter().map(|record| &record.packet()[1]).collect();
        let ports: BTreeSet<u16> = records.iter().map(|record| record.section.ports[1]).collect();
        let rejected = count(&records, |record| record.has_bytes() && !record.is_accepted);
        let is_scan = targets.len() >= above || ports.len() >= above;
        let counts = [targets.len(), ports.len(), rejected].map(|count| count.to_string());
        is_scan.then(|| [key, counts.to_vec(), seen(&records).to_vec()].concat())
    };
    all.into_iter().filter_map(row).collect()
}
