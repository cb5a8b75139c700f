//! Does what a plan says, in a safe order: the bucket, its policy, then flow logs.

mod dry_run;
mod flow_logs;
mod hub;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{Failure, Place};
use flowagg_core::plan::{FlowLogChange, HubChange, Plan, Step};
use futures::StreamExt;
use schemars::JsonSchema;
use serde::Serialize;

pub use dry_run::dry_run;

use super::Accounts;
use super::tasks::spread;
use crate::Progress;

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Applied {
    /// What was done, in words.
    pub done: Vec<String>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What was not tried, because something before it failed.
    pub held_back: Vec<String>,
    /// Where AWS's own answer names a flow log for each that was to be made, and nothing else was to be done.
    #[serde(skip)]
    pub(crate) settled: BTreeSet<Place>,
    /// The flow logs that AWS's answers name.
    #[serde(skip)]
    named: usize,
}

/// Does what the plan says. A failing account does not stop the others; a hub without bucket or policy stops the flow
/// logs, which could only fail; and a grant is taken away only when no flow log needs it any more.
pub async fn apply(fleet: &Fleet, accounts: &Accounts, plan: &Plan, progress: &dyn Progress) -> Applied {
    let mut applied = Applied::default();
    let hub = hub::Bucket::new(fleet, accounts.hub());
    let (last, first): (Vec<HubChange>, Vec<HubChange>) =
        plan.hub.iter().cloned().partition(|change| matches!(change, HubChange::RemoveGrant(_)));
    if !hub.apply_all(&first, progress, &mut applied).await {
        applied.held_back.extend(plan.flow_logs.iter().map(ToString::to_string));
        return applied;
    }
    let before = match before_flow_logs_in_the_hub(fleet, plan, &hub).await {
        Ok(before) => before,
        Err(failure) => {
            applied.failures.push(failure);
            None
        }
    };
    flow_logs_everywhere(fleet, accounts, plan, progress, &mut applied).await;
    if let Some(before) = before {
        match hub.policy().heal(&before).await {
            Ok(true) => applied.done.push(format!(
                "{}: put the bucket policy back, which AWS had rewritten when a flow log was made in its account",
                fleet.hub.bucket
            )),
            Ok(false) => {}
            Err(failure) => applied.failures.push(failure),
        }
    }
    if applied.failures.is_empty() && applied.held_back.is_empty() && plan.failures.is_empty() {
        hub.apply_all(&last, progress, &mut applied).await;
    } else {
        applied.held_back.extend(last.iter().map(ToString::to_string));
    }
    applied
}

/// The bucket policy, where flow logs are to be made in the bucket's own account: AWS may then write one of its own.
async fn before_flow_logs_in_the_hub(
    fleet: &Fleet,
    plan: &Plan,
    hub: &hub::Bucket<'_>,
) -> Result<Option<String>, Failure> {
    let made = |change: &FlowLogChange| matches!(change.step, Step::Create | Step::Replace { .. });
    if plan.flow_logs.iter().any(|change| change.account == fleet.hub.account && made(change)) {
        hub.policy().read().await
    } else {
        Ok(None)
    }
}

async fn flow_logs_everywhere(
    fleet: &Fleet,
    accounts: &Accounts,
    plan: &Plan,
    progress: &dyn Progress,
    applied: &mut Applied,
) {
    let by_place = by_place(plan);
    let total = by_place.len();
    let fleet = &Arc::new(fleet.clone());
    let failures = &AtomicUsize::new(applied.failures.len());
    let doing = by_place.into_iter().map(|(place, changes)| {
        let stops = progress.stops(failures.load(Ordering::Relaxed));
        let account = accounts.member(place.account).map(|member| member.cloned().map_err(Clone::clone));
        let fleet = Arc::clone(fleet);
        async move {
            let applied = match account {
                _ if stops => {
                    let held_back = changes.iter().map(ToString::to_string).collect();
                    Applied { held_back, ..Applied::default() }
                }
                Some(Ok(account)) => flow_logs::apply(&fleet, &account, &place, &changes).await,
                Some(Err(failure)) => Applied { failures: vec![failure], ..Applied::default() },
                None => Applied::default(),
            };
            (place, applied)
        }
    });
    let mut doing = pin!(spread(doing));
    let mut finished = BTreeMap::new();
    while let Some((place, applied)) = doing.next().await {
        failures.fetch_add(applied.failures.len(), Ordering::Relaxed);
        progress.step("flow logs", finished.len() + 1, total, &place.to_string());
        finished.insert(place, applied);
    }
    for outcome in finished.into_values() {
        applied.done.extend(outcome.done);
        applied.failures.extend(outcome.failures);
        applied.held_back.extend(outcome.held_back);
        applied.settled.extend(outcome.settled);
    }
}

fn by_place(plan: &Plan) -> BTreeMap<Place, Vec<FlowLogChange>> {
    let mut by_place: BTreeMap<Place, Vec<FlowLogChange>> = BTreeMap::new();
    for change in &plan.flow_logs {
        by_place.entry(change.place()).or_default().push(change.clone());
    }
    by_place
}
