//! Generates the SQL of questions. Every statement names the table only once, because an engine may read it once per mention.

mod parts;
mod paths;
mod requests;
mod rules;
mod sums;

use super::Question;
use super::dialect::Table;

/// The column that is true if a row counts records without `flow-direction`, so that a flow that both ends recorded may be counted
/// twice.
pub const BOTH_ENDS: &str = "both_ends";

/// The context for generating a statement.
struct Asked<'a> {
    table: &'a Table<'a>,
    /// The first table of the `WITH` clause: the records.
    logs: String,
    /// The maximum number of rows of a ranking.
    rows: usize,
}

impl Question {
    /// The default maximum number of rows of a ranking question.
    pub const ROWS: usize = 100;

    /// Whether the number of rows is limited. Other questions return all rows.
    pub fn ranks(&self) -> bool {
        !matches!(
            self,
            Self::CrossZone | Self::BetweenAccounts { .. } | Self::ByDay { .. } | Self::UnusedRules
        )
    }

    /// The statement, with up to `rows` rows if it ranks. The rows of [`UnusedRules`](Self::UnusedRules) are not its answer but the
    /// input of [`RuleUsage`](super::RuleUsage).
    pub fn sql(&self, table: &Table<'_>, rows: usize) -> String {
        let needs = self.needs();
        let fields = [needs.required, needs.better].concat();
        let asked = Asked { table, logs: table.logs(&fields), rows };
        match self {
            Self::Pairs { level, gateways } => asked.pairs(*level, gateways),
            Self::Top { by, gateways } => asked.top(*by, gateways),
            Self::Who { address } => asked.who(*address),
            Self::Interface { id } => asked.interface(id),
            Self::Rejected => asked.rejected(),
            Self::SshRdp => asked.ssh_rdp(),
            Self::AdminPorts { ports, own } => asked.admin_ports(ports, own),
            Self::Inbound { own } => asked.inbound(own),
            Self::Outbound { own, gateways } => asked.outbound(own, gateways),
            Self::Nat { gateways } => asked.nat(gateways, false),
            Self::NatToAws { gateways } => asked.nat(gateways, true),
            Self::CrossZone => asked.cross_zone(),
            Self::BetweenAccounts { by } => asked.between(*by),
            Self::ByDay { by } => asked.by_day(*by),
            Self::LargeFlows { above, gateways } => asked.large_flows(above.bytes(), gateways),
            Self::Scans { above, gateways } => asked.scans(*above, gateways),
            Self::OffHours { office, gateways } => asked.off_hours(office, gateways),
            Self::UnusedRules => asked.traffic_of_interfaces(),
            Self::ByService { by } => asked.by_service(*by),
            Self::Unencrypted => asked.unencrypted(),
        }
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::super::{Gateway, Level, Options, QuestionName};
    use super::*;
    use crate::flow_log::RecordedField;

    /// Each question without options.
    fn all() -> impl Iterator<Item = Question> {
        QuestionName::ALL.into_iter().map(|name| {
            let argument = match name {
                QuestionName::Who => Some("10.0.0.7"),
                QuestionName::Interface => Some("eni-0a1b2c3d4e5f67890"),
                _ => None,
            };
            Question::new(name, argument, Options::default()).unwrap()
        })
    }

    #[test]
    fn every_statement_names_the_table_once() {
        for question in all() {
            let sql = question.sql(&Table::of_session("vpc_flow_logs"), 10);
            for (text, times) in [("vpc_flow_logs", 1), ("FROM logs", 1)] {
                assert_eq!(sql.matches(text).count(), times, "{sql}");
            }
            assert_eq!(sql.contains("LIMIT 10"), question.ranks(), "{sql}");
        }
    }

    #[test]
    fn athena_statements_replace_dashes_and_unrecorded_fields() {
        let recorded: Vec<RecordedField> = RecordedField::all()
            .filter(|field| ["srcaddr", "dstaddr", "bytes", "action"].contains(&field.as_str()))
            .collect();
        let part = vec!["log_date = '2026/11/01'".to_owned()];
        let table = Table::of_athena("\"flowagg\".\"vpc_flow_logs\"", &recorded, part);
        let question = Question::Pairs { level: Level::Interfaces, gateways: Vec::new() };
        assert_data_eq!(
            question.sql(&table, Question::ROWS),
            str![[r#"
WITH logs AS (
  SELECT log_account, log_region, nullif(srcaddr, '-') AS srcaddr, nullif(dstaddr, '-') AS dstaddr, bytes, nullif(action, '-') AS action, CAST(NULL AS varchar) AS flow_direction
  FROM "flowagg"."vpc_flow_logs"
  WHERE log_date = '2026/11/01'
),
sections AS (
  SELECT srcaddr AS source, dstaddr AS destination,
    greatest(coalesce(sum(CASE WHEN flow_direction = 'egress' OR flow_direction IS NULL THEN bytes END), 0),
    coalesce(sum(CASE WHEN flow_direction = 'ingress' OR flow_direction IS NULL THEN bytes END), 0)) AS bytes,
    count(flow_direction) < count(*) AS both_ends
  FROM logs
  WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL
    AND (action IS NULL OR action <> 'REJECT')
  GROUP BY srcaddr, dstaddr
)
SELECT source, destination, max(bytes) AS bytes, bool_or(both_ends) AS both_ends
FROM sections
GROUP BY source, destination
ORDER BY bytes DESC NULLS LAST, source NULLS LAST, destination NULLS LAST
LIMIT 100
"#]]
        );
    }

    #[test]
    fn fleet_gateways_match_by_interface_type_and_by_ec2_ids() {
        let listed = ["eni-0a1b2c3d4e5f67890", "nat-0a1b2c3d4e5f67890"].map(|text| text.parse().unwrap());
        let question = Question::Nat { gateways: vec![Gateway::Fleet] }.with_gateways(listed);
        let question = question.with_gateways([Gateway::Listed("10.0.0.220".parse().unwrap())]);
        let table = Table::of_session("vpc_flow_logs");
        let sql = question.sql(&table, Question::ROWS);
        let condition = sql.lines().find(|line| line.contains("nat_gateway")).unwrap();
        assert_eq!(
            condition.trim(),
            "AND (interface_type IN ('nat_gateway', 'regional_nat_gateway') OR interface_id IN ('eni-0a1b2c3d4e5f67890') OR resource_id IN \
             ('nat-0a1b2c3d4e5f67890') OR interface_id IS NULL AND srcaddr IN ('10.0.0.220') OR interface_id IS NULL AND dstaddr IN \
             ('10.0.0.220'))"
        );
        let Question::Nat { gateways } = question else { unreachable!() };
        let sql = Question::Scans { above: 100, gateways }.sql(&table, Question::ROWS);
        assert_eq!(sql.matches("'regional_nat_gateway'").count(), 1, "{sql}");
    }

    #[test]
    fn gateways_match_by_interface_address_and_resource_id() {
        let gateways: Vec<Gateway> = ["eni-0a1b2c3d4e5f67890", "10.0.0.220", "nat-0a1b2c3d4e5f67890"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        let table = Table::of_session("vpc_flow_logs");
        let sql = Question::Nat { gateways }.sql(&table, Question::ROWS);
        assert_data_eq!(
            sql,
            str![[r#"
WITH logs AS (
  SELECT log_account, log_region, interface_id, srcaddr, dstaddr, bytes, pkt_srcaddr, pkt_dstaddr, resource_id, action, interface_type
  FROM vpc_flow_logs
  WHERE resource_type IS NULL
    AND tgw_id IS NULL
)
SELECT log_account AS account, coalesce(interface_id, resource_id) AS gateway, CASE WHEN dstaddr <> pkt_dstaddr THEN pkt_srcaddr ELSE pkt_dstaddr END AS source,
  coalesce(sum(CASE WHEN dstaddr <> pkt_dstaddr THEN bytes END), 0) AS sent,
  coalesce(sum(CASE WHEN dstaddr = pkt_dstaddr AND srcaddr <> pkt_srcaddr THEN bytes END), 0) AS received,
  sum(bytes) AS bytes
FROM logs
WHERE bytes IS NOT NULL AND srcaddr IS NOT NULL AND dstaddr IS NOT NULL AND (action IS NULL OR action <> 'REJECT')
  AND (interface_id IN ('eni-0a1b2c3d4e5f67890') OR resource_id IN ('nat-0a1b2c3d4e5f67890') OR srcaddr IN ('10.0.0.220') OR dstaddr IN ('10.0.0.220'))
  AND (dstaddr <> pkt_dstaddr OR srcaddr <> pkt_srcaddr)
GROUP BY log_account, coalesce(interface_id, resource_id), CASE WHEN dstaddr <> pkt_dstaddr THEN pkt_srcaddr ELSE pkt_dstaddr END
ORDER BY bytes DESC NULLS LAST, account NULLS LAST, gateway NULLS LAST, source NULLS LAST
LIMIT 100
"#]]
        );
    }
}
