//! `flowagg destroy`: takes our flow logs and our grant away.

use std::io;

use flowagg_core::fleet::Fleet;
use flowagg_core::plan::{GrantRemoval, Plan};
use flowagg_policy::{Grant, granted_by, remove};

use super::apply::carry_out;
use super::plan::policy_failure;
use crate::args;
use crate::aws::Accounts;
use crate::aws::observe::Observed;
use crate::{Exit, Screen};

pub(super) async fn run(
    global: &args::Global,
    consent: &args::Consent,
    screen: &mut Screen<'_>,
) -> io::Result<Exit> {
    carry_out(global, consent, screen, plan).await
}

fn plan(fleet: &Fleet, accounts: &Accounts, observed: &Observed) -> Plan {
    let policy = match &observed.bucket {
        Ok(bucket) => bucket.as_ref().and_then(|bucket| bucket.policy.clone()),
        Err(failure) => return Plan::without_hub(failure.clone()),
    };
    let removal = match policy.map(|policy| removal(fleet, policy)).transpose() {
        Ok(removal) => removal.flatten(),
        Err((message, help)) => return Plan::without_hub(policy_failure(fleet, message, help)),
    };
    if accounts.is_whole() {
        return Plan::destroy(fleet, removal, &observed.regions);
    }
    let mut plan = Plan::destroy(fleet, None, &observed.regions);
    plan.notes
        .extend(removal.map(|_| "the grant stays while only a part of the fleet is taken away".to_owned()));
    plan
}

/// `None` where no statement of the policy is ours.
fn removal(fleet: &Fleet, policy: String) -> Result<Option<GrantRemoval>, (String, String)> {
    let grant = Grant::of(fleet);
    let granted =
        granted_by(&policy, &grant).map_err(|error| (error.to_string(), error.help().to_owned()))?;
    let Some(granted) = granted else { return Ok(None) };
    let leaves = remove(&policy, &grant).map_err(|error| (error.to_string(), error.help()))?;
    Ok(Some(GrantRemoval { replaces: policy, leaves, revoked: granted.who.accounts().clone() }))
}
