//! A large generated organization in memory, for tests and benchmarks at a size that no emulator can hold.
//!
//! [`Simulation`] answers the calls that flowagg makes to EC2, S3, STS and AWS Organizations. It stores flow logs,
//! tags, bucket settings and objects. It does not evaluate policies: every caller may do everything, unless a call is
//! denied by [`Simulation::deny_role`] or [`Simulation::deny`]. [`SimulationServer`] serves it over local HTTP.
//!
//! ```
//! use flowagg_testkit::simulation::{Shape, SimulationServer};
//!
//! let shape = Shape::new(3, 2);
//! let server = SimulationServer::start(shape.clone())?;
//! assert_eq!(server.simulation().accounts().len(), 3);
//! println!("{} for {}", shape.fleet_file(), server.url());
//! # Ok::<(), std::io::Error>(())
//! ```

mod call;
mod ec2;
mod organizations;
mod s3;
mod server;
mod sts;

use std::collections::{BTreeMap, BTreeSet};

pub use call::{Answer, Call, Service};
pub use organizations::Unit;
pub use s3::Object;
pub use server::SimulationServer;

use self::ec2::Ec2;
use self::s3::S3;
use flowagg_core::id::{AccountId, FlowLogId, Place, Region};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The account that owns the bucket and manages the organization. It is also the caller's account, so its ID is the
/// access key.
pub const HUB: &str = "111111111111";
/// Name of the bucket.
pub const BUCKET: &str = "acme-flow-logs";
/// The regions that every account has enabled. The first is the hub's.
pub const REGIONS: [&str; 8] = [
    "eu-west-1",
    "us-east-1",
    "eu-central-1",
    "us-west-2",
    "eu-north-1",
    "us-east-2",
    "ap-southeast-2",
    "ca-central-1",
];

/// The size of an organization.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shape {
    /// Number of accounts, excluding the hub.
    pub accounts: u64,
    /// Number of logged regions in each account, up to the length of [`REGIONS`].
    pub regions: usize,
    /// Number of VPCs in use in each account-region.
    pub vpcs: u64,
    /// Whether each account-region also has its default VPC, which is not in use.
    pub default_vpcs: bool,
    /// Whether the accounts are in units. Otherwise, all are directly under the root.
    pub units: bool,
}

impl Shape {
    /// The given number of accounts under the root, with the given number of regions and one VPC in each.
    pub fn new(accounts: u64, regions: usize) -> Self {
        Self { accounts, regions, vpcs: 1, default_vpcs: false, units: false }
    }

    /// The logged regions.
    pub fn regions(&self) -> &'static [&'static str] {
        &REGIONS[..self.regions.min(REGIONS.len())]
    }

    /// The fleet file of the whole organization.
    pub fn fleet_file(&self) -> String {
        let regions: Vec<_> = self.regions().iter().map(|region| format!("\"{region}\"")).collect();
        format!(
            "[hub]\naccount = \"{HUB}\"\nregion = \"{}\"\nbucket = \"{BUCKET}\"\nretention-days = 90\n\n\
             [organization]\nid = \"{}\"\nregions = [{}]\n",
            REGIONS[0],
            organizations::ID,
            regions.join(", ")
        )
    }
}

/// An account of the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct SimulatedAccount {
    pub id: String,
    pub name: String,
    /// The ID of its parent: a unit or the root.
    pub parent: String,
}

/// The state of the services.
#[derive(Debug)]
pub struct Simulation {
    shape: Shape,
    accounts: Vec<SimulatedAccount>,
    units: Vec<Unit>,
    ec2: Ec2,
    s3: S3,
    /// Accounts whose roles cannot be assumed.
    closed: BTreeSet<String>,
    /// Denied operations by account and region.
    denied: BTreeMap<(String, String), BTreeSet<String>>,
    /// Active flow logs that deliver nothing.
    mute: BTreeSet<String>,
}

impl Simulation {
    /// An organization of this shape, without flow logs and without a bucket.
    pub fn new(shape: Shape) -> Self {
        let units = if shape.units { organizations::units() } else { Vec::new() };
        let mut simulation = Self {
            accounts: Vec::new(),
            units,
            ec2: Ec2::default(),
            s3: S3::default(),
            closed: BTreeSet::new(),
            denied: BTreeMap::new(),
            mute: BTreeSet::new(),
            shape,
        };
        for _ in 0..simulation.shape.accounts {
            simulation.join();
        }
        simulation
    }

    /// Adds a bucket with this policy.
    #[must_use]
    pub fn with_policy(mut self, policy: &str) -> Self {
        self.s3.create_with_policy(policy);
        self
    }

    /// The accounts in the order in which they joined, excluding the hub.
    pub fn accounts(&self) -> &[SimulatedAccount] {
        &self.accounts
    }

    /// Adds the next account of the shape, with its VPCs.
    pub fn join(&mut self) -> SimulatedAccount {
        let number = self.accounts.len() as u64;
        let id = format!("{:012}", 200_000_000_000 + number * 7_919);
        let (name, parent) = match self.units.get(self.accounts.len() % self.units.len().max(1)) {
            Some(unit) => (format!("{}-{number:03}", unit.name.to_lowercase()), unit.id.clone()),
            None => (format!("account-{id}"), organizations::ROOT.to_owned()),
        };
        for region in self.shape.regions() {
            if self.shape.default_vpcs {
                self.ec2.create_default_vpc(&id, region);
            }
            for number in 1..=self.shape.vpcs {
                let name = format!("{name}-{number}");
                self.ec2.create_vpc(&id, region, &name);
            }
        }
        let account = SimulatedAccount { id, name, parent };
        self.accounts.push(account.clone());
        account
    }

    /// Creates a VPC with a network interface that is in use.
    pub fn create_vpc(&mut self, place: &Place, name: &str) {
        let (account, region) = key(place);
        self.ec2.create_vpc(&account, &region, name);
    }

    /// Denies every attempt to assume a role of the account.
    pub fn deny_role(&mut self, account: AccountId) {
        self.closed.insert(account.to_string());
    }

    /// Denies an EC2 operation in an account-region, as a service control policy does.
    pub fn deny(&mut self, place: &Place, operation: &str) {
        self.denied.entry(key(place)).or_default().insert(operation.to_owned());
    }

    /// The IDs of the flow logs of an account-region, in the order of creation.
    pub fn flow_logs(&self, place: &Place) -> Vec<FlowLogId> {
        self.ec2.flow_log_ids(&key(place)).filter_map(|id| FlowLogId::parse(id).ok()).collect()
    }

    /// Deletes a flow log, as a user would in the console.
    pub fn delete_flow_log(&mut self, place: &Place, id: &FlowLogId) {
        self.ec2.delete_flow_log(&key(place), id.as_str());
    }

    /// Makes the delivery of a flow log fail, with AWS's reason.
    pub fn fail_flow_log(&mut self, place: &Place, id: &FlowLogId, reason: &'static str) {
        self.ec2.fail_flow_log(&key(place), id.as_str(), reason);
    }

    /// Makes an active flow log deliver nothing, without an error.
    pub fn mute_flow_log(&mut self, id: &FlowLogId) {
        self.mute.insert(id.to_string());
    }

    /// Replaces the tags of a flow log.
    pub fn tag_flow_log(&mut self, place: &Place, id: &FlowLogId, tags: &[(&str, &str)]) {
        self.ec2.replace_tags(&key(place), id.as_str(), tags);
    }

    /// Adds a flow log to CloudWatch Logs with these tags, for the VPC of another flow log.
    pub fn log_to_cloudwatch(
        &mut self,
        place: &Place,
        id: &FlowLogId,
        log_group: &str,
        tags: &[(&str, &str)],
    ) {
        self.ec2.log_to_cloudwatch(&key(place), id.as_str(), log_group, tags);
    }

    /// Sets the creation time of all flow logs. New flow logs are not expected to deliver yet.
    pub fn age_flow_logs(&mut self, created: Timestamp) {
        self.ec2.age_flow_logs(created);
    }

    /// Delivers a file of this size, in bytes, at this time for every flow log of a VPC in use to the bucket, unless its
    /// delivery fails or it is mute.
    pub fn deliver(&mut self, at: Timestamp, bytes: u64) {
        for (account, region, id) in self.ec2.delivering() {
            if !self.mute.contains(&id) {
                self.s3.store(log_file(&account, &region, &id, at), Object { bytes, stored: at });
            }
        }
    }

    /// Answers a call.
    pub fn answer(&mut self, call: &Call) -> Answer {
        let denied = self.denied.get(&(call.account.clone(), call.region.clone()));
        if denied.is_some_and(|denied| denied.contains(&call.operation)) {
            return sts::denied(call);
        }
        match call.service {
            Service::Ec2 => self.ec2.answer(call),
            Service::Sts => sts::answer(call, &self.closed),
            Service::S3 => self.s3.answer(call),
            Service::Organizations => organizations::answer(call, &self.accounts, &self.units),
        }
    }
}

fn key(place: &Place) -> (String, String) {
    (place.account.to_string(), place.region.to_string())
}

/// The key of a flow log's file.
///
/// Source: "Flow log files" (Amazon VPC User Guide).
fn log_file(account: &str, region: &str, id: &str, at: Timestamp) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    let (day, time) = (at.strftime("%Y/%m/%d"), at.strftime("%Y%m%dT%H%MZ"));
    let hash = u64::from_str_radix(id.trim_start_matches("fl-"), 16).unwrap_or_default() & 0xffff_ffff;
    format!(
        "AWSLogs/{account}/vpcflowlogs/{region}/{day}/{account}_vpcflowlogs_{region}_{id}_{time}_{hash:08x}.log.gz"
    )
}

/// The account-region of an account and one of [`REGIONS`].
pub fn place(account: &SimulatedAccount, region: usize) -> Option<Place> {
    Some(Place::new(AccountId::parse(&account.id).ok()?, &Region::parse(REGIONS.get(region)?).ok()?))
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::Object as S3Object;

    use super::*;
    use crate::aws;

    const DAY: &str = "AWSLogs/200000000000/vpcflowlogs/eu-west-1/2026/01/02/";

    fn region() -> Region {
        Region::parse(REGIONS[0]).unwrap()
    }

    fn config(server: &SimulationServer, account: &str) -> aws_types::SdkConfig {
        aws::config(server.url(), aws::credentials(AccountId::parse(account).unwrap()), &region())
    }

    #[tokio::test]
    async fn only_working_flow_logs_of_vpcs_in_use_deliver() {
        let mut shape = Shape::new(1, 1);
        (shape.vpcs, shape.default_vpcs) = (3, true);
        let server = SimulationServer::start(shape).unwrap();
        let account = server.simulation().accounts()[0].clone();
        let place = place(&account, 0).unwrap();
        let ec2 = aws_sdk_ec2::Client::new(&config(&server, &account.id));
        let vpcs = ec2.describe_vpcs().send().await.unwrap();
        let ids: Vec<String> = vpcs.vpcs().iter().filter_map(|vpc| vpc.vpc_id.clone()).collect();
        assert_eq!(ids.len(), 4, "three and the default VPC");
        ec2.create_flow_logs()
            .resource_type(aws_sdk_ec2::types::FlowLogsResourceType::Vpc)
            .set_resource_ids(Some(ids))
            .traffic_type(aws_sdk_ec2::types::TrafficType::All)
            .log_destination_type(aws_sdk_ec2::types::LogDestinationType::S3)
            .log_destination(format!("arn:aws:s3:::{BUCKET}"))
            .send()
            .await
            .unwrap();

        let logs = server.simulation().flow_logs(&place);
        server.simulation().fail_flow_log(&place, &logs[1], "Access error");
        server.simulation().mute_flow_log(&logs[2]);
        server.simulation().answer(&Call::bucket());
        server.simulation().deliver("2026-01-02T03:04:05Z".parse().unwrap(), 691);

        let s3 = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::config::Builder::from(&config(&server, HUB)).force_path_style(true).build(),
        );
        let listed = s3.list_objects_v2().bucket(BUCKET).prefix(DAY).send().await.unwrap();
        let keys: Vec<&str> = listed.contents().iter().filter_map(S3Object::key).collect();
        let key =
            format!("{DAY}200000000000_vpcflowlogs_eu-west-1_{}_20260102T0304Z_00000004.log.gz", logs[3]);
        assert_eq!(keys, [key]);
        let folders =
            s3.list_objects_v2().bucket(BUCKET).prefix("AWSLogs/").delimiter("/").send().await.unwrap();
        let folders: Vec<&str> = folders.common_prefixes().iter().filter_map(|it| it.prefix()).collect();
        assert_eq!(folders, ["AWSLogs/200000000000/"]);
    }

    #[tokio::test]
    async fn listing_has_consecutive_pages() {
        let server = SimulationServer::start(Shape::new(0, 1)).unwrap();
        server.simulation().answer(&Call::bucket());
        for number in 0..2_500 {
            let object = Object { bytes: 1, stored: Timestamp::UNIX_EPOCH };
            server.simulation().s3.store(format!("{number:04}"), object);
        }
        let s3 = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::config::Builder::from(&config(&server, HUB)).force_path_style(true).build(),
        );
        let mut pages = s3.list_objects_v2().bucket(BUCKET).into_paginator().send();
        let (mut sizes, mut keys) = (Vec::new(), BTreeSet::new());
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            sizes.push(page.contents().len());
            keys.extend(page.contents().iter().filter_map(|object| object.key.clone()));
        }
        assert_eq!(sizes, [1_000, 1_000, 500]);
        assert_eq!(keys.len(), 2_500);
    }

    #[tokio::test]
    async fn denied_calls_have_aws_error_codes() {
        let server = SimulationServer::start(Shape::new(2, 1)).unwrap();
        let places = server.simulation().accounts().to_vec();
        let [first, second] = [0, 1].map(|number| place(&places[number], 0).unwrap());
        server.simulation().deny_role(first.account);
        server.simulation().deny(&second, "DescribeVpcs");
        let sts = aws_sdk_sts::Client::new(&config(&server, HUB));
        let role = format!("arn:aws:iam::{}:role/flowagg", first.account);
        let assumed = sts.assume_role().role_arn(role).role_session_name("s").send().await;
        assert_eq!(assumed.unwrap_err().into_service_error().meta().code(), Some("AccessDenied"));
        let ec2 = aws_sdk_ec2::Client::new(&config(&server, &second.account.to_string()));
        let described = ec2.describe_vpcs().send().await.unwrap_err().into_service_error();
        assert_eq!(described.meta().code(), Some("UnauthorizedOperation"));
    }
}
