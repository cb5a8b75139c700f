//! EC2: the VPCs of every account-region, and their flow logs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::call::{Answer, Call, Service, escaped};
use super::{BUCKET, REGIONS};

/// An account and a region.
type Key = (String, String);
type Tags = Vec<(String, String)>;

#[derive(Debug, Default)]
pub(super) struct Ec2 {
    vpcs: BTreeMap<Key, Vec<Vpc>>,
    flow_logs: BTreeMap<Key, Vec<FlowLog>>,
    created_vpcs: u64,
    created_flow_logs: u64,
}

#[derive(Debug)]
struct Vpc {
    id: String,
    /// Value of the `Name` tag.
    name: Option<String>,
    is_default: bool,
    in_use: bool,
}

#[derive(Clone, Debug)]
struct FlowLog {
    id: String,
    resource: String,
    traffic: String,
    destination_type: String,
    /// An ARN, or the name of a log group.
    destination: String,
    format: String,
    interval: String,
    created: Timestamp,
    tags: Tags,
    /// AWS's reason for a failed delivery.
    error: Option<&'static str>,
}

impl Ec2 {
    pub(super) fn create_default_vpc(&mut self, account: &str, region: &str) {
        let vpc = Vpc { id: self.vpc_id(), name: None, is_default: true, in_use: false };
        self.vpcs.entry((account.to_owned(), region.to_owned())).or_default().push(vpc);
    }

    /// Creates a VPC with a network interface that is in use.
    pub(super) fn create_vpc(&mut self, account: &str, region: &str, name: &str) {
        let vpc = Vpc { id: self.vpc_id(), name: Some(name.to_owned()), is_default: false, in_use: true };
        self.vpcs.entry((account.to_owned(), region.to_owned())).or_default().push(vpc);
    }

    fn vpc_id(&mut self) -> String {
        self.created_vpcs += 1;
        format!("vpc-{:017x}", self.created_vpcs)
    }

    pub(super) fn flow_log_ids(&self, key: &Key) -> impl Iterator<Item = &str> {
        self.flow_logs.get(key).into_iter().flatten().map(|log| log.id.as_str())
    }

    fn flow_log(&mut self, key: &Key, id: &str) -> Option<&mut FlowLog> {
        self.flow_logs.get_mut(key)?.iter_mut().find(|log| log.id == id)
    }

    pub(super) fn delete_flow_log(&mut self, key: &Key, id: &str) {
        if let Some(logs) = self.flow_logs.get_mut(key) {
            logs.retain(|log| log.id != id);
        }
    }

    pub(super) fn fail_flow_log(&mut self, key: &Key, id: &str, reason: &'static str) {
        if let Some(log) = self.flow_log(key, id) {
            log.error = Some(reason);
        }
    }

    pub(super) fn replace_tags(&mut self, key: &Key, id: &str, tags: &[(&str, &str)]) {
        if let Some(log) = self.flow_log(key, id) {
            log.tags = owned(tags);
        }
    }

    pub(super) fn log_to_cloudwatch(&mut self, key: &Key, id: &str, group: &str, tags: &[(&str, &str)]) {
        let Some(log) = self.flow_log(key, id) else { return };
        let mut log = log.clone();
        "cloud-watch-logs".clone_into(&mut log.destination_type);
        group.clone_into(&mut log.destination);
        log.tags = owned(tags);
        log.error = None;
        log.id = self.flow_log_id();
        self.flow_logs.entry(key.clone()).or_default().push(log);
    }

    fn flow_log_id(&mut self) -> String {
        self.created_flow_logs += 1;
        format!("fl-{:017x}", self.created_flow_logs)
    }

    pub(super) fn age_flow_logs(&mut self, created: Timestamp) {
        self.flow_logs.values_mut().flatten().for_each(|log| log.created = created);
    }

    /// Account, region and ID of each flow log to the bucket whose VPC is in use and whose delivery does not fail.
    pub(super) fn delivering(&self) -> Vec<(String, String, String)> {
        let bucket = format!("arn:aws:s3:::{BUCKET}");
        let mut delivering = Vec::new();
        for (key, logs) in &self.flow_logs {
            let vpcs = self.vpcs.get(key).map_or(&[][..], Vec::as_slice);
            let in_use = |log: &&FlowLog| vpcs.iter().any(|vpc| vpc.id == log.resource && vpc.in_use);
            let logs = logs.iter().filter(in_use).filter(|log| log.error.is_none());
            let logs = logs.filter(|log| log.destination.trim_end_matches('/') == bucket);
            delivering.extend(logs.map(|log| (key.0.clone(), key.1.clone(), log.id.clone())));
        }
        delivering
    }

    pub(super) fn answer(&mut self, call: &Call) -> Answer {
        let key = (call.account.clone(), call.region.clone());
        let is_write = !call.operation.starts_with("Describe");
        if is_write && call.parameter("DryRun") == "true" {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Answer::error(Service::Ec2, 412, "DryRunOperation", message);
        }
        let inner = match call.operation.as_str() {
            "DescribeRegions" => regions(),
            "DescribeVpcs" => self.describe_vpcs(&key),
            "DescribeNetworkInterfaces" => self.describe_network_interfaces(&key),
            "DescribeFlowLogs" => self.describe_flow_logs(&key, call),
            "CreateFlowLogs" => self.create_flow_logs(&key, call),
            "DeleteFlowLogs" => {
                call.list("FlowLogId").for_each(|id| self.delete_flow_log(&key, id));
                "<unsuccessful/>".to_owned()
            }
            "CreateTags" => {
                for id in call.list("ResourceId") {
                    if let Some(log) = self.flow_log(&key, id) {
                        log.tags.retain(|(key, _)| tags(call, "Tag").iter().all(|(new, _)| new != key));
                        log.tags.extend(tags(call, "Tag"));
                    }
                }
                "<return>true</return>".to_owned()
            }
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

    fn describe_vpcs(&self, key: &Key) -> String {
        let items = self.vpcs.get(key).into_iter().flatten().map(|vpc| {
            let tags = vpc.name.as_deref().map(|name| ("Name".to_owned(), name.to_owned()));
            format!(
                "<item><vpcId>{}</vpcId><ownerId>{}</ownerId><state>available</state><cidrBlock>10.0.0.0/16</cidrBlock>\
                 <isDefault>{}</isDefault>{}</item>",
                vpc.id,
                key.0,
                vpc.is_default,
                tag_set(tags.as_slice())
            )
        });
        format!("<vpcSet>{}</vpcSet>", items.collect::<String>())
    }

    fn describe_network_interfaces(&self, key: &Key) -> String {
        let in_use = self.vpcs.get(key).into_iter().flatten().filter(|vpc| vpc.in_use);
        let items = in_use.map(|vpc| {
            let number = vpc.id.trim_start_matches("vpc-");
            format!(
                "<item><networkInterfaceId>eni-{number}</networkInterfaceId><subnetId>subnet-{number}</subnetId>\
                 <vpcId>{}</vpcId><ownerId>{}</ownerId><status>in-use</status></item>",
                vpc.id, key.0
            )
        });
        format!("<networkInterfaceSet>{}</networkInterfaceSet>", items.collect::<String>())
    }

    fn describe_flow_logs(&self, key: &Key, call: &Call) -> String {
        let wanted = match call.parameter("Filter.1.Name") {
            "log-destination-type" => Some(call.parameter("Filter.1.Value.1")),
            _ => None,
        };
        let logs = self.flow_logs.get(key).into_iter().flatten();
        let logs = logs.filter(|log| wanted.is_none_or(|wanted| log.destination_type == wanted));
        format!("<flowLogSet>{}</flowLogSet>", logs.map(FlowLog::item).collect::<String>())
    }

    fn create_flow_logs(&mut self, key: &Key, call: &Call) -> String {
        let format = match call.parameter("LogFormat") {
            "" => DEFAULT_FORMAT,
            format => format,
        };
        let mut ids = String::new();
        for resource in call.list("ResourceId") {
            let id = self.flow_log_id();
            // Writing to a string does not fail.
            let _ = write!(ids, "<item>{id}</item>");
            self.flow_logs.entry(key.clone()).or_default().push(FlowLog {
                id,
                resource: resource.to_owned(),
                traffic: call.parameter("TrafficType").to_owned(),
                destination_type: "s3".to_owned(),
                destination: call.parameter("LogDestination").to_owned(),
                format: format.to_owned(),
                interval: call.parameter("MaxAggregationInterval").to_owned(),
                created: Timestamp::now(),
                tags: tags(call, "TagSpecification.1.Tag"),
                error: None,
            });
        }
        format!("<clientToken>0</clientToken><flowLogIdSet>{ids}</flowLogIdSet><unsuccessful/>")
    }
}

impl FlowLog {
    /// The flow log as `DescribeFlowLogs` returns it.
    fn item(&self) -> String {
        let destination = match self.destination_type.as_str() {
            "cloud-watch-logs" => format!("<logGroupName>{}</logGroupName>", escaped(&self.destination)),
            _ => format!("<logDestination>{}</logDestination>", escaped(&self.destination)),
        };
        let status = match self.error {
            Some(reason) => format!(
                "<deliverLogsStatus>FAILED</deliverLogsStatus><deliverLogsErrorMessage>{}</deliverLogsErrorMessage>",
                escaped(reason)
            ),
            None => "<deliverLogsStatus>SUCCESS</deliverLogsStatus>".to_owned(),
        };
        format!(
            "<item><flowLogId>{}</flowLogId><flowLogStatus>ACTIVE</flowLogStatus><resourceId>{}</resourceId>\
             <trafficType>{}</trafficType><logDestinationType>{}</logDestinationType>{destination}{status}\
             <logFormat>{}</logFormat><maxAggregationInterval>{}</maxAggregationInterval>\
             <creationTime>{}</creationTime>{}</item>",
            self.id,
            self.resource,
            self.traffic,
            self.destination_type,
            escaped(&self.format),
            self.interval,
            self.created,
            tag_set(&self.tags)
        )
    }
}

fn owned(tags: &[(&str, &str)]) -> Tags {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The tags under this name in a request.
fn tags(call: &Call, name: &str) -> Tags {
    let tag = |n: u64| {
        let key = call.optional(&format!("{name}.{n}.Key"))?;
        Some((key.to_owned(), call.parameter(&format!("{name}.{n}.Value")).to_owned()))
    };
    (1..).map_while(tag).collect()
}

fn tag_set(tags: &[(String, String)]) -> String {
    let items = tags.iter().map(|(key, value)| {
        format!("<item><key>{}</key><value>{}</value></item>", escaped(key), escaped(value))
    });
    format!("<tagSet>{}</tagSet>", items.collect::<String>())
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
