//! Makes, replaces, tags and deletes flow logs in one region of one account.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::SdkError;
use aws_sdk_ec2::operation::create_flow_logs::CreateFlowLogsError;
use aws_sdk_ec2::types::{
    FlowLogsResourceType, LogDestinationType, ResourceType, Tag, TagSpecification, TrafficType,
    UnsuccessfulItem,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::{FlowLogId, VpcId};
use flowagg_core::observed::{Failure, Place};
use flowagg_core::plan::{FlowLogChange, Step};

use super::Applied;
use crate::aws::Account;
use crate::aws::call::*;
use crate::aws::failure::At;

/// The most resources in one call. Source: "CreateFlowLogs", ResourceIds (Amazon EC2 API Reference).
const MOST_RESOURCES: usize = 300;
/// What AWS says when a flow log like the wanted one is there; it says so for the whole call.
const ALREADY_EXISTS: &str = "FlowLogAlreadyExists";

pub(super) async fn apply(
    fleet: &Fleet,
    account: &Account,
    place: &Place,
    changes: &[&FlowLogChange],
) -> Applied {
    let here = Here { fleet, ec2: account.ec2(&place.region), at: At::new(place.account, &place.region) };
    let mut applied = Applied::default();
    let creates: Vec<&FlowLogChange> =
        changes.iter().copied().filter(|change| matches!(change.step, Step::Create)).collect();
    for batch in creates.chunks(MOST_RESOURCES) {
        here.create_batch(batch, &mut applied).await;
    }
    for change in changes {
        let outcome = match &change.step {
            Step::Create => continue,
            Step::Replace { old } => here.replace(&change.vpc, old).await,
            Step::Tag { flow_log, tags } => here.tag(flow_log, tags).await,
            Step::Delete { flow_log } => here.delete(flow_log).await,
        };
        applied.record(change, outcome);
    }
    applied
}

impl Applied {
    fn record(&mut self, change: &FlowLogChange, outcome: Result<(), Failure>) {
        match outcome {
            Ok(()) => self.done.push(change.to_string()),
            Err(failure) => self.failures.push(failure),
        }
    }
}

struct Here<'a> {
    fleet: &'a Fleet,
    ec2: Client,
    at: At,
}

impl Here<'_> {
    /// One call for all. AWS refuses the whole call when one of the VPCs has such a flow log already: then one by one.
    async fn create_batch(&self, batch: &[&FlowLogChange], applied: &mut Applied) {
        let vpcs: Vec<&VpcId> = batch.iter().map(|change| &change.vpc).collect();
        match self.create(&vpcs).await {
            Ok(unsuccessful) => {
                for change in batch {
                    let failed =
                        unsuccessful.iter().find(|item| item.resource_id() == Some(change.vpc.as_str()));
                    let outcome = failed
                        .map_or(Ok(()), |item| Err(self.unsuccessful(CREATE_FLOW_LOGS, &change.vpc, item)));
                    applied.record(change, outcome);
                }
            }
            Err(error) if is_already_exists(&error) && batch.len() > 1 => {
                for change in batch {
                    applied.record(change, self.create_one(&change.vpc).await);
                }
            }
            Err(error) => {
                for change in batch {
                    applied.record(change, Err(self.at.about(&change.vpc).failure(CREATE_FLOW_LOGS, &error)));
                }
            }
        }
    }

    async fn create_one(&self, vpc: &VpcId) -> Result<(), Failure> {
        let unsuccessful = self
            .create(&[vpc])
            .await
            .map_err(|error| self.at.about(vpc).failure(CREATE_FLOW_LOGS, &error))?;
        unsuccessful.first().map_or(Ok(()), |item| Err(self.unsuccessful(CREATE_FLOW_LOGS, vpc, item)))
    }

    /// `CreateFlowLogs`. HTTP 200 is no success: the items that were not are returned.
    async fn create(
        &self,
        vpcs: &[&VpcId],
    ) -> Result<Vec<UnsuccessfulItem>, SdkError<CreateFlowLogsError, HttpResponse>> {
        let spec = &self.fleet.flow_logs;
        let tags =
            spec.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let tags =
            TagSpecification::builder().resource_type(ResourceType::VpcFlowLog).set_tags(Some(tags)).build();
        let request = self
            .ec2
            .create_flow_logs()
            .client_token(uuid::Uuid::new_v4().to_string())
            .resource_type(FlowLogsResourceType::Vpc)
            .set_resource_ids(Some(vpcs.iter().map(ToString::to_string).collect()))
            .traffic_type(TrafficType::from(spec.traffic.as_api()))
            .log_destination_type(LogDestinationType::S3)
            .log_destination(self.fleet.destination().arn())
            .max_aggregation_interval(spec.aggregation_interval.seconds())
            .tag_specifications(tags);
        request.send().await.map(|answer| answer.unsuccessful.unwrap_or_default())
    }

    /// Makes the right one first, so that no traffic goes unlogged. Where AWS takes both for the same, the wrong one has
    /// to go first.
    async fn replace(&self, vpc: &VpcId, old: &FlowLogId) -> Result<(), Failure> {
        match self.create(&[vpc]).await {
            Ok(unsuccessful) => {
                if let Some(item) = unsuccessful.first() {
                    return Err(self.unsuccessful(CREATE_FLOW_LOGS, vpc, item));
                }
                self.delete(old).await
            }
            Err(error) if is_already_exists(&error) => {
                self.delete(old).await?;
                self.create_one(vpc).await.map_err(|failure| Failure {
                    message: format!(
                        "{old} was deleted, but its replacement was not made: {}",
                        failure.message
                    ),
                    ..failure
                })
            }
            Err(error) => Err(self.at.about(vpc).failure(CREATE_FLOW_LOGS, &error)),
        }
    }

    async fn tag(
        &self,
        flow_log: &FlowLogId,
        tags: &std::collections::BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let answer = self.ec2.create_tags().resources(flow_log.as_str()).set_tags(Some(tags)).send().await;
        answer.map(drop).map_err(|error| self.at.about(flow_log).failure(CREATE_TAGS, &error))
    }

    async fn delete(&self, flow_log: &FlowLogId) -> Result<(), Failure> {
        match self.ec2.delete_flow_logs().flow_log_ids(flow_log.as_str()).send().await {
            Ok(answer) => match answer.unsuccessful().first() {
                Some(item) => Err(self.unsuccessful(DELETE_FLOW_LOGS, flow_log, item)),
                None => Ok(()),
            },
            // Gone already: an answer was lost, or somebody else deleted it.
            Err(SdkError::ServiceError(error)) if error.err().code() == Some("InvalidFlowLogId.NotFound") => {
                Ok(())
            }
            Err(error) => Err(self.at.about(flow_log).failure(DELETE_FLOW_LOGS, &error)),
        }
    }

    fn unsuccessful(&self, call: Call, resource: &dyn std::fmt::Display, item: &UnsuccessfulItem) -> Failure {
        let error = item.error();
        let code = error.and_then(|error| error.code()).unwrap_or("no code");
        let message = error.and_then(|error| error.message()).unwrap_or("AWS gave no reason");
        let help = if message.contains("undeliverable") {
            "the bucket cannot be delivered to: with a KMS key, it must be a customer managed key given by its ARN"
        } else if message.contains("does not exist") {
            "the bucket is gone: run `flowagg plan` again"
        } else {
            "run `flowagg plan` again to see what is missing"
        };
        self.at.about(resource).failed(call, Some(code), message, help)
    }
}

fn is_already_exists(error: &SdkError<CreateFlowLogsError, HttpResponse>) -> bool {
    error.as_service_error().and_then(|error| error.code()) == Some(ALREADY_EXISTS)
}
