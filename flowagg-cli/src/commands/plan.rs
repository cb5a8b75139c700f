//! `flowagg plan`: what differs.

use std::io;

use flowagg_core::fleet::Fleet;
use flowagg_core::observed::Failure;
use flowagg_core::plan::{Plan, PolicyChange, Unnamed};
use flowagg_policy::{Absent, Grant};

use crate::args;
use crate::aws::Accounts;
use crate::aws::observe::{Observed, observe};
use crate::{Exit, Progress, Screen, show};

pub(super) async fn run(
    fleet: &Fleet,
    accounts: &Accounts,
    options: &args::Plan,
    screen: &mut Screen<'_>,
) -> io::Result<Exit> {
    let plan = screen
        .with_progress(async |progress| read(fleet, accounts, unnamed(options.prune), progress).await)
        .await;
    if options.json {
        show::json(&plan, screen.out)?;
    } else {
        show::plan(fleet, &plan, screen.out)?;
    }
    Ok(match &plan {
        plan if !plan.failures.is_empty() => Exit::Failed,
        plan if options.exit_code && !plan.is_settled() => Exit::Differs,
        _ => Exit::Done,
    })
}

pub(super) fn unnamed(prune: bool) -> Unnamed {
    if prune { Unnamed::Prune } else { Unnamed::Keep }
}

/// Reads everything and plans.
pub(super) async fn read(
    fleet: &Fleet,
    accounts: &Accounts,
    unnamed: Unnamed,
    progress: &dyn Progress,
) -> Plan {
    assemble(fleet, &observe(fleet, accounts, progress).await, unnamed)
}

/// The plan for what was read: the policy is merged here, for core knows nothing of policies.
pub fn assemble(fleet: &Fleet, observed: &Observed, unnamed: Unnamed) -> Plan {
    let bucket = match &observed.bucket {
        Ok(bucket) => bucket.as_ref(),
        Err(failure) => return Plan::without_hub(failure.clone()),
    };
    let live = bucket.and_then(|bucket| bucket.policy.as_deref());
    let absent = match unnamed {
        Unnamed::Keep => Absent::Keep,
        Unnamed::Prune => Absent::Prune,
    };
    let merged = match flowagg_policy::merge(live, &Grant::of(fleet), absent) {
        Ok(merged) => merged,
        Err(error) => return Plan::without_hub(policy_failure(fleet, error.to_string(), error.help())),
    };
    let change = merged.changed.then(|| PolicyChange {
        text: merged.text,
        replaces: live.map(str::to_owned),
        bytes: merged.bytes,
        granted: merged.granted,
        revoked: merged.revoked,
        notes: merged.notes,
    });
    let mut plan = Plan::new(fleet, bucket, change, &observed.regions, unnamed);
    plan.notes.extend(merged.kept.iter().map(|account| {
        format!("the bucket policy lets {account} deliver, which the fleet file does not name; `--prune` revokes it")
    }));
    plan
}

fn policy_failure(fleet: &Fleet, message: String, help: String) -> Failure {
    Failure {
        account: fleet.hub.account,
        region: fleet.hub.region.clone(),
        call: String::new(),
        resource: Some(format!("the policy of {}", fleet.hub.bucket)),
        code: None,
        message,
        help,
    }
}
