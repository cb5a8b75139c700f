//! The least time: the longest chain of calls that depend on each other, and how long the token buckets hold them up.
//!
//! 1. Who am I: nothing is known before, so nothing else is called.
//! 2. The organization's accounts, where the fleet is one: each page names the next.
//! 3. A role in each account, as soon as the account is known; STS lets so many through.
//! 4. What is there: VPCs, flow logs and the bucket, of each place at once, as soon as there is a role.
//! 5. The bucket: what is put on it, one after the other. S3 refuses two changes of one bucket at the same moment; the
//!    policy is read before the write and read back after it. All of it comes before the first flow log, which EC2
//!    refuses to make where the policy does not let it deliver; and none before 4, for the plan is shown first.
//! 6. Flow logs: one call for each place, each under its own token bucket.
//! 7. The second look, at the flow logs of each place as soon as they are made; at the bucket, whether it is there, then
//!    how it is set.
//!
//! Each call takes the endpoint's latency. How many calls there were is counted at the endpoint, throttled ones left out.
//! That calls cost processor time, and that connections are few, is not in it: the rest of the ratio is flowagg's.

use std::collections::BTreeMap;
use std::time::Duration;

use flowagg_testkit::simulation::Service;

use crate::LATENCY;
use crate::aws::Made;
use crate::buckets::{EC2_READS, EC2_WRITES, LIST_ACCOUNTS, Limit, STS};

/// A step, and when it is over at the earliest.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) what: &'static str,
    pub(crate) calls: usize,
    pub(crate) over: Duration,
}

/// The steps, in order.
#[derive(Debug)]
pub(crate) struct Bound(pub(crate) Vec<Step>);

impl Bound {
    pub(crate) fn total(&self) -> Duration {
        self.0.last().map(|step| step.over).unwrap_or_default()
    }
}

/// The least time in which these calls can be made.
pub(crate) fn least_time(made: &[Made]) -> Bound {
    let made: Vec<&Made> = made.iter().filter(|call| !call.throttled).collect();
    let count = |operation: &str| made.iter().filter(|call| call.operation == operation).count();
    let mut steps = Vec::new();
    let mut step = |what, calls, over| {
        steps.push(Step { what, calls, over });
        over
    };

    let identity = step("who am I", count("GetCallerIdentity"), LATENCY);
    let (mut known, mut first_known) = (identity, identity);
    let in_organization = made.iter().filter(|call| call.service == Service::Organizations).count();
    if in_organization > 0 {
        let pages = count("ListAccounts");
        first_known += LATENCY;
        known =
            step("the organization's accounts", in_organization, identity + in_turn(LIST_ACCOUNTS, pages, 1));
    }
    let roles = count("AssumeRole");
    let last_role = known.max(first_known + STS.wait(roles)) + LATENCY;
    let roles = step("a role in each account", roles, last_role);

    let vpcs = count("DescribeVpcs");
    let looked = step("what is there", vpcs * 2, roles + LATENCY);
    let settings = settings(&made);
    let settled = step("the bucket and its settings", settings, looked + LATENCY * count_of(settings));
    let flow_logs = count("CreateFlowLogs");
    let writes = EC2_WRITES.wait(busiest(&made, EC2_WRITES));
    let created = step("flow logs", flow_logs, settled + writes + LATENCY);
    let reads = roles + EC2_READS.wait(busiest(&made, EC2_READS));
    step("the second look", count("DescribeFlowLogs") - vpcs, created.max(reads) + LATENCY * 2);
    Bound(steps)
}

/// How long calls take of which each needs the answer of the one before.
fn in_turn(limit: Limit, calls: usize, least: usize) -> Duration {
    let calls = calls.max(least);
    (LATENCY * count_of(calls - 1)).max(limit.wait(calls)) + LATENCY
}

/// The calls to S3 from the first change of the bucket to the first flow log.
fn settings(made: &[&Made]) -> usize {
    let changes = made.iter().skip_while(|call| call.operation != "CreateBucket");
    changes
        .take_while(|call| call.operation != "CreateFlowLogs")
        .filter(|call| call.service == Service::S3)
        .count()
}

/// How many calls the account and region with the most of them got under this limit.
fn busiest(made: &[&Made], limit: Limit) -> usize {
    let mut places: BTreeMap<&(String, String), usize> = BTreeMap::new();
    for call in made.iter().filter(|call| Limit::of(call.service, &call.operation) == Some(limit)) {
        *places.entry(&call.place).or_default() += 1;
    }
    places.into_values().max().unwrap_or_default()
}

fn count_of(calls: usize) -> u32 {
    u32::try_from(calls).unwrap_or(u32::MAX)
}
