//! Estimates the cost of the flow logs that a plan creates.

use flowagg_core::estimate::{NewFlowLogCost, comparable};
use flowagg_core::lifecycle::LifecycleDocument;
use flowagg_core::observed::Observed;
use flowagg_core::plan::HubChange;
use flowagg_policy::Plan;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::Screen;
use crate::aws::delivered_by_flow_log;
use crate::aws::observe::Observation;

/// The estimate, based on the amounts that comparable flow logs delivered yesterday (UTC); `None` if the plan creates no flow logs.
/// The bucket is listed only for account-regions with comparable flow logs. If it cannot be listed, the cost is unknown and the plan
/// is unaffected.
pub(super) async fn of_new_flow_logs(
    observation: &Observation,
    plan: &Plan,
    screen: &mut Screen<'_>,
) -> Option<NewFlowLogCost> {
    let Observation { fleet, accounts, observed } = observation;
    let now = Timestamp::now();
    let yesterday = now.to_zoned(TimeZone::UTC).date().saturating_sub(1.day());
    let changes = plan.flow_logs();
    let logs = comparable(fleet, &observed.regions, changes, yesterday);
    let delivered = screen
        .reading(async |progress| {
            delivered_by_flow_log(fleet, accounts, &logs, yesterday, now, progress).await
        })
        .await;
    match delivered {
        Ok(delivered) => {
            let rules = lifecycle(plan, observed).and_then(|document| document.rules().ok());
            NewFlowLogCost::estimate(fleet, changes, &logs, &delivered, &rules.unwrap_or_default())
        }
        Err(failure) => NewFlowLogCost::unread(fleet, changes, failure),
    }
}

/// The lifecycle configuration of the bucket once the plan is applied.
fn lifecycle<'a>(plan: &'a Plan, observed: &'a Observed) -> Option<&'a LifecycleDocument> {
    let planned = plan.hub().iter().find_map(|change| match change {
        HubChange::SetLifecycle(change) => Some(change.write.as_ref()),
        _ => None,
    });
    let live = || observed.bucket.as_ref().ok()?.as_ref()?.lifecycle.as_ref();
    planned.unwrap_or_else(live)
}
