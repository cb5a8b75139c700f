//! Asks EC2 whether a plan could be done, and does nothing.
//!
//! Source: "CreateFlowLogs", DryRun (Amazon EC2 API Reference): the answer is `DryRunOperation` to who may, and
//! `UnauthorizedOperation` to who may not.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;

use aws_sdk_ec2::error::SdkError;
use aws_sdk_ec2::types::Tag;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::failure::Failure;
use flowagg_core::id::{ResourceId, ResourceKind};
use flowagg_core::plan::{FlowLogChange, Step};
use futures::StreamExt;

use super::by_place;
use super::flow_logs::{RegionalEc2, code};
use crate::Progress;
use crate::aws::call::{CREATE_FLOW_LOGS, CREATE_TAGS, Call, DELETE_FLOW_LOGS};
use crate::aws::observe::Observation;
use crate::aws::tasks::spread;

/// What EC2 says to a call that it would have done.
const WOULD: &str = "DryRunOperation";

/// What EC2 would refuse of a plan, in every account and region at once. Of each call that one of them takes, one is asked.
///
/// S3 and KMS know no dry run: what is done at the hub is not asked.
pub async fn dry_run(
    Observation { fleet, accounts, .. }: &Observation,
    changes: &[FlowLogChange],
    progress: &dyn Progress,
) -> Vec<Failure> {
    let by_place = by_place(changes);
    let total = by_place.len();
    let fleet = &Arc::new(fleet.clone());
    let asking = by_place.into_iter().filter_map(|(place, changes)| {
        let account = accounts.member(place.account)?.ok()?.clone();
        let fleet = Arc::clone(fleet);
        Some(async move {
            let refused = RegionalEc2::new(&fleet, &account, &place).dry_run(&changes).await;
            (place, refused)
        })
    });
    let mut asking = pin!(spread(asking));
    let mut refused = Vec::new();
    let mut done = 0;
    while let Some((place, failures)) = asking.next().await {
        done += 1;
        progress.step("asking", done, total, &place.to_string());
        refused.extend(failures);
    }
    refused.sort();
    refused
}

impl RegionalEc2<'_> {
    async fn dry_run(&self, changes: &[FlowLogChange]) -> Vec<Failure> {
        let mut refused = Vec::new();
        let makes = |change: &&FlowLogChange| matches!(change.step, Step::Create | Step::Replace { .. });
        for kind in ResourceKind::ALL {
            let resources = changes.iter().filter(makes).map(|change| &change.resource);
            let resources: Vec<&ResourceId> =
                resources.filter(|id| id.kind() == kind).take(kind.most_in_a_call()).collect();
            if !resources.is_empty() {
                let answer = self.request(kind, &resources).dry_run(true).send().await;
                refused.extend(self.refusal(CREATE_FLOW_LOGS, answer));
            }
        }
        let deleted = changes.iter().find_map(|change| match &change.step {
            Step::Replace { old: flow_log } | Step::Delete { flow_log } => Some(flow_log),
            Step::Create | Step::Tag { .. } => None,
        });
        if let Some(id) = deleted {
            let answer = self.ec2.delete_flow_logs().flow_log_ids(id.as_str()).dry_run(true).send().await;
            refused.extend(self.refusal(DELETE_FLOW_LOGS, answer));
        }
        let tagged = changes.iter().find_map(|change| match &change.step {
            Step::Tag { flow_log, tags } => Some((flow_log, tags)),
            _ => None,
        });
        if let Some((id, tags)) = tagged {
            let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
            let request = self.ec2.create_tags().resources(id.as_str()).set_tags(Some(tags));
            refused.extend(self.refusal(CREATE_TAGS, request.dry_run(true).send().await));
        }
        refused
    }

    fn refusal<T, E>(&self, call: Call, answer: Result<T, SdkError<E, HttpResponse>>) -> Option<Failure>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let error = answer.err()?;
        (code(&error) != Some(WOULD)).then(|| self.at.failure(call, &error))
    }
}
