//! Questions about amounts, by account, place or service.

use super::super::argument::{Border, Gateway, Grouping, Network, Period, Ranked};
use super::parts::{
    DESTINATION, IS_UNDIRECTED, NOT_REJECTED, TRAFFIC, count_of, if_directed, is_gateway, is_named_gateway,
    named_columns, once, ordered, sum_if,
};
use super::{Asked, BOTH_ENDS};

impl Asked<'_> {
    pub(super) fn top(&self, by: Ranked, gateways: &[Gateway]) -> String {
        match by {
            Ranked::Addresses => self.top_addresses(gateways),
            Ranked::Instances => self.of_interfaces(&[("instance_id", "instance")]),
            Ranked::Subnets => self.of_interfaces(&[("subnet_id", "subnet")]),
        }
    }

    pub(super) fn by_service(&self, by: Grouping) -> String {
        self.of_interfaces(match by {
            Grouping::EcsService => &[("ecs_service_name", "service"), ("ecs_cluster_name", "cluster")],
            Grouping::EcsTask => &[("ecs_task_id", "task"), ("ecs_cluster_name", "cluster")],
            Grouping::InstanceTag => &[("instance_tag", "tag")],
            Grouping::InterfaceTag => &[("interface_tag", "tag")],
            Grouping::AsgTag => &[("asg_tag", "tag")],
        })
    }

    /// The traffic that network interfaces sent and received, by these columns of their records. The first column must have a value.
    fn of_interfaces(&self, keys: &[(&str, &str)]) -> String {
        let names: Vec<&str> = keys.iter().map(|(_, name)| *name).collect();
        let columns_only: Vec<&str> = keys.iter().map(|(column, _)| *column).collect();
        let has_value =
            columns_only.first().map_or_else(String::new, |first| format!(" AND {first} IS NOT NULL"));
        format!(
            "{}\nSELECT log_account AS account, {},\n  {} AS sent,\n  {} AS received,\n  sum(bytes) AS bytes\nFROM logs\n\
             WHERE bytes IS NOT NULL{has_value} AND {NOT_REJECTED}\nGROUP BY log_account, {}\n{}",
            self.logs,
            named_columns(keys),
            if_directed("egress", "bytes"),
            if_directed("ingress", "bytes"),
            columns_only.join(", "),
            self.ranked(&format!("bytes DESC, account, {}", names.join(", "))),
        )
    }

    pub(super) fn outbound(&self, own: &[Network], gateways: &[Gateway]) -> String {
        // IPv4 traffic to the internet has a private source at the network interface, so only one interface recorded it as sent.
        let both = count_of("flow_direction IS NULL AND srcaddr LIKE '%:%'");
        // A gateway receives traffic for other destinations, and a transit gateway sends traffic of other sources.
        let is_own = "(dstaddr = pkt_dstaddr OR pkt_dstaddr IS NULL)\n  \
                      AND (srcaddr = pkt_srcaddr OR pkt_srcaddr IS NULL OR instance_id IS NOT NULL)";
        let (leaves, both) = if gateways.is_empty() {
            // Without `traffic-path`, both the sender and its NAT gateway count.
            let leaves = format!("(traffic_path IN (2, 8) OR traffic_path IS NULL)\n  AND {is_own}");
            (leaves, format!("count(traffic_path) < count(*) OR {both} > 0"))
        } else {
            // 7 is a gateway endpoint.
            let path = "(traffic_path IS NULL OR traffic_path <> 7)";
            (format!("{path} AND NOT {}\n  AND {is_own}", is_gateway(gateways)), format!("{both} > 0"))
        };
        format!(
            "{}\nSELECT log_account AS account, {DESTINATION} AS destination, pkt_dst_aws_service AS aws_service,\n  sum(bytes) AS bytes, \
             count(*) AS records, {both} AS {BOTH_ENDS}\nFROM logs\nWHERE {TRAFFIC} AND action = 'ACCEPT'\n  \
             AND (flow_direction = 'egress' OR flow_direction IS NULL)\n  AND {leaves}\n  AND NOT {}\n\
             GROUP BY log_account, {DESTINATION}, pkt_dst_aws_service\n{}",
            self.logs,
            self.table().is_internal(DESTINATION, own),
            self.ranked("bytes DESC, account, destination, aws_service"),
        )
    }

    /// Traffic through gateways, on the side of the source, where the address in the packet differs from the recorded one.
    pub(super) fn nat(&self, gateways: &[Gateway], to_aws: bool) -> String {
        let (sends, receives) = ("dstaddr <> pkt_dstaddr", "srcaddr <> pkt_srcaddr");
        let source = format!("CASE WHEN {sends} THEN pkt_srcaddr ELSE pkt_dstaddr END");
        let service = format!("CASE WHEN {sends} THEN pkt_dst_aws_service ELSE pkt_src_aws_service END");
        let name = "coalesce(interface_id, resource_id)";
        let mut keys = vec![("log_account", "account"), (name, "gateway"), (source.as_str(), "source")];
        let mut condition = String::new();
        if to_aws {
            keys.push((service.as_str(), "aws_service"));
            condition = format!("\n  AND {service} IN ('S3', 'DYNAMODB')");
        }
        let group: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        let names: Vec<&str> = keys.iter().map(|(_, name)| *name).collect();
        format!(
            "{}\nSELECT {},\n  {} AS sent,\n  {} AS received,\n  sum(bytes) AS bytes\nFROM logs\n\
             WHERE {TRAFFIC} AND {NOT_REJECTED}\n  AND ({})\n  AND ({sends} OR {receives}){condition}\nGROUP BY {}\n{}",
            self.logs,
            named_columns(&keys),
            sum_if(sends, "bytes"),
            sum_if(&format!("dstaddr = pkt_dstaddr AND {receives}"), "bytes"),
            is_named_gateway(gateways),
            group.join(", "),
            self.ranked(&format!("bytes DESC, {}", names.join(", "))),
        )
    }

    pub(super) fn cross_zone(&self) -> String {
        // 0.01 USD per GB on each side, where a GB is 2^30 bytes: one cent per 2^29 bytes. Decimals are used because engines round
        // floating point numbers differently.
        //
        // Source: "Amazon EC2 On-Demand Pricing", data transfer within the same AWS Region.
        let cents = "(sum(bytes) + 268435456) / 536870912";
        let price = format!(
            "CAST(CAST({cents} AS decimal(18, 0)) * CAST('0.01' AS decimal(3, 2)) AS decimal(18, 2))"
        );
        format!(
            "{}\nSELECT log_account AS account, az_id AS source_zone, next_hop_az_id AS destination_zone,\n  sum(bytes) AS bytes, {price} AS \
             usd, {IS_UNDIRECTED} AS {BOTH_ENDS}\nFROM logs\nWHERE bytes IS NOT NULL AND {NOT_REJECTED} AND az_id <> next_hop_az_id\n  \
             AND (flow_direction = 'egress' OR flow_direction IS NULL)\nGROUP BY log_account, az_id, next_hop_az_id\n\
             {}",
            self.logs,
            ordered("bytes DESC, account, source_zone, destination_zone"),
        )
    }

    pub(super) fn between(&self, by: Border) -> String {
        let (place, name) = match by {
            Border::Accounts => ("log_account", "account"),
            Border::Vpcs => ("vpc_id", "vpc"),
            Border::Regions => ("log_region", "region"),
        };
        let flow = "srcaddr, dstaddr, srcport, dstport, protocol";
        format!(
            "{},\nends AS (\n  SELECT {place} AS place, {flow},\n    {} AS bytes\n  FROM logs\n  WHERE {TRAFFIC} AND {NOT_REJECTED} AND {place} IS \
             NOT NULL\n  GROUP BY {place}, {flow}\n),\nflows AS (\n  SELECT min(place) AS one, max(place) AS other, max(bytes) AS bytes\n  \
             FROM ends\n  GROUP BY {flow}\n  HAVING count(*) = 2\n)\n\
             SELECT one AS {name}, other AS other_{name}, sum(bytes) AS bytes, count(*) AS flows\nFROM flows\nGROUP BY one, other\n\
             {}",
            self.logs,
            once("bytes"),
            ordered(&format!("bytes DESC, {name}, other_{name}")),
        )
    }

    pub(super) fn by_day(&self, by: Period) -> String {
        let (seconds, name, length) = match by {
            Period::Day => (86_400, "day", 10),
            Period::Hour => (3_600, "hour", 13),
        };
        let start = format!("period * {seconds}");
        // A percentage of the average. Sums of integers do not depend on their order.
        let percent = "100e0 * bytes * count(*) OVER (PARTITION BY account) / nullif(sum(bytes) OVER (PARTITION BY account), 0)";
        format!(
            "{},\nperiods AS (\n  SELECT log_account AS account, ended / {seconds} AS period,\n    {} AS sent,\n    {} AS received,\n    \
             sum(CASE WHEN flow_direction IS NULL THEN bytes END) AS undirected,\n    sum(bytes) AS bytes,\n    {IS_UNDIRECTED} AS {BOTH_ENDS}\n  \
             FROM logs\n  WHERE bytes IS NOT NULL AND ended IS NOT NULL AND {NOT_REJECTED}\n  GROUP BY log_account, ended / {seconds}\n)\n\
             SELECT account, substr({}, 1, {length}) AS {name}, sent, received, undirected,\n  \
             CAST(CAST({percent} AS decimal(18, 0)) AS bigint) AS percent,\n  {BOTH_ENDS}\nFROM periods\n{}",
            self.logs,
            if_directed("egress", "bytes"),
            if_directed("ingress", "bytes"),
            self.time(&start),
            ordered(&format!("account, {name}")),
        )
    }
}
