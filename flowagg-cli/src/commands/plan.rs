//! `flowagg plan`: what differs.

use std::collections::BTreeMap;
use std::io;

use flowagg_core::fleet::Fleet;
use flowagg_core::observed::Failure;
use flowagg_core::plan::{Concern, Plan, PolicyChange, Unnamed};
use flowagg_policy::{Doubt, Grant, assure, merge};

use super::key;
use crate::args;
use crate::aws::observe::Observed;
use crate::{Exit, Screen, show};

pub(super) async fn run(
    global: &args::Global,
    options: &args::Plan,
    screen: &mut Screen<'_>,
) -> io::Result<Exit> {
    let (fleet, accounts, observed) = match super::look(global, screen).await? {
        Ok(looked) => looked,
        Err(exit) => return Ok(exit),
    };
    screen.calls("reading", &accounts.take_calls())?;
    let plan = assemble(&fleet, &observed, unnamed(options.prune));
    if options.json {
        show::document(&plan, screen.out)?;
    } else if options.markdown {
        show::markdown(&fleet, &plan, screen.out)?;
    } else {
        show::plan(&fleet, &plan, screen.out)?;
    }
    Ok(match &plan {
        plan if !plan.failures.is_empty() => Exit::Failed,
        plan if options.exit_code && !plan.is_settled() => Exit::Differs,
        _ => Exit::Done,
    })
}

pub(crate) fn unnamed(prune: bool) -> Unnamed {
    if prune { Unnamed::Prune } else { Unnamed::Keep }
}

/// The plan for what was read: the policy is merged here, for core knows nothing of policies. An encryption that nobody
/// could use is not in it, nor anything else then: it is a failure.
pub fn assemble(fleet: &Fleet, observed: &Observed, unnamed: Unnamed) -> Plan {
    key::hold_back(fleet, everything(fleet, observed, unnamed))
}

/// The same, with an encryption that nobody could use.
pub(super) fn everything(fleet: &Fleet, observed: &Observed, unnamed: Unnamed) -> Plan {
    let bucket = match &observed.bucket {
        Ok(bucket) => bucket.as_ref(),
        Err(failure) => return Plan::without_hub(failure.clone()),
    };
    // Such a grant names nobody: with `--prune` it would take everybody's away.
    if fleet.members.is_empty() {
        return Plan { notes: left_out(fleet), ..Plan::without_hub(nobody(fleet)) };
    }
    let live = bucket.and_then(|bucket| bucket.policy.as_deref());
    let grant = Grant::of(fleet);
    let merged = match merge(live, &grant, unnamed) {
        Ok(merged) => merged,
        Err(error) => return Plan::without_hub(policy_failure(fleet, error.to_string(), error.help())),
    };
    let doubts = match assure(live, &merged, &grant, &fleet.regions()) {
        Ok(doubts) => doubts,
        Err(error) => {
            return Plan::without_hub(policy_failure(fleet, error.to_string(), error.help().to_owned()));
        }
    };
    if let (true, Some(first)) = (merged.changed, doubts.first()) {
        return Plan::without_hub(doubted(fleet, first, doubts.len()));
    }
    let kept = merged.kept;
    let change = merged.changed.then(|| PolicyChange {
        text: merged.text,
        replaces: live.map(str::to_owned),
        bytes: merged.bytes,
        granted: merged.granted,
        revoked: merged.revoked,
        notes: merged.notes,
    });
    let mut plan = Plan::new(fleet, bucket, change, &observed.regions, unnamed);
    plan.concerns.extend(doubts.into_iter().map(|doubt| Concern {
        account: fleet.hub.account,
        region: Some(fleet.hub.region.clone()),
        resource: format!("the policy of {}", fleet.hub.bucket),
        what: doubt.message,
        help: DOUBT_HELP.to_owned(),
    }));
    key::look(fleet, observed.key.as_ref(), &mut plan);
    plan.notes.extend(left_out(fleet));
    plan.notes.extend(kept.iter().map(|account| {
        format!("the bucket policy lets {account} deliver, which the fleet file does not name; `--prune` revokes it")
    }));
    plan
}

/// The organization has accounts, but none for this fleet.
fn nobody(fleet: &Fleet) -> Failure {
    Failure {
        account: fleet.hub.account,
        region: fleet.hub.region.clone(),
        call: String::new(),
        resource: None,
        code: None,
        message: "the organization has no account that the fleet file chooses".to_owned(),
        help: "correct `organization.units`, `organization.accounts` or what they except".to_owned(),
    }
}

/// Accounts of the organization that are not members, those of one reason together.
fn left_out(fleet: &Fleet) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (account, why) in &fleet.left_out {
        reasons.entry(why).or_default().push(account.to_string());
    }
    let told = |(why, accounts): (&str, Vec<String>)| match accounts.len() {
        n if n > NAMED => format!("{n} accounts of the organization are left out: {why}"),
        1 => format!("{} of the organization is left out: {why}", accounts[0]),
        _ => format!("{} of the organization are left out: {why}", accounts.join(", ")),
    };
    reasons.into_iter().map(told).collect()
}

/// More accounts than this are told by number.
const NAMED: usize = 12;

const DOUBT_HELP: &str = "change that statement, which is not flowagg's, so that `delivery.logs.amazonaws.com` may deliver: \
     a Deny spares it with `\"Bool\": {\"aws:PrincipalIsAWSService\": \"false\"}`";

/// A policy that does not do what the fleet file says is not written.
fn doubted(fleet: &Fleet, first: &Doubt, doubts: usize) -> Failure {
    let more = if doubts > 1 { format!(" (and {} more like it)", doubts - 1) } else { String::new() };
    policy_failure(fleet, format!("the merged policy is not written: {first}{more}"), DOUBT_HELP.to_owned())
}

pub(super) fn policy_failure(fleet: &Fleet, message: String, help: String) -> Failure {
    hub_failure(fleet, format!("the policy of {}", fleet.hub.bucket), message, help)
}

/// Something of the hub's that keeps a plan from being made, and that no call to AWS stands behind.
pub(super) fn hub_failure(fleet: &Fleet, resource: String, message: String, help: String) -> Failure {
    Failure {
        account: fleet.hub.account,
        region: fleet.hub.region.clone(),
        call: String::new(),
        resource: Some(resource),
        code: None,
        message,
        help,
    }
}
