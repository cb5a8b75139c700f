//! Expected sums by account, place or service.

use std::collections::{BTreeMap, BTreeSet};

use super::super::record::Record;
use super::super::world::{NAT_ADDRESS, service_of};
use super::{Row, bytes, directed, events, is_internal, is_marked, sum, time};

/// Bytes sent and received by network interfaces that have a value in the first column, which requires the full format.
pub(super) fn per_interface(records: &[Record<'_>], key: impl Fn(&Record<'_>) -> Row) -> Vec<Row> {
    let all = events(records, |record| {
        let key = key(record);
        let has_value = record.is_full() && key[0] != "-";
        (record.counts() && has_value).then(|| [vec![record.interface.account.to_owned()], key].concat())
    });
    let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
        let total = sum(&records, |_| true).to_string();
        [key, vec![directed(&records, "egress"), directed(&records, "ingress"), total]].concat()
    };
    all.into_iter().map(row).collect()
}

pub(super) fn outbound(records: &[Record<'_>], own: &str, is_named: bool) -> Vec<Row> {
    let all = events(records, |record| {
        let [_, destination] = record.packet();
        let is_sent = record.counts() && record.direction() != Some("ingress");
        let is_forwarded = record.is_full() && record.section.ends[0] != record.packet()[0];
        let path = record.section.path.filter(|_| record.is_full());
        // The first sender, if the gateway is known; otherwise the interface that faces the internet, as far as
        // recorded.
        let leaves = if is_named {
            record.interface.address != NAT_ADDRESS && !is_forwarded
        } else {
            path == Some(8) || path.is_none() && !is_forwarded
        };
        let service = if record.is_full() { service_of(destination) } else { "-" };
        (is_sent && leaves && !is_internal(destination, own))
            .then(|| vec![record.interface.account.to_owned(), destination.clone(), service.to_owned()])
    });
    let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
        let marked = |record: &&&Record<'_>| {
            !is_named && !record.is_full()
                || record.direction().is_none() && record.section.ends[0].contains(':')
        };
        let both = records.iter().any(|record| marked(&record));
        [key, vec![bytes(&records).to_string(), records.len().to_string(), both.to_string()]].concat()
    };
    all.into_iter().map(row).collect()
}

/// Traffic through the NAT gateway, on the side of the instances.
pub(super) fn nat(records: &[Record<'_>], to_aws: bool, named: Option<&str>) -> Vec<Row> {
    let is_out = |record: &Record<'_>| record.section.ends[1] == NAT_ADDRESS;
    let all = events(records, |record| {
        let is_inside = record.is_full() && record.section.ends != record.section.packet;
        let is_meant = named.is_none_or(|name| [NAT_ADDRESS, record.interface.id].contains(&name));
        let is_gateway = record.interface.kind.ends_with("nat_gateway") && is_meant;
        if !record.counts() || !is_inside || !is_gateway {
            return None;
        }
        let [source, destination] = record.section.packet.clone();
        let (source, host) = if is_out(record) { (source, destination) } else { (destination, source) };
        let key = vec![record.interface.account.to_owned(), record.interface.id.to_owned(), source];
        match (to_aws, service_of(&host)) {
            (false, _) => Some(key),
            (true, "-") => None,
            (true, service) => Some([key, vec![service.to_owned()]].concat()),
        }
    });
    let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
        let (sent, received) = (sum(&records, is_out), sum(&records, |record| !is_out(record)));
        [key, [sent, received, sent + received].map(|sum| sum.to_string()).to_vec()].concat()
    };
    all.into_iter().map(row).collect()
}

pub(super) fn between(records: &[Record<'_>], what: &str) -> Vec<Row> {
    let all = events(records, |record| {
        let ports = record.section.ports.map(|port| port.to_string());
        let has_place = what != "vpcs" || record.is_full();
        (record.counts() && has_place)
            .then(|| [record.section.ends.to_vec(), ports.to_vec(), vec![record.protocol()]].concat())
    });
    let mut found: BTreeMap<Row, (i64, usize)> = BTreeMap::new();
    for (_, records) in all.into_values() {
        let places: BTreeSet<&str> = records
            .iter()
            .map(|record| match what {
                "accounts" => record.interface.account,
                "vpcs" => record.interface.vpc,
                _ => record.interface.region,
            })
            .collect();
        if places.len() == 2 {
            let sums = found.entry(places.into_iter().map(str::to_owned).collect()).or_default();
            sums.0 += bytes(&records);
            sums.1 += 1;
        }
    }
    let row = |(places, (bytes, flows)): (Row, (i64, usize))| {
        [places, vec![bytes.to_string(), flows.to_string()]].concat()
    };
    found.into_iter().map(row).collect()
}

pub(super) fn by_day(records: &[Record<'_>], by_hour: bool) -> Vec<Row> {
    let length = if by_hour { 13 } else { 10 };
    let all = events(records, |record| {
        let period: String = time(record.event.end).chars().take(length).collect();
        record.counts().then(|| vec![record.interface.account.to_owned(), period])
    });
    let total = |records: &[&Record<'_>]| sum(records, |_| true);
    let mut of_account: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (key, (_, records)) in &all {
        of_account.entry(key[0].clone()).or_default().push(total(records));
    }
    let row = |(key, (_, records)): (Row, (_, Vec<&Record<'_>>))| {
        let undirected = sum(&records, |record| record.direction().is_none());
        let undirected = if is_marked(&records) { undirected.to_string() } else { "-".to_owned() };
        let periods = &of_account[&key[0]];
        #[allow(clippy::cast_precision_loss, reason = "percentages are rounded")]
        let average = periods.iter().sum::<i64>() as f64 / periods.len() as f64;
        #[allow(clippy::cast_precision_loss, reason = "percentages are rounded")]
        let percent = format!("{:.0}", (100.0 * total(&records) as f64 / average).round());
        let sums = vec![directed(&records, "egress"), directed(&records, "ingress"), undirected, percent];
        [key, sums, vec![is_marked(&records).to_string()]].concat()
    };
    all.into_iter().map(row).collect()
}
