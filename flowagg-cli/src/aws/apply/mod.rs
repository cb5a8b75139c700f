//! Does what a plan says, in a safe order: the bucket, its policy, then flow logs.

mod flow_logs;
mod hub;

use std::collections::BTreeMap;

use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{Failure, Place};
use flowagg_core::plan::{FlowLogChange, Plan};
use futures::{StreamExt, stream};
use serde::Serialize;

use super::Accounts;
use crate::Progress;

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Applied {
    /// What was done, in words.
    pub done: Vec<String>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What was not tried, because something before it failed.
    pub held_back: Vec<String>,
}

/// Does what the plan says. A failing account does not stop the others; a hub without bucket or policy stops the flow
/// logs, which could only fail.
pub async fn apply(fleet: &Fleet, accounts: &Accounts, plan: &Plan, progress: &dyn Progress) -> Applied {
    let mut applied = Applied::default();
    let ready = hub::apply(fleet, accounts.hub(), &plan.hub, progress, &mut applied).await;
    if !ready {
        applied.held_back.extend(plan.flow_logs.iter().map(ToString::to_string));
        return applied;
    }
    let mut by_place: BTreeMap<Place, Vec<&FlowLogChange>> = BTreeMap::new();
    for change in &plan.flow_logs {
        by_place.entry(change.place()).or_default().push(change);
    }
    let total = by_place.len();
    let mut doing = stream::iter(by_place)
        .map(|(place, changes)| async move {
            let applied = match accounts.member(place.account) {
                Some(Ok(account)) => flow_logs::apply(fleet, account, &place, &changes).await,
                Some(Err(failure)) => Applied { failures: vec![failure.clone()], ..Applied::default() },
                None => Applied::default(),
            };
            (place, applied)
        })
        .buffer_unordered(super::AT_ONCE);
    let mut finished = BTreeMap::new();
    while let Some((place, applied)) = doing.next().await {
        progress.step("flow logs", finished.len() + 1, total, &place.to_string());
        finished.insert(place, applied);
    }
    for outcome in finished.into_values() {
        applied.done.extend(outcome.done);
        applied.failures.extend(outcome.failures);
        applied.held_back.extend(outcome.held_back);
    }
    applied
}
