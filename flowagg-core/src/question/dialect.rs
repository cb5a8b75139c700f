//! SQL differences between engines, and the table that a question reads.

use crate::flow_log::{FieldKind, RecordedField};

use super::argument::Network;

/// The SQL dialect of an engine. Both read the same table: a column for each field, `log_account` and `log_region`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Apache DataFusion with the table and the functions of `flowagg-query`. Every field has a column, `-` is NULL, and the session
    /// limits the time and the accounts.
    DataFusion,
    /// Amazon Athena with the table that `flowagg export athena` writes. Only recorded fields have a column, and `-` is text.
    ///
    /// Source: "Athena engine version 3", functions and operators of Trino (Amazon Athena User Guide).
    Athena,
}

impl Dialect {
    /// Whether a network contains an address; NULL if it is not an address. Trino rejects a network whose address has bits after the
    /// prefix.
    pub(super) fn contains(self, network: &str, address: &str) -> String {
        match self {
            Self::DataFusion => format!("cidr_contains('{network}', {address})"),
            Self::Athena => {
                format!("contains('{network}', TRY_CAST({address} AS ipaddress))")
            }
        }
    }

    /// Unix seconds as text: `2026-11-01T08:00:00Z`.
    pub(super) fn time(self, seconds: &str) -> String {
        match self {
            Self::DataFusion => format!("to_char(from_unixtime({seconds}), '%Y-%m-%dT%H:%M:%SZ')"),
            Self::Athena => format!("date_format(from_unixtime({seconds}), '%Y-%m-%dT%H:%i:%sZ')"),
        }
    }
}

/// The table that a question reads, with its conditions.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    dialect: Dialect,
    name: &'a str,
    recorded: Option<&'a [RecordedField]>,
    conditions: Vec<String>,
}

impl<'a> Table<'a> {
    /// A table of `flowagg-query` with this name: every field has a column, and its scope limits accounts and times. Records of
    /// transit gateways are excluded.
    pub fn of_session(name: &'a str) -> Self {
        // Transit gateways record the traffic of network interfaces again. Tables of Athena do not contain such records.
        let conditions = vec!["resource_type IS NULL".to_owned(), "tgw_id IS NULL".to_owned()];
        Self { dialect: Dialect::DataFusion, name, recorded: None, conditions }
    }

    /// A table of Athena with columns for these fields, by its name in SQL. The conditions select its partitions.
    pub fn of_athena(name: &'a str, recorded: &'a [RecordedField], conditions: Vec<String>) -> Self {
        Self { dialect: Dialect::Athena, name, recorded: Some(recorded), conditions }
    }

    /// The SQL dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// `WITH logs AS (...)`: these fields of the relevant records, with NULL for `-` and for fields without a column. `start` and
    /// `end` are renamed to `started` and `ended`.
    pub(super) fn logs(&self, fields: &[RecordedField]) -> String {
        let columns = ["log_account".to_owned(), "log_region".to_owned()].into_iter();
        let columns: Vec<String> = columns.chain(fields.iter().map(|field| self.column(*field))).collect();
        let mut sql = format!("WITH logs AS (\n  SELECT {}\n  FROM {}", columns.join(", "), self.name);
        if !self.conditions.is_empty() {
            sql.push_str(&format!("\n  WHERE {}", self.conditions.join("\n    AND ")));
        }
        sql + "\n)"
    }

    fn column(&self, field: RecordedField) -> String {
        let column = field.column();
        let (written, name) = match field.as_str() {
            "start" => ("start".to_owned(), "started"),
            "end" => ("\"end\"".to_owned(), "ended"),
            _ => (column.clone(), column.as_str()),
        };
        let is_text = field.kind() == FieldKind::Text;
        if self.recorded.is_some_and(|recorded| !recorded.contains(&field)) {
            let kind = match field.kind() {
                FieldKind::Int32 => "integer",
                FieldKind::Int64 => "bigint",
                FieldKind::Text => "varchar",
            };
            format!("CAST(NULL AS {kind}) AS {name}")
        } else if is_text && self.dialect == Dialect::Athena {
            format!("nullif({written}, '-') AS {name}")
        } else if written == name {
            written
        } else {
            format!("{written} AS {name}")
        }
    }

    /// Whether an address is not on the internet: it is private or in one of these networks. NULL if it is not an address.
    pub(super) fn is_internal(&self, address: &str, own: &[Network]) -> String {
        let own = own.iter().map(Network::to_string);
        let networks = NOT_ON_THE_INTERNET.iter().map(ToString::to_string).chain(own);
        let parts: Vec<String> = networks.map(|network| self.dialect.contains(&network, address)).collect();
        format!("({})", parts.join("\n    OR "))
    }
}

/// Networks whose addresses are not on the internet: private, carrier-grade NAT, link-local, loopback, multicast and broadcast.
///
/// Source: "IPv4 Special-Purpose Address Registry", "IPv6 Special-Purpose Address Registry" and the registries of multicast
/// addresses (IANA). Networks for documentation are not included.
const NOT_ON_THE_INTERNET: [&str; 12] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "0.0.0.0/8",
    "224.0.0.0/3",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
    "::/127",
];
