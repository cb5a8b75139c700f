//! EC2: a few VPCs in every account and region, and the flow logs that were made for them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::call::{Answer, Call, Service};
use crate::fleet::REGIONS;

#[derive(Debug)]
pub(crate) struct Ec2 {
    vpcs: u64,
    /// By account and region, as `DescribeFlowLogs` returns them.
    flow_logs: BTreeMap<(String, String), Vec<String>>,
    made: u64,
}

impl Ec2 {
    /// With so many VPCs in each account and region.
    pub(crate) fn new(vpcs: u64) -> Self {
        Self { vpcs, flow_logs: BTreeMap::new(), made: 0 }
    }

    pub(crate) fn answer(&mut self, call: &Call) -> Answer {
        let inner = match call.operation.as_str() {
            "DescribeRegions" => regions(),
            "DescribeVpcs" => self.vpcs(call),
            "DescribeFlowLogs" => {
                let place = (call.account.clone(), call.region.clone());
                let flow_logs = self.flow_logs.get(&place).map(|logs| logs.concat()).unwrap_or_default();
                format!("<flowLogSet>{flow_logs}</flowLogSet>")
            }
            "CreateFlowLogs" => self.create(call),
            other => {
                let message = format!("The action {other} is not valid for this web service.");
                return Answer::error(Service::Ec2, 400, "InvalidAction", &message);
            }
        };
        let name = &call.operation;
        Answer::ok(format!(
            "<{name}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>0</requestId>{inner}</{name}Response>"
        ))
    }

    fn vpcs(&self, call: &Call) -> String {
        let owner = &call.account;
        let items = (1..=self.vpcs).map(|n| {
            let id = format!("vpc-{:017x}", owner.parse::<u64>().unwrap_or_default() * 1_000 + n);
            format!(
                "<item><vpcId>{id}</vpcId><ownerId>{owner}</ownerId><state>available</state>\
                 <cidrBlock>10.{n}.0.0/16</cidrBlock><isDefault>false</isDefault></item>"
            )
        });
        format!("<vpcSet>{}</vpcSet>", items.collect::<String>())
    }

    fn create(&mut self, call: &Call) -> String {
        let tags: String = (1..)
            .map(|n| format!("TagSpecification.1.Tag.{n}"))
            .map_while(|tag| {
                let value = call.parameter(&format!("{tag}.Value"));
                let key = call.form.get(&format!("{tag}.Key"))?;
                Some(format!("<item><key>{}</key><value>{}</value></item>", escaped(key), escaped(value)))
            })
            .collect();
        let format = match call.parameter("LogFormat") {
            "" => DEFAULT_FORMAT,
            format => format,
        };
        let format = escaped(format);
        let [traffic, destination, interval] =
            ["TrafficType", "LogDestination", "MaxAggregationInterval"].map(|name| call.parameter(name));
        let place = (call.account.clone(), call.region.clone());
        let flow_logs = self.flow_logs.entry(place).or_default();
        let mut ids = String::new();
        for resource in call.list("ResourceId") {
            self.made += 1;
            let id = format!("fl-{:017x}", self.made);
            // Nothing can go wrong when a string is written to.
            let _ = write!(ids, "<item>{id}</item>");
            flow_logs.push(format!(
                "<item><flowLogId>{id}</flowLogId><flowLogStatus>ACTIVE</flowLogStatus><resourceId>{resource}</resourceId>\
                 <trafficType>{traffic}</trafficType><logDestinationType>s3</logDestinationType>\
                 <logDestination>{destination}</logDestination><logFormat>{format}</logFormat>\
                 <maxAggregationInterval>{interval}</maxAggregationInterval>\
                 <creationTime>2026-01-02T03:04:05.678Z</creationTime><tagSet>{tags}</tagSet></item>"
            ));
        }
        format!("<clientToken>0</clientToken><flowLogIdSet>{ids}</flowLogIdSet><unsuccessful/>")
    }
}

/// Source: "Flow log records", default format (Amazon VPC User Guide).
const DEFAULT_FORMAT: &str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} \
                              ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";

fn regions() -> String {
    let items = REGIONS.iter().map(|region| {
        format!(
            "<item><regionName>{region}</regionName><regionEndpoint>ec2.{region}.amazonaws.com</regionEndpoint>\
             <optInStatus>opt-in-not-required</optInStatus></item>"
        )
    });
    format!("<regionInfo>{}</regionInfo>", items.collect::<String>())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
