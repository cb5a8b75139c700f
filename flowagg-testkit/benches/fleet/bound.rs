//! The least possible time: the longest chain of dependent calls, and the delays of their token buckets.
//!
//! 1. The caller's identity. Nothing is known before, so no other call can be made.
//! 2. The organization's accounts, if the fleet is an organization. Each page names the next.
//! 3. A role in each account, as soon as the account is known, within the rate limit of STS.
//! 4. The live state: VPCs, flow logs and the bucket, of all account-regions in parallel, as soon as there is a role.
//! 5. The bucket's settings, sequentially. S3 rejects concurrent changes of a bucket, and the policy is read before the
//!    write and read back after it. All of this precedes the first flow log, because EC2 rejects a flow log that the
//!    policy does not let deliver. None of it precedes step 4, because the plan is printed first.
//! 6. Flow logs: one call per account-region, each with its own token bucket.
//! 7. The re-check of the flow logs of each account-region as soon as they are created; of the bucket, first its
//!    existence, then its settings.
//!
//! Each call takes the latency of the endpoint. The number of calls is counted at the endpoint, without throttled ones.
//! The least time does not include CPU time or a limit on connections: the rest of the ratio is flowagg's overhead.

use std::collections::BTreeMap;
use std::time::Duration;

use flowagg_testkit::simulation::Service;

use crate::LATENCY;
use crate::aws::Made;
use crate::buckets::{EC2_READS, EC2_WRITES, LIST_ACCOUNTS, Limit, STS};

/// A step, with the earliest time at which it is complete.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) what: &'static str,
    pub(crate) calls: usize,
    pub(crate) over: Duration,
}

/// The steps in order.
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

    let identity = step("the caller's identity", count("GetCallerIdentity"), LATENCY);
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
    let looked = step("the live state", vpcs * 2, roles + LATENCY);
    let settings = settings(&made);
    let settled = step("the bucket and its settings", settings, looked + LATENCY * count_of(settings));
    let flow_logs = count("CreateFlowLogs");
    let writes = EC2_WRITES.wait(busiest(&made, EC2_WRITES));
    let created = step("flow logs", flow_logs, settled + writes + LATENCY);
    let reads = roles + EC2_READS.wait(busiest(&made, EC2_READS));
    step("the re-check", count("DescribeFlowLogs") - vpcs, created.max(reads) + LATENCY * 2);
    Bound(steps)
}

/// The duration of sequential calls, each of which needs the response to the one before.
fn in_turn(limit: Limit, calls: usize, least: usize) -> Duration {
    let calls = calls.max(least);
    (LATENCY * count_of(calls - 1)).max(limit.wait(calls)) + LATENCY
}

/// Number of calls to S3 from the first change of the bucket to the first flow log.
fn settings(made: &[&Made]) -> usize {
    let changes = made.iter().skip_while(|call| call.operation != "CreateBucket");
    changes
        .take_while(|call| call.operation != "CreateFlowLogs")
        .filter(|call| call.service == Service::S3)
        .count()
}

/// The highest number of calls under this limit in one account-region.
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
