//! The accepted traffic of each network interface, for the comparison with security group rules.

use super::Asked;
use super::parts::{ANSWERS, HIGHER_PORT, NOT_REJECTED, OPENS, PORT};

/// A record of traffic. Without `log-status`, a record with any of the values that records without traffic lack.
const OF_TRAFFIC: &str = "(log_status = 'OK' OR log_status IS NULL AND (srcaddr IS NOT NULL OR dstaddr IS NOT NULL\n      \
                          OR srcport IS NOT NULL OR dstport IS NOT NULL OR protocol IS NOT NULL\n      \
                          OR action IS NOT NULL OR bytes IS NOT NULL))";

/// The fields for grouping accepted traffic, with their names. Other records of a network interface form one group.
const KEYS: [(&str, &str); 8] = [
    ("flow_direction", "direction"),
    ("srcaddr", "source"),
    ("dstaddr", "destination"),
    ("pkt_srcaddr", "packet_source"),
    ("pkt_dstaddr", "packet_destination"),
    ("protocol", "protocol"),
    (PORT, "lower_port"),
    ("dstport <= srcport", "is_lower_destination"),
];

impl Asked<'_> {
    /// Connections to one service have different client ports, usually the higher ones, so each group has their range.
    pub(super) fn traffic_of_interfaces(&self) -> String {
        let keys: Vec<String> =
            KEYS.iter().map(|(key, _)| format!("CASE WHEN is_accepted THEN {key} END")).collect();
        let columns: Vec<String> =
            keys.iter().zip(KEYS).map(|(key, (_, name))| format!("{key} AS {name}")).collect();
        format!(
            "{},\nof_interfaces AS (\n  SELECT *, {OF_TRAFFIC} AND {NOT_REJECTED} AS is_accepted\n  FROM logs\n  \
             WHERE interface_id IS NOT NULL\n)\nSELECT interface_id AS interface, is_accepted, {},\n  \
             min({HIGHER_PORT}) AS first_higher_port,\n  max({HIGHER_PORT}) AS last_higher_port,\n  \
             coalesce(bool_or({OPENS}), false) AS opens, coalesce(bool_or({ANSWERS}), false) AS answers,\n  \
             coalesce(bool_or(log_status = 'SKIPDATA'), false) AS is_skipped, min(started) AS since\nFROM of_interfaces\n\
             GROUP BY interface_id, is_accepted, {}",
            self.logs,
            columns.join(",\n  "),
            keys.join(", "),
        )
    }
}
