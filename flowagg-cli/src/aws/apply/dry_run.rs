//! Checks with EC2 dry runs whether a plan can be applied. Changes nothing, unless the endpoint is not AWS and executes dry runs.
//!
//! Source: "CreateFlowLogs", DryRun (Amazon EC2 API Reference): the error is `DryRunOperation` if the caller has the permissions, and
//! `UnauthorizedOperation` if not.

use std::collections::BTreeSet;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_ec2::error::SdkError;
use aws_sdk_ec2::operation::create_flow_logs::CreateFlowLogsOutput;
use aws_sdk_ec2::types::Tag;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::failure::{Advice, Failure};
use flowagg_core::id::{Place, ResourceId, ResourceKind};
use flowagg_core::plan::{FlowLogChange, Step};
use futures::StreamExt;

use super::by_place;
use super::flow_logs::{RegionalEc2, code};
use crate::Progress;
use crate::aws::call::{CREATE_FLOW_LOGS, CREATE_TAGS, Call, DELETE_FLOW_LOGS};
use crate::aws::observe::Observation;
use crate::aws::tasks::spread;

/// The error code of a dry run that would have succeeded.
const WOULD: &str = "DryRunOperation";

/// The outcome of the dry runs of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DryRun {
    /// Calls that EC2 would reject, and calls that the endpoint did not treat as dry runs.
    pub failures: Vec<Failure>,
    /// Whether the endpoint executed a dry run, so that resources may have changed.
    pub is_executed: bool,
    /// Account-regions without a dry run, because the endpoint ignores `DryRun`.
    pub not_asked: BTreeSet<Place>,
}

impl DryRun {
    fn add(&mut self, Answered { failure, is_executed }: Answered) {
        self.failures.push(failure);
        self.is_executed |= is_executed;
    }
}

/// Dry-runs a plan in all account-regions concurrently, with one request for each kind of call.
///
/// S3 and KMS have no dry run, so changes to the hub are not checked. An emulator or a proxy may ignore `DryRun` and execute the
/// call. So the first call is for a single resource, and the dry runs stop at the first one that is executed.
pub async fn dry_run(
    Observation { fleet, accounts, .. }: &Observation,
    changes: &[FlowLogChange],
    progress: &dyn Progress,
) -> DryRun {
    let by_place = by_place(changes);
    let mut outcome = DryRun::default();
    if let Some(change) = harmless(changes)
        && let Some(Ok(account)) = accounts.member(change.place.account)
    {
        let ec2 = RegionalEc2::new(fleet, account, &change.place);
        if let Dry::Answered(answered) = ec2.dry_run(std::slice::from_ref(change)).await {
            outcome.add(answered);
            outcome.not_asked = by_place.into_keys().filter(|place| *place != change.place).collect();
            return outcome;
        }
    }
    let total = by_place.len();
    let fleet = &Arc::new(fleet.clone());
    let is_ignored = &Arc::new(AtomicBool::new(false));
    let asking = by_place.into_iter().filter_map(|(place, changes)| {
        let account = accounts.member(place.account)?.ok()?.clone();
        let (fleet, is_ignored) = (Arc::clone(fleet), Arc::clone(is_ignored));
        Some(async move {
            if is_ignored.load(Ordering::Relaxed) {
                return (place, None);
            }
            let answer = RegionalEc2::new(&fleet, &account, &place).dry_run(&changes).await;
            is_ignored.fetch_or(matches!(answer, Dry::Answered(_)), Ordering::Relaxed);
            (place, Some(answer))
        })
    });
    let mut asking = pin!(spread(asking));
    let mut done = 0;
    while let Some((place, answer)) = asking.next().await {
        done += 1;
        progress.step("asking", done, total, &place.to_string());
        match answer {
            Some(Dry::Answered(answered)) => outcome.add(answered),
            Some(Dry::Refused(refused)) => outcome.failures.extend(refused),
            None => drop(outcome.not_asked.insert(place)),
        }
    }
    outcome.failures.sort();
    outcome
}

/// The least harmful change in case its dry run is executed: a new flow log can be deleted, and a tag removed.
fn harmless(changes: &[FlowLogChange]) -> Option<&FlowLogChange> {
    changes.iter().min_by_key(|change| match change.step {
        Step::Create | Step::Replace { .. } => 0,
        Step::Tag { .. } => 1,
        Step::Delete { .. } => 2,
    })
}

/// The outcome of the dry runs in one account-region.
#[derive(Debug)]
enum Dry {
    /// EC2 would reject these calls; empty if none.
    Refused(Vec<Failure>),
    /// The endpoint did not treat a call as a dry run.
    Answered(Answered),
}

/// A response to a dry run that AWS would not return.
#[derive(Debug)]
struct Answered {
    failure: Failure,
    is_executed: bool,
}

impl RegionalEc2<'_> {
    async fn dry_run(&self, changes: &[FlowLogChange]) -> Dry {
        let mut refused = Vec::new();
        let makes = |change: &&FlowLogChange| matches!(change.step, Step::Create | Step::Replace { .. });
        for kind in ResourceKind::ALL {
            let resources = changes.iter().filter(makes).map(|change| &change.resource);
            let resources: Vec<&ResourceId> =
                resources.filter(|id| id.kind() == kind).take(kind.most_in_a_call()).collect();
            if !resources.is_empty() {
                match self.request(kind, &resources).dry_run(true).send().await {
                    Ok(answer) => return Dry::Answered(self.created_by_dry_run(&answer)),
                    Err(error) => refused.extend(self.refusal(CREATE_FLOW_LOGS, &error)),
                }
            }
        }
        let tagged = changes.iter().find_map(|change| match &change.step {
            Step::Tag { flow_log, tags } => Some((flow_log, tags)),
            _ => None,
        });
        if let Some((id, tags)) = tagged {
            let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
            let request = self.ec2.create_tags().resources(id.as_str()).set_tags(Some(tags));
            match request.dry_run(true).send().await {
                Ok(_) => {
                    let advice = format!("{IGNORES}: remove the tags from {id} if they are not wanted");
                    return Dry::Answered(self.executed(CREATE_TAGS, &format!("set tags of {id}"), advice));
                }
                Err(error) => refused.extend(self.refusal(CREATE_TAGS, &error)),
            }
        }
        let deleted = changes.iter().find_map(|change| match &change.step {
            Step::Replace { old: flow_log, .. } | Step::Delete { flow_log, .. } => Some(flow_log),
            Step::Create | Step::Tag { .. } => None,
        });
        // Last: an endpoint that executes dry runs has been detected by now with a call that can be undone.
        if let Some(id) = deleted {
            match self.ec2.delete_flow_logs().flow_log_ids(id.as_str()).dry_run(true).send().await {
                Ok(_) => {
                    let advice = format!("{IGNORES}: run `flowagg plan` to see whether {id} is missing");
                    return Dry::Answered(self.executed(DELETE_FLOW_LOGS, &format!("deleted {id}"), advice));
                }
                Err(error) => refused.extend(self.refusal(DELETE_FLOW_LOGS, &error)),
            }
        }
        Dry::Refused(refused)
    }

    /// The outcome of a dry run that the endpoint accepted: what it created, and how to delete it.
    fn created_by_dry_run(&self, answer: &CreateFlowLogsOutput) -> Answered {
        let ids = answer.flow_log_ids();
        if ids.is_empty() {
            let message = "the endpoint returned a result for a dry run but created nothing";
            let failure =
                self.at.failed(CREATE_FLOW_LOGS, None, message, format!("{IGNORES}: check the endpoint"));
            return Answered { failure, is_executed: false };
        }
        let (named, listed) = (ids.join(", "), ids.join(" "));
        let advice = Advice::for_place(|account, region| {
            format!(
                "{IGNORES}: delete what it created, with the role or user of {account}: `aws ec2 delete-flow-logs --region {region} \
                 --flow-log-ids {listed}`"
            )
        });
        self.executed(CREATE_FLOW_LOGS, &format!("created {named}"), advice)
    }

    fn executed(&self, call: Call, what: &str, advice: impl Into<Advice>) -> Answered {
        let message = format!("the endpoint executed a dry run: it {what}");
        Answered { failure: self.at.failed(call, None, message, advice), is_executed: true }
    }

    fn refusal<E>(&self, call: Call, error: &SdkError<E, HttpResponse>) -> Option<Failure>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        (code(error) != Some(WOULD)).then(|| self.at.failure(call, error))
    }
}

/// Why a dry run was executed.
const IGNORES: &str = "this endpoint is not AWS, but an emulator or a proxy that ignores `DryRun`";
