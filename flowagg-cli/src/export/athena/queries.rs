//! The queries that come with the table, each limited to a part of it.

use flowagg_core::flow_log::{Field, TrafficType};
use flowagg_core::id::ResourceId;

use super::part::TablePart;
use super::table::{ACCOUNT, DATE, DAY, MONTH, REGION, Table, YEAR, lines};

/// A query that comes with the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// Between which addresses most went.
    TopTalkers,
    /// How much was rejected, by account.
    RejectedByAccount,
    /// How much went between accounts.
    BetweenAccounts,
    /// What one network interface did.
    Interface,
    /// How much there was, by account and day.
    BytesPerDay,
    /// What was accepted at ports at which nothing is expected.
    UnexpectedPorts,
}

/// What a query is about besides its part of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// The network interface; `None` stands for the one with the most bytes.
    pub interface: Option<ResourceId>,
    /// The ports at which traffic is expected.
    pub ports: Vec<u16>,
}

impl Details {
    /// The expected ports where nobody names others: DNS, HTTP, NTP and HTTPS.
    pub const PORTS: [u16; 4] = [53, 80, 123, 443];
}

impl Default for Details {
    fn default() -> Self {
        Self { interface: None, ports: Self::PORTS.to_vec() }
    }
}

/// Why the records of a fleet cannot answer a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// A field that it needs is not recorded.
    #[error("the flow logs do not record `{0}`")]
    Field(&'static str),
    /// What it is about is not recorded.
    #[error("the flow logs record no rejected traffic")]
    Rejected,
    /// What it is about is not recorded.
    #[error("the flow logs record no accepted traffic")]
    Accepted,
}

/// The first of the ports that Linux gives to the callers of services: what goes there is an answer.
///
/// Source: "IP Sysctl", ip_local_port_range (The Linux Kernel documentation).
const FIRST_OF_CALLERS: u16 = 32_768;
/// The most rows of a query that lists what is largest.
const LARGEST: usize = 100;
/// The most records of a network interface.
const RECORDS: usize = 1_000;

impl Query {
    /// All queries.
    pub const ALL: [Self; 6] = [
        Self::TopTalkers,
        Self::RejectedByAccount,
        Self::BetweenAccounts,
        Self::Interface,
        Self::BytesPerDay,
        Self::UnexpectedPorts,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TopTalkers => "top-talkers",
            Self::RejectedByAccount => "rejected-by-account",
            Self::BetweenAccounts => "between-accounts",
            Self::Interface => "interface",
            Self::BytesPerDay => "bytes-per-day",
            Self::UnexpectedPorts => "unexpected-ports",
        }
    }

    /// What it is for, in one line.
    pub fn about(self) -> &'static str {
        match self {
            Self::TopTalkers => {
                "The pairs of addresses between which most bytes went. What is logged at both ends counts twice."
            }
            Self::RejectedByAccount => "Rejected traffic, by account and region.",
            Self::BetweenAccounts => {
                "Traffic that two accounts logged, each at its end. Where networks have the same addresses, it may be chance."
            }
            Self::Interface => {
                "What one network interface did, record by record: the one with the most bytes, or one by its id."
            }
            Self::BytesPerDay => "Bytes by account and day (UTC).",
            Self::UnexpectedPorts => {
                "Accepted traffic to ports of services at which nothing is expected; answers to callers are left out."
            }
        }
    }

    /// How often it reads its part of the table: Athena may read again what a query names twice.
    pub fn reads(self, details: &Details) -> u64 {
        match self {
            Self::BetweenAccounts => 2,
            Self::Interface if details.interface.is_none() => 2,
            _ => 1,
        }
    }

    /// The query of this part of a table. Fails where the fleet's records cannot answer it.
    ///
    /// Source: "Athena engine version 3", functions and operators of Trino (Amazon Athena User Guide).
    pub fn sql(self, table: &Table<'_>, part: &TablePart, details: &Details) -> Result<String, NotRecorded> {
        let asked = Asked { table, part };
        match self {
            Self::TopTalkers => asked.top_talkers(),
            Self::RejectedByAccount => asked.rejected_by_account(),
            Self::BetweenAccounts => asked.between_accounts(),
            Self::Interface => asked.interface(details.interface.as_ref()),
            Self::BytesPerDay => asked.bytes_per_day(),
            Self::UnexpectedPorts => asked.unexpected_ports(&details.ports),
        }
    }
}

struct Asked<'a> {
    table: &'a Table<'a>,
    part: &'a TablePart,
}

impl Asked<'_> {
    fn top_talkers(&self) -> Result<String, NotRecorded> {
        let (source, destination) = self.ends()?;
        self.needs("bytes")?;
        let columns = [format!("{source} AS source"), format!("{destination} AS destination")];
        Ok(format!(
            "SELECT\n{}\n{}\nGROUP BY {source}, {destination}\nORDER BY total_bytes DESC, source, destination\nLIMIT {LARGEST}",
            lines(columns.into_iter().chain(self.sums())),
            self.from(["bytes IS NOT NULL".to_owned()]),
        ))
    }

    fn rejected_by_account(&self) -> Result<String, NotRecorded> {
        self.needs("action")?;
        self.records_but(TrafficType::Accept, NotRecorded::Rejected)?;
        let columns = [ACCOUNT.to_owned(), REGION.to_owned()];
        Ok(format!(
            "SELECT\n{}\n{}\nGROUP BY {ACCOUNT}, {REGION}\nORDER BY records DESC, {ACCOUNT}, {REGION}",
            lines(columns.into_iter().chain(self.sums())),
            self.from(["action = 'REJECT'".to_owned()]),
        ))
    }

    fn between_accounts(&self) -> Result<String, NotRecorded> {
        let (source, destination) = self.ends()?;
        for field in ["srcport", "dstport", "protocol", "bytes"] {
            self.needs(field)?;
        }
        let flow = format!("{ACCOUNT}, {source}, {destination}, srcport, dstport, protocol");
        let flows = format!(
            "SELECT\n  {ACCOUNT},\n  {source} AS source,\n  {destination} AS destination,\n  srcport,\n  dstport,\n  protocol,\n  \
             sum(bytes) AS total_bytes\n{}\nGROUP BY {flow}",
            self.from(["bytes IS NOT NULL".to_owned()]),
        );
        let same = ["source", "destination", "srcport", "dstport", "protocol"];
        let same = same.map(|column| format!("one.{column} = other.{column}")).join("\n  AND ");
        Ok(format!(
            "WITH flows AS (\n{}\n)\nSELECT\n  one.{ACCOUNT} AS account,\n  other.{ACCOUNT} AS other_account,\n  \
             sum(one.total_bytes) AS bytes_at_account,\n  sum(other.total_bytes) AS bytes_at_other,\n  count(*) AS flows\n\
             FROM flows AS one\nJOIN flows AS other\n  ON {same}\n  AND one.{ACCOUNT} < other.{ACCOUNT}\n\
             GROUP BY one.{ACCOUNT}, other.{ACCOUNT}\nORDER BY bytes_at_account DESC, account, other_account",
            indented(&flows),
        ))
    }

    fn interface(&self, id: Option<&ResourceId>) -> Result<String, NotRecorded> {
        self.needs("interface-id")?;
        self.needs("start")?;
        let id = match id {
            Some(id) => format!("interface_id = '{id}'"),
            None => {
                self.needs("bytes")?;
                let busiest = format!(
                    "SELECT interface_id\n{}\nGROUP BY interface_id\nORDER BY sum(bytes) DESC, interface_id\nLIMIT 1",
                    self.from(["bytes IS NOT NULL".to_owned()])
                );
                format!("interface_id = (\n{}\n  )", indented(&indented(&busiest)))
            }
        };
        let time = |column: &str, name: &str| {
            format!("date_format(from_unixtime({column}), '%Y-%m-%d %H:%i:%s') AS {name}")
        };
        let mut columns = vec![ACCOUNT.to_owned(), "interface_id".to_owned(), time("start", "started")];
        columns.extend(self.field("end").map(|_| time("\"end\"", "ended")));
        const TOLD: [&str; 13] = [
            "flow-direction",
            "srcaddr",
            "pkt-srcaddr",
            "srcport",
            "dstaddr",
            "pkt-dstaddr",
            "dstport",
            "protocol",
            "tcp-flags",
            "action",
            "packets",
            "bytes",
            "log-status",
        ];
        columns.extend(TOLD.into_iter().filter_map(|field| self.field(field)));
        // Rows that differ in nothing may come in any order.
        let order: Vec<String> = (3..=columns.len()).map(|column| column.to_string()).collect();
        Ok(format!(
            "SELECT\n{}\n{}\nORDER BY {}\nLIMIT {RECORDS}",
            lines(columns.into_iter()),
            self.from([id]),
            order.join(", ")
        ))
    }

    fn bytes_per_day(&self) -> Result<String, NotRecorded> {
        self.needs("bytes")?;
        let day = if self.table.layout().files.hive_compatible_partitions {
            format!("concat({YEAR}, '-', {MONTH}, '-', {DAY})")
        } else {
            format!("replace({DATE}, '/', '-')")
        };
        let columns = [ACCOUNT.to_owned(), format!("{day} AS day")];
        Ok(format!(
            "SELECT\n{}\n{}\nGROUP BY 1, 2\nORDER BY 1, 2",
            lines(columns.into_iter().chain(self.sums())),
            self.from(["bytes IS NOT NULL".to_owned()]),
        ))
    }

    fn unexpected_ports(&self, expected: &[u16]) -> Result<String, NotRecorded> {
        let (source, _) = self.ends()?;
        for field in ["dstport", "protocol", "bytes"] {
            self.needs(field)?;
        }
        self.records_but(TrafficType::Reject, NotRecorded::Accepted)?;
        let mut conditions = vec![
            // TCP and UDP: what else has ports is rare.
            "protocol IN (6, 17)".to_owned(),
            format!("dstport < {FIRST_OF_CALLERS}"),
        ];
        // A NAT gateway calls from lower ports too; the service's is lower still.
        conditions.extend(self.field("srcport").map(|source| format!("dstport < {source}")));
        let expected: Vec<String> = expected.iter().map(u16::to_string).collect();
        if !expected.is_empty() {
            conditions.push(format!("dstport NOT IN ({})", expected.join(", ")));
        }
        if self.table.fleet().flow_logs.traffic == TrafficType::All {
            self.needs("action")?;
            conditions.push("action = 'ACCEPT'".to_owned());
        }
        let columns = [ACCOUNT, "dstport", "protocol"].map(str::to_owned);
        let sources = format!("count(DISTINCT {source}) AS sources");
        Ok(format!(
            "SELECT\n{}\n{}\nGROUP BY {ACCOUNT}, dstport, protocol\nORDER BY total_bytes DESC, {ACCOUNT}, dstport, protocol\nLIMIT \
             {LARGEST}",
            lines(columns.into_iter().chain(self.sums()).chain([sources])),
            self.from(conditions),
        ))
    }

    /// `FROM` the table `WHERE` a record lies in the part, and is what else is asked for.
    fn from(&self, conditions: impl IntoIterator<Item = String>) -> String {
        let conditions: Vec<String> =
            self.part.conditions(self.table).into_iter().chain(conditions).collect();
        format!("FROM {}\nWHERE {}", self.table.name(), conditions.join("\n  AND "))
    }

    /// The columns of source and destination: of the packets, where both are recorded, else as the interface saw them.
    fn ends(&self) -> Result<(String, String), NotRecorded> {
        let both = |source, destination| Some((self.field(source)?, self.field(destination)?));
        both("pkt-srcaddr", "pkt-dstaddr")
            .map_or_else(|| Ok((self.needs("srcaddr")?, self.needs("dstaddr")?)), Ok)
    }

    /// What is summed up, so far as it is recorded.
    fn sums(&self) -> impl Iterator<Item = String> {
        let sums = ["bytes", "packets"].into_iter().filter_map(|field| self.field(field));
        sums.map(|column| format!("sum({column}) AS total_{column}"))
            .chain(["count(*) AS records".to_owned()])
    }

    /// The column of a field; `None` where it is not recorded.
    fn field(&self, name: &str) -> Option<String> {
        let found = self.table.fields().iter().find(|field: &&Field| field.as_str() == name);
        found.map(|field| field.column())
    }

    fn needs(&self, name: &'static str) -> Result<String, NotRecorded> {
        self.field(name).ok_or(NotRecorded::Field(name))
    }

    fn records_but(&self, only: TrafficType, why_not: NotRecorded) -> Result<(), NotRecorded> {
        if self.table.fleet().flow_logs.traffic == only { Err(why_not) } else { Ok(()) }
    }
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}
