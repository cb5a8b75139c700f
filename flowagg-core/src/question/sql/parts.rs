//! Expressions that questions share.

use super::super::argument::Gateway;
use super::super::dialect::Table;
use super::{Asked, BOTH_ENDS};

/// The source of the packet, or of the section if packet addresses are not recorded.
pub(super) const SOURCE: &str = "coalesce(pkt_srcaddr, srcaddr)";
/// The destination of the packet.
pub(super) const DESTINATION: &str = "coalesce(pkt_dstaddr, dstaddr)";
/// The lower port: services usually have lower ports than their clients. If only one port is recorded, it is that one: `least` ignores
/// NULL in DataFusion but returns NULL in Trino.
pub(super) const PORT: &str = "least(coalesce(srcport, dstport), coalesce(dstport, srcport))";
/// The higher port, likewise.
pub(super) const HIGHER_PORT: &str = "greatest(coalesce(srcport, dstport), coalesce(dstport, srcport))";
/// Traffic that was not rejected, including traffic without a recorded action.
pub(super) const NOT_REJECTED: &str = "(action IS NULL OR action <> 'REJECT')";
/// A record of traffic with a size, not NODATA or SKIPDATA.
pub(super) const TRAFFIC: &str = "bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL";
/// The record contains the first packet of a TCP connection: SYN is 2; FIN (1) and RST (4) are added.
///
/// Source: "Flow log records", tcp-flags (Amazon VPC User Guide).
macro_rules! opens {
    () => {
        "protocol = 6 AND tcp_flags IN (2, 3, 6, 7)"
    };
}
/// The record contains the response to the first packet: SYN-ACK is 18.
macro_rules! answers {
    () => {
        "protocol = 6 AND tcp_flags IN (18, 19, 22, 23)"
    };
}
/// Whether the record contains the first packet of a connection; NULL if flags are not recorded.
pub(super) const OPENS: &str = opens!();
/// Whether the record contains the response to the first packet of a connection.
pub(super) const ANSWERS: &str = answers!();
/// Whether the traffic goes from a client to a service: by TCP flags if the record contains the start of the connection, otherwise
/// if it goes to the lower port.
pub(super) const REQUEST: &str = concat!(
    "CASE WHEN ",
    opens!(),
    " THEN true\n      WHEN ",
    answers!(),
    " THEN false\n      ELSE dstport <= srcport END"
);
/// Whether a row counts records that both ends may have recorded.
pub(super) const IS_UNDIRECTED: &str = "count(flow_direction) < count(*)";

/// The time of the first and the last record.
pub(super) const SEEN: &str = "min(started) AS first_seen, max(ended) AS last_seen";

/// Columns (expression and name) as a list for SELECT.
pub(super) fn named_columns(columns: &[(&str, &str)]) -> String {
    let columns: Vec<String> = columns.iter().map(|(column, name)| format!("{column} AS {name}")).collect();
    columns.join(", ")
}

/// A sum over the records that meet a condition; 0 if there are none.
pub(super) fn sum_if(condition: &str, measure: &str) -> String {
    format!("coalesce(sum(CASE WHEN {condition} THEN {measure} END), 0)")
}

/// Like [`sum_if`], for records of one direction.
pub(super) fn directed(direction: &str, measure: &str) -> String {
    sum_if(&format!("flow_direction = '{direction}'"), measure)
}

/// Like [`directed`]; NULL if no record has a direction.
pub(super) fn if_directed(direction: &str, measure: &str) -> String {
    format!("CASE WHEN count(flow_direction) > 0 THEN {} END", directed(direction, measure))
}

/// A sum that counts a flow only once if both ends recorded it: sent or received bytes, whichever is greater, including records without
/// a direction. Engines treat NULL in `greatest` differently, so its arguments are never NULL. Only sums fail if they exceed 64 bits,
/// so nothing is added to them.
pub(super) fn once(measure: &str) -> String {
    let with_undirected = |direction: &str| {
        sum_if(&format!("flow_direction = '{direction}' OR flow_direction IS NULL"), measure)
    };
    format!("greatest({},\n    {})", with_undirected("egress"), with_undirected("ingress"))
}

/// The number of records that meet a condition.
pub(super) fn count_of(condition: &str) -> String {
    format!("count(CASE WHEN {condition} THEN 1 END)")
}

/// Whether a record is from a NAT gateway according to its `interface-type`.
///
/// Source: "Flow log records", interface-type (Amazon VPC User Guide).
const SAYS_GATEWAY: &str = "interface_type IN ('nat_gateway', 'regional_nat_gateway')";

/// Whether a record is from one of these NAT gateways; without any, whether its `interface-type` is a NAT gateway. NULL means no.
pub(super) fn is_named_gateway(gateways: &[Gateway]) -> String {
    if gateways.is_empty() { SAYS_GATEWAY.to_owned() } else { named(gateways).join(" OR ") }
}

/// Whether a record is from one of these NAT gateways, or its `interface-type` is a NAT gateway. Never NULL.
pub(super) fn is_gateway(gateways: &[Gateway]) -> String {
    let mut parts = named(gateways);
    if !gateways.contains(&Gateway::Fleet) {
        parts.insert(0, SAYS_GATEWAY.to_owned());
    }
    format!("coalesce({}, false)", parts.join(" OR "))
}

fn named(gateways: &[Gateway]) -> Vec<String> {
    let quoted = |read: fn(&Gateway) -> Option<String>| {
        gateways.iter().filter_map(read).map(|value| format!("'{value}'")).collect::<Vec<_>>()
    };
    let interfaces = quoted(|gateway| match gateway {
        Gateway::Interface(id) => Some(id.to_string()),
        _ => None,
    });
    let regional = quoted(|gateway| match gateway {
        Gateway::Regional(id) => Some(id.clone()),
        _ => None,
    });
    let addresses = quoted(|gateway| match gateway {
        Gateway::Address(address) => Some(address.to_string()),
        _ => None,
    });
    let listed = quoted(|gateway| match gateway {
        Gateway::Listed(address) => Some(address.to_string()),
        _ => None,
    });
    let is_in = |column: &str, values: &[String]| {
        (!values.is_empty()).then(|| format!("{column} IN ({})", values.join(", ")))
    };
    let unnamed = |column: &str| {
        is_in(column, &listed).map(|condition| format!("interface_id IS NULL AND {condition}"))
    };
    let says_so = gateways.contains(&Gateway::Fleet).then(|| SAYS_GATEWAY.to_owned());
    let parts = [
        says_so,
        is_in("interface_id", &interfaces),
        is_in("resource_id", &regional),
        is_in("srcaddr", &addresses),
        is_in("dstaddr", &addresses),
        unnamed("srcaddr"),
        unnamed("dstaddr"),
    ];
    parts.into_iter().flatten().collect()
}

/// Excludes the far side of NAT gateways, where the same packets have the address of the gateway.
pub(super) fn on_near_side(gateways: &[Gateway]) -> String {
    format!("(NOT {} OR pkt_srcaddr <> srcaddr OR pkt_dstaddr <> dstaddr)", is_gateway(gateways))
}

/// `ORDER BY` these keys, with NULL last, because the default differs between engines.
pub(super) fn ordered(keys: &str) -> String {
    let keys: Vec<String> = keys.split(", ").map(|key| format!("{key} NULLS LAST")).collect();
    format!("ORDER BY {}", keys.join(", "))
}

impl Asked<'_> {
    /// Unix seconds as text.
    pub(super) fn time(&self, seconds: &str) -> String {
        self.table.dialect().time(seconds)
    }

    /// The first and the last time as columns.
    pub(super) fn times(&self, first: &str, last: &str) -> String {
        format!(
            "{} AS first_seen,\n  {} AS last_seen",
            self.time(&format!("min({first})")),
            self.time(&format!("max({last})"))
        )
    }

    /// `WITH` the records and `sections`: the sums for each section of a path, by these keys (expression and name), with these
    /// measures and the mark of the section. A section consists of the records with the same addresses of network interfaces.
    pub(super) fn sections(&self, keys: &[(&str, &str)], measures: &str, conditions: &[String]) -> String {
        let ends = ["srcaddr", "dstaddr"].into_iter().filter(|end| keys.iter().all(|(key, _)| key != end));
        let group: Vec<&str> = ends.chain(keys.iter().map(|(key, _)| *key)).collect();
        format!(
            "{},\nsections AS (\n  SELECT {},\n    {measures},\n    {IS_UNDIRECTED} AS {BOTH_ENDS}\n  FROM logs\n  WHERE {}\n  GROUP BY {}\n)",
            self.logs,
            named_columns(keys),
            conditions.join("\n    AND "),
            group.join(", "),
        )
    }

    /// The sort order, limited to the maximum number of rows.
    pub(super) fn ranked(&self, keys: &str) -> String {
        format!("{}\nLIMIT {}", ordered(keys), self.rows)
    }

    pub(super) fn table(&self) -> &Table<'_> {
        self.table
    }
}
