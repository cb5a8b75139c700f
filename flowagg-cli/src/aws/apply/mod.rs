//! Executes a plan in a safe order: the bucket, its policy, then flow logs. It makes no decisions: if the bucket policy has
//! changed since planning, the plan is made again.

mod bucket;
mod done;
mod dry_run;
mod flow_logs;
mod hub;
mod lifecycle;
mod policy;
mod replace;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flowagg_core::failure::Failure;
use flowagg_core::id::Place;
use flowagg_core::lifecycle::LifecycleDocument;
use flowagg_core::observed::Observed;
use flowagg_core::plan::{Concern, FlowLogChange, HubChange, Step};
use flowagg_policy::Plan;
use futures::StreamExt;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

pub use done::{Did, Done};
pub use dry_run::{DryRun, dry_run};

use self::bucket::Bucket;
use self::lifecycle::holds;
use self::policy::same;
use self::replace::{Left, WholeDocument};
use super::observe::{Observation, observe_again};
use super::tasks::spread;
use crate::Progress;

/// The outcome of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Applied {
    /// The changes that were made, in order.
    pub done: Vec<Done>,
    /// The failed calls.
    pub failures: Vec<Failure>,
    /// What to check: changes by other processes that may have been overwritten. They do not affect the exit code.
    pub warnings: Vec<Concern>,
    /// Changes that were skipped because an earlier one failed or the run was stopped.
    pub held_back: Vec<String>,
    /// Account-regions that only created flow logs, and whose responses contain an ID for each.
    #[serde(skip)]
    settled: BTreeSet<Place>,
    /// The policy that was written; `None` once another process was seen to change it.
    #[serde(skip)]
    policy: Option<Left<Option<String>>>,
    /// The lifecycle configuration that was written, likewise.
    #[serde(skip)]
    lifecycle: Option<Left<Option<LifecycleDocument>>>,
}

impl Applied {
    /// The number of planned changes that were made.
    pub fn changes(&self) -> usize {
        self.done.iter().map(Done::changes).sum()
    }

    /// Reads again what the plan has changed, and adds a warning for each document that another process has replaced since it was
    /// written. [`Plan::again`] with the returned observation contains the remaining changes.
    ///
    /// An account-region whose responses already confirm every change is not read again and not returned: EC2 may not list new
    /// flow logs for a while.
    pub async fn observe_again(
        &mut self,
        before: Observation,
        plan: &Plan,
        progress: &dyn Progress,
    ) -> Observation {
        let observation = observe_again(before, plan, &self.settled, progress).await;
        self.compare(&observation.observed);
        observation
    }

    /// Adds a warning for each document that another process has replaced since it was written.
    fn compare(&mut self, observed: &Observed) {
        let Ok(Some(bucket)) = &observed.bucket else { return };
        let policy = self.policy.take();
        let policy =
            policy.and_then(|left| left.compare(|text| same(bucket.policy.as_deref(), text.as_deref())));
        let lifecycle = self.lifecycle.take();
        let lifecycle = lifecycle
            .and_then(|left| left.compare(|written| holds(bucket.lifecycle.as_ref(), written.as_ref())));
        self.warnings.extend(policy.into_iter().chain(lifecycle));
    }
}

/// When [`apply`] stops early. Default: never. Account-regions in progress are finished; the others are
/// [held back](Applied::held_back).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ApplyOptions {
    /// Stop starting new account-regions once this is cancelled.
    pub cancel: CancellationToken,
    /// Stop starting new account-regions after this number of failures.
    pub max_failures: Option<usize>,
}

impl ApplyOptions {
    fn stops(&self, failures: usize) -> bool {
        self.cancel.is_cancelled() || self.max_failures.is_some_and(|most| failures >= most)
    }
}

/// Executes a plan. `observation` must be the one that the plan was made from. A failing account does not stop the others. If the
/// bucket or its policy could not be set, no flow logs are created, because they could not deliver. A grant is removed only after
/// all flow logs are deleted.
pub async fn apply(
    observation: &Observation,
    plan: &Plan,
    options: &ApplyOptions,
    progress: &dyn Progress,
) -> Applied {
    let Observation { fleet, accounts, observed } = observation;
    let mut applied = Applied::default();
    let hub = Bucket::new(fleet, accounts.hub(), observed, plan);
    let is_last =
        |change: &HubChange| matches!(change, HubChange::RemoveLifecycle(_) | HubChange::RemoveGrant(_));
    let (last, first): (Vec<HubChange>, Vec<HubChange>) = plan.hub().iter().cloned().partition(is_last);
    if !hub.apply_all(&first, progress, &mut applied).await {
        applied.held_back.extend(plan.flow_logs().iter().map(ToString::to_string));
        return applied;
    }
    let made_in_hub = plan.flow_logs().iter().any(|change| {
        change.place.account == fleet.hub.account
            && matches!(change.step, Step::Create | Step::Replace { .. })
    });
    let before = if made_in_hub { hub.policy().read().await.map(Some) } else { Ok(None) };
    flow_logs_everywhere(observation, plan, options, progress, &mut applied).await;
    match before {
        Ok(Some(before)) => hub.settle_after_aws(before.as_deref(), &mut applied).await,
        Ok(None) => {}
        Err(failure) => applied.failures.push(failure),
    }
    if applied.failures.is_empty() && applied.held_back.is_empty() {
        hub.apply_all(&last, progress, &mut applied).await;
    } else {
        applied.held_back.extend(last.iter().map(ToString::to_string));
    }
    applied
}

async fn flow_logs_everywhere(
    Observation { fleet, accounts, .. }: &Observation,
    plan: &Plan,
    options: &ApplyOptions,
    progress: &dyn Progress,
    applied: &mut Applied,
) {
    let by_place = by_place(plan.flow_logs());
    let total = by_place.len();
    let fleet = &Arc::new(fleet.clone());
    let failures = &AtomicUsize::new(applied.failures.len());
    let doing = by_place.into_iter().map(|(place, changes)| {
        let stops = options.stops(failures.load(Ordering::Relaxed));
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

fn by_place(changes: &[FlowLogChange]) -> BTreeMap<Place, Vec<FlowLogChange>> {
    let mut by_place: BTreeMap<Place, Vec<FlowLogChange>> = BTreeMap::new();
    for change in changes {
        by_place.entry(change.place.clone()).or_default().push(change.clone());
    }
    by_place
}
