//! Questions about requests from clients to services, and whether they were accepted.

use super::super::argument::{Gateway, InterfaceId, Network};
use super::parts::{
    DESTINATION, IS_UNDIRECTED, PORT, REQUEST, SEEN, SOURCE, TRAFFIC, count_of, on_near_side,
};
use super::{Asked, BOTH_ENDS};

/// Administration and database ports, with their service.
///
/// Source: "Service Name and Transport Protocol Port Number Registry" (IANA), and the documentation of Docker, Elasticsearch, etcd,
/// Kubernetes, Memcached, MongoDB and Redis.
const ADMIN_PORTS: [(u16, &str); 26] = [
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (135, "windows-rpc"),
    (139, "netbios"),
    (389, "ldap"),
    (445, "smb"),
    (1433, "sql-server"),
    (1521, "oracle"),
    (2049, "nfs"),
    (2375, "docker"),
    (2376, "docker-tls"),
    (2379, "etcd"),
    (3306, "mysql"),
    (3389, "rdp"),
    (5432, "postgresql"),
    (5439, "redshift"),
    (5900, "vnc"),
    (5985, "winrm"),
    (5986, "winrm-tls"),
    (6379, "redis"),
    (6443, "kubernetes"),
    (9042, "cassandra"),
    (9200, "elasticsearch"),
    (11211, "memcached"),
    (27017, "mongodb"),
];

/// A record of the network interface with the destination address of the packet.
const AT_DESTINATION: &str = "flow_direction = 'ingress' AND dstaddr = coalesce(pkt_dstaddr, dstaddr)";

/// The number of accepted records: those of the destination; if there are none, those that network interfaces on the path received; if
/// there are none, those that were sent. Records without a direction are added.
fn accepted() -> String {
    let accepted = |condition: &str| count_of(&format!("{condition} AND action = 'ACCEPT'"));
    let (ingress, egress) = ("flow_direction = 'ingress'", "flow_direction = 'egress'");
    format!(
        "CASE WHEN {} > 0\n      THEN {}\n      WHEN {} > 0 THEN {}\n      ELSE {} END\n    + {}",
        count_of(AT_DESTINATION),
        accepted(AT_DESTINATION),
        count_of(ingress),
        accepted(ingress),
        accepted(egress),
        accepted("flow_direction IS NULL"),
    )
}

fn list(ports: impl IntoIterator<Item = u16>) -> String {
    let ports: Vec<String> = ports.into_iter().map(|port| port.to_string()).collect();
    ports.join(", ")
}

impl Asked<'_> {
    /// `WITH` the records and `requests`: the number of accepted and rejected requests of each source to each port.
    fn requests(&self, ports: &str) -> String {
        format!(
            "{},\nrequests AS (\n  SELECT {SOURCE} AS source, {DESTINATION} AS destination, protocol, dstport AS port,\n    {} AS accepted,\n    \
             {} AS rejected,\n    {SEEN}, {IS_UNDIRECTED} AS {BOTH_ENDS}\n  FROM logs\n  \
             WHERE srcaddr IS NOT NULL AND dstaddr IS NOT NULL AND action IS NOT NULL\n    AND {ports}\n    AND {REQUEST}\n  \
             GROUP BY {SOURCE}, {DESTINATION}, protocol, dstport\n)",
            self.logs,
            accepted(),
            count_of("action = 'REJECT'"),
        )
    }

    pub(super) fn ssh_rdp(&self) -> String {
        format!(
            "{}\nSELECT source, destination, CASE WHEN port = 22 THEN 'ssh' ELSE 'rdp' END AS service, protocol,\n  accepted, rejected,\n  \
             {} AS first_seen,\n  {} AS last_seen, {BOTH_ENDS}\nFROM requests\n{}",
            self.requests("(protocol = 6 AND dstport IN (22, 3389) OR protocol = 17 AND dstport = 3389)"),
            self.time("first_seen"),
            self.time("last_seen"),
            self.ranked("accepted DESC, rejected DESC, source, destination, service, protocol"),
        )
    }

    pub(super) fn admin_ports(&self, ports: &[u16], own: &[Network]) -> String {
        let known = ADMIN_PORTS.iter().map(|(port, _)| *port);
        let ports = if ports.is_empty() { list(known) } else { list(ports.iter().copied()) };
        let names: Vec<String> =
            ADMIN_PORTS.iter().map(|(port, name)| format!("WHEN {port} THEN '{name}'")).collect();
        let was_let_in = count_of("accepted > 0");
        let from_internet =
            count_of(&format!("accepted > 0 AND NOT {}", self.table().is_internal("source", own)));
        format!(
            "{}\nSELECT destination, port, CASE port {} END AS service, protocol,\n  {was_let_in} AS sources,\n  {from_internet} AS \
             internet_sources,\n  sum(accepted) AS accepted, sum(rejected) AS rejected,\n  {},\n  bool_or({BOTH_ENDS}) AS {BOTH_ENDS}\n\
             FROM requests\nGROUP BY destination, port, protocol\n{}",
            self.requests(&format!("protocol IN (6, 17) AND dstport IN ({ports})")),
            names.join(" "),
            self.times("first_seen", "last_seen"),
            self.ranked("internet_sources DESC, sources DESC, rejected DESC, destination, port, protocol"),
        )
    }

    pub(super) fn inbound(&self, own: &[Network]) -> String {
        let keys = [
            ("log_account", "account"),
            (SOURCE, "source"),
            (DESTINATION, "destination"),
            ("protocol", "protocol"),
            ("dstport", "port"),
        ];
        // The network interface that sends IPv4 traffic to the internet has a private address, so no other one records the flow.
        let both = count_of("flow_direction IS NULL AND srcaddr LIKE '%:%'");
        let measures = format!("sum(bytes) AS bytes, count(*) AS records, {SEEN},\n    {both} > 0 AS marked");
        let conditions = [
            TRAFFIC.to_owned(),
            "action = 'ACCEPT'".to_owned(),
            "(flow_direction = 'ingress' OR flow_direction IS NULL)".to_owned(),
            REQUEST.to_owned(),
            format!("NOT {}", self.table().is_internal(SOURCE, own)),
        ];
        format!(
            "{}\nSELECT account, source, destination, protocol, port, max(bytes) AS bytes, max(records) AS records,\n  {},\n  bool_or(marked) \
             AS {BOTH_ENDS}\nFROM sections\nGROUP BY account, source, destination, protocol, port\n{}",
            self.sections(&keys, &measures, &conditions),
            self.times("first_seen", "last_seen"),
            self.ranked("bytes DESC, account, source, destination, protocol, port"),
        )
    }

    pub(super) fn scans(&self, above: u32, gateways: &[Gateway]) -> String {
        format!(
            "{}\nSELECT {SOURCE} AS source, count(DISTINCT {DESTINATION}) AS targets, count(DISTINCT dstport) AS ports,\n  {} AS rejected,\n  \
             {}\nFROM logs\nWHERE srcaddr IS NOT NULL AND dstaddr IS NOT NULL AND protocol IN (6, 17)\n  AND {REQUEST}\n  AND {}\n\
             GROUP BY {SOURCE}\nHAVING count(DISTINCT {DESTINATION}) >= {above} OR count(DISTINCT dstport) >= {above}\n{}",
            self.logs,
            count_of("action = 'REJECT'"),
            self.times("started", "ended"),
            on_near_side(gateways),
            self.ranked("targets DESC, ports DESC, source"),
        )
    }

    pub(super) fn rejected(&self) -> String {
        format!(
            "{}\nSELECT log_account AS account, interface_id, flow_direction AS direction, {SOURCE} AS source, {DESTINATION} AS destination,\n  \
             protocol, dstport AS port, reject_reason AS reason, count(*) AS records,\n  {}\nFROM logs\n\
             WHERE action = 'REJECT' AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL\nGROUP BY 1, 2, 3, 4, 5, 6, 7, 8\n{}",
            self.logs,
            self.times("started", "ended"),
            self.ranked("records DESC, 1, 2, 3, 4, 5, 6, 7, 8"),
        )
    }

    pub(super) fn interface(&self, id: &InterfaceId) -> String {
        let (column, id) = match id {
            InterfaceId::Interface(id) => ("interface_id", id.as_str()),
            InterfaceId::Instance(id) => ("instance_id", id.as_str()),
        };
        format!(
            "{}\nSELECT interface_id, flow_direction AS direction, {SOURCE} AS source, {DESTINATION} AS destination, protocol,\n  \
             {PORT} AS port, action, sum(bytes) AS bytes, count(*) AS records,\n  {}\nFROM logs\nWHERE {column} = '{id}' AND {TRAFFIC}\n\
             GROUP BY 1, 2, 3, 4, 5, 6, 7\n{}",
            self.logs,
            self.times("started", "ended"),
            self.ranked("bytes DESC, 1, 2, 3, 4, 5, 6, 7"),
        )
    }
}
